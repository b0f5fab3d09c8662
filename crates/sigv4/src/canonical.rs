//! The canonical request and the string to sign.

use aws_lc_rs::digest;
use http::HeaderMap;

use crate::encode::{MalformedTarget, decode, encode_into};
use crate::head::values;
use crate::query::Query;
use crate::signed_headers::SignedHeaders;
use crate::{Credential, Refusal};

/// How a path becomes canonical.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PathStyle {
    /// S3: decoded and encoded again, so encoded once; never normalized.
    EncodedOnce,
    /// All others: normalized, then encoded over the encoding it came with.
    NormalizedEncodedTwice,
}

/// What of a request is signed.
pub(crate) struct Canonical<'a> {
    pub(crate) method: &'a str,
    pub(crate) raw_path: &'a str,
    pub(crate) style: PathStyle,
    pub(crate) query: &'a Query,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) signed_headers: &'a SignedHeaders,
    /// A hash in hexadecimal, or one of the words that stand for none.
    pub(crate) payload: &'a str,
}

impl Canonical<'_> {
    /// The canonical request; a signed header that is absent is refused.
    pub(crate) fn request(&self) -> Result<Vec<u8>, Refusal> {
        let mut out = Vec::with_capacity(512);
        out.extend_from_slice(self.method.as_bytes());
        out.push(b'\n');
        write_path(&mut out, self.raw_path, self.style)?;
        out.push(b'\n');
        self.query.write_canonical(&mut out, Some("X-Amz-Signature"));
        out.push(b'\n');
        for name in self.signed_headers.names() {
            write_header(&mut out, self.headers, name)?;
        }
        out.push(b'\n');
        out.extend_from_slice(self.signed_headers.as_str().as_bytes());
        out.push(b'\n');
        out.extend_from_slice(self.payload.as_bytes());
        Ok(out)
    }

    /// `AWS4-HMAC-SHA256`, the date, the scope and the hash of the canonical request, in lines.
    pub(crate) fn string_to_sign(&self, date: &str, credential: &Credential) -> Result<String, Refusal> {
        let hash = sha256_hex(&self.request()?);
        Ok(["AWS4-HMAC-SHA256", date, credential.scope(), &hash].join("\n"))
    }
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hash_hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// A hash in hexadecimal. `hex::encode` builds its text character by character, which every signed call would pay
/// for twice.
pub(crate) fn hash_hex(hash: &[u8]) -> String {
    let mut digits = [0; 2 * digest::SHA256_OUTPUT_LEN];
    let Some(digits) = digits.get_mut(..2 * hash.len()) else { return hex::encode(hash) };
    // The room is twice the bytes, and digits are UTF-8.
    _ = hex::encode_to_slice(hash, digits);
    String::from_utf8_lossy(digits).into_owned()
}

fn write_path(out: &mut Vec<u8>, raw: &str, style: PathStyle) -> Result<(), MalformedTarget> {
    // Most services have no other path.
    if raw == "/" {
        out.push(b'/');
        return Ok(());
    }
    if style == PathStyle::NormalizedEncodedTwice {
        encode_into(out, normalize(raw).as_bytes(), true);
        return Ok(());
    }
    // By segments, so that a `%2F` within one stays apart from the slashes between them.
    for (index, segment) in raw.split('/').enumerate() {
        if index > 0 {
            out.push(b'/');
        }
        encode_into(out, &decode(segment.as_bytes(), false)?, false);
    }
    Ok(())
}

/// Takes out empty and `.` segments, and with each `..` the segment before it.
fn normalize(raw: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in raw.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    let last = if raw.ends_with('/') && !kept.is_empty() { "/" } else { "" };
    format!("/{}{last}", kept.join("/"))
}

fn write_header(out: &mut Vec<u8>, headers: &HeaderMap, name: &str) -> Result<(), Refusal> {
    out.extend_from_slice(name.as_bytes());
    let mut separator = b':';
    for value in values(headers, name) {
        out.push(separator);
        write_trimmed(out, value.as_bytes());
        separator = b',';
    }
    out.push(b'\n');
    if separator == b':' { Err(Refusal::SignatureDoesNotMatch) } else { Ok(()) }
}

/// Without white space at the ends, and one space for each run of it within.
fn write_trimmed(out: &mut Vec<u8>, value: &[u8]) {
    let words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    for (index, word) in words.enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_canonical_by_their_style() {
        let path = |raw, style| {
            let mut out = Vec::new();
            write_path(&mut out, raw, style).unwrap();
            String::from_utf8(out).unwrap()
        };
        let raw = "//a/./b/../%2F+%20x*/";
        assert_eq!(path(raw, PathStyle::EncodedOnce), "//a/./b/../%2F%2B%20x%2A/");
        assert_eq!(path(raw, PathStyle::NormalizedEncodedTwice), "/a/%252F%2B%2520x%2A/");
        assert_eq!(path("/..", PathStyle::NormalizedEncodedTwice), "/");
    }

    #[test]
    fn header_values_are_trimmed_within_too() {
        let mut out = Vec::new();
        write_trimmed(&mut out, b"  a   b\t c ");
        assert_eq!(out, b"a b c");
    }
}
