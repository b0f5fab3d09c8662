//! The table of operations.

mod assume_role;
mod assume_role_with_web_identity;
mod get_caller_identity;
mod get_session_token;

use homeport_core::{Account, Arn};
use homeport_service::needs::RoleView;
use homeport_service::{Entry, modelled};
use serde::Serialize;

use crate::Sts;
use crate::error::StsError;
use crate::session::AssumedRole;

/// What STS does here.
pub(crate) static OPERATIONS: &[Entry<Sts>] = &[
    modelled::<get_caller_identity::GetCallerIdentity>(),
    modelled::<assume_role::AssumeRole>(),
    modelled::<assume_role_with_web_identity::AssumeRoleWithWebIdentity>(),
    modelled::<get_session_token::GetSessionToken>(),
];

/// A code of an MFA device was given, and no user has one.
fn no_mfa_device() -> StsError {
    StsError::AccessDenied("MultiFactorAuthentication failed with invalid MFA one time pass code. ".into())
}

/// The role and session that were taken on, as the API writes them.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AssumedRoleUser {
    assumed_role_id: String,
    arn: String,
}

impl AssumedRoleUser {
    fn of(account: Account, role: &AssumedRole) -> Self {
        let resource = format!("assumed-role/{}/{}", role.role_name, role.session_name);
        Self {
            assumed_role_id: format!("{}:{}", role.role_id, role.session_name),
            arn: Arn::new("sts", "", &account.to_string(), &resource).to_string(),
        }
    }
}

/// The seconds that a session lives: an hour where none are asked for, within what the role allows.
fn session_seconds(asked: Option<i64>, role: &RoleView) -> Result<i64, StsError> {
    let seconds = asked.unwrap_or(DEFAULT_SECONDS);
    if seconds > role.max_session_seconds {
        return Err(StsError::ValidationError(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.".into(),
        ));
    }
    Ok(seconds)
}

/// How long a session of a role lives where no time is asked for, in seconds.
const DEFAULT_SECONDS: i64 = 3_600;
