//! Bodies in gzip (RFC 9110, 8.4), and the checksum that DynamoDB's answers carry.

use std::io::{Read, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use homeport_core::Fault;
use homeport_service::{Body, full};
use homeport_wire::Protocol;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response};

use crate::budget::Share;
use crate::route::Routed;
use crate::whole;

/// Answers of fewer bytes are not worth the packing.
const WORTH_PACKING: usize = 1_024;
const CRC32: HeaderName = HeaderName::from_static("x-amz-crc32");
const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// The body as its service reads it: unpacked, where the client packed it. Only once its signature holds, which is
/// over the body as it came.
pub(crate) async fn unpacked(
    head: &Parts,
    routed: &Routed,
    body: Bytes,
    limit: usize,
    share: &Share,
) -> Result<Bytes, Fault> {
    if routed.protocol != Protocol::Json || head.headers.get(CONTENT_ENCODING) != Some(&GZIP) {
        return Ok(body);
    }
    let mut unpacked = Vec::new();
    let mut reader = MultiGzDecoder::new(&*body).take(limit as u64 + 1);
    let mut piece = vec![0; 16 << 10];
    loop {
        let read = reader.read(&mut piece).map_err(|error| {
            Fault::sender("SerializationException", "The request's body is not gzip.").because(error)
        })?;
        if read == 0 {
            return Ok(unpacked.into());
        }
        if unpacked.len() + read > limit {
            return Err(whole::too_large());
        }
        share.cover(body.len() + unpacked.len() + read).await?;
        unpacked.extend_from_slice(&piece[..read]);
    }
}

/// Whether the client takes gzip.
pub(crate) fn takes_gzip(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut codings = lists.flat_map(|list| list.split(','));
    codings.any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = quality.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

/// An answer with this body. DynamoDB packs what is worth it for whoever takes gzip, and tells the checksum of what it
/// sends.
pub(crate) fn answer(routed: &Routed, body: Bytes, gzip: bool) -> Response<Body> {
    if !routed.model.is_dynamodb() {
        return Response::new(full(body));
    }
    let packed = (gzip && body.len() >= WORTH_PACKING).then(|| packed(&body)).flatten();
    let is_packed = packed.is_some();
    let sent = packed.unwrap_or(body);
    let checksum = HeaderValue::from(crc32fast::hash(&sent));
    let mut response = Response::new(full(sent));
    response.headers_mut().insert(CRC32, checksum);
    if is_packed {
        response.headers_mut().insert(CONTENT_ENCODING, GZIP);
    }
    response
}

fn packed(body: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_taken_where_it_is_named_and_not_refused() {
        for (text, taken) in [
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("identity", false),
            ("*", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(text));
            assert_eq!(takes_gzip(&headers), taken, "{text}");
        }
    }
}
