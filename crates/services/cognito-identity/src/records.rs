use std::collections::BTreeMap;

use homeport_core::Timestamp;
use homeport_store::{Collection, Index, KeyParts, Record};
use homeport_vault::Sealed;
use serde::{Deserialize, Serialize};

pub(crate) const POOLS: Collection<IdentityPool> = Collection::new();
pub(crate) const IDENTITIES: Collection<Identity> = Collection::new();
pub(crate) const KEYS: Collection<TokenKey> = Collection::new();

/// An identity pool.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct IdentityPool {
    /// `REGION:UUID`
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) guests: bool,
    pub(crate) classic_flow: Option<bool>,
    pub(crate) user_pools: Vec<UserPoolProvider>,
    /// Social providers: domain → app id. Kept, but no login of theirs is accepted yet.
    pub(crate) social: BTreeMap<String, String>,
    pub(crate) developer_provider: Option<String>,
    pub(crate) open_id_arns: Vec<String>,
    pub(crate) saml_arns: Vec<String>,
    pub(crate) tags: BTreeMap<String, String>,
    /// `authenticated` and `unauthenticated` → role ARN.
    pub(crate) roles: BTreeMap<String, String>,
    pub(crate) role_mappings: BTreeMap<String, RoleMapping>,
}

/// A user pool's app client whose users the pool takes: issuer and audience belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UserPoolProvider {
    #[serde(default)]
    pub(crate) provider_name: String,
    #[serde(default)]
    pub(crate) client_id: String,
    /// Whether users are looked up at every use; here a revoked one is refused always.
    #[serde(default)]
    pub(crate) server_side_token_check: Option<bool>,
}

/// How a signed-in user's role is chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RoleMapping {
    /// `Token` or `Rules`.
    pub(crate) r#type: String,
    /// `AuthenticatedRole` or `Deny`, when nothing fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ambiguous_role_resolution: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rules_configuration: Option<Rules>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Rules {
    pub(crate) rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Rule {
    pub(crate) claim: String,
    /// `Equals`, `Contains`, `StartsWith` or `NotEqual`.
    pub(crate) match_type: String,
    pub(crate) value: String,
    #[serde(rename = "RoleARN")]
    pub(crate) role_arn: String,
}

/// An identity: a guest, or a user with logins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// `REGION:UUID`
    pub(crate) id: String,
    pub(crate) pool_id: String,
    pub(crate) logins: Vec<LinkedLogin>,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
}

/// A login that leads to an identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LinkedLogin {
    /// The user pool, by its id: its names may change with the public URL.
    pub(crate) user_pool_id: String,
    pub(crate) sub: String,
    /// The name under which clients listed it.
    pub(crate) provider: String,
}

/// The key that signs the tokens of `GetOpenIdToken`.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct TokenKey {
    pub(crate) name: String,
    pub(crate) pkcs8: Sealed,
}

impl Record for IdentityPool {
    const COLLECTION: &'static str = "identity-pools";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        KeyParts::from(&self.id)
    }
}

impl Record for Identity {
    const COLLECTION: &'static str = "identities";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        KeyParts::from(&self.id)
    }

    fn indexes() -> &'static [Index<Self>] {
        &[
            Index { name: "pool", unique: false, key: |identity| vec![KeyParts::from(&identity.pool_id)] },
            Index {
                name: "login",
                unique: true,
                key: |identity| {
                    let login =
                        |login: &LinkedLogin| login_key(&identity.pool_id, &login.user_pool_id, &login.sub);
                    identity.logins.iter().map(login).collect()
                },
            },
            Index {
                name: "user",
                unique: false,
                key: |identity| {
                    let user = |login: &LinkedLogin| user_key(&login.user_pool_id, &login.sub);
                    identity.logins.iter().map(user).collect()
                },
            },
        ]
    }
}

impl Record for TokenKey {
    const COLLECTION: &'static str = "identity-pool-keys";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        KeyParts::from(&self.name)
    }
}

pub(crate) fn login_key(pool_id: &str, user_pool_id: &str, sub: &str) -> KeyParts {
    KeyParts::new().str(pool_id).str(user_pool_id).str(sub)
}

pub(crate) fn user_key(user_pool_id: &str, sub: &str) -> KeyParts {
    KeyParts::new().str(user_pool_id).str(sub)
}
