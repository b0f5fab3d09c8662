//! Policies that come with a session and only narrow it.

use std::sync::Arc;

use homeport_policy::{Policy, PolicyKind};
use homeport_service::needs::met;
use homeport_store::{StoreError, Tx};
use serde::Deserialize;

use crate::Sts;
use crate::error::StsError;
use crate::session::{AssumedRole, Session, SessionOf};

/// Managed session policies of one session.
const MANAGED_MAX: usize = 10;
/// Characters of an inline session policy.
const INLINE_CHARS_MAX: usize = 2_048;

/// What the credentials of `GetSessionToken` can't do, as no MFA device gave a code: operations of IAM, and of
/// STS all but `AssumeRole` and `GetCallerIdentity` (STS API reference, `GetSessionToken`).
const USER_SESSION: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"*","Resource":"*"},
    {"Effect":"Deny","Resource":"*","Action":[
        "iam:Add*","iam:Attach*","iam:Change*","iam:Create*","iam:Deactivate*","iam:Delete*","iam:Detach*","iam:Disable*",
        "iam:Enable*","iam:Generate*","iam:Get*","iam:List*","iam:Put*","iam:Remove*","iam:Reset*","iam:Resync*","iam:Set*",
        "iam:Simulate*","iam:Tag*","iam:Untag*","iam:Update*","iam:Upload*",
        "sts:DecodeAuthorizationMessage","sts:Get*Token","sts:GetAccessKeyInfo"]}]}"#;

/// Allows nothing: in place of a managed session policy that was deleted since.
const NOTHING: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;

/// The policy of every session that `GetSessionToken` makes.
pub(crate) fn of_user_sessions() -> Arc<Policy> {
    #[expect(clippy::unwrap_used, reason = "the document is a constant, which a test parses")]
    let policy = Policy::parse(USER_SESSION, PolicyKind::Session).unwrap();
    Arc::new(policy.named("of GetSessionToken"))
}

/// A managed policy's ARN as `PolicyArns` lists it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PolicyDescriptor {
    arn: Option<String>,
}

/// Checks what a session is to be narrowed by: inline text and managed ARNs.
pub(crate) fn check(
    inline: Option<&String>,
    managed: &[PolicyDescriptor],
) -> Result<(Vec<String>, Vec<String>), StsError> {
    if let Some(document) = inline {
        if document.chars().count() > INLINE_CHARS_MAX {
            return Err(StsError::PackedPolicyTooLarge(document.chars().count() * 100 / INLINE_CHARS_MAX));
        }
        Policy::parse(document, PolicyKind::Session)?;
    }
    if managed.len() > MANAGED_MAX {
        return Err(StsError::ValidationError(
            "1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have length less than or equal to 10".into(),
        ));
    }
    let arns = managed.iter().filter_map(|descriptor| descriptor.arn.clone()).collect();
    Ok((inline.cloned().into_iter().collect(), arns))
}

impl Sts {
    /// Refuses managed session policies that are not there.
    pub(crate) async fn require_managed(&self, tx: &Tx, arns: &[String]) -> Result<(), StsError> {
        for arn in arns {
            if met(&self.needs.policies_of, "PoliciesOf")?.managed_policy(tx, arn).await?.is_none() {
                return Err(StsError::ValidationError(
                    format!("Policy {arn} does not exist or is not attachable.").into(),
                ));
            }
        }
        Ok(())
    }

    /// The policies that narrow this session, as of now.
    pub(crate) async fn narrowed_by(
        &self,
        tx: &Tx,
        session: &Session,
    ) -> Result<Vec<Arc<Policy>>, StoreError> {
        let SessionOf::Role(role) = &session.of else { return Ok(vec![self.user_session_policy.clone()]) };
        let AssumedRole { policies, managed_policies, .. } = &**role;
        let mut documents: Vec<(String, String)> =
            policies.iter().map(|document| ("of the session".to_owned(), document.clone())).collect();
        for arn in managed_policies {
            let found = match met(&self.needs.policies_of, "PoliciesOf") {
                Ok(policies_of) => policies_of.managed_policy(tx, arn).await?,
                Err(_) => None,
            };
            documents.push((arn.clone(), found.unwrap_or_else(|| NOTHING.to_owned())));
        }
        let parse = |(name, document): (String, String)| {
            let policy = Policy::parse(&document, PolicyKind::Session);
            let broken = |fault| StoreError::BadRecord {
                collection: "session policies",
                reason: format!("{name}: {fault}"),
            };
            Ok(Arc::new(policy.map_err(broken)?.named(name.clone())))
        };
        documents.into_iter().map(parse).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constant_documents_are_policies() {
        for document in [USER_SESSION, NOTHING] {
            assert!(Policy::parse(document, PolicyKind::Session).is_ok());
        }
    }

    #[test]
    fn an_inline_policy_has_2048_characters_at_most() {
        let document = format!("{USER_SESSION}{}", " ".repeat(2_048));
        assert!(matches!(check(Some(&document), &[]), Err(StsError::PackedPolicyTooLarge(_))));
        assert!(matches!(check(Some(&"{".to_owned()), &[]), Err(StsError::MalformedPolicyDocument(_))));
    }
}
