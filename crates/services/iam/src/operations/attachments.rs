use std::marker::PhantomData;

use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use super::holder::Holder;
use crate::Iam;
use crate::entities::{self, is_below};
use crate::error::IamError;
use crate::limits::ATTACHED_MAX;
use crate::listing::{Paging, Truncation};
use crate::managed;
use crate::operations::Empty;
use crate::permissions::{on_entity, on_policy};
use crate::records::{ENTITIES, Entity, Kind, within};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AttachmentInput {
    #[serde(alias = "UserName", alias = "GroupName", alias = "RoleName")]
    name: String,
    policy_arn: String,
}

/// `AttachUserPolicy`, `AttachGroupPolicy`, `AttachRolePolicy` (IAM API reference); one that is attached stays so.
pub(crate) struct AttachPolicy<H>(PhantomData<fn() -> H>);

impl<H: Holder> Operation for AttachPolicy<H> {
    type Service = Iam;
    type Input = AttachmentInput;
    type Output = Empty;
    type Error = IamError;

    const NAME: &'static str = H::ATTACH;
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Iam>, input: &AttachmentInput) -> Permissions {
        let keys = vec![("iam:PolicyARN", Some(input.policy_arn.clone()))];
        on_entity(asked, H::ATTACH, H::KIND, &input.name, keys)
    }

    fn run(cx: Cx<Iam>, input: AttachmentInput) -> impl Future<Output = Result<Empty, IamError>> + Send {
        async move {
            let (account, input) = (cx.account(), &input);
            cx.write(|tx| async move {
                let mut entity = entities::find(&tx, account, H::KIND, &input.name).await?;
                managed::require(&tx, account, &input.policy_arn).await?;
                if entity.attached.contains(&input.policy_arn) {
                    return Ok(());
                }
                if entity.attached.len() >= ATTACHED_MAX {
                    let quota =
                        format!("Cannot exceed quota for PoliciesPer{}: {ATTACHED_MAX}", H::KIND.title());
                    return Err(IamError::LimitExceeded(quota.into()));
                }
                entity.attached.push(input.policy_arn.clone());
                managed::count_attachment(&tx, account, &input.policy_arn, 1)?;
                entities::save(&tx, &entity).await?;
                Ok(())
            })
            .await?;
            Ok(Empty {})
        }
    }
}

/// `DetachUserPolicy`, `DetachGroupPolicy`, `DetachRolePolicy` (IAM API reference).
pub(crate) struct DetachPolicy<H>(PhantomData<fn() -> H>);

impl<H: Holder> Operation for DetachPolicy<H> {
    type Service = Iam;
    type Input = AttachmentInput;
    type Output = Empty;
    type Error = IamError;

    const NAME: &'static str = H::DETACH;
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Iam>, input: &AttachmentInput) -> Permissions {
        let keys = vec![("iam:PolicyARN", Some(input.policy_arn.clone()))];
        on_entity(asked, H::DETACH, H::KIND, &input.name, keys)
    }

    fn run(cx: Cx<Iam>, input: AttachmentInput) -> impl Future<Output = Result<Empty, IamError>> + Send {
        async move {
            let (account, input) = (cx.account(), &input);
            cx.write(|tx| async move {
                let mut entity = entities::find(&tx, account, H::KIND, &input.name).await?;
                if !entity.attached.contains(&input.policy_arn) {
                    return Err(IamError::NotAttached(input.policy_arn.clone()));
                }
                entity.attached.retain(|arn| *arn != input.policy_arn);
                managed::count_attachment(&tx, account, &input.policy_arn, -1)?;
                entities::save(&tx, &entity).await?;
                Ok(())
            })
            .await?;
            Ok(Empty {})
        }
    }
}

