use std::borrow::Cow;

use homeport_core::Timestamp;

use crate::canonical::{Canonical, PathStyle, hash_hex};
use crate::chunked::{Announced, ChunkedBody};
use crate::head::values;
use crate::payload::DeclaredPayload;
use crate::presented::{Presented, SigV4};
use crate::signing_key::{SigningKey, SigningKeys};
use crate::{Head, Refusal};

/// A presigned request lives at most a week.
pub const PRESIGNED_MAX_SECONDS: i64 = 604_800;

const SKEW_SECONDS: i64 = 5 * 60;
const S3_SKEW_SECONDS: i64 = 15 * 60;

/// What the service that is called asks of a signature.
#[derive(Clone, Copy, Debug)]
pub enum Rules<'a> {
    /// Every service but S3: five minutes of skew, and the body that was received is what is signed.
    Standard {
        /// The service's signing name.
        service: &'a str,
        /// The SHA-256 of the body as received.
        body_sha256: &'a [u8; 32],
    },
    /// S3: fifteen minutes of skew, and the body is bound as the request declares.
    S3 {
        /// The bucket, where the host names it; SigV2 signs it as a part of the path.
        virtual_bucket: Option<&'a str>,
        /// Whether presigned URLs of version 2 are accepted.
        sigv2: bool,
    },
}

/// How the body is bound to a signature that has been verified.
#[derive(Debug)]
pub enum BodyForm {
    /// The body was received whole and is what was signed.
    Verified,
    /// Nothing binds the body.
    Unsigned,
    /// The body's SHA-256 must be this; whoever reads it compares.
    Sha256([u8; 32]),
    /// The body comes in chunks, which this takes apart and verifies.
    Chunked(Box<ChunkedBody>),
}

/// Verifies the signature of a request by the secret of the access key it names. Times out of range are told
/// before the signature is computed; the signature itself is compared in constant time.
///
/// The scope's region, and whether the key and its session token are good, are the caller's to check.
pub fn verify(
    presented: &Presented,
    secret: &[u8],
    keys: &SigningKeys,
    head: &Head<'_>,
    now: Timestamp,
    rules: &Rules<'_>,
) -> Result<BodyForm, Refusal> {
    match (presented, rules) {
        (Presented::V4(v4), _) => v4.verify(secret, keys, head, now, rules),
        (Presented::V2(v2), Rules::S3 { virtual_bucket, sigv2: true }) => {
            v2.verify(secret, head, *virtual_bucket, now)?;
            Ok(BodyForm::Unsigned)
        }
        (Presented::V2(_), _) => Err(Refusal::SigV2NotAccepted),
    }
}

impl SigV4 {
    fn verify(
        &self,
        secret: &[u8],
        keys: &SigningKeys,
        head: &Head<'_>,
        now: Timestamp,
        rules: &Rules<'_>,
    ) -> Result<BodyForm, Refusal> {
        let (service, style, skew) = match rules {
            Rules::Standard { service, .. } => (*service, PathStyle::NormalizedEncodedTwice, SKEW_SECONDS),
            Rules::S3 { .. } => ("s3", PathStyle::EncodedOnce, S3_SKEW_SECONDS),
        };
        if self.credential.service() != service {
            return Err(Refusal::WrongService { expected: service.to_owned() });
        }
        self.check_signed_headers(head)?;
        self.check_time(now, skew)?;
        let payload = self.payload_text(rules)?;
        let canonical = Canonical {
            method: head.method,
            raw_path: head.raw_path(),
            style,
            query: &self.query,
            headers: head.headers,
            signed_headers: &self.signed_headers,
            payload: &payload,
        };
        let key = keys.get(secret, &self.credential);
        if !key.verifies(&canonical.string_to_sign(&self.date.text, &self.credential)?, &self.signature) {
            return Err(Refusal::SignatureDoesNotMatch);
        }
        match rules {
            Rules::Standard { .. } => Ok(BodyForm::Verified),
            Rules::S3 { .. } => self.body_form(key, head),
        }
    }

