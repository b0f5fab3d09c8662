use homeport_core::{Account, Timestamp};
use homeport_store::{Index, KeyParts, Record};
use homeport_vault::Sealed;
use serde::{Deserialize, Serialize};

use crate::pool_ref::PoolRef;

/// An app client.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Client {
    pub(crate) pool: PoolRef,
    /// 26 lower-case letters and digits.
    pub(crate) id: String,
    pub(crate) secret: Option<Sealed>,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
    pub(crate) settings: ClientSettings,
}

impl Record for Client {
    const COLLECTION: &'static str = "cognito-idp.clients";
    const VERSION: u16 = 1;
    const WATCHED: bool = true;

    fn key(&self) -> KeyParts {
        self.pool.parts().str(&self.id)
    }

    fn indexes() -> &'static [Index<Self>] {
        &[Index {
            name: "id",
            unique: true,
            key: |client| vec![Client::by_id(client.pool.account, &client.id)],
        }]
    }
}

/// What `UpdateUserPoolClient` replaces as a whole.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ClientSettings {
    pub(crate) client_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token_validity: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) access_token_validity: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id_token_validity: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token_validity_units: Option<TokenValidityUnits>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) read_attributes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) write_attributes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) explicit_auth_flows: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) supported_identity_providers: Option<Vec<String>>,
    #[serde(rename = "CallbackURLs", skip_serializing_if = "Option::is_none")]
    pub(crate) callback_urls: Option<Vec<String>>,
    #[serde(rename = "LogoutURLs", skip_serializing_if = "Option::is_none")]
    pub(crate) logout_urls: Option<Vec<String>>,
    #[serde(rename = "DefaultRedirectURI", skip_serializing_if = "Option::is_none")]
    pub(crate) default_redirect_uri: Option<String>,
    #[serde(rename = "AllowedOAuthFlows", skip_serializing_if = "Option::is_none")]
    pub(crate) allowed_oauth_flows: Option<Vec<String>>,
    #[serde(rename = "AllowedOAuthScopes", skip_serializing_if = "Option::is_none")]
    pub(crate) allowed_oauth_scopes: Option<Vec<String>>,
    #[serde(rename = "AllowedOAuthFlowsUserPoolClient")]
    pub(crate) allowed_oauth_flows_user_pool_client: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prevent_user_existence_errors: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) enable_token_revocation: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) enable_propagate_additional_user_context_data: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) auth_session_validity: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token_rotation: Option<RefreshTokenRotation>,
}

/// `TokenValidityUnitsType`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct TokenValidityUnits {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) access_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token: Option<String>,
}

/// `RefreshTokenRotationType`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RefreshTokenRotation {
    /// `ENABLED` or `DISABLED`.
    pub(crate) feature: String,
    /// How long the token before still works: 0 to 60.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) retry_grace_period_seconds: Option<i64>,
}

impl Client {
    /// The entry of the index `id`.
    pub(crate) fn by_id(account: Account, id: &str) -> KeyParts {
        KeyParts::new().str(account.to_string()).str(id)
    }

    /// Whether answers hide which users exist; unset means they do (security decision 17).
    pub(crate) fn hides_users(&self) -> bool {
        self.settings.prevent_user_existence_errors.as_deref() != Some("LEGACY")
    }

    /// Seconds that an access token lives: an hour unless set.
    pub(crate) fn access_seconds(&self) -> i64 {
        let unit = self.unit(|units| units.access_token.as_deref());
        seconds(self.settings.access_token_validity.unwrap_or(0), unit, "hours", 3_600)
    }

    /// Seconds that an ID token lives: an hour unless set.
    pub(crate) fn id_seconds(&self) -> i64 {
        let unit = self.unit(|units| units.id_token.as_deref());
        seconds(self.settings.id_token_validity.unwrap_or(0), unit, "hours", 3_600)
    }

    /// Seconds that a refresh token lives: 30 days unless set.
    pub(crate) fn refresh_seconds(&self) -> i64 {
        let unit = self.unit(|units| units.refresh_token.as_deref());
        seconds(self.settings.refresh_token_validity.unwrap_or(0), unit, "days", 30 * 86_400)
    }

    /// Seconds that a challenge waits for its answer.
    pub(crate) fn challenge_seconds(&self) -> i64 {
        self.settings.auth_session_validity.unwrap_or(3) * 60
    }

    /// How long a rotated refresh token still works; none where they are not rotated.
    pub(crate) fn rotation_grace_seconds(&self) -> Option<i64> {
        let rotation = self.settings.refresh_token_rotation.as_ref()?;
        (rotation.feature == "ENABLED").then(|| rotation.retry_grace_period_seconds.unwrap_or(0))
    }

    fn unit<'a>(&'a self, of: impl Fn(&'a TokenValidityUnits) -> Option<&'a str>) -> Option<&'a str> {
        self.settings.token_validity_units.as_ref().and_then(of)
    }
}

fn seconds(validity: i64, unit: Option<&str>, usual_unit: &str, unset: i64) -> i64 {
    if validity == 0 {
        return unset;
    }
    let factor = match unit.unwrap_or(usual_unit) {
        "seconds" => 1,
        "minutes" => 60,
        "hours" => 3_600,
        _ => 86_400,
    };
    validity.saturating_mul(factor)
}
