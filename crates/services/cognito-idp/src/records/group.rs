use homeport_core::Timestamp;
use homeport_store::{Index, KeyParts, Record};
use serde::{Deserialize, Serialize};

use crate::pool_ref::PoolRef;

/// A group of a pool's users.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) pool: PoolRef,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) role_arn: Option<String>,
    /// Lower is more important.
    pub(crate) precedence: Option<i32>,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
}

impl Record for Group {
    const COLLECTION: &'static str = "cognito-idp.groups";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        self.pool.parts().str(&self.name)
    }
}

/// A user's membership in a group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Membership {
    pub(crate) pool: PoolRef,
    pub(crate) username: String,
    pub(crate) group: String,
}

impl Record for Membership {
    const COLLECTION: &'static str = "cognito-idp.memberships";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        self.pool.parts().str(&self.username).str(&self.group)
    }

    fn indexes() -> &'static [Index<Self>] {
        &[Index { name: "group", unique: false, key: |member| vec![member.pool.parts().str(&member.group)] }]
    }
}
