use homeport_store::{KeyParts, Record};
use serde::{Deserialize, Serialize};

use crate::codes::{Issued, Purpose};
use crate::pool_ref::PoolRef;

/// Whose code it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum CodeOwner {
    /// A user, by `sub`.
    User(String),
    /// A name that no user has, by its slot in a bounded table: counted alike, so that answers tell nothing.
    Stranger(u64),
}

/// The code that is out for an owner and a purpose.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CodeRecord {
    pub(crate) pool: PoolRef,
    pub(crate) owner: CodeOwner,
    pub(crate) purpose: Purpose,
    pub(crate) issued: Issued,
    /// The attribute whose address it went to.
    pub(crate) attribute: String,
    /// That address.
    pub(crate) destination: String,
}

impl CodeRecord {
    /// The key of all codes of an owner.
    pub(crate) fn of(pool: &PoolRef, owner: &CodeOwner) -> KeyParts {
        match owner {
            CodeOwner::User(sub) => pool.parts().str("user").str(sub),
            CodeOwner::Stranger(slot) => pool.parts().str("stranger").u64(*slot),
        }
    }
}

impl Record for CodeRecord {
    const COLLECTION: &'static str = "cognito-idp.codes";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        Self::of(&self.pool, &self.owner).str(self.purpose.name())
    }
}
