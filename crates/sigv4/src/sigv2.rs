//! Signature version 2 in a query: the presigned S3 URLs that boto3 makes by default.

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use homeport_core::Timestamp;

use crate::query::Query;
use crate::verify::PRESIGNED_MAX_SECONDS;
use crate::{Head, Refusal};

/// A presented signature of version 2. It covers the method, the path, `x-amz-*`, and no body.
#[derive(Clone, PartialEq, Eq)]
pub struct SigV2 {
    access_key_id: String,
    signature: [u8; 20],
    /// Seconds since 1970, as written.
    expires: String,
    security_token: Option<String>,
    query: Query,
}

/// Parameters that are no sub-resource and so are not signed by name.
const OWN_PARAMETERS: [&str; 5] = ["AWSAccessKeyId", "Signature", "Expires", "content-type", "content-md5"];

/// The sub-resources that a GET, HEAD or PUT of an object may name.
const SUB_RESOURCES: [&str; 7] = [
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "versionId",
];

impl SigV2 {
    pub(crate) fn is_presented(query: &Query) -> bool {
        query.get("AWSAccessKeyId").is_some()
    }

    pub(crate) fn read(query: &Query) -> Result<Self, Refusal> {
        let required = |name: &str| {
            let missing =
                "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters";
            query.get(name).ok_or_else(|| Refusal::incomplete(missing))
        };
        let mut names: Vec<String> = query.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        names.sort();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Refusal::Duplicate { name: pair[0].clone() });
        }
        let decoded = STANDARD.decode(required("Signature")?).ok();
        let signature =
            decoded.and_then(|bytes| bytes.try_into().ok()).ok_or(Refusal::SignatureDoesNotMatch)?;
        let expires = required("Expires")?;
        if !(1..=12).contains(&expires.len()) || !expires.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Refusal::ExpiresOutOfRange);
        }
        Ok(Self {
            access_key_id: required("AWSAccessKeyId")?.to_owned(),
            signature,
            expires: expires.to_owned(),
            security_token: query.get("x-amz-security-token").map(str::to_owned),
            query: query.clone(),
        })
    }

    pub(crate) fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    pub(crate) fn security_token(&self) -> Option<&str> {
        self.security_token.as_deref()
    }

    /// GET, HEAD and PUT of an object only; expires at most a week ahead.
    pub(crate) fn verify(
        &self,
        secret: &[u8],
        head: &Head<'_>,
        virtual_bucket: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if !matches!(head.method, "GET" | "HEAD" | "PUT") || !names_object(head.raw_path(), virtual_bucket) {
            return Err(Refusal::SigV2NotAccepted);
        }
        let expires = Timestamp::from_seconds(self.expires.parse().map_err(|_| Refusal::ExpiresOutOfRange)?);
        if now > expires {
            return Err(Refusal::RequestExpired);
        }
        if expires > now.plus_seconds(PRESIGNED_MAX_SECONDS) {
            return Err(Refusal::ExpiresOutOfRange);
        }
        let text = self.string_to_sign(head, virtual_bucket)?;
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
        hmac::verify(&key, &text, &self.signature).map_err(|_| Refusal::SignatureDoesNotMatch)
    }

    fn string_to_sign(&self, head: &Head<'_>, virtual_bucket: Option<&str>) -> Result<Vec<u8>, Refusal> {
        let md5 = self.header_or_parameter(head, "content-md5")?;
        let content_type = self.header_or_parameter(head, "content-type")?;
        let mut out = format!("{}\n{md5}\n{content_type}\n{}\n", head.method, self.expires).into_bytes();
        for (name, value) in self.amz_headers(head)? {
            out.extend_from_slice(name.as_bytes());
            out.push(b':');
            out.extend_from_slice(&value);
            out.push(b'\n');
        }
        if let Some(bucket) = virtual_bucket {
            out.extend_from_slice(format!("/{bucket}").as_bytes());
        }
        out.extend_from_slice(head.raw_path().as_bytes());
        let mut separator = '?';
        for (name, value) in self.sub_resources()? {
            let equals = if value.is_empty() { "" } else { "=" };
            out.extend_from_slice(format!("{separator}{name}{equals}{value}").as_bytes());
            separator = '&';
        }
        Ok(out)
    }

    /// A parameter stands for the header of its name; where both come they say the same.
    fn header_or_parameter<'a>(&'a self, head: &Head<'a>, name: &'static str) -> Result<&'a str, Refusal> {
        match (head.single(name)?, self.query.get(name)) {
            (Some(header), Some(parameter)) if header != parameter => {
                Err(Refusal::Duplicate { name: name.to_owned() })
            }
            (header, parameter) => Ok(header.or(parameter).unwrap_or_default()),
        }
    }

    /// Every `x-amz-*`, header or parameter, by lower-case name; several values of a header joined by commas.
    fn amz_headers(&self, head: &Head<'_>) -> Result<BTreeMap<String, Vec<u8>>, Refusal> {
        let mut found: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for (name, value) in head.headers.iter().filter(|(name, _)| name.as_str().starts_with("x-amz-")) {
            let joined = found.entry(name.as_str().to_owned()).or_default();
            if !joined.is_empty() {
                joined.push(b',');
            }
            joined.extend_from_slice(value.as_bytes().trim_ascii());
        }
        for (name, value) in self.query.iter() {
            let lower = name.to_ascii_lowercase();
            if !lower.starts_with("x-amz-") {
                continue;
            }
            let value = value.trim().as_bytes();
            if found.get(&lower).is_some_and(|header| header != value) {
                return Err(Refusal::Duplicate { name: name.to_owned() });
            }
            found.insert(lower, value.to_vec());
        }
        Ok(found)
    }

    /// What is neither signed as a header nor as a sub-resource could be changed by anyone, so it is refused.
    fn sub_resources(&self) -> Result<BTreeMap<&str, &str>, Refusal> {
        let mut found = BTreeMap::new();
        for (name, value) in self.query.iter() {
            if SUB_RESOURCES.contains(&name) {
                found.insert(name, value);
            } else if !OWN_PARAMETERS.contains(&name) && !name.to_ascii_lowercase().starts_with("x-amz-") {
                return Err(Refusal::SigV2NotAccepted);
            }
        }
        Ok(found)
    }
}

fn names_object(raw_path: &str, virtual_bucket: Option<&str>) -> bool {
    let path = raw_path.strip_prefix('/').unwrap_or(raw_path);
    let key = if virtual_bucket.is_some() { Some(path) } else { path.split_once('/').map(|(_, key)| key) };
    key.is_some_and(|key| !key.is_empty())
}

impl fmt::Debug for SigV2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigV2")
            .field("access_key_id", &self.access_key_id)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}
