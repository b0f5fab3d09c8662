use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use homeport_core::Randomness;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::PasswordHash;
use crate::srp::{SALT_BYTES, Verifier};

/// What is stored of a password, sealed: an Argon2id hash for calls that carry the password, and an SRP
/// verifier for those that don't.
pub(crate) struct Credential {
    pub(crate) hash: PasswordHash,
    pub(crate) verifier: Verifier,
}

#[derive(Serialize, Deserialize)]
struct Written {
    argon2id: PasswordHash,
    srp: String,
}

impl Credential {
    /// Both from the password: costly, as [`PasswordHash::of`].
    pub(crate) fn of(
        pool_name: &str,
        user_id: &str,
        password: &str,
        randomness: &dyn Randomness,
    ) -> Option<Self> {
        let mut salt = [0; SALT_BYTES];
        randomness.fill(&mut salt);
        let verifier = Verifier::of(pool_name, user_id, password, salt);
        Some(Self { hash: PasswordHash::of(password, randomness)?, verifier })
    }

    /// The bytes to seal.
    pub(crate) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let written =
            Written { argon2id: self.hash.clone(), srp: STANDARD.encode(&self.verifier.to_bytes()[..]) };
        Zeroizing::new(serde_json::to_vec(&written).unwrap_or_default())
    }

    /// Reads what [`Credential::to_bytes`] wrote.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let written: Written = serde_json::from_slice(bytes).ok()?;
        let verifier = Zeroizing::new(STANDARD.decode(&written.srp).ok()?);
        Some(Self { hash: written.argon2id, verifier: Verifier::from_bytes(&verifier)? })
    }
}

#[cfg(test)]
mod tests {
    use homeport_core::SeededRandomness;

    use super::*;

    #[test]
    fn a_credential_is_read_as_it_was_written() {
        let made =
            Credential::of("pool", "ann", "Correct-horse7", &SeededRandomness::new(2)).expect("memory");
        let read = Credential::from_bytes(&made.to_bytes()).expect("as written");
        assert!(read.hash.is_of("Correct-horse7"));
        assert_eq!(read.verifier.to_bytes(), made.verifier.to_bytes());
        assert!(Credential::from_bytes(b"{}").is_none());
    }
}
