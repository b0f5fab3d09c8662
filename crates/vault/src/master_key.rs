use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use homeport_core::Randomness;
use zeroize::Zeroizing;

use crate::data_key::hkdf_32;
use crate::{Secret32, VaultError};

/// The key above all others: 32 random bytes that are never in the store. It only ever wraps data keys.
#[derive(Clone)]
pub struct MasterKey(Secret32);

impl MasterKey {
    /// A new key.
    pub fn generate(randomness: &dyn Randomness) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        randomness.fill(bytes.as_mut_slice());
        Self(Secret32::new(*bytes))
    }

    /// Reads the Base64 text of 32 bytes; white space around it doesn't count.
    pub fn parse(text: &str) -> Result<Self, VaultError> {
        let decoded = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| VaultError::NotAMasterKey)?);
        let bytes = <[u8; 32]>::try_from(decoded.as_slice()).map_err(|_| VaultError::NotAMasterKey)?;
        Ok(Self(Secret32::new(bytes)))
    }

    /// The text that [`MasterKey::parse`] reads, for a key file.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.0.expose()))
    }

    /// Sixteen hexadecimal digits that name the key without telling anything of it.
    pub fn fingerprint(&self) -> Result<String, VaultError> {
        let named = hkdf_32(self.0.expose(), &[b"fingerprint"])?;
        Ok(hex::encode(&named.expose()[..8]))
    }

    pub(crate) fn wrapping_key(&self) -> Result<Secret32, VaultError> {
        hkdf_32(self.0.expose(), &[b"wrap"])
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use homeport_core::SeededRandomness;

    #[test]
    fn a_master_key_is_read_as_it_was_written() {
        let key = MasterKey::generate(&SeededRandomness::new(1));
        let text = key.to_text();
        assert_eq!(text.len(), 44);
        let again = MasterKey::parse(&format!(" {}\n", text.as_str())).unwrap();
        assert_eq!(again.fingerprint().unwrap(), key.fingerprint().unwrap());
    }

    #[test]
    fn what_is_no_master_key_is_refused() {
        for text in ["", "hunter2", "QUJD", &STANDARD.encode([0; 31]), &STANDARD.encode([0; 33])] {
            assert!(matches!(MasterKey::parse(text), Err(VaultError::NotAMasterKey)), "{text}");
        }
    }
}
