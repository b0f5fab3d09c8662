//! The headers that an object keeps and gives back.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::error::S3Error;
use crate::records::{Checksum, Object};

/// What an object has for a type where none was given.
const DEFAULT_TYPE: &str = "binary/octet-stream";

/// User metadata has at most so many bytes, names and values together.
const MAX_METADATA: usize = 2_048;

/// The headers of a body that are kept with it; at most 8 KiB of them arrive, as the edge bounds a request's head.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ContentHeaders {
    pub(crate) content_type: Option<String>,
    pub(crate) cache_control: Option<String>,
    pub(crate) content_disposition: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) content_language: Option<String>,
    pub(crate) expires: Option<String>,
}

impl ContentHeaders {
    /// Reads them; `aws-chunked` is the upload's encoding, not the object's.
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let text = |name: HeaderName| {
            let value = headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
            value.filter(|value| !value.is_empty())
        };
        let without_chunked = |encodings: String| {
            let kept = encodings.split(',').map(str::trim).filter(|e| !e.eq_ignore_ascii_case("aws-chunked"));
            let kept = kept.collect::<Vec<_>>().join(",");
            (!kept.is_empty()).then_some(kept)
        };
        Self {
            content_type: text(http::header::CONTENT_TYPE),
            cache_control: text(http::header::CACHE_CONTROL),
            content_disposition: text(http::header::CONTENT_DISPOSITION),
            content_encoding: text(http::header::CONTENT_ENCODING).and_then(without_chunked),
            content_language: text(http::header::CONTENT_LANGUAGE),
            expires: text(http::header::EXPIRES),
        }
    }

    fn write(&self, headers: &mut HeaderMap) {
        let content_type = self.content_type.as_deref().unwrap_or(DEFAULT_TYPE);
        set(headers, http::header::CONTENT_TYPE, content_type);
        let others = [
            (http::header::CACHE_CONTROL, &self.cache_control),
            (http::header::CONTENT_DISPOSITION, &self.content_disposition),
            (http::header::CONTENT_ENCODING, &self.content_encoding),
            (http::header::CONTENT_LANGUAGE, &self.content_language),
            (http::header::EXPIRES, &self.expires),
        ];
        for (name, value) in others {
            if let Some(value) = value {
                set(headers, name, value);
            }
        }
    }
}

/// Reads `x-amz-meta-*`: names in lower case, without the prefix.
pub(crate) fn metadata(headers: &HeaderMap) -> Result<BTreeMap<String, String>, S3Error> {
    let mut metadata = BTreeMap::new();
    for name in headers.keys() {
        let Some(bare) = name.as_str().strip_prefix("x-amz-meta-") else { continue };
        let values: Vec<_> =
            headers.get_all(name).iter().map(|v| String::from_utf8_lossy(v.as_bytes())).collect();
        metadata.insert(bare.to_owned(), values.join(","));
    }
    check_metadata(&metadata)?;
    Ok(metadata)
}

/// Within its bound.
pub(crate) fn check_metadata(metadata: &BTreeMap<String, String>) -> Result<(), S3Error> {
    let bytes: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > MAX_METADATA { Err(S3Error::MetadataTooLarge) } else { Ok(()) }
}

/// Reads the storage class; none for STANDARD. Nothing is stored otherwise for any of them.
pub(crate) fn storage_class(class: Option<&str>) -> Result<Option<String>, S3Error> {
    match class {
        None | Some("STANDARD") => Ok(None),
        Some(other @ ("REDUCED_REDUNDANCY" | "STANDARD_IA" | "ONEZONE_IA" | "INTELLIGENT_TIERING")) => {
            Ok(Some(other.to_owned()))
        }
        Some(_) => Err(S3Error::InvalidStorageClass),
    }
}

/// The header that asks for encryption at rest, and says which there is.
pub(crate) const ENCRYPTION: &str = "x-amz-server-side-encryption";

