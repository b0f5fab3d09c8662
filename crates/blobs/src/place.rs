use std::fmt;
use std::path::PathBuf;

use crate::BlobError;

/// Where blobs are, as an operator writes it: a folder, or `s3://BUCKET[/PREFIX]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlobPlace {
    /// A folder.
    Folder(PathBuf),
    /// A bucket of an S3 cluster.
    S3 {
        /// The bucket.
        bucket: String,
        /// What all keys begin with, without a slash at its end; empty for none.
        prefix: String,
    },
}

impl BlobPlace {
    /// Reads a place; the error says what was expected.
    pub fn parse(text: &str) -> Result<Self, BlobError> {
        let Some(rest) = text.strip_prefix("s3://") else {
            return match text.is_empty() || text.contains("://") {
                false => Ok(Self::Folder(PathBuf::from(text))),
                true => Err(refused(text, "a folder or s3://BUCKET[/PREFIX] is expected")),
            };
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.strip_suffix('/').filter(|prefix| !prefix.is_empty()).unwrap_or(prefix);
        if !is_bucket(bucket) {
            return Err(refused(text, "a bucket's name has 3 to 63 lower-case letters, digits, `.` and `-`"));
        }
        if !prefix.is_empty() && !prefix.split('/').all(is_segment) {
            return Err(refused(text, "a prefix is made of letters, digits, `-`, `_`, `.` and single `/`"));
        }
        Ok(Self::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

impl fmt::Display for BlobPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::S3 { bucket, prefix } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Self::S3 { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

/// What may hold a password isn't repeated.
fn refused(text: &str, expected: &str) -> BlobError {
    let text = if text.contains('@') { "…" } else { text };
    BlobError::Place(format!("`{text}` is no place for blobs: {expected}"))
}

/// S3's rules for general purpose buckets.
fn is_bucket(name: &str) -> bool {
    let inner = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-');
    let outer = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes.iter().copied().all(inner)
        && outer(bytes.first())
        && outer(bytes.last())
        && !name.contains("..")
}

fn is_segment(segment: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (1..=128).contains(&segment.len()) && segment.bytes().all(fits) && !matches!(segment, "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s3(bucket: &str, prefix: &str) -> BlobPlace {
        BlobPlace::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() }
    }

    #[test]
    fn a_place_is_a_folder_or_a_bucket() {
        let folder = |path: &str| BlobPlace::Folder(PathBuf::from(path));
        for (text, place, shown) in [
            ("/srv/blobs", folder("/srv/blobs"), "/srv/blobs"),
            ("blobs", folder("blobs"), "blobs"),
            ("s3://homeport-blobs", s3("homeport-blobs", ""), "s3://homeport-blobs"),
            ("s3://a.b-1/", s3("a.b-1", ""), "s3://a.b-1"),
            ("s3://abc/one/Two_2/", s3("abc", "one/Two_2"), "s3://abc/one/Two_2"),
        ] {
            let read = BlobPlace::parse(text).unwrap();
            assert_eq!(read, place);
            assert_eq!(read.to_string(), shown);
        }
    }

    #[test]
    fn what_is_neither_is_refused() {
        let long = format!("s3://{}", "a".repeat(64));
        for text in [
            "",
            "s3://",
            "s3://ab",
            "s3://Abc",
            "s3://-abc",
            "s3://abc.",
            "s3://a..b",
            &long,
            "s3://abc//",
            "s3://abc/a//b",
            "s3://abc/../b",
            "s3://abc/a b",
            "s3://key:secret@abc",
            "http://abc",
            "gs://abc",
        ] {
            let Err(BlobError::Place(told)) = BlobPlace::parse(text) else { panic!("{text}") };
            assert!(!told.contains("secret"), "{told}");
        }
    }
}
