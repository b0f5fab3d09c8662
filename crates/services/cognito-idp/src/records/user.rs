use std::collections::BTreeMap;

use homeport_core::Timestamp;
use homeport_store::{Index, KeyParts, Record};
use homeport_vault::Sealed;
use serde::{Deserialize, Serialize};

use super::Pool;
use crate::attributes::Attributes;
use crate::pool_ref::PoolRef;

/// A user.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) pool: PoolRef,
    /// The name, folded as the pool folds names; it never changes.
    pub(crate) username: String,
    /// Never used again, even when the user is gone.
    pub(crate) sub: String,
    pub(crate) status: UserStatus,
    pub(crate) enabled: bool,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
    /// All attributes but `sub`.
    pub(crate) attributes: Attributes,
    /// New values that wait for their code, where the pool asks that they be verified first.
    pub(crate) pending: Attributes,
    /// What the user may sign in with beside the name: [`alias`].
    pub(crate) aliases: Vec<String>,
    /// The password, sealed; none before one is set.
    pub(crate) credential: Option<Sealed>,
    /// Grows with each change of the password, so that a sign-in under way with the old one ends.
    pub(crate) credential_version: u64,
    /// When an administrator's temporary password ends.
    pub(crate) temporary_until: Option<Timestamp>,
    /// When the user was last signed out everywhere.
    pub(crate) signed_out: Option<Timestamp>,
}

/// `UserStatusType`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum UserStatus {
    Unconfirmed,
    Confirmed,
    ResetRequired,
    ForceChangePassword,
}

impl UserStatus {
    /// AWS's word.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Unconfirmed => "UNCONFIRMED",
            Self::Confirmed => "CONFIRMED",
            Self::ResetRequired => "RESET_REQUIRED",
            Self::ForceChangePassword => "FORCE_CHANGE_PASSWORD",
        }
    }
}

impl Record for User {
    const COLLECTION: &'static str = "cognito-idp.users";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        self.pool.parts().str(&self.username)
    }

    fn indexes() -> &'static [Index<Self>] {
        &[
            Index { name: "sub", unique: true, key: |user| vec![user.pool.parts().str(&user.sub)] },
            Index {
                name: "alias",
                unique: true,
                key: |user| user.aliases.iter().map(|alias| user.pool.parts().str(alias)).collect(),
            },
        ]
    }
}

/// An entry of the index `alias`: e-mail addresses are compared without case, the rest as the pool folds names.
pub(crate) fn alias(pool: &Pool, attribute: &str, value: &str) -> String {
    let value = if attribute == "email" { value.to_lowercase() } else { pool.fold(value) };
    format!("{attribute}:{value}")
}

impl User {
    /// Whether the address in this attribute was proved to be the user's.
    pub(crate) fn has_verified(&self, attribute: &str) -> bool {
        let verdict = self.attributes.get(&format!("{attribute}_verified"));
        self.attributes.contains_key(attribute) && verdict.is_some_and(|verdict| verdict == "true")
    }

    /// Brings the aliases in step with the attributes: whatever a pool's users sign up with counts at once, an
    /// alias only when it is verified (a preferred name needs no proof).
    pub(crate) fn refresh_aliases(&mut self, pool: &Pool) {
        let counts =
            |name: &&str| pool.enters_unproved(name) || (pool.signs_in_with(name) && self.has_verified(name));
        self.aliases = ["email", "phone_number", "preferred_username"]
            .iter()
            .filter(|name| counts(name))
            .filter_map(|name| self.attributes.get(*name).map(|value| alias(pool, name, value)))
            .collect();
    }

    /// Takes new attribute values: an empty one takes the attribute away; an address that changes is unproved
    /// unless its verdict comes along.
    pub(crate) fn take_attributes(&mut self, taken: &Attributes) {
        for (name, value) in taken {
            let changed = self.attributes.get(name) != Some(value);
            if value.is_empty() {
                self.attributes.remove(name);
            } else {
                self.attributes.insert(name.clone(), value.clone());
            }
            let verdict = format!("{name}_verified");
            if matches!(name.as_str(), "email" | "phone_number") && changed && !taken.contains_key(&verdict) {
                self.attributes.remove(&verdict);
                if !value.is_empty() {
                    self.attributes.insert(verdict, "false".into());
                }
            }
        }
    }

    /// Takes attributes away, with their verdicts.
    pub(crate) fn drop_attributes(&mut self, names: &[String]) {
        let nothing: BTreeMap<_, _> = names.iter().map(|name| (name.clone(), String::new())).collect();
        self.take_attributes(&nothing);
    }

    /// Sets a password that was sealed.
    pub(crate) fn set_credential(&mut self, sealed: Sealed) {
        self.credential = Some(sealed);
        self.credential_version += 1;
        self.temporary_until = None;
    }
}