/// `ListAttachedUserPolicies`, `ListAttachedGroupPolicies`, `ListAttachedRolePolicies` (IAM API reference).
pub(crate) struct ListAttachedPolicies<H>(PhantomData<fn() -> H>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListAttachedInput {
    #[serde(alias = "UserName", alias = "GroupName", alias = "RoleName")]
    name: String,
    path_prefix: Option<String>,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListAttachedOutput {
    attached_policies: Vec<Attached>,
    #[serde(flatten)]
    truncation: Truncation,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Attached {
    policy_name: String,
    policy_arn: String,
}

/// The path in a managed policy's ARN: `/`, or `/…/`.
fn path_of(arn: &str) -> &str {
    let resource = arn.split_once(":policy").map_or("", |(_, resource)| resource);
    resource.rfind('/').map_or("", |end| &resource[..=end])
}

impl<H: Holder> Operation for ListAttachedPolicies<H> {
    type Service = Iam;
    type Input = ListAttachedInput;
    type Output = ListAttachedOutput;
    type Error = IamError;

    const NAME: &'static str = H::LIST_ATTACHED;
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, Iam>, input: &ListAttachedInput) -> Permissions {
        on_entity(asked, H::LIST_ATTACHED, H::KIND, &input.name, Vec::new())
    }

    fn run(
        cx: Cx<Iam>,
        input: ListAttachedInput,
    ) -> impl Future<Output = Result<ListAttachedOutput, IamError>> + Send {
        async move {
            let (account, name) = (cx.account(), &input.name);
            let entity =
                cx.read(|tx| async move { entities::find(&tx, account, H::KIND, name).await }).await?;
            let below = |arn: &String| is_below(path_of(arn), input.path_prefix.as_deref());
            let arns = entity.attached.into_iter().filter(below).collect();
            let (arns, truncation) = input.paging.of_few(arns, String::clone)?;
            let attached = |arn: String| Attached {
                policy_name: arn.rsplit('/').next().unwrap_or_default().to_owned(),
                policy_arn: arn,
            };
            Ok(ListAttachedOutput { attached_policies: arns.into_iter().map(attached).collect(), truncation })
        }
    }
}

/// `ListEntitiesForPolicy` (IAM API reference): to whom a managed policy is attached, or whom it bounds.
pub(crate) struct ListEntitiesForPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct EntitiesInput {
    policy_arn: String,
    entity_filter: Option<String>,
    path_prefix: Option<String>,
    policy_usage_filter: Option<String>,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct EntitiesOutput {
    policy_groups: Vec<PolicyGroup>,
    policy_users: Vec<PolicyUser>,
    policy_roles: Vec<PolicyRole>,
    #[serde(flatten)]
    truncation: Truncation,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyGroup {
    group_name: String,
    group_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyUser {
    user_name: String,
    user_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyRole {
    role_name: String,
    role_id: String,
}

fn is_asked_for(entity: &Entity, input: &EntitiesInput) -> bool {
    let of_kind = match input.entity_filter.as_deref() {
        None => true,
        Some(filter) => filter == entity.kind.title(),
    };
    of_kind && is_below(&entity.path, input.path_prefix.as_deref())
}

impl Operation for ListEntitiesForPolicy {
    type Service = Iam;
    type Input = EntitiesInput;
    type Output = EntitiesOutput;
    type Error = IamError;

    const NAME: &'static str = "ListEntitiesForPolicy";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, Iam>, input: &EntitiesInput) -> Permissions {
        on_policy(Self::NAME, &input.policy_arn)
    }

    fn run(
        cx: Cx<Iam>,
        input: EntitiesInput,
    ) -> impl Future<Output = Result<EntitiesOutput, IamError>> + Send {
        async move {
            let (account, input) = (cx.account(), &input);
            let index = match input.policy_usage_filter.as_deref() {
                Some("PermissionsBoundary") => "boundary",
                _ => "attached",
            };
            let (entities, truncation) = cx
                .read(|tx| async move {
                    if managed::find(&tx, account, &input.policy_arn).await?.is_none() {
                        return Err(IamError::NoSuchPolicy(input.policy_arn.clone()));
                    }
                    let prefix = within(account, &input.policy_arn);
                    input
                        .paging
                        .of_index(&tx, ENTITIES, index, prefix, |entity| is_asked_for(entity, input))
                        .await
                })
                .await?;
            let mut output = EntitiesOutput {
                policy_groups: vec![],
                policy_users: vec![],
                policy_roles: vec![],
                truncation,
            };
            for Entity { kind, name, id, .. } in entities {
                match kind {
                    Kind::User => output.policy_users.push(PolicyUser { user_name: name, user_id: id }),
                    Kind::Group => output.policy_groups.push(PolicyGroup { group_name: name, group_id: id }),
                    Kind::Role => output.policy_roles.push(PolicyRole { role_name: name, role_id: id }),
                }
            }
            Ok(output)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::path_of;

    #[test]
    fn the_path_lies_between_policy_and_name() {
        assert_eq!(path_of("arn:aws:iam::aws:policy/AdministratorAccess"), "/");
        assert_eq!(path_of("arn:aws:iam::aws:policy/service-role/AWSLambdaRole"), "/service-role/");
    }
}
