//! `UserPoolType`, what a pool's settings become when they are not named, and what is not built.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::attributes::SchemaAttribute;
use crate::error::IdpError;
use crate::records::{Pool, PoolSettings, UsernameConfiguration};

/// `UserPoolType`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UserPoolType {
    id: String,
    name: String,
    arn: String,
    last_modified_date: f64,
    creation_date: f64,
    schema_attributes: Vec<SchemaAttribute>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alias_attributes: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    username_attributes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username_configuration: Option<UsernameConfiguration>,
    estimated_number_of_users: i64,
    lambda_config: Map<String, Value>,
    #[serde(flatten)]
    settings: PoolSettings,
}

impl UserPoolType {
    /// A pool with so many users.
    pub(crate) fn of(pool: &Pool, users: i64) -> Self {
        Self {
            id: pool.pool.id.clone(),
            name: pool.name.clone(),
            arn: pool.pool.arn(),
            last_modified_date: pool.modified.seconds_f64(),
            creation_date: pool.created.seconds_f64(),
            schema_attributes: pool.schema.attributes().to_vec(),
            alias_attributes: pool.alias_attributes.clone(),
            username_attributes: pool.username_attributes.clone(),
            username_configuration: pool.username_configuration,
            estimated_number_of_users: users,
            lambda_config: Map::new(),
            settings: pool.settings.clone(),
        }
    }
}

/// Members that ask for what is not built: refused, never silently dropped.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Unbuilt {
    lambda_config: Option<Map<String, Value>>,
    device_configuration: Option<Map<String, Value>>,
    user_pool_add_ons: Option<Map<String, Value>>,
    dcr_configuration: Option<Map<String, Value>>,
    key_configuration: Option<Map<String, Value>>,
    acr_configuration: Option<Map<String, Value>>,
}

impl Unbuilt {
    /// Refuses what would change how the pool works; values that say "off" are fine.
    pub(crate) fn check(&self) -> Result<(), IdpError> {
        let any = |member: &Option<Map<String, Value>>| member.as_ref().is_some_and(|map| !map.is_empty());
        let says = |member: &Option<Map<String, Value>>, name: &str, off: &str| {
            let value = member.as_ref().and_then(|map| map.get(name));
            value.is_some_and(|value| value != off)
        };
        let on = |member: &Option<Map<String, Value>>| {
            member.as_ref().is_some_and(|map| map.values().any(|value| *value == Value::Bool(true)))
        };
        let refused = [
            (any(&self.lambda_config), "LambdaConfig"),
            (on(&self.device_configuration), "DeviceConfiguration"),
            (says(&self.user_pool_add_ons, "AdvancedSecurityMode", "OFF"), "UserPoolAddOns"),
            (says(&self.dcr_configuration, "EnableStatus", "Disabled"), "DcrConfiguration"),
            (says(&self.key_configuration, "KeyType", "AWS_OWNED_KEY"), "KeyConfiguration"),
            (any(&self.acr_configuration), "AcrConfiguration"),
        ];
        match refused.into_iter().find(|(asked, _)| *asked) {
            Some((_, name)) => Err(IdpError::FeatureUnavailable(name)),
            None => Ok(()),
        }
    }
}

impl PoolSettings {
    /// The settings with AWS's defaults for what was not named.
    pub(crate) fn completed(mut self) -> Result<Self, IdpError> {
        let policies = self.policies.get_or_insert_default();
        let factors = policies.sign_in_policy.iter().flat_map(|policy| &policy.allowed_first_auth_factors);
        if factors.into_iter().any(|factor| factor != "PASSWORD") {
            return Err(IdpError::FeatureUnavailable("SignInPolicy"));
        }
        if policies.password_policy.password_history_size.is_some_and(|size| size > 0) {
            return Err(IdpError::FeatureUnavailable("PasswordHistorySize"));
        }
        if self.mfa_configuration.as_deref().is_some_and(|mfa| mfa != "OFF") {
            return Err(IdpError::FeatureUnavailable("MfaConfiguration"));
        }
        let template = self.verification_message_template.get_or_insert_default();
        if template.default_email_option.as_deref() == Some("CONFIRM_WITH_LINK") {
            return Err(IdpError::FeatureUnavailable("CONFIRM_WITH_LINK"));
        }
        template.default_email_option = Some("CONFIRM_WITH_CODE".into());
        self.mfa_configuration = Some("OFF".into());
        self.deletion_protection.get_or_insert_with(|| "INACTIVE".into());
        self.user_pool_tier.get_or_insert_with(|| "ESSENTIALS".into());
        self.email_configuration.get_or_insert_with(|| json!({"EmailSendingAccount": "COGNITO_DEFAULT"}));
        let invitations = self.admin_create_user_config.get_or_insert_default();
        if let Some(days) = invitations.unused_account_validity_days {
            policies.password_policy.temporary_password_validity_days = days;
        }
        invitations.unused_account_validity_days =
            Some(policies.password_policy.temporary_password_validity_days);
        self.check_tags()?;
        Ok(self)
    }

    /// The role that is handed over for sending SMS.
    pub(crate) fn handed_role(&self) -> Option<&str> {
        let role = self.sms_configuration.as_ref()?.sns_caller_arn.as_deref()?;
        (!role.is_empty()).then_some(role)
    }

    /// At most 50 tags, keys of 1 to 128 characters, values up to 256.
    pub(crate) fn check_tags(&self) -> Result<(), IdpError> {
        let formed = |(key, value): (&String, &String)| {
            (1..=128).contains(&key.chars().count()) && value.chars().count() <= 256
        };
        if self.user_pool_tags.len() > 50 || !self.user_pool_tags.iter().all(formed) {
            return Err(IdpError::invalid("A user pool can have at most 50 tags."));
        }
        Ok(())
    }
}
