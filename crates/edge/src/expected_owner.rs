use homeport_core::{Account, Fault};
use homeport_wire::Location;
use http::request::Parts;
use percent_encoding::percent_decode_str;

use crate::route::Routed;

/// Headers by which a call of S3 says whose a bucket is to be: the one that it is about, and the one it copies from.
const HEADERS: [&str; 2] = ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"];

/// Whether the buckets of a call are whose the caller expects: all are this account's. Operations whose model has no
/// such header do not ask.
pub(crate) fn check(routed: &Routed, head: &Parts, account: Account) -> Result<(), Fault> {
    if routed.model.name != "s3" {
        return Ok(());
    }
    let account = account.to_string();
    for name in HEADERS.into_iter().filter(|name| asks(routed, name)) {
        let in_headers = head.headers.get_all(name).iter().map(http::HeaderValue::as_bytes);
        if !in_headers.chain(presigned(head, name)).all(|owner| owner == account.as_bytes()) {
            return Err(Fault::with_status("AccessDenied", 403, "Access Denied"));
        }
    }
    Ok(())
}

fn asks(routed: &Routed, name: &str) -> bool {
    let input = routed.operation.and_then(|operation| operation.input);
    let members = input.and_then(|shape| routed.model.shape(shape).structure()).map(|input| &input.members);
    members.is_some_and(|members| {
        members.iter().any(|m| m.location == Location::Header && m.wire_name.eq_ignore_ascii_case(name))
    })
}

/// What stands in the query under the name of a header: presigned URLs carry their headers there. A value that is
/// escaped is no account.
fn presigned<'h>(head: &'h Parts, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
    let pairs = head.uri.query().unwrap_or_default().split('&');
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let named = move |text: &str| {
        percent_decode_str(text).decode_utf8().is_ok_and(|decoded| decoded.eq_ignore_ascii_case(name))
    };
    pairs.filter(move |(text, _)| named(text)).map(|(_, value)| value.as_bytes())
}
