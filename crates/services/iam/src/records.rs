//! What IAM keeps. Users, groups and roles are one collection: they share names' rules, paths, tags,
//! attached policies and inline policies, and differ in [`Details`] only.

use std::collections::BTreeMap;

use homeport_core::{Account, Arn, Timestamp};
use homeport_store::{Collection, Index, Key, KeyParts, Record};
use homeport_vault::Sealed;
use serde::{Deserialize, Serialize};

pub(crate) const ENTITIES: Collection<Entity> = Collection::new();
pub(crate) const INLINE_POLICIES: Collection<InlinePolicy> = Collection::new();
pub(crate) const MANAGED_POLICIES: Collection<ManagedPolicy> = Collection::new();
pub(crate) const ACCESS_KEYS: Collection<AccessKey> = Collection::new();
pub(crate) const OIDC_PROVIDERS: Collection<OidcProvider> = Collection::new();

/// User, group or role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A user.
    User,
    /// A group of users.
    Group,
    /// A role.
    Role,
}

impl Kind {
    /// As ARNs and messages write it.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Role => "role",
        }
    }

    /// As members of the API write it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
            Self::Role => "Role",
        }
    }

    /// The letters that unique ids begin with.
    pub(crate) fn id_prefix(self) -> &'static str {
        match self {
            Self::User => "AIDA",
            Self::Group => "AGPA",
            Self::Role => "AROA",
        }
    }
}

/// A user, group or role. Keyed by account, kind and the name in lower case, as names that differ in
/// case only are the same.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Entity {
    pub(crate) account: Account,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    /// `/`, or `/…/`.
    pub(crate) path: String,
    /// `AIDA…`, `AGPA…`, `AROA…`: never used again.
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) tags: BTreeMap<String, String>,
    /// The ARN of the managed policy that bounds it.
    pub(crate) boundary: Option<String>,
    /// ARNs of the managed policies attached.
    pub(crate) attached: Vec<String>,
    pub(crate) details: Details,
}

/// In what users, groups and roles differ.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Details {
    User {
        /// Unique ids of the groups it is in.
        groups: Vec<String>,
    },
    Group,
    Role(RoleDetails),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RoleDetails {
    pub(crate) description: Option<String>,
    /// 3,600 to 43,200.
    pub(crate) max_session_seconds: i64,
    /// The trust policy as it was given.
    pub(crate) trust: String,
    /// The trust policy with unique ids in place of the ARNs of users and roles: one that is deleted
    /// and made again is another, and is not trusted.
    pub(crate) pinned_trust: String,
}

impl Entity {
    pub(crate) fn arn(&self) -> Arn {
        arn_of(self.account, self.kind, &self.path, &self.name)
    }

    pub(crate) fn groups(&self) -> &[String] {
        match &self.details {
            Details::User { groups } => groups,
            Details::Group | Details::Role(_) => &[],
        }
    }

    pub(crate) fn key_of(account: Account, kind: Kind, name: &str) -> KeyParts {
        Self::prefix(account, kind).str(name.to_ascii_lowercase())
    }

    pub(crate) fn prefix(account: Account, kind: Kind) -> KeyParts {
        KeyParts::new().str(account.to_string()).str(kind.noun())
    }
}

pub(crate) fn arn_of(account: Account, kind: Kind, path: &str, name: &str) -> Arn {
    Arn::new("iam", "", &account.to_string(), &format!("{}{path}{name}", kind.noun()))
}

impl Record for Entity {
    const COLLECTION: &'static str = "iam.entities";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        Self::key_of(self.account, self.kind, &self.name)
    }

    fn indexes() -> &'static [Index<Self>] {
        &[
            Index { name: "id", unique: true, key: |entity| vec![within(entity.account, &entity.id)] },
            Index {
                name: "attached",
                unique: false,
                key: |entity| entity.attached.iter().map(|arn| within(entity.account, arn)).collect(),
            },
            Index {
                name: "boundary",
                unique: false,
                key: |entity| entity.boundary.iter().map(|arn| within(entity.account, arn)).collect(),
            },
            Index {
                name: "member",
                unique: false,
                key: |entity| entity.groups().iter().map(|group| within(entity.account, group)).collect(),
            },
        ]
    }
}

