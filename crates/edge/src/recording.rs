use homeport_core::{Account, Fault, Randomness, Timestamp, uuid_v4};
use homeport_service::{AuditRow, Caller, Effect, OperationInfo, Outcome, Principal};
use serde_json::{Value, json};

use crate::route::Routed;

/// The longest error message that is recorded, in characters.
const MAX_MESSAGE: usize = 1_024;

/// What of a call CloudTrail records, whoever made it.
pub(crate) struct Recorded<'a> {
    pub(crate) randomness: &'a dyn Randomness,
    pub(crate) time: Timestamp,
    pub(crate) account: Account,
    pub(crate) routed: &'a Routed,
    pub(crate) info: OperationInfo,
    pub(crate) request_id: &'a str,
}

/// The row of a call that took effect.
pub(crate) fn done(call: Recorded<'_>, caller: &Caller, parameters: Value) -> AuditRow {
    let hosted = call.routed.hosted.as_ref();
    AuditRow {
        event_id: uuid_v4(call.randomness),
        time: call.time,
        event_source: format!(
            "{}.amazonaws.com",
            hosted.map_or(call.routed.model.name, |h| h.spec().event_source)
        ),
        event_name: call.info.name.to_owned(),
        region: call.routed.region.to_string(),
        user_identity: user_identity(caller, call.account),
        source_ip: caller.source.ip.to_string(),
        user_agent: caller.source.user_agent.clone(),
        request_parameters: parameters,
        read_only: matches!(call.info.effect, Effect::Reads | Effect::ReadsData),
        request_id: call.request_id.to_owned(),
        outcome: Outcome::Done,
    }
}

/// The row of a call that was refused.
pub(crate) fn refused(call: Recorded<'_>, caller: &Caller, fault: &Fault) -> AuditRow {
    let message = fault.message.chars().take(MAX_MESSAGE).collect();
    AuditRow {
        outcome: Outcome::Refused { code: fault.code.to_string(), message },
        ..done(call, caller, Value::Null)
    }
}

/// `userIdentity`, as the CloudTrail user guide describes it per type of principal.
fn user_identity(caller: &Caller, account: Account) -> Value {
    let principal = &caller.principal;
    let key = caller.access_key_id.as_deref().unwrap_or_default();
    let arn = principal.arn(account).map(|arn| arn.to_string());
    match principal {
        Principal::Anonymous => json!({"type": "Unknown", "principalId": "", "accountId": "anonymous"}),
        Principal::Service(name) => json!({"type": "AWSService", "invokedBy": name}),
        Principal::Token(user) => json!({
            "type": "Unknown", "principalId": user.sub, "accountId": account.to_string(),
            "additionalEventData": {"sub": user.sub},
        }),
        Principal::User { id, name, .. } => json!({
            "type": "IAMUser", "principalId": id, "arn": arn, "accountId": account.to_string(),
            "accessKeyId": key, "userName": name,
        }),
        Principal::Role(session) => json!({
            "type": "AssumedRole", "principalId": principal.user_id(), "arn": arn,
            "accountId": account.to_string(), "accessKeyId": key,
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role", "principalId": session.role_id, "arn": session.role_arn,
                    "accountId": account.to_string(), "userName": session.role_name,
                },
                "attributes": {
                    "creationDate": session.issued.rfc3339_seconds(),
                    "mfaAuthenticated": session.mfa.to_string(),
                },
            },
        }),
    }
}
