use std::collections::HashSet;

use super::{SigV4, declared_payload, signature};
use crate::credential::Credential;
use crate::date::AmzDate;
use crate::query::Query;
use crate::signed_headers::SignedHeaders;
use crate::verify::PRESIGNED_MAX_SECONDS;
use crate::{Head, Refusal};

/// Any of the parameters that only a presigned request has makes it one: half a signature is not none.
pub(super) fn is_presigned(query: &Query) -> bool {
    ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders"]
        .iter()
        .any(|name| query.get(name).is_some())
}

pub(super) fn read(head: &Head<'_>, query: Query) -> Result<SigV4, Refusal> {
    refuse_duplicates(head, &query)?;
    let [algorithm, credential, presented, signed, date] = required(&query)?;
    if algorithm != "AWS4-HMAC-SHA256" {
        return Err(Refusal::UnsupportedAlgorithm);
    }
    let seconds = query.get("X-Amz-Expires").ok_or_else(|| missing(&["X-Amz-Expires"]))?;
    let payload = match query.get("X-Amz-Content-Sha256") {
        Some(text) => Some(text),
        None => head.single("x-amz-content-sha256")?,
    };
    Ok(SigV4 {
        credential: Credential::parse(credential).map_err(Refusal::incomplete)?,
        signed_headers: SignedHeaders::parse(signed)?,
        signature: signature(presented)?,
        date: AmzDate::parse(date).ok_or(Refusal::MissingDate)?,
        expires: Some(expires(seconds)?),
        security_token: query.get("X-Amz-Security-Token").map(str::to_owned),
        payload: declared_payload(payload)?,
        query,
    })
}

/// What every signature in a query has. All that is missing is told at once.
fn required(query: &Query) -> Result<[&str; 5], Refusal> {
    const NAMES: [&str; 5] =
        ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"];
    let found = NAMES.map(|name| query.get(name).unwrap_or_default());
    let absent: Vec<&str> =
        NAMES.into_iter().zip(found).filter(|(_, value)| value.is_empty()).map(|(name, _)| name).collect();
    if absent.is_empty() { Ok(found) } else { Err(missing(&absent)) }
}

fn missing(names: &[&str]) -> Refusal {
    let said = |name: &&str| format!("AWS query-string parameters must include '{name}'.");
    let said: Vec<String> = names.iter().map(said).collect();
    Refusal::incomplete(format!("{} Re-examine the query-string parameters.", said.join(" ")))
}

/// No `X-Amz-*` parameter stands twice, in whatever case, nor beside a header of its name that decides something.
fn refuse_duplicates(head: &Head<'_>, query: &Query) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    for (name, _) in query.iter() {
        let lower = name.to_ascii_lowercase();
        if !lower.starts_with("x-amz-") {
            continue;
        }
        let deciding = matches!(&*lower, "x-amz-date" | "x-amz-security-token" | "x-amz-content-sha256");
        if (deciding && head.headers.contains_key(&lower)) || !seen.insert(lower) {
            return Err(Refusal::Duplicate { name: name.to_owned() });
        }
    }
    Ok(())
}

fn expires(text: &str) -> Result<i64, Refusal> {
    if text.len() > 6 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Refusal::ExpiresOutOfRange);
    }
    let seconds = text.parse().ok().filter(|seconds| (1..=PRESIGNED_MAX_SECONDS).contains(seconds));
    seconds.ok_or(Refusal::ExpiresOutOfRange)
}
