use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::VaultError;

/// The only format so far: format (1 byte), key id (8), nonce (12), ciphertext with its tag (16 at least).
pub(crate) const FORMAT: u8 = 1;
pub(crate) const KEY_ID_LENGTH: usize = 8;
pub(crate) const NONCE_LENGTH: usize = 12;
const TAG_LENGTH: usize = 16;
const HEAD_LENGTH: usize = 1 + KEY_ID_LENGTH + NONCE_LENGTH;

/// A secret as it may be stored: AES-256-GCM-SIV ciphertext with the id of its key. Serialized as Base64 text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    pub(crate) fn assemble(
        key_id: [u8; KEY_ID_LENGTH],
        nonce: [u8; NONCE_LENGTH],
        ciphertext: &[u8],
    ) -> Self {
        let mut bytes = Vec::with_capacity(HEAD_LENGTH + ciphertext.len());
        bytes.push(FORMAT);
        bytes.extend_from_slice(&key_id);
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(ciphertext);
        Self(bytes)
    }

    /// Reads the Base64 text that [`Sealed::to_text`] wrote.
    pub fn parse(text: &str) -> Result<Self, VaultError> {
        let bytes = STANDARD.decode(text).map_err(|_| VaultError::NotSealed)?;
        if bytes.len() < HEAD_LENGTH + TAG_LENGTH || bytes[0] != FORMAT {
            return Err(VaultError::NotSealed);
        }
        Ok(Self(bytes))
    }

    /// The value as Base64 text: 50 characters and four thirds of the secret's length.
    pub fn to_text(&self) -> String {
        STANDARD.encode(&self.0)
    }

    pub(crate) fn key_id(&self) -> [u8; KEY_ID_LENGTH] {
        let mut id = [0; KEY_ID_LENGTH];
        id.copy_from_slice(&self.0[1..=KEY_ID_LENGTH]);
        id
    }

    pub(crate) fn nonce(&self) -> [u8; NONCE_LENGTH] {
        let mut nonce = [0; NONCE_LENGTH];
        nonce.copy_from_slice(&self.0[1 + KEY_ID_LENGTH..HEAD_LENGTH]);
        nonce
    }

    pub(crate) fn ciphertext(&self) -> &[u8] {
        &self.0[HEAD_LENGTH..]
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(..)")
    }
}

impl serde::Serialize for Sealed {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_text())
    }
}

impl<'de> serde::Deserialize<'de> for Sealed {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sealed_value_is_read() {
        let sealed = Sealed::assemble([1; 8], [2; 12], &[3; 16]);
        assert_eq!(Sealed::parse(&sealed.to_text()).unwrap(), sealed);
        assert_eq!(sealed.key_id(), [1; 8]);
        assert_eq!(sealed.nonce(), [2; 12]);
        assert_eq!(sealed.ciphertext(), [3; 16]);
        let mut newer = sealed.0.clone();
        newer[0] = 2;
        for text in [String::new(), "secret".into(), STANDARD.encode(&sealed.0[..36]), STANDARD.encode(newer)]
        {
            assert!(matches!(Sealed::parse(&text), Err(VaultError::NotSealed)), "{text}");
        }
    }

    #[test]
    fn a_record_holds_it_as_text() {
        let sealed = Sealed::assemble([1; 8], [2; 12], &[3; 16]);
        let json = serde_json::to_string(&sealed).unwrap();
        assert_eq!(json, format!("\"{}\"", sealed.to_text()));
        assert_eq!(serde_json::from_str::<Sealed>(&json).unwrap(), sealed);
        assert!(serde_json::from_str::<Sealed>("\"plain text\"").is_err());
    }
}
