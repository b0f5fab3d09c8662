use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What apps that pin compare with the server's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pins {
    /// Base64 of the SHA-256 of the SubjectPublicKeyInfo: OkHttp (behind `sha256/`), Android's pin-set and iOS'
    /// `NSPinnedDomains`.
    pub spki_sha256: String,
    /// Base64 of the bare public key (an EC point, or PKCS#1 for RSA), as hand-written Swift delegates compare it.
    pub raw_key: String,
}

/// The bytes are no SubjectPublicKeyInfo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAKey;

impl fmt::Display for NotAKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a public key")
    }
}

impl std::error::Error for NotAKey {}

impl Pins {
    /// The pins of a key, from its DER SubjectPublicKeyInfo (RFC 5280 section 4.1).
    pub fn of(spki: &[u8]) -> Result<Self, NotAKey> {
        let (sequence, _) = element(spki, 0x30).ok_or(NotAKey)?;
        let (_, behind_algorithm) = element(sequence, 0x30).ok_or(NotAKey)?;
        let (bits, _) = element(behind_algorithm, 0x03).ok_or(NotAKey)?;
        // A key's bit string has no unused bits.
        let raw = bits.strip_prefix(&[0]).ok_or(NotAKey)?;
        let hash = digest(&SHA256, spki);
        Ok(Self { spki_sha256: STANDARD.encode(hash.as_ref()), raw_key: STANDARD.encode(raw) })
    }
}

/// The content of the DER element with this tag at the start of `der`, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (head, rest) = der.split_first_chunk::<2>()?;
    if head[0] != tag {
        return None;
    }
    let (length, rest) = match head[1] {
        short @ 0..0x80 => (usize::from(short), rest),
        long => {
            let (digits, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            if digits.is_empty() || digits.len() > 4 {
                return None;
            }
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `openssl ec -in key.pem -pubout -outform DER`, hashed by `openssl dgst -sha256 -binary | base64`.
    const SPKI: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYWnm/eplO9BFtXszMRQNL5UtKG8bb44rBgrBb0IDLLW0V7hJX7aNYsbQEcCFNCpFd0kJZRYVmJRQPnaHm+v5FA==";

    #[test]
    fn both_forms_are_of_the_same_key() {
        let spki = STANDARD.decode(SPKI).unwrap();
        let pins = Pins::of(&spki).unwrap();
        let raw = STANDARD.decode(&pins.raw_key).unwrap();
        assert_eq!((raw.len(), raw[0]), (65, 4));
        assert!(spki.ends_with(&raw));
        assert_eq!(STANDARD.decode(&pins.spki_sha256).unwrap().len(), 32);
    }

    #[test]
    fn what_is_no_key_has_no_pins() {
        let spki = STANDARD.decode(SPKI).unwrap();
        assert_eq!(Pins::of(&spki[..40]), Err(NotAKey));
        assert_eq!(Pins::of(&[]), Err(NotAKey));
        assert_eq!(Pins::of(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), Err(NotAKey));
        assert_eq!(Pins::of(&[0x30, 0x80]), Err(NotAKey));
    }
}
