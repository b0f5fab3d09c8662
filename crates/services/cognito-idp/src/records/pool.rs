use std::collections::BTreeMap;

use homeport_core::Timestamp;
use homeport_store::{KeyParts, Record};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::attributes::Schema;
use crate::password::PasswordPolicy;
use crate::pool_ref::PoolRef;

/// A user pool.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pool {
    pub(crate) pool: PoolRef,
    pub(crate) name: String,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
    pub(crate) schema: Schema,
    /// What users may sign in with beside their name: `email`, `phone_number`, `preferred_username`.
    pub(crate) alias_attributes: Vec<String>,
    /// What users sign up with in place of a name: `email`, `phone_number`.
    pub(crate) username_attributes: Vec<String>,
    pub(crate) username_configuration: Option<UsernameConfiguration>,
    pub(crate) settings: PoolSettings,
}

impl Record for Pool {
    const COLLECTION: &'static str = "cognito-idp.pools";
    const VERSION: u16 = 1;
    const WATCHED: bool = true;

    fn key(&self) -> KeyParts {
        self.pool.parts()
    }
}

/// What `UpdateUserPool` replaces as a whole: what it doesn't name becomes the default again.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct PoolSettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policies: Option<Policies>,
    /// `ACTIVE` or `INACTIVE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deletion_protection: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) auto_verified_attributes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sms_verification_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email_verification_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email_verification_subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) verification_message_template: Option<VerificationMessageTemplate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sms_authentication_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_attribute_update_settings: Option<UserAttributeUpdateSettings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mfa_configuration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email_configuration: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sms_configuration: Option<SmsConfiguration>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) user_pool_tags: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) admin_create_user_config: Option<AdminCreateUserConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account_recovery_setting: Option<AccountRecoverySetting>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_pool_tier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) issuer_configuration: Option<IssuerConfiguration>,
}

/// `UserPoolPolicyType`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Policies {
    pub(crate) password_policy: PasswordPolicy,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sign_in_policy: Option<SignInPolicy>,
}

/// `SignInPolicyType`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SignInPolicy {
    #[serde(default)]
    pub(crate) allowed_first_auth_factors: Vec<String>,
}

/// `VerificationMessageTemplateType`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct VerificationMessageTemplate {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sms_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email_subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email_message_by_link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email_subject_by_link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) default_email_option: Option<String>,
}

/// `UserAttributeUpdateSettingsType`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct UserAttributeUpdateSettings {
    pub(crate) attributes_require_verification_before_update: Vec<String>,
}

/// `SmsConfigurationType`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct SmsConfiguration {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sns_caller_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sns_region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) eums_sms: Option<Value>,
}

/// `AdminCreateUserConfigType`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct AdminCreateUserConfig {
    pub(crate) allow_admin_create_user_only: bool,
    /// Days; superseded by the password policy's `TemporaryPasswordValidityDays`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unused_account_validity_days: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) invite_message_template: Option<InviteMessageTemplate>,
}

/// `MessageTemplateType`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct InviteMessageTemplate {
    #[serde(rename = "SMSMessage", skip_serializing_if = "Option::is_none")]
    pub(crate) sms_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email_subject: Option<String>,
}

/// `AccountRecoverySettingType`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct AccountRecoverySetting {
    pub(crate) recovery_mechanisms: Vec<RecoveryMechanism>,
}

/// `RecoveryOptionType`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RecoveryMechanism {
    /// 1 is tried first.
    pub(crate) priority: i64,
    /// `verified_email`, `verified_phone_number` or `admin_only`.
    pub(crate) name: String,
}

/// `UsernameConfigurationType`
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UsernameConfiguration {
    pub(crate) case_sensitive: bool,
}

/// `IssuerConfigurationType`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct IssuerConfiguration {
    /// `ORIGINAL` or `UPDATED`: which of AWS's own names the tokens carry.
    #[serde(rename = "Type")]
    pub(crate) kind: Option<String>,
}

impl Pool {
    /// The password policy.
    pub(crate) fn password_policy(&self) -> PasswordPolicy {
        self.settings.policies.clone().unwrap_or_default().password_policy
    }

    /// Whether names differ by case.
    pub(crate) fn is_case_sensitive(&self) -> bool {
        self.username_configuration.is_none_or(|configuration| configuration.case_sensitive)
    }

    /// A name as it is stored and compared.
    pub(crate) fn fold(&self, name: &str) -> String {
        if self.is_case_sensitive() { name.to_owned() } else { name.to_lowercase() }
    }

    /// Whether the pool verifies this attribute by sending a code to it.
    pub(crate) fn auto_verifies(&self, attribute: &str) -> bool {
        self.settings.auto_verified_attributes.iter().any(|name| name == attribute)
    }

    /// Whether users may sign in with this attribute, in place of or beside their name.
    pub(crate) fn signs_in_with(&self, attribute: &str) -> bool {
        self.alias_attributes.iter().chain(&self.username_attributes).any(|name| name == attribute)
    }

    /// Whether every user's value of this attribute is a name to sign in with at once: what users sign up with, and
    /// a preferred name. Other aliases are names once they are proved.
    pub(crate) fn enters_unproved(&self, attribute: &str) -> bool {
        let is_alias = self.alias_attributes.iter().any(|name| name == attribute);
        let signs_up = self.username_attributes.iter().any(|name| name == attribute);
        signs_up || (is_alias && attribute == "preferred_username")
    }

    /// Whether only administrators make users.
    pub(crate) fn is_closed(&self) -> bool {
        let config = self.settings.admin_create_user_config.as_ref();
        config.is_some_and(|config| config.allow_admin_create_user_only)
    }

    /// Whether codes live ten minutes (security decision 16): the pool's tag `homeport:strict-codes`.
    pub(crate) fn has_strict_codes(&self) -> bool {
        self.option("homeport:strict-codes")
    }

    /// Whether gateways refuse revoked tokens at once: the pool's tag `homeport:revoke-at-gateways`.
    pub(crate) fn revokes_at_gateways(&self) -> bool {
        self.option("homeport:revoke-at-gateways")
    }

    fn option(&self, tag: &str) -> bool {
        self.settings.user_pool_tags.get(tag).is_some_and(|value| value == "true")
    }
}
