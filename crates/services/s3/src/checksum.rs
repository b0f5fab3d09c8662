use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm;
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::error::S3Error;

/// The checksums that S3 takes of a whole object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// CRC-32 of ISO-HDLC.
    Crc32,
    /// CRC-32C.
    Crc32c,
    /// CRC-64 of NVMe: what S3 takes where the client asks for none.
    Crc64Nvme,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
}

const ALL: [Algorithm; 5] =
    [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme, Algorithm::Sha1, Algorithm::Sha256];

impl Algorithm {
    /// AWS's name, such as `CRC32`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The header that carries it.
    pub(crate) fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// The member of the model's shapes that carries it.
    pub(crate) fn member(self) -> &'static str {
        match self {
            Self::Crc32 => "ChecksumCRC32",
            Self::Crc32c => "ChecksumCRC32C",
            Self::Crc64Nvme => "ChecksumCRC64NVME",
            Self::Sha1 => "ChecksumSHA1",
            Self::Sha256 => "ChecksumSHA256",
        }
    }

    pub(crate) fn by_name(name: &str) -> Option<Self> {
        ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Whether the checksum of a whole can be had from those of its parts.
    pub(crate) fn combines(self) -> bool {
        matches!(self, Self::Crc32 | Self::Crc32c | Self::Crc64Nvme)
    }

    /// The checksum of what comes of two pieces, from theirs and the second one's length; only for those that
    /// combine.
    pub(crate) fn combine(self, first: &str, second: &str, second_length: u64) -> Option<String> {
        let algorithm = match self {
            Self::Crc32 => CrcAlgorithm::Crc32IsoHdlc,
            Self::Crc32c => CrcAlgorithm::Crc32Iscsi,
            Self::Crc64Nvme => CrcAlgorithm::Crc64Nvme,
            Self::Sha1 | Self::Sha256 => return None,
        };
        let number = |text: &str| {
            let bytes = STANDARD.decode(text).ok().filter(|bytes| bytes.len() == self.length())?;
            Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
        };
        let combined = crc_fast::checksum_combine(algorithm, number(first)?, number(second)?, second_length);
        Some(STANDARD.encode(&combined.to_be_bytes()[8 - self.length()..]))
    }

    fn length(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    fn is_well_formed(self, value: &str) -> bool {
        STANDARD.decode(value).is_ok_and(|bytes| bytes.len() == self.length())
    }

    pub(crate) fn hasher(self) -> Hasher {
        match self {
            Self::Crc32 => Hasher::Crc32(crc_fast::Digest::new(CrcAlgorithm::Crc32IsoHdlc)),
            Self::Crc32c => Hasher::Crc32(crc_fast::Digest::new(CrcAlgorithm::Crc32Iscsi)),
            Self::Crc64Nvme => Hasher::Crc64(crc_fast::Digest::new(CrcAlgorithm::Crc64Nvme)),
            Self::Sha1 => Hasher::Sha(digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY)),
            Self::Sha256 => Hasher::Sha(digest::Context::new(&digest::SHA256)),
        }
    }
}

/// A checksum in the making.
pub(crate) enum Hasher {
    Crc32(crc_fast::Digest),
    Crc64(crc_fast::Digest),
    Sha(digest::Context),
}

impl Hasher {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc32(digest) | Self::Crc64(digest) => digest.update(bytes),
            Self::Sha(context) => context.update(bytes),
        }
    }

    /// The checksum in base64, big-endian.
    pub(crate) fn finish(self) -> String {
        match self {
            Self::Crc32(digest) => STANDARD.encode(&digest.finalize().to_be_bytes()[4..]),
            Self::Crc64(digest) => STANDARD.encode(digest.finalize().to_be_bytes()),
            Self::Sha(context) => STANDARD.encode(context.finish()),
        }
    }
}

/// The checksum that a request names for its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// None: CRC64NVME is taken, and compared with nothing.
    Nothing,
    /// None, but this one is to be taken.
    Taken(Algorithm),
    /// In the head, in base64.
    Head(Algorithm, String),
    /// In the trailer.
    Trailer(Algorithm),
}

