use homeport_core::Timestamp;
use homeport_store::{KeyParts, Record};
use serde::{Deserialize, Serialize};

use crate::pool_ref::PoolRef;

/// A pool's revoked tokens fall into so many slots.
const SLOTS: u64 = 1 << 20;

/// A refresh token that was revoked. The table is bounded: tokens fall into about a million slots of their pool by
/// their keyed hash, and a later one takes the place of an earlier.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Revocation {
    pub(crate) pool: PoolRef,
    /// The keyed hash of the token.
    pub(crate) token: [u8; 32],
    pub(crate) client_id: String,
    /// When the token would have expired.
    pub(crate) expires: Timestamp,
}

impl Revocation {
    /// The key of a token's slot.
    pub(crate) fn at(pool: &PoolRef, token: &[u8; 32]) -> KeyParts {
        let [a, b, c, d, ..] = *token;
        pool.parts().u64(u64::from(u32::from_be_bytes([a, b, c, d])) % SLOTS)
    }
}

impl Record for Revocation {
    const COLLECTION: &'static str = "cognito-idp.revocations";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        Self::at(&self.pool, &self.token)
    }
}

#[cfg(test)]
mod tests {
    use homeport_core::Account;

    use super::*;

    #[test]
    fn every_token_has_one_of_the_slots() {
        let pool = PoolRef::new(Account::from_number(42), "eu-west-1_AbCdEfGhI");
        let mut token = [0xff; 32];
        assert_eq!(Revocation::at(&pool, &token), pool.parts().u64(SLOTS - 1));
        token[..4].copy_from_slice(&[0xab, 0x10, 0, 7]);
        assert_eq!(Revocation::at(&pool, &token), pool.parts().u64(7));
    }
}