/// Whether SSE-S3 is asked for. Whoever asks is told `AES256` of the object from then on, as on AWS; what that means
/// here is in docs/security.md. Keys of KMS, which isn't built, are refused.
pub(crate) fn asks_sse(encryption: Option<&str>) -> Result<bool, S3Error> {
    match encryption {
        None => Ok(false),
        Some("AES256") => Ok(true),
        Some("aws:kms" | "aws:kms:dsse") => Err(S3Error::NotImplemented { header: ENCRYPTION.to_owned() }),
        Some(_) => Err(S3Error::InvalidEncryptionAlgorithm),
    }
}

/// What is said of an object's encryption.
pub(crate) fn encryption(sse: bool) -> Option<&'static str> {
    sse.then_some("AES256")
}

/// Says it in a header.
pub(crate) fn write_encryption(sse: bool, headers: &mut HeaderMap) {
    if let Some(encryption) = encryption(sse) {
        headers.insert(ENCRYPTION, HeaderValue::from_static(encryption));
    }
}

/// Headers that ask for what is not built are refused, so that nobody believes it was done. ACLs that say what is
/// so anyway are taken.
pub(crate) fn refuse_unbuilt(headers: &HeaderMap) -> Result<(), S3Error> {
    for (name, value) in headers {
        let name = name.as_str();
        match name {
            "x-amz-acl" if matches!(value.as_bytes(), b"private" | b"bucket-owner-full-control") => {}
            "x-amz-acl" => return Err(S3Error::AclNotSupported),
            _ if name.starts_with("x-amz-grant-") => return Err(S3Error::AclNotSupported),
            "x-amz-tagging" | "x-amz-website-redirect-location" | "x-amz-write-offset-bytes" => {
                return Err(S3Error::NotImplemented { header: name.to_owned() });
            }
            // By `asks_sse`, where it may stand.
            ENCRYPTION => {}
            _ if name.starts_with(ENCRYPTION) || name.starts_with("x-amz-object-lock") => {
                return Err(S3Error::NotImplemented { header: name.to_owned() });
            }
            _ => {}
        }
    }
    Ok(())
}

/// Writes all that an object's head says.
pub(crate) fn write(object: &Object, headers: &mut HeaderMap) {
    object.content.write(headers);
    set(headers, http::header::ETAG, &object.quoted_etag());
    let modified = std::time::UNIX_EPOCH
        + std::time::Duration::from_secs(u64::try_from(object.last_modified.seconds()).unwrap_or_default());
    set(headers, http::header::LAST_MODIFIED, &httpdate::fmt_http_date(modified));
    headers.insert(http::header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    for (name, value) in &object.metadata {
        if let Ok(name) = HeaderName::try_from(format!("x-amz-meta-{name}")) {
            set(headers, name, value);
        }
    }
    if let Some(class) = &object.storage_class {
        set(headers, HeaderName::from_static("x-amz-storage-class"), class);
    }
    write_encryption(object.sse, headers);
}

/// Writes the checksum with its type.
pub(crate) fn write_checksum(object: &Object, headers: &mut HeaderMap) {
    set(headers, HeaderName::from_static(object.checksum.algorithm.header()), &object.checksum.value);
    let kind = Checksum::kind(object.checksum.composite);
    headers.insert("x-amz-checksum-type", HeaderValue::from_static(kind));
}

/// A header's text, if it is visible.
pub(crate) fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// Sets a header unless its value cannot stand in one.
pub(crate) fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uploads_own_encoding_is_not_the_objects() {
        let read = |encoding: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("content-encoding", HeaderValue::from_static(encoding));
            ContentHeaders::read(&headers).content_encoding
        };
        assert_eq!(read("aws-chunked"), None);
        assert_eq!(read("gzip, aws-chunked"), Some("gzip".to_owned()));
        assert_eq!(read("gzip"), Some("gzip".to_owned()));
    }

    #[test]
    fn metadata_is_bounded() {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-meta-a", HeaderValue::from_str(&"x".repeat(2_047)).unwrap());
        assert!(metadata(&headers).is_ok());
        headers.insert("x-amz-meta-b", HeaderValue::from_static("y"));
        assert!(matches!(metadata(&headers), Err(S3Error::MetadataTooLarge)));
    }
}
