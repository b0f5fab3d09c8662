//! What the tests share: the documents' example credentials, and heads made of plain text.

use aws_lc_rs::digest;
use homeport_core::Timestamp;
use homeport_sigv4::{BodyForm, Credentials, Head, Presented, Refusal, Rules, Signer, SigningKeys, verify};
use http::{HeaderMap, HeaderName, HeaderValue};

pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub(crate) const S3: Rules<'static> = Rules::S3 { virtual_bucket: None, sigv2: true };

/// 2015-08-30T12:36:00Z, the moment of the vectors.
pub(crate) const AT: Timestamp = Timestamp::from_seconds(1_440_938_160);

pub(crate) fn signer(service: &str) -> Signer<'_> {
    let credentials =
        Credentials { access_key_id: "AKIDEXAMPLE", secret_access_key: SECRET, session_token: None };
    Signer { credentials, region: "us-east-1", service, at: AT }
}

pub(crate) fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest::digest(&digest::SHA256, bytes).as_ref().try_into().unwrap()
}

/// Checks a request as an installation that has one access key, the documents' own.
pub(crate) fn check(
    method: &str,
    target: &str,
    headers: &HeaderMap,
    now: Timestamp,
    rules: &Rules<'_>,
) -> Result<BodyForm, Refusal> {
    let head = Head { method, target, headers };
    let presented = Presented::read(&head)?;
    if presented.access_key_id() != "AKIDEXAMPLE" {
        return Err(Refusal::SignatureDoesNotMatch);
    }
    verify(&presented, SECRET.as_bytes(), &SigningKeys::new(16), &head, now, rules)
}

/// Checks as the service of the vectors, with this body.
pub(crate) fn check_standard(
    method: &str,
    target: &str,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<BodyForm, Refusal> {
    let body_sha256 = &sha256(body);
    check(method, target, headers, now, &Rules::Standard { service: "service", body_sha256 })
}
