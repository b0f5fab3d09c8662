use std::ops::Range;

use futures_util::StreamExt;
use homeport_core::Randomness;

use crate::S3;
use crate::checksum::Algorithm;
use crate::error::S3Error;
use crate::records::{Object, Part};
use crate::request::object_arn;
use crate::upload::{Intake, Uploaded};

impl S3 {
    /// Copies an object's bytes, or a range of them, into a new blob, a little at a time.
    pub(crate) async fn copy_bytes(
        &self,
        source: &Object,
        parts: &[Part],
        range: Option<Range<u64>>,
        algorithm: Algorithm,
        randomness: &dyn Randomness,
    ) -> Result<Uploaded, S3Error> {
        let mut reader = self.open(source, parts, range).await?;
        let mut intake = Intake::begin(&self.blobs, randomness, algorithm).await?;
        while let Some(chunk) = reader.next().await {
            intake.write(chunk?).await?;
        }
        intake.finish(|_, _| Ok(())).await
    }
}

/// The bucket and key of `x-amz-copy-source`: `BUCKET/KEY` or `/BUCKET/KEY`, percent-encoded, perhaps with
/// `?versionId=null`.
pub(crate) fn source(header: &str) -> Result<(String, String), S3Error> {
    let invalid = || {
        let message = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey";
        S3Error::argument("x-amz-copy-source", header, message)
    };
    let (path, version) = header.split_once("?versionId=").unwrap_or((header, "null"));
    if version != "null" {
        return Err(S3Error::argument("x-amz-copy-source", header, "Invalid version id specified"));
    }
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8().map_err(|_| invalid())?;
    let bare = decoded.strip_prefix('/').unwrap_or(&decoded);
    let (bucket, key) = bare
        .split_once('/')
        .filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty())
        .ok_or_else(invalid)?;
    Ok((bucket.to_owned(), key.to_owned()))
}

/// What must be allowed of a copy's source. One that names nothing is refused when the call runs; until then nobody
/// is let in by it.
pub(crate) fn source_arn(header: &str) -> String {
    source(header).map_or_else(|_| "*".to_owned(), |(bucket, key)| object_arn(&bucket, &key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_bucket_and_a_key() {
        let pair = |bucket: &str, key: &str| Some((bucket.to_owned(), key.to_owned()));
        assert_eq!(source("a/b%20c/d").ok(), pair("a", "b c/d"));
        assert_eq!(source("/a//b?versionId=null").ok(), pair("a", "/b"));
        for bad in ["", "a", "a/", "/a", "a/%ff", "a/b?versionId=7"] {
            assert!(source(bad).is_err(), "{bad}");
        }
    }
}
