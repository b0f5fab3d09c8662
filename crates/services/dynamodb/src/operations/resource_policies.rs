//! Policies of tables and streams (Developer Guide, "Using resource-based policies for DynamoDB").

use homeport_core::{Fault, uuid_v4};
use homeport_policy::{Policy, PolicyFault, PolicyKind};
use homeport_service::needs::{Pinned, PoliciesOf, Unpinned, met};
use homeport_service::{Asked, Cx, Effect, Operation, Permissions, bump_authorization};
use homeport_store::Tx;
use serde::{Deserialize, Serialize};

use super::policy_document::{no_policy, of_resource};
use crate::DynamoDb;
use crate::error::DynamoError;
use crate::records::{POLICIES, PolicyRecord, STREAMS, TABLES, tables_of};
use crate::request::TableName;
use crate::resource_policy::owner_of;
use crate::value::Corrupt;

/// What is expected of a resource that has no policy yet.
const NO_POLICY: &str = "NO_POLICY";

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    revision_id: Option<String>,
}

fn policies_of(cx: &Cx<DynamoDb>) -> Result<&dyn PoliciesOf, DynamoError> {
    let met = met(&cx.service.needs.policies_of, "PoliciesOf");
    met.map(|owner| &**owner).map_err(|unmet| DynamoError::Fault(Fault::internal(unmet)))
}

/// The policy of a resource, with whom it names as they are now.
async fn record(
    cx: &Cx<DynamoDb>,
    tx: &Tx,
    arn: &str,
    (text, policy): (&str, &Policy),
    revision: &str,
) -> Result<PolicyRecord, DynamoError> {
    let principals = Pinned::of(policies_of(cx)?, tx, policy).await.map_err(|unpinned| match unpinned {
        Unpinned::UnknownPrincipal(name) => no_policy(PolicyFault::Principal(name)).into(),
        Unpinned::Store(error) => DynamoError::from(error),
    })?;
    let (arn, text, revision) = (arn.to_owned(), text.to_owned(), revision.to_owned());
    Ok(PolicyRecord { arn, text, revision, principals })
}

/// Puts the policy of a resource in place of what it had.
pub(super) async fn put(
    cx: &Cx<DynamoDb>,
    tx: &Tx,
    arn: &str,
    policy: (&str, &Policy),
    revision: &str,
) -> Result<(), DynamoError> {
    POLICIES.put(tx, &record(cx, tx, arn, policy, revision).await?).await?;
    Ok(bump_authorization(tx)?)
}

/// Refuses what is no table or stream of the scope.
async fn check_there(cx: &Cx<DynamoDb>, tx: &Tx, arn: &str) -> Result<(), DynamoError> {
    let named = TableName::of(arn);
    let none = || DynamoError::NoResource(arn.to_owned());
    if owner_of(arn) != Some(arn) || !named.is_in(cx.scope()) {
        return Err(none());
    }
    let key = tables_of(cx.scope()).str(named.name());
    let there = match arn.split_once("/stream/") {
        Some((_, label)) => STREAMS.get(tx, key.str(label)).await?.is_some(),
        None => TABLES.get(tx, key).await?.is_some(),
    };
    if there { Ok(()) } else { Err(none()) }
}

/// Refuses a change of another revision than the one that was expected.
fn check_expected(
    expected: Option<&str>,
    found: Option<&PolicyRecord>,
    arn: &str,
) -> Result<(), DynamoError> {
    let revision = found.map_or(NO_POLICY, |found| found.revision.as_str());
    match expected {
        Some(expected) if expected != revision => Err(DynamoError::NoPolicy(arn.to_owned())),
        _ => Ok(()),
    }
}

/// `PutResourcePolicy` (API reference)
pub(crate) struct PutResourcePolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PutInput {
    resource_arn: String,
    policy: String,
    expected_revision_id: Option<String>,
}

impl Operation for PutResourcePolicy {
    type Service = DynamoDb;
    type Input = PutInput;
    type Output = Output;
    type Error = DynamoError;

