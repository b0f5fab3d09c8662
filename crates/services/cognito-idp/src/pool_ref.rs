use homeport_core::Account;
use homeport_store::KeyParts;
use serde::{Deserialize, Serialize};

/// Which pool: its account and id. What belongs to a pool has keys that begin with this.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct PoolRef {
    pub(crate) account: Account,
    /// `REGION_` + 9 characters.
    pub(crate) id: String,
}

impl PoolRef {
    /// The pool of this id.
    pub(crate) fn new(account: Account, id: impl Into<String>) -> Self {
        Self { account, id: id.into() }
    }

    /// The region, which the id begins with.
    pub(crate) fn region(&self) -> &str {
        self.id.rsplit_once('_').map_or("", |(region, _)| region)
    }

    /// What follows the underscore: the pool's name in SRP.
    pub(crate) fn srp_name(&self) -> &str {
        self.id.rsplit_once('_').map_or("", |(_, name)| name)
    }

    /// `arn:aws:cognito-idp:REGION:ACCOUNT:userpool/ID`
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:cognito-idp:{}:{}:userpool/{}", self.region(), self.account, self.id)
    }

    /// Account, region, id: what keys begin with.
    pub(crate) fn parts(&self) -> KeyParts {
        KeyParts::new().str(self.account.to_string()).str(self.region()).str(&self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_named_by_its_id() {
        let pool = PoolRef::new(Account::from_number(42), "eu-west-1_AbCdEfGhI");
        assert_eq!((pool.region(), pool.srp_name()), ("eu-west-1", "AbCdEfGhI"));
        assert_eq!(pool.arn(), "arn:aws:cognito-idp:eu-west-1:000000000042:userpool/eu-west-1_AbCdEfGhI");
        assert_eq!(PoolRef::new(Account::from_number(42), "nonsense").region(), "");
    }
}