impl Expected {
    /// Reads what the request says. Exactly one checksum at most, of a kind that is known here.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, S3Error> {
        let mut found = Vec::new();
        for (name, value) in headers {
            let Some(kind) = name.as_str().strip_prefix("x-amz-checksum-") else { continue };
            if matches!(kind, "algorithm" | "mode" | "type") {
                continue;
            }
            let algorithm = known(name.as_str())?;
            let value = value.to_str().ok().filter(|value| algorithm.is_well_formed(value));
            let invalid = || S3Error::InvalidRequest(format!("Value for {name} header is invalid."));
            found.push(Self::Head(algorithm, value.ok_or_else(invalid)?.to_owned()));
        }
        let trailers = headers.get("x-amz-trailer").and_then(|value| value.to_str().ok()).unwrap_or_default();
        for name in trailers.split(',').map(|name| name.trim().to_ascii_lowercase()) {
            if name.starts_with("x-amz-checksum-") {
                found.push(Self::Trailer(known(&name)?));
            }
        }
        if found.len() > 1 {
            let message =
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.";
            return Err(S3Error::InvalidRequest(message.to_owned()));
        }
        let found = found.pop().unwrap_or(Self::Nothing);
        if found == Self::Nothing && headers.contains_key("x-amz-sdk-checksum-algorithm") {
            let message = "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.";
            return Err(S3Error::InvalidRequest(message.to_owned()));
        }
        Ok(found)
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        match self {
            Self::Nothing => Algorithm::Crc64Nvme,
            Self::Taken(algorithm) | Self::Head(algorithm, _) | Self::Trailer(algorithm) => *algorithm,
        }
    }

    /// Compares with what was computed; `trailers` are those that came, verified.
    pub(crate) fn check(&self, computed: &str, trailers: Option<&HeaderMap>) -> Result<(), S3Error> {
        let expected = match self {
            Self::Nothing | Self::Taken(_) => return Ok(()),
            Self::Head(_, value) => Some(value.as_str()),
            Self::Trailer(algorithm) => {
                trailers.and_then(|trailers| trailers.get(algorithm.header())?.to_str().ok())
            }
        };
        if expected == Some(computed) { Ok(()) } else { Err(S3Error::BadChecksum(self.algorithm())) }
    }
}

fn known(header: &str) -> Result<Algorithm, S3Error> {
    let found = ALL.into_iter().find(|algorithm| algorithm.header() == header);
    found.ok_or_else(|| S3Error::NotImplemented { header: header.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(algorithm: Algorithm, bytes: &[u8]) -> String {
        let mut hasher = algorithm.hasher();
        bytes.chunks(4).for_each(|part| hasher.update(part));
        hasher.finish()
    }

    /// The check values of the catalogue of CRCs, and of FIPS 180 for the hashes, for `123456789`.
    #[test]
    fn checksums_have_their_published_check_values() {
        let hex = |text: &str| STANDARD.encode(hex::decode(text).unwrap());
        let checks = [
            (Algorithm::Crc32, "cbf43926"),
            (Algorithm::Crc32c, "e3069283"),
            (Algorithm::Crc64Nvme, "ae8b14860a799888"),
            (Algorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            (Algorithm::Sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
        ];
        for (algorithm, value) in checks {
            assert_eq!(of(algorithm, b"123456789"), hex(value), "{}", algorithm.name());
        }
    }

    #[test]
    fn checksums_of_pieces_combine_to_that_of_the_whole() {
        for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme] {
            let combined = algorithm.combine(&of(algorithm, b"1234"), &of(algorithm, b"56789"), 5);
            assert_eq!(combined, Some(of(algorithm, b"123456789")), "{}", algorithm.name());
        }
        assert_eq!(Algorithm::Sha1.combine("", "", 0), None);
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(n, v)| (http::HeaderName::from_static(n), http::HeaderValue::from_static(v)))
            .collect()
    }

    #[test]
    fn a_request_names_at_most_one_checksum() {
        let read = |pairs: &[(&'static str, &'static str)]| Expected::read(&headers(pairs));
        assert_eq!(read(&[]).unwrap(), Expected::Nothing);
        let crc = ("x-amz-checksum-crc32", "y/Q5Jg==");
        assert_eq!(read(&[crc]).unwrap(), Expected::Head(Algorithm::Crc32, "y/Q5Jg==".to_owned()));
        assert_eq!(
            read(&[("x-amz-trailer", "x-amz-checksum-crc32c")]).unwrap(),
            Expected::Trailer(Algorithm::Crc32c)
        );
        assert!(read(&[crc, ("x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKeuNEE=")]).is_err());
        assert!(read(&[("x-amz-checksum-crc32", "short")]).is_err());
        assert!(read(&[("x-amz-sdk-checksum-algorithm", "CRC32")]).is_err());
        assert!(matches!(read(&[("x-amz-checksum-xxhash3", "a")]), Err(S3Error::NotImplemented { .. })));
    }
}