/// The account and one more part: how index entries begin.
pub(crate) fn within(account: Account, part: &str) -> KeyParts {
    KeyParts::new().str(account.to_string()).str(part)
}

/// An inline policy. Keyed by account, the unique id it hangs on, and its name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct InlinePolicy {
    pub(crate) account: Account,
    pub(crate) entity_id: String,
    pub(crate) name: String,
    pub(crate) document: String,
}

impl InlinePolicy {
    pub(crate) fn key_of(account: Account, entity_id: &str, name: &str) -> KeyParts {
        within(account, entity_id).str(name)
    }
}

impl Record for InlinePolicy {
    const COLLECTION: &'static str = "iam.inline_policies";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        Self::key_of(self.account, &self.entity_id, &self.name)
    }
}

/// A customer managed policy with its versions. Keyed by account and the name in lower case.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ManagedPolicy {
    pub(crate) account: Account,
    pub(crate) name: String,
    pub(crate) path: String,
    /// `ANPA…`
    pub(crate) id: String,
    pub(crate) description: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) default_version: u32,
    /// Versions are counted on and never used again.
    pub(crate) next_version: u32,
    /// The newest last.
    pub(crate) versions: Vec<PolicyVersion>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PolicyVersion {
    pub(crate) number: u32,
    pub(crate) document: String,
    pub(crate) created: Timestamp,
}

impl ManagedPolicy {
    pub(crate) fn key_of(account: Account, name: &str) -> KeyParts {
        within(account, &name.to_ascii_lowercase())
    }

    pub(crate) fn arn(&self) -> Arn {
        policy_arn(self.account, &self.path, &self.name)
    }

    pub(crate) fn version(&self, number: u32) -> Option<&PolicyVersion> {
        self.versions.iter().find(|version| version.number == number)
    }

    pub(crate) fn default_document(&self) -> &str {
        self.version(self.default_version).map_or("", |version| &version.document)
    }
}

pub(crate) fn policy_arn(account: Account, path: &str, name: &str) -> Arn {
    Arn::new("iam", "", &account.to_string(), &format!("policy{path}{name}"))
}

impl Record for ManagedPolicy {
    const COLLECTION: &'static str = "iam.managed_policies";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        Self::key_of(self.account, &self.name)
    }
}

/// A long-term access key. Keyed by account and key id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AccessKey {
    pub(crate) account: Account,
    /// `AKIA` + 16.
    pub(crate) id: String,
    /// The unique id of its user.
    pub(crate) user_id: String,
    pub(crate) active: bool,
    pub(crate) created: Timestamp,
    pub(crate) secret: Sealed,
}

impl Record for AccessKey {
    const COLLECTION: &'static str = "iam.access_keys";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        within(self.account, &self.id)
    }

    fn indexes() -> &'static [Index<Self>] {
        &[Index { name: "user", unique: false, key: |key| vec![within(key.account, &key.user_id)] }]
    }
}

/// How many of a kind the account has: a merged counter, so that creations do not conflict with deletions.
pub(crate) fn count_key(account: Account, what: &str) -> Key {
    Key::of("iam.counts").str(account.to_string()).str(what)
}

/// An OIDC provider. Keyed by account and name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OidcProvider {
    pub(crate) account: Account,
    /// The issuer without its scheme: `HOST/POOL`.
    pub(crate) name: String,
    /// Whose tokens are taken: `aud`.
    pub(crate) client_ids: Vec<String>,
    pub(crate) thumbprints: Vec<String>,
    pub(crate) created: Timestamp,
    pub(crate) tags: BTreeMap<String, String>,
}

impl Record for OidcProvider {
    const COLLECTION: &'static str = "iam.oidc_providers";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        within(self.account, &self.name)
    }
}
