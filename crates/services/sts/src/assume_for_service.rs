use homeport_core::BoxFuture;
use homeport_service::needs::{
    Assume, AssumeForService, AssumeRefused, AssumedBy, Credentials, RoleView, met,
};

use crate::Sts;
use crate::error::StsError;
use crate::session::{AssumedRole, Session, SessionOf, sign_in_of};
use crate::trust::{Bearer, Wanted};

impl Sts {
    async fn role(&self, arn: &str) -> Result<RoleView, AssumeRefused> {
        let policies_of =
            met(&self.needs.policies_of, "PoliciesOf").map_err(|e| AssumeRefused::Internal(e.to_string()))?;
        let found = self.store.read(|tx| async move { policies_of.role(&tx, arn).await }).await?;
        found.ok_or(AssumeRefused::NoSuchRole)
    }
}

impl AssumeForService for Sts {
    fn assume<'a>(&'a self, assume: Assume) -> BoxFuture<'a, Result<Credentials, AssumeRefused>> {
        Box::pin(async move {
            let now = self.clock.now();
            let role = self.role(&assume.role_arn).await?;
            let wanted = Wanted {
                session_name: &assume.session_name,
                tags: &assume.tags,
                context: &assume.context,
                now,
            };
            let bearer = match assume.by {
                AssumedBy::Service(name) => Bearer::Service(name),
                AssumedBy::Federated(provider) => Bearer::WebIdentity(provider),
            };
            if !self.is_trusted(&role, bearer, &wanted) {
                return Err(AssumeRefused::NotTrusted);
            }
            let mut tags: std::collections::BTreeMap<_, _> = role.tags.into_iter().collect();
            tags.extend(assume.tags);
            let session = Session {
                issued: now,
                expires: now.plus_seconds(assume.seconds.min(role.max_session_seconds)),
                mfa: false,
                of: SessionOf::Role(Box::new(AssumedRole {
                    role_arn: role.arn,
                    role_id: role.id,
                    role_name: role.name,
                    session_name: assume.session_name,
                    policies: assume.session_policies.iter().map(|policy| policy.text().to_owned()).collect(),
                    managed_policies: Vec::new(),
                    tags,
                    transitive_tag_keys: Vec::new(),
                    source_identity: None,
                    context: assume.context,
                    sign_in: sign_in_of(assume.cognito.as_ref()),
                    identity: None,
                    cognito: assume.cognito,
                })),
            };
            self.issue(&session).map_err(|error: StsError| AssumeRefused::Internal(error.to_string()))
        })
    }
}