    /// Host, every `x-amz-*` that is present, and `Date` where it is the date that counts.
    fn check_signed_headers(&self, head: &Head<'_>) -> Result<(), Refusal> {
        let signed = |name: &str| self.signed_headers.contains(name);
        let amz = head.headers.keys().map(http::HeaderName::as_str).filter(|name| name.starts_with("x-amz-"));
        let date =
            (!self.is_presigned() && values(head.headers, "x-amz-date").next().is_none()).then_some("date");
        match ["host"].into_iter().chain(date).chain(amz).find(|name| !signed(name)) {
            Some(name) => Err(Refusal::HeaderNotSigned { name: name.to_owned() }),
            None => Ok(()),
        }
    }

    fn check_time(&self, now: Timestamp, skew: i64) -> Result<(), Refusal> {
        if self.credential.date() != self.date.day() {
            let (scope, request) = (self.credential.date().to_owned(), self.date.day().to_owned());
            return Err(Refusal::WrongDay { scope, request });
        }
        let (signed, minutes) = (self.date.at, skew / 60);
        let text = Timestamp::basic_iso8601;
        if signed > now.plus_seconds(skew) {
            let latest = text(now.plus_seconds(skew));
            return Err(Refusal::SignatureNotYetCurrent {
                signed: text(signed),
                latest,
                now: text(now),
                minutes,
            });
        }
        match self.expires {
            Some(expires) if now > signed.plus_seconds(expires) => Err(Refusal::RequestExpired),
            None if signed < now.plus_seconds(-skew) => {
                let earliest = text(now.plus_seconds(-skew));
                Err(Refusal::SignatureExpired { signed: text(signed), earliest, now: text(now), minutes })
            }
            _ => Ok(()),
        }
    }

    fn payload_text(&self, rules: &Rules<'_>) -> Result<Cow<'static, str>, Refusal> {
        match (rules, self.payload) {
            (Rules::Standard { body_sha256, .. }, None | Some(DeclaredPayload::Sha256(_))) => {
                Ok(hash_hex(*body_sha256).into())
            }
            (Rules::Standard { .. }, Some(_)) => Err(Refusal::InvalidContentSha256),
            (Rules::S3 { .. }, Some(declared)) => Ok(declared.text()),
            (Rules::S3 { .. }, None) if self.is_presigned() => Ok(DeclaredPayload::Unsigned.text()),
            (Rules::S3 { .. }, None) => Err(Refusal::MissingContentSha256),
        }
    }

    fn body_form(&self, key: SigningKey, head: &Head<'_>) -> Result<BodyForm, Refusal> {
        let chunked = match self.payload {
            None | Some(DeclaredPayload::Unsigned) => return Ok(BodyForm::Unsigned),
            Some(DeclaredPayload::Sha256(hash)) => return Ok(BodyForm::Sha256(hash)),
            Some(DeclaredPayload::UnsignedChunks) => ChunkedBody::unsigned(head.headers)?,
            Some(DeclaredPayload::SignedChunks { trailer }) => {
                let announced = Announced::read(head.headers)?;
                let chain =
                    crate::chunked::Chain::new(key, &self.date.text, &self.credential, &self.signature);
                ChunkedBody::signed(announced, chain, trailer)
            }
        };
        Ok(BodyForm::Chunked(Box::new(chunked)))
    }
}

impl DeclaredPayload {
    /// The header's value.
    pub(crate) fn text(self) -> Cow<'static, str> {
        match self {
            Self::Sha256(hash) => hash_hex(&hash).into(),
            Self::Unsigned => "UNSIGNED-PAYLOAD".into(),
            Self::SignedChunks { trailer: false } => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD".into(),
            Self::SignedChunks { trailer: true } => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER".into(),
            Self::UnsignedChunks => "STREAMING-UNSIGNED-PAYLOAD-TRAILER".into(),
        }
    }
}
