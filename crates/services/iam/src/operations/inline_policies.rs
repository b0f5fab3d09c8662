use std::marker::PhantomData;

use homeport_service::{Asked, Cx, Effect, Operation, Permissions, bump_authorization};
use homeport_store::Tx;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::holder::Holder;
use crate::Iam;
use crate::documents;
use crate::entities;
use crate::error::IamError;
use crate::listing::{Paging, Truncation};
use crate::operations::Empty;
use crate::permissions::on_entity;
use crate::records::{Entity, INLINE_POLICIES, InlinePolicy, within};

/// More inline policies than the quota of characters can hold.
const PAGE: usize = 1_000;

/// `PutUserPolicy`, `PutGroupPolicy`, `PutRolePolicy` (IAM API reference): writes an inline policy, in place of
/// one of its name.
pub(crate) struct PutInlinePolicy<H>(PhantomData<fn() -> H>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PutInput {
    #[serde(alias = "UserName", alias = "GroupName", alias = "RoleName")]
    name: String,
    policy_name: String,
    policy_document: String,
}

impl<H: Holder> Operation for PutInlinePolicy<H> {
    type Service = Iam;
    type Input = PutInput;
    type Output = Empty;
    type Error = IamError;

    const NAME: &'static str = H::PUT_POLICY;
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Iam>, input: &PutInput) -> Permissions {
        on_entity(asked, H::PUT_POLICY, H::KIND, &input.name, Vec::new())
    }

    fn run(cx: Cx<Iam>, input: PutInput) -> impl Future<Output = Result<Empty, IamError>> + Send {
        async move {
            documents::check_identity(&input.policy_document)?;
            let (account, input) = (cx.account(), &input);
            cx.write(|tx| async move {
                let entity = entities::find(&tx, account, H::KIND, &input.name).await?;
                let others = all_of(&tx, &entity).await?.into_iter().filter(|p| p.name != input.policy_name);
                let taken: usize = others.map(|policy| documents::size(&policy.document)).sum();
                if taken + documents::size(&input.policy_document) > H::INLINE_CHARS_MAX {
                    let (most, noun, name) = (H::INLINE_CHARS_MAX, H::KIND.noun(), &entity.name);
                    let message = format!("Maximum policy size of {most} bytes exceeded for {noun} {name}");
                    return Err(IamError::LimitExceeded(message.into()));
                }
                let policy = InlinePolicy {
                    account,
                    entity_id: entity.id,
                    name: input.policy_name.clone(),
                    document: input.policy_document.clone(),
                };
                INLINE_POLICIES.put(&tx, &policy).await?;
                bump_authorization(&tx)?;
                Ok(())
            })
            .await?;
            Ok(Empty {})
        }
    }
}

async fn all_of(tx: &Tx, entity: &Entity) -> Result<Vec<InlinePolicy>, IamError> {
    Ok(INLINE_POLICIES.page(tx, within(entity.account, &entity.id), None, PAGE).await?.records)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct NameInput {
    #[serde(alias = "UserName", alias = "GroupName", alias = "RoleName")]
    name: String,
    policy_name: String,
}

/// `GetUserPolicy`, `GetGroupPolicy`, `GetRolePolicy` (IAM API reference).
pub(crate) struct GetInlinePolicy<H>(PhantomData<fn() -> H>);

impl<H: Holder> Operation for GetInlinePolicy<H> {
    type Service = Iam;
    type Input = NameInput;
    type Output = Value;
    type Error = IamError;

    const NAME: &'static str = H::GET_POLICY;
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, Iam>, input: &NameInput) -> Permissions {
        on_entity(asked, H::GET_POLICY, H::KIND, &input.name, Vec::new())
    }

    fn run(cx: Cx<Iam>, input: NameInput) -> impl Future<Output = Result<Value, IamError>> + Send {
        async move {
            let (account, input) = (cx.account(), &input);
            cx.read(|tx| async move {
                let entity = entities::find(&tx, account, H::KIND, &input.name).await?;
                let key = InlinePolicy::key_of(account, &entity.id, &input.policy_name);
                let policy = INLINE_POLICIES.get(&tx, key).await?;
                let policy = policy.ok_or_else(|| no_such::<H>(&input.policy_name))?;
                Ok(json!({
                    H::NAME_MEMBER: entity.name,
                    "PolicyName": policy.name,
                    "PolicyDocument": documents::encode(&policy.document),
                }))
            })
            .await
        }
    }
}

fn no_such<H: Holder>(name: &str) -> IamError {
    IamError::NoSuchInlinePolicy { kind: H::KIND, name: name.to_owned() }
}

/// `DeleteUserPolicy`, `DeleteGroupPolicy`, `DeleteRolePolicy` (IAM API reference).
pub(crate) struct DeleteInlinePolicy<H>(PhantomData<fn() -> H>);

impl<H: Holder> Operation for DeleteInlinePolicy<H> {
    type Service = Iam;
    type Input = NameInput;
    type Output = Empty;
    type Error = IamError;

    const NAME: &'static str = H::DELETE_POLICY;
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Iam>, input: &NameInput) -> Permissions {
        on_entity(asked, H::DELETE_POLICY, H::KIND, &input.name, Vec::new())
    }

    fn run(cx: Cx<Iam>, input: NameInput) -> impl Future<Output = Result<Empty, IamError>> + Send {
        async move {
            let (account, input) = (cx.account(), &input);
            cx.write(|tx| async move {
                let entity = entities::find(&tx, account, H::KIND, &input.name).await?;
                let key = InlinePolicy::key_of(account, &entity.id, &input.policy_name);
                let deleted = INLINE_POLICIES.delete(&tx, key).await?;
                deleted.ok_or_else(|| no_such::<H>(&input.policy_name))?;
                bump_authorization(&tx)?;
                Ok::<_, IamError>(())
            })
            .await?;
            Ok(Empty {})
        }
    }
}

/// `ListUserPolicies`, `ListGroupPolicies`, `ListRolePolicies` (IAM API reference): names of inline policies.
pub(crate) struct ListInlinePolicies<H>(PhantomData<fn() -> H>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListInput {
    #[serde(alias = "UserName", alias = "GroupName", alias = "RoleName")]
    name: String,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListOutput {
    policy_names: Vec<String>,
    #[serde(flatten)]
    truncation: Truncation,
}

impl<H: Holder> Operation for ListInlinePolicies<H> {
    type Service = Iam;
    type Input = ListInput;
    type Output = ListOutput;
    type Error = IamError;

    const NAME: &'static str = H::LIST_POLICIES;
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, Iam>, input: &ListInput) -> Permissions {
        on_entity(asked, H::LIST_POLICIES, H::KIND, &input.name, Vec::new())
    }

    fn run(cx: Cx<Iam>, input: ListInput) -> impl Future<Output = Result<ListOutput, IamError>> + Send {
        async move {
            let (account, input) = (cx.account(), &input);
            cx.read(|tx| async move {
                let entity = entities::find(&tx, account, H::KIND, &input.name).await?;
                let names = all_of(&tx, &entity).await?.into_iter().map(|policy| policy.name).collect();
                let (policy_names, truncation) = input.paging.of_few(names, String::clone)?;
                Ok(ListOutput { policy_names, truncation })
            })
            .await
        }
    }
}