    const NAME: &'static str = "PutResourcePolicy";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, DynamoDb>, input: &PutInput) -> Permissions {
        Permissions::one("dynamodb:PutResourcePolicy", &input.resource_arn)
    }

    async fn run(cx: Cx<DynamoDb>, input: PutInput) -> Result<Output, DynamoError> {
        let policy = &of_resource(&input.resource_arn, &input.policy)?;
        let fresh = &uuid_v4(&**cx.randomness());
        let (cx, arn, text) = (&cx, &input.resource_arn, &input.policy);
        let expected = input.expected_revision_id.as_deref();
        let revision = cx
            .write(|tx| async move {
                check_there(cx, &tx, arn).await?;
                let found = POLICIES.get(&tx, arn.as_str()).await?;
                check_expected(expected, found.as_ref(), arn)?;
                let wanted = record(cx, &tx, arn, (text, policy), fresh).await?;
                // The same once more is no change, unless whoever it names is another by now.
                let is_same =
                    |found: &PolicyRecord| found.text == *text && found.principals == wanted.principals;
                if let Some(found) = found.filter(is_same) {
                    return Ok(found.revision);
                }
                POLICIES.put(&tx, &wanted).await?;
                bump_authorization(&tx)?;
                Ok::<_, DynamoError>(fresh.clone())
            })
            .await?;
        Ok(Output { revision_id: Some(revision) })
    }
}

/// `GetResourcePolicy` (API reference)
pub(crate) struct GetResourcePolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetInput {
    resource_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetOutput {
    policy: String,
    revision_id: String,
}

impl Operation for GetResourcePolicy {
    type Service = DynamoDb;
    type Input = GetInput;
    type Output = GetOutput;
    type Error = DynamoError;

    const NAME: &'static str = "GetResourcePolicy";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, DynamoDb>, input: &GetInput) -> Permissions {
        Permissions::one("dynamodb:GetResourcePolicy", &input.resource_arn)
    }

    async fn run(cx: Cx<DynamoDb>, input: GetInput) -> Result<GetOutput, DynamoError> {
        let (cx, arn) = (&cx, &input.resource_arn);
        let found = cx
            .read(|tx| async move {
                check_there(cx, &tx, arn).await?;
                let found = POLICIES.get(&tx, arn.as_str()).await?;
                let found = found.ok_or_else(|| DynamoError::NoPolicy(arn.clone()))?;
                // The ARNs of those who are gone would seem to mean whoever has them next: their ids are shown.
                let gone = found.principals.gone(policies_of(cx)?, &tx).await?;
                let policy = gone.apply(&found.text, PolicyKind::Resource).map_err(|_| Corrupt)?;
                Ok::<_, DynamoError>((policy, found.revision))
            })
            .await?;
        let (policy, revision_id) = found;
        Ok(GetOutput { policy, revision_id })
    }
}

/// `DeleteResourcePolicy` (API reference): of a resource without one, nothing.
pub(crate) struct DeleteResourcePolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DeleteInput {
    resource_arn: String,
    expected_revision_id: Option<String>,
}

impl Operation for DeleteResourcePolicy {
    type Service = DynamoDb;
    type Input = DeleteInput;
    type Output = Output;
    type Error = DynamoError;

    const NAME: &'static str = "DeleteResourcePolicy";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, DynamoDb>, input: &DeleteInput) -> Permissions {
        Permissions::one("dynamodb:DeleteResourcePolicy", &input.resource_arn)
    }

    async fn run(cx: Cx<DynamoDb>, input: DeleteInput) -> Result<Output, DynamoError> {
        let (cx, arn) = (&cx, &input.resource_arn);
        let expected = input.expected_revision_id.as_deref();
        let removed = cx
            .write(|tx| async move {
                check_there(cx, &tx, arn).await?;
                let found = POLICIES.get(&tx, arn.as_str()).await?;
                check_expected(expected, found.as_ref(), arn)?;
                remove(&tx, arn).await?;
                Ok::<_, DynamoError>(found)
            })
            .await?;
        Ok(Output { revision_id: removed.map(|removed| removed.revision) })
    }
}

/// Removes the policy of a resource, if it has one.
pub(super) async fn remove(tx: &Tx, arn: &str) -> Result<(), DynamoError> {
    if POLICIES.delete(tx, arn).await?.is_some() {
        bump_authorization(tx)?;
    }
    Ok(())
}
