use homeport_core::Timestamp;
use homeport_store::{KeyParts, Record};
use homeport_vault::Sealed;
use serde::{Deserialize, Serialize};

use crate::pool_ref::PoolRef;

/// The keys that sign a pool's tokens: the first signs, all verify.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PoolKeys {
    pub(crate) pool: PoolRef,
    pub(crate) keys: Vec<StoredKey>,
}

/// A signing key, sealed.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StoredKey {
    pub(crate) kid: String,
    pub(crate) made: Timestamp,
    /// Since when another signs in its place.
    #[serde(default)]
    pub(crate) retired: Option<Timestamp>,
    /// PKCS#8 DER.
    pub(crate) private: Sealed,
}

impl Record for PoolKeys {
    const COLLECTION: &'static str = "cognito-idp.keys";
    const VERSION: u16 = 1;
    const WATCHED: bool = true;

    fn key(&self) -> KeyParts {
        self.pool.parts()
    }
}
