use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use homeport_core::Randomness;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

/// Memory, in KiB (security decision 15).
const MEMORY_KIB: u32 = 19_456;
/// Passes over it.
const PASSES: u32 = 2;
/// Lanes.
const LANES: u32 = 1;

/// An Argon2id hash with its salt and cost. It takes tens of milliseconds and 19 MiB to make or check: always
/// under a permit, on a blocking thread.
#[derive(Clone, Serialize, Deserialize, Zeroize)]
pub(crate) struct PasswordHash {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: [u8; 16],
    hash: [u8; 32],
}

impl PasswordHash {
    /// Hashes a password with a fresh salt; none if the library has no memory for it.
    pub(crate) fn of(password: &str, randomness: &dyn Randomness) -> Option<Self> {
        let mut salt = [0; 16];
        randomness.fill(&mut salt);
        let mut made = Self { memory_kib: MEMORY_KIB, passes: PASSES, lanes: LANES, salt, hash: [0; 32] };
        made.hash = *made.compute(password)?;
        Some(made)
    }

    /// Whether this is the password, in constant time.
    pub(crate) fn is_of(&self, password: &str) -> bool {
        self.compute(password).is_some_and(|hash| verify_slices_are_equal(&hash[..], &self.hash).is_ok())
    }

    /// Spends what a check costs, for users who don't exist.
    pub(crate) fn check_nothing(password: &str) {
        let nobody =
            Self { memory_kib: MEMORY_KIB, passes: PASSES, lanes: LANES, salt: [0; 16], hash: [0; 32] };
        std::hint::black_box(nobody.is_of(password));
    }

    fn compute(&self, password: &str) -> Option<Zeroizing<[u8; 32]>> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).ok()?;
        let mut hash = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(password.as_bytes(), &self.salt, &mut hash[..])
            .ok()?;
        Some(hash)
    }
}

#[cfg(test)]
mod tests {
    use homeport_core::SeededRandomness;

    use super::*;

    #[test]
    fn a_hash_knows_its_password_and_no_other() {
        let hash = PasswordHash::of("Correct-horse7", &SeededRandomness::new(1)).expect("memory");
        assert!(hash.is_of("Correct-horse7"));
        assert!(!hash.is_of("Correct-horse8"));
        assert!(!hash.is_of(""));
    }

    #[test]
    fn two_hashes_of_one_password_differ() {
        let random = SeededRandomness::new(1);
        let hashes = [0, 1].map(|_| PasswordHash::of("Correct-horse7", &random).expect("memory").hash);
        assert_ne!(hashes[0], hashes[1]);
    }
}
