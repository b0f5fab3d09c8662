//! What others ask IAM: the policies of a principal, the trust of a role.

use std::sync::Arc;

use homeport_core::{Arn, BoxFuture};
use homeport_policy::{Policy, PolicyKind};
use homeport_service::Principal;
use homeport_service::needs::{Policies, PoliciesOf, ResourcePolicy, RoleView, Unpinned};
use homeport_store::{StoreError, Tx};

use crate::records::{Details, ENTITIES, Entity, INLINE_POLICIES, Kind, within};
use crate::{Iam, documents, managed};

/// More inline policies than the quota of characters can hold.
const PAGE: usize = 1_000;

impl Iam {
    async fn policies(&self, tx: &Tx, principal: &Principal) -> Result<Policies, StoreError> {
        let (id, kind) = match principal {
            Principal::User { id, .. } => (id, Kind::User),
            Principal::Role(session) => (&session.role_id, Kind::Role),
            Principal::Anonymous | Principal::Token(_) | Principal::Service(_) => {
                return Ok(Policies::default());
            }
        };
        let entity = ENTITIES.by(tx, "id", within(self.account, id)).await?;
        let Some(entity) = entity.filter(|entity| entity.kind == kind) else {
            return Ok(Policies::default());
        };
        let mut identity = Vec::new();
        self.policies_on(tx, &entity, &mut identity).await?;
        for group in entity.groups() {
            if let Some(group) = ENTITIES.by(tx, "id", within(self.account, group)).await? {
                self.policies_on(tx, &group, &mut identity).await?;
            }
        }
        let boundary = match &entity.boundary {
            Some(arn) => Some(self.boundary(tx, arn).await?),
            None => None,
        };
        let tags = if kind == Kind::User { entity.tags.into_iter().collect() } else { Vec::new() };
        Ok(Policies { identity, boundary, tags, exists: true })
    }

    /// What hangs on one entity: inline and attached.
    async fn policies_on(
        &self,
        tx: &Tx,
        entity: &Entity,
        found: &mut Vec<Arc<Policy>>,
    ) -> Result<(), StoreError> {
        let inline = INLINE_POLICIES.page(tx, within(self.account, &entity.id), None, PAGE).await?;
        for policy in inline.records {
            let name = format!("{} of {}", policy.name, entity.arn());
            found.push(stored(&policy.document, PolicyKind::Identity, name)?);
        }
        for arn in &entity.attached {
            if let Some(policy) = managed::find(tx, self.account, arn).await? {
                found.push(stored(policy.document(), PolicyKind::Identity, arn.clone())?);
            }
        }
        Ok(())
    }

    async fn boundary(&self, tx: &Tx, arn: &str) -> Result<Arc<Policy>, StoreError> {
        let policy = managed::find(tx, self.account, arn).await?;
        // A boundary can't be deleted while it bounds; were it gone all the same, it allows nothing.
        let document = policy.as_ref().map_or(NOTHING, |policy| policy.document());
        stored(document, PolicyKind::Boundary, arn.to_owned())
    }
}

const NOTHING: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;

/// A stored document; it was checked when it was stored, so one that does not read is a broken record.
fn stored(document: &str, kind: PolicyKind, name: String) -> Result<Arc<Policy>, StoreError> {
    let parsed = Policy::parse(document, kind);
    let broken =
        |fault| StoreError::BadRecord { collection: "iam policies", reason: format!("{name}: {fault}") };
    Ok(Arc::new(parsed.map_err(broken)?.named(name)))
}

impl PoliciesOf for Iam {
    fn policies_of<'a>(
        &'a self,
        tx: &'a Tx,
        principal: &'a Principal,
    ) -> BoxFuture<'a, Result<Policies, StoreError>> {
        Box::pin(self.policies(tx, principal))
    }

    fn role<'a>(
        &'a self,
        tx: &'a Tx,
        role_arn: &'a str,
    ) -> BoxFuture<'a, Result<Option<RoleView>, StoreError>> {
        Box::pin(async move {
            let Ok(arn) = Arn::parse(role_arn) else { return Ok(None) };
            let found = documents::find_by_arn(tx, self.account, &arn).await?;
            let Some(Entity { name, id, tags, details: Details::Role(role), .. }) = found else {
                return Ok(None);
            };
            let trust = stored(&role.pinned_trust, PolicyKind::Trust, role_arn.to_owned())?;
            let tags = tags.into_iter().collect();
            Ok(Some(RoleView { arn, id, name, trust, max_session_seconds: role.max_session_seconds, tags }))
        })
    }

    fn user<'a>(
        &'a self,
        tx: &'a Tx,
        user_id: &'a str,
    ) -> BoxFuture<'a, Result<Option<(Arn, String)>, StoreError>> {
        Box::pin(async move {
            let found = ENTITIES.by(tx, "id", within(self.account, user_id)).await?;
            let user = found.filter(|entity| entity.kind == Kind::User);
            Ok(user.map(|user| (user.arn(), user.name)))
        })
    }

    fn unique_id<'a>(&'a self, tx: &'a Tx, name: &'a str) -> BoxFuture<'a, Result<Option<String>, Unpinned>> {
        Box::pin(documents::unique_id(tx, self.account, name))
    }

    fn managed_policy<'a>(
        &'a self,
        tx: &'a Tx,
        arn: &'a str,
    ) -> BoxFuture<'a, Result<Option<String>, StoreError>> {
        Box::pin(async move {
            let policy = managed::find(tx, self.account, arn).await?;
            Ok(policy.map(|policy| policy.document().to_owned()))
        })
    }
}

/// The trust policy of a role, which counts where the role is to be assumed.
impl ResourcePolicy for Iam {
    fn resource_policy<'a>(
        &'a self,
        tx: &'a Tx,
        arn: &'a str,
    ) -> BoxFuture<'a, Result<Option<Arc<Policy>>, StoreError>> {
        Box::pin(async move { Ok(self.role(tx, arn).await?.map(|role| role.trust)) })
    }
}
