//! How somebody proves to be a user, and what comes of it. Attempts are counted durably before anything is verified
//! ([`attempt`]); names that no user has go the same way with the same work.

mod attempt;
mod block;
mod challenge;
mod finish;
mod flows;
mod password;
mod refresh;
mod srp;
mod subject;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::error::IdpError;
use crate::tokens::AuthenticationResult;

pub(crate) use challenge::answer_new_password;
pub(crate) use finish::forget_failures;
pub(crate) use flows::{Flow, FlowSet};
pub(crate) use password::{check_password, sign_in_with_password};
pub(crate) use refresh::{RefreshedBy, refresh, revoke};
pub(crate) use srp::{answer_srp, open_srp};
pub(crate) use subject::seal_password;

/// Parameters of a flow, or answers to a challenge.
pub(crate) type Parameters = BTreeMap<String, String>;

/// How far a sign-in has come.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Progress {
    /// There.
    #[serde(rename_all = "PascalCase")]
    Done { challenge_parameters: BTreeMap<String, String>, authentication_result: AuthenticationResult },
    /// One more question.
    #[serde(rename_all = "PascalCase")]
    Challenge {
        challenge_name: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        session: Option<String>,
        challenge_parameters: BTreeMap<String, String>,
    },
}

impl Progress {
    /// The sign-in succeeded.
    pub(crate) fn done(authentication_result: AuthenticationResult) -> Self {
        Self::Done { challenge_parameters: BTreeMap::new(), authentication_result }
    }
}

/// A parameter that must be there.
pub(crate) fn required<'a>(parameters: &'a Parameters, name: &str) -> Result<&'a str, IdpError> {
    let value = parameters.get(name).map(String::as_str).filter(|value| !value.is_empty());
    value.ok_or_else(|| IdpError::invalid(format!("Missing required parameter {name}")))
}
