use std::fmt;

use aws_lc_rs::digest;
use homeport_core::Timestamp;
use http::{HeaderMap, HeaderValue};

use crate::canonical::{Canonical, PathStyle, sha256_hex};
use crate::chunked::{Chain, ChunkSigner};
use crate::date::AmzDate;
use crate::encode::uri_encode;
use crate::payload::DeclaredPayload;
use crate::query::Query;
use crate::signed_headers::SignedHeaders;
use crate::{Credential, Head, Refusal, SigningKey};

/// An access key, its secret, and the session token of temporary credentials.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// `AKIA…` or `ASIA…`.
    pub access_key_id: &'a str,
    /// The secret.
    pub secret_access_key: &'a str,
    /// The session token, of temporary credentials.
    pub session_token: Option<&'a str>,
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// How a signer binds the body.
#[derive(Clone, Copy, Debug)]
pub enum SignedPayload<'a> {
    /// By the hash of these bytes.
    Bytes(&'a [u8]),
    /// As S3's `x-amz-content-sha256` declares.
    Declared(DeclaredPayload),
}

/// Headers that proxies and clients change on the way, so that signing them would break the signature.
const NEVER_SIGNED: [&str; 9] = [
    "authorization",
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "te",
    "transfer-encoding",
    "user-agent",
    "x-amzn-trace-id",
];

/// Signs requests with version 4, for one service and region at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Signer<'a> {
    /// Who signs.
    pub credentials: Credentials<'a>,
    /// The scope's region.
    pub region: &'a str,
    /// The scope's service, by its signing name; `s3` has rules of its own.
    pub service: &'a str,
    /// When it is signed.
    pub at: Timestamp,
}

impl Signer<'_> {
    /// Signs in the headers: adds `X-Amz-Date`, the session token, S3's `X-Amz-Content-Sha256` and
    /// `Authorization`. `Host` must be there. What [`ChunkSigner`] needs comes back, for bodies in chunks.
    pub fn sign(
        &self,
        method: &str,
        target: &str,
        headers: &mut HeaderMap,
        payload: SignedPayload<'_>,
    ) -> Result<ChunkSigner, Refusal> {
        let date = AmzDate::of(self.at);
        let payload = payload_text(payload);
        headers.insert("x-amz-date", header_value("x-amz-date", &date.text)?);
        if let Some(token) = self.credentials.session_token {
            headers.insert("x-amz-security-token", header_value("x-amz-security-token", token)?);
        }
        if self.service == "s3" {
            headers.insert("x-amz-content-sha256", header_value("x-amz-content-sha256", &payload)?);
        }
        let credential = self.credential(&date);
        let signed_headers = SignedHeaders::of(headers, &NEVER_SIGNED);
        let head = Head { method, target, headers };
        let signature = self.signature(&head, &head.query()?, &signed_headers, &payload, &date)?;
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}, SignedHeaders={}, Signature={}",
            credential.as_str(),
            signed_headers.as_str(),
            hex::encode(signature)
        );
        headers.insert("authorization", header_value("authorization", &authorization)?);
        let key = self.key(&credential);
        Ok(ChunkSigner::new(Chain::new(key, &date.text, &credential, &signature)))
    }

    /// Signs in the query and answers with the new target, good for `expires` seconds. Every header given must be
    /// sent with it; the body is not bound for S3, and must be empty elsewhere.
    pub fn presign(
        &self,
        method: &str,
        target: &str,
        headers: &HeaderMap,
        expires: u32,
    ) -> Result<String, Refusal> {
        let date = AmzDate::of(self.at);
        let signed_headers = SignedHeaders::of(headers, &NEVER_SIGNED);
        let mut target = target.to_owned();
        target.push(if target.contains('?') { '&' } else { '?' });
        let credential = uri_encode(self.credential(&date).as_str(), false);
        let signed = uri_encode(signed_headers.as_str(), false);
        target.push_str(&format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}&X-Amz-Date={}&X-Amz-Expires={expires}&X-Amz-SignedHeaders={signed}",
            date.text
        ));
        if let Some(token) = self.credentials.session_token {
            target.push_str(&format!("&X-Amz-Security-Token={}", uri_encode(token, false)));
        }
        let unsigned = SignedPayload::Declared(DeclaredPayload::Unsigned);
        let payload = payload_text(if self.service == "s3" { unsigned } else { SignedPayload::Bytes(b"") });
        let head = Head { method, target: &target, headers };
        let signature = self.signature(&head, &head.query()?, &signed_headers, &payload, &date)?;
        Ok(format!("{target}&X-Amz-Signature={}", hex::encode(signature)))
    }

    fn credential(&self, date: &AmzDate) -> Credential {
        Credential::new(self.credentials.access_key_id, date.day(), self.region, self.service)
    }

    fn key(&self, credential: &Credential) -> SigningKey {
        SigningKey::derive(self.credentials.secret_access_key.as_bytes(), credential)
    }

    fn signature(
        &self,
        head: &Head<'_>,
        query: &Query,
        signed_headers: &SignedHeaders,
        payload: &str,
        date: &AmzDate,
    ) -> Result<[u8; 32], Refusal> {
        let style =
            if self.service == "s3" { PathStyle::EncodedOnce } else { PathStyle::NormalizedEncodedTwice };
        let canonical = Canonical {
            method: head.method,
            raw_path: head.raw_path(),
            style,
            query,
            headers: head.headers,
            signed_headers,
            payload,
        };
        let credential = self.credential(date);
        Ok(self.key(&credential).sign(&canonical.string_to_sign(&date.text, &credential)?))
    }
}

fn payload_text(payload: SignedPayload<'_>) -> String {
    match payload {
        SignedPayload::Bytes(bytes) => sha256_hex(bytes),
        SignedPayload::Declared(declared) => declared.text().into_owned(),
    }
}

fn header_value(name: &'static str, text: &str) -> Result<HeaderValue, Refusal> {
    HeaderValue::from_str(text).map_err(|_| Refusal::MalformedHeader { name })
}

impl<'a> SignedPayload<'a> {
    /// The hash of a body that is at hand, declared as S3 does.
    pub fn hashed(body: &[u8]) -> SignedPayload<'a> {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, body).as_ref());
        SignedPayload::Declared(DeclaredPayload::Sha256(hash))
    }
}
