use homeport_core::Timestamp;
use homeport_store::{Index, KeyParts, Record};
use serde::{Deserialize, Serialize};

use crate::pool_ref::PoolRef;

/// A sign-in: its tokens are good while this is here.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) pool: PoolRef,
    pub(crate) sub: String,
    /// `origin_jti` of all its tokens; ordered by time.
    pub(crate) origin_jti: String,
    pub(crate) username: String,
    pub(crate) client_id: String,
    /// When the password was given: `auth_time`.
    pub(crate) signed_in: Timestamp,
    /// The keyed hash of the refresh token.
    pub(crate) refresh: [u8; 32],
    /// When it ends.
    pub(crate) expires: Timestamp,
    /// The refresh token before, where they are rotated, and until when it still works.
    pub(crate) previous: Option<([u8; 32], Timestamp)>,
}

impl Record for Session {
    const COLLECTION: &'static str = "cognito-idp.sessions";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        self.pool.parts().str(&self.sub).str(&self.origin_jti)
    }

    fn indexes() -> &'static [Index<Self>] {
        &[Index {
            name: "refresh",
            unique: true,
            key: |session| {
                let previous = session.previous.iter().map(|(hash, _)| hash);
                std::iter::once(&session.refresh)
                    .chain(previous)
                    .map(|hash| session.pool.parts().bytes(hash))
                    .collect()
            },
        }]
    }
}
