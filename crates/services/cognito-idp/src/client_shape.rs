//! `UserPoolClientType`, and what an app client's settings may be.

use homeport_vault::Vault;
use serde::Serialize;

use crate::attributes::{default_readable, default_writable};
use crate::error::IdpError;
use crate::lookup::open_client_secret;
use crate::records::{Client, ClientSettings, Pool};

/// `UserPoolClientType`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UserPoolClientType {
    user_pool_id: String,
    client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    last_modified_date: f64,
    creation_date: f64,
    #[serde(flatten)]
    settings: ClientSettings,
}

impl UserPoolClientType {
    /// An app client, its secret opened.
    pub(crate) fn of(vault: &Vault, client: &Client) -> Result<Self, IdpError> {
        let secret = match &client.secret {
            Some(sealed) => open_client_secret(vault, client, sealed)?.expose_text().map(str::to_owned),
            None => None,
        };
        Ok(Self {
            user_pool_id: client.pool.id.clone(),
            client_id: client.id.clone(),
            client_secret: secret,
            last_modified_date: client.modified.seconds_f64(),
            creation_date: client.created.seconds_f64(),
            settings: client.settings.clone(),
        })
    }
}

impl ClientSettings {
    /// The settings with AWS's defaults for what was not named. Users' existence is hidden unless `LEGACY` is asked
    /// for, which is stricter than AWS (security decision 17).
    pub(crate) fn completed(mut self) -> Self {
        self.refresh_token_validity =
            Some(self.refresh_token_validity.filter(|days| *days > 0).unwrap_or(30));
        self.enable_token_revocation.get_or_insert(true);
        self.enable_propagate_additional_user_context_data.get_or_insert(false);
        self.auth_session_validity.get_or_insert(3);
        self.prevent_user_existence_errors.get_or_insert_with(|| "ENABLED".into());
        self
    }
}

/// Checks what the model can't say: lives of tokens, names of attributes, flows that go together.
pub(crate) fn check(pool: &Pool, client: &Client) -> Result<(), IdpError> {
    let within = |seconds: i64, least: i64, most: i64| (least..=most).contains(&seconds);
    let lives = within(client.access_seconds(), 300, 86_400)
        && within(client.id_seconds(), 300, 86_400)
        && within(client.refresh_seconds(), 3_600, 315_360_000);
    if !lives {
        return Err(IdpError::invalid("Invalid range for token validity."));
    }
    let settings = &client.settings;
    check_names(settings.read_attributes.as_deref(), &default_readable(&pool.schema), "read")?;
    check_names(settings.write_attributes.as_deref(), &default_writable(&pool.schema), "write")?;
    check_required_writable(pool, settings)?;
    let flows = settings.explicit_auth_flows.as_deref().unwrap_or_default();
    let new_forms = flows.iter().filter(|flow| flow.starts_with("ALLOW_")).count();
    if new_forms > 0 && new_forms < flows.len() {
        return Err(IdpError::invalid(
            "ExplicitAuthFlows can't mix names with and without the ALLOW_ prefix.",
        ));
    }
    let refreshes = flows.iter().any(|flow| flow == "ALLOW_REFRESH_TOKEN_AUTH");
    if refreshes && client.rotation_grace_seconds().is_some() {
        let message = "ALLOW_REFRESH_TOKEN_AUTH can't be enabled together with refresh token rotation.";
        return Err(IdpError::invalid(message));
    }
    Ok(())
}

fn check_names(named: Option<&[String]>, known: &[String], what: &str) -> Result<(), IdpError> {
    match named.unwrap_or_default().iter().find(|name| !known.contains(name)) {
        Some(name) => Err(IdpError::invalid(format!(
            "Invalid {what} attributes specified while creating a client: {name}"
        ))),
        None => Ok(()),
    }
}

fn check_required_writable(pool: &Pool, settings: &ClientSettings) -> Result<(), IdpError> {
    let Some(writable) = &settings.write_attributes else {
        return Ok(());
    };
    let mut required = pool.schema.attributes().iter().filter(|known| known.required && known.name != "sub");
    match required.find(|known| !writable.contains(&known.name)) {
        Some(missing) => Err(IdpError::invalid(format!(
            "Invalid write attributes specified while creating a client: {} is required",
            missing.name
        ))),
        None => Ok(()),
    }
}
