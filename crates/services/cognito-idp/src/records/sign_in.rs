use homeport_core::Account;
use homeport_store::{KeyParts, Record};
use serde::{Deserialize, Serialize};

use crate::lockout::Failures;
use crate::pool_ref::PoolRef;

/// How a user's sign-ins stand.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SignIns {
    pub(crate) pool: PoolRef,
    pub(crate) username: String,
    pub(crate) failures: Failures,
    /// Sessions that are there.
    pub(crate) sessions: u32,
}

impl SignIns {
    /// Those of a user who never signed in.
    pub(crate) fn none(pool: &PoolRef, username: &str) -> Self {
        Self { pool: pool.clone(), username: username.to_owned(), failures: Failures::default(), sessions: 0 }
    }
}

impl Record for SignIns {
    const COLLECTION: &'static str = "cognito-idp.sign-ins";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        self.pool.parts().str(&self.username)
    }
}

/// Failures at a name that no user has. The table is bounded: names fall into about a million slots by keyed hash.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StrangerFailures {
    pub(crate) account: Account,
    pub(crate) slot: u64,
    pub(crate) failures: Failures,
}

impl StrangerFailures {
    /// The key of a slot.
    pub(crate) fn at(account: Account, slot: u64) -> KeyParts {
        KeyParts::new().str(account.to_string()).u64(slot)
    }
}

impl Record for StrangerFailures {
    const COLLECTION: &'static str = "cognito-idp.stranger-failures";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        Self::at(self.account, self.slot)
    }
}
