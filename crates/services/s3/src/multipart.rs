//! What becomes of the parts of an upload: pure rules of completing one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use crate::checksum::Algorithm;
use crate::error::S3Error;
use crate::records::{Checksum, Part};

/// An upload has at most so many parts.
pub(crate) const MAX_PARTS: u64 = 10_000;

/// Every part but the last has at least so many bytes.
const MIN_PART: u64 = 5 << 20;

/// A part as the client names it when it completes the upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedPart {
    pub(crate) number: u64,
    /// With or without quotes.
    pub(crate) etag: String,
    /// In base64, if the client gives it.
    pub(crate) checksum: Option<String>,
}

/// The parts that the client names, of those that came: in ascending order, each as it came and large enough.
pub(crate) fn chosen(named: &[NamedPart], came: &[Part]) -> Result<Vec<Part>, S3Error> {
    if named.is_empty() {
        return Err(S3Error::MalformedXml);
    }
    if !named.windows(2).all(|pair| pair[0].number < pair[1].number) {
        return Err(S3Error::InvalidPartOrder);
    }
    let mut chosen = Vec::with_capacity(named.len());
    for name in named {
        let part = came.iter().find(|part| part.number == name.number);
        let same = |part: &&Part| {
            name.etag.trim_matches('"') == part.etag
                && name.checksum.as_ref().is_none_or(|checksum| *checksum == part.checksum)
        };
        chosen.push(part.filter(same).cloned().ok_or(S3Error::InvalidPart)?);
    }
    let small = chosen.iter().rev().skip(1).find(|part| part.size < MIN_PART);
    match small {
        Some(part) => Err(S3Error::EntityTooSmall { size: part.size, number: part.number }),
        None => Ok(chosen),
    }
}

/// The ETag of an object in parts: the MD5 of their MD5s, and their number.
pub(crate) fn etag(parts: &[Part]) -> String {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(hex::decode(&part.etag).unwrap_or_default());
    }
    format!("{}-{}", hex::encode(md5.finalize()), parts.len())
}

/// The checksum of an object in parts: over their checksums, or of the whole, had from theirs.
pub(crate) fn checksum(parts: &[Part], algorithm: Algorithm, composite: bool) -> Option<Checksum> {
    let value = if composite { over_checksums(parts, algorithm) } else { of_whole(parts, algorithm)? };
    Some(Checksum { algorithm, value, composite })
}

fn over_checksums(parts: &[Part], algorithm: Algorithm) -> String {
    let mut hasher = algorithm.hasher();
    for part in parts {
        hasher.update(&STANDARD.decode(&part.checksum).unwrap_or_default());
    }
    format!("{}-{}", hasher.finish(), parts.len())
}

fn of_whole(parts: &[Part], algorithm: Algorithm) -> Option<String> {
    let (first, rest) = parts.split_first()?;
    rest.iter()
        .try_fold(first.checksum.clone(), |sum, part| algorithm.combine(&sum, &part.checksum, part.size))
}

#[cfg(test)]
mod tests {
    use homeport_core::Timestamp;

    use super::*;

    fn part(number: u64, bytes: &[u8], size: u64) -> Part {
        let mut hasher = Algorithm::Crc32.hasher();
        hasher.update(bytes);
        Part {
            generation: "g".into(),
            upload: "u".into(),
            number,
            blob: String::new(),
            size,
            etag: hex::encode(Md5::digest(bytes)),
            checksum: hasher.finish(),
            last_modified: Timestamp::default(),
        }
    }

    fn named(part: &Part) -> NamedPart {
        NamedPart { number: part.number, etag: format!("\"{}\"", part.etag), checksum: None }
    }

    #[test]
    fn parts_are_chosen_as_they_came() {
        let came = [part(1, b"a", MIN_PART), part(3, b"b", MIN_PART), part(7, b"c", 1)];
        let all: Vec<_> = came.iter().map(named).collect();
        assert_eq!(chosen(&all, &came).unwrap().len(), 3);
        assert_eq!(chosen(&all[1..], &came).unwrap().len(), 2);
        let wrong = NamedPart { etag: "x".into(), ..all[0].clone() };
        let missing = NamedPart { number: 2, ..all[0].clone() };
        let other_sum = NamedPart { checksum: Some("AAAAAA==".into()), ..all[0].clone() };
        for bad in [wrong, missing, other_sum] {
            assert!(matches!(chosen(&[bad], &came), Err(S3Error::InvalidPart)));
        }
        let backwards = [all[1].clone(), all[0].clone()];
        assert!(matches!(chosen(&backwards, &came), Err(S3Error::InvalidPartOrder)));
        assert!(matches!(chosen(&[], &came), Err(S3Error::MalformedXml)));
        let small = [part(1, b"a", 1), part(2, b"b", 1)];
        let all: Vec<_> = small.iter().map(named).collect();
        assert!(matches!(chosen(&all, &small), Err(S3Error::EntityTooSmall { number: 1, .. })));
    }

    #[test]
    fn the_checksum_of_the_whole_comes_of_the_parts() {
        let parts = [part(1, b"1234", 4), part(2, b"56789", 5)];
        let whole = checksum(&parts, Algorithm::Crc32, false).unwrap();
        assert_eq!(whole.value, "y/Q5Jg==");
        let composite = checksum(&parts, Algorithm::Crc32, true).unwrap();
        assert!(composite.value.ends_with("==-2") && composite.value != "y/Q5Jg==-2");
        assert!(etag(&parts).ends_with("-2"));
        assert_eq!(checksum(&parts, Algorithm::Sha1, false), None);
    }
}
