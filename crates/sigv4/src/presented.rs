//! What a request says of its signature, read without any secret.

use std::fmt;

use crate::credential::Credential;
use crate::date::AmzDate;
use crate::payload::{DeclaredPayload, lower_hex};
use crate::query::Query;
use crate::signed_headers::SignedHeaders;
use crate::sigv2::SigV2;
use crate::{Head, Refusal};

mod authorization;
mod presigned;

/// Headers that decide what a request is and who made it: none may stand twice.
const DECIDING: [&str; 6] =
    ["authorization", "host", "x-amz-date", "x-amz-target", "x-amz-security-token", "x-amz-content-sha256"];

/// The signature that a request presents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presented {
    /// Signature version 4, in the `Authorization` header or in the query.
    V4(SigV4),
    /// Signature version 2 in the query, which presigned S3 URLs of boto3 carry.
    V2(SigV2),
}

/// A presented signature of version 4.
#[derive(Clone, PartialEq, Eq)]
pub struct SigV4 {
    pub(crate) credential: Credential,
    pub(crate) signed_headers: SignedHeaders,
    pub(crate) signature: [u8; 32],
    pub(crate) date: AmzDate,
    /// Seconds; only in the query form.
    pub(crate) expires: Option<i64>,
    pub(crate) security_token: Option<String>,
    pub(crate) payload: Option<DeclaredPayload>,
    pub(crate) query: Query,
}

impl SigV4 {
    /// The credential with its scope.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Whether the signature stands in the query.
    pub fn is_presigned(&self) -> bool {
        self.expires.is_some()
    }

    /// What the request declares of its body, if anything.
    pub fn payload(&self) -> Option<DeclaredPayload> {
        self.payload
    }
}

impl fmt::Debug for SigV4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigV4")
            .field("credential", &self.credential)
            .field("signed_headers", &self.signed_headers.as_str())
            .field("date", &self.date.text)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

impl Presented {
    /// Reads the signature of a request. None at all is [`Refusal::MissingAuthenticationToken`]; one that is
    /// incomplete, doubled, or given in the header and in the query is refused for that.
    pub fn read(head: &Head<'_>) -> Result<Self, Refusal> {
        let query = head.query()?;
        head.each_once(&DECIDING)?;
        let authorization = head.single("authorization")?;
        let presigned = presigned::is_presigned(&query);
        let sigv2 = SigV2::is_presented(&query);
        match (authorization, presigned, sigv2) {
            (None, false, false) => Err(Refusal::MissingAuthenticationToken),
            (Some(text), false, false) => authorization::read(head, text, query).map(Self::V4),
            (None, true, false) => presigned::read(head, query).map(Self::V4),
            (None, false, true) => SigV2::read(&query).map(Self::V2),
            _ => Err(Refusal::TwoMechanisms),
        }
    }

    /// The access key id that claims to have signed.
    pub fn access_key_id(&self) -> &str {
        match self {
            Self::V4(v4) => v4.credential.access_key_id(),
            Self::V2(v2) => v2.access_key_id(),
        }
    }

    /// The session token, of temporary credentials.
    pub fn security_token(&self) -> Option<&str> {
        match self {
            Self::V4(v4) => v4.security_token.as_deref(),
            Self::V2(v2) => v2.security_token(),
        }
    }

    /// The scope's region; version 2 has none.
    pub fn region(&self) -> Option<&str> {
        match self {
            Self::V4(v4) => Some(v4.credential.region()),
            Self::V2(_) => None,
        }
    }

    /// The scope's service by its signing name; version 2 is only ever S3's.
    pub fn service(&self) -> &str {
        match self {
            Self::V4(v4) => v4.credential.service(),
            Self::V2(_) => "s3",
        }
    }
}

fn signature(text: &str) -> Result<[u8; 32], Refusal> {
    lower_hex(text).ok_or_else(|| Refusal::incomplete("Signature must be 64 lower-case hexadecimal digits."))
}

fn declared_payload(text: Option<&str>) -> Result<Option<DeclaredPayload>, Refusal> {
    let parse = |text| DeclaredPayload::parse(text).ok_or(Refusal::InvalidContentSha256);
    text.map(parse).transpose()
}
