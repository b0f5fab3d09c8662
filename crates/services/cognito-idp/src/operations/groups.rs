//! Groups: `CreateGroup`, `GetGroup`, `UpdateGroup`, `DeleteGroup`, `ListGroups`.

use homeport_service::{Asked, Cx, Effect, Operation, Permission, Permissions};
use homeport_store::{MAX_PAGE_ROWS, Tx};
use serde::{Deserialize, Serialize};

use crate::CognitoIdp;
use crate::error::IdpError;
use crate::pool_ref::PoolRef;
use crate::records::{GROUPS, Group, MEMBERSHIPS};
use crate::shapes::{GroupType, Nothing};
use crate::{lookup, paging};

/// `CreateGroup` (Cognito user pools API reference).
pub(crate) struct CreateGroup;
/// `GetGroup` (Cognito user pools API reference).
pub(crate) struct GetGroup;
/// `UpdateGroup` (Cognito user pools API reference).
pub(crate) struct UpdateGroup;
/// `DeleteGroup` (Cognito user pools API reference): its members leave it.
pub(crate) struct DeleteGroup;
/// `ListGroups` (Cognito user pools API reference).
pub(crate) struct ListGroups;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PutInput {
    user_pool_id: String,
    group_name: String,
    description: Option<String>,
    role_arn: Option<String>,
    precedence: Option<i32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GroupInput {
    user_pool_id: String,
    group_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListInput {
    user_pool_id: String,
    limit: Option<usize>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GroupOutput {
    group: GroupType,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListOutput {
    groups: Vec<GroupType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// A group's role is handed to identity pools, which evaluate its trust policy when they assume it, with the identity
/// pool and the user in its conditions.
fn put_permissions(asked: &Asked<'_, CognitoIdp>, action: &'static str, input: &PutInput) -> Permissions {
    let pool = PoolRef::new(asked.scope.account, &input.user_pool_id).arn();
    let mut all = vec![Permission::new(action, pool)];
    all.extend(input.role_arn.iter().map(|role| {
        Permission::new("iam:PassRole", role).with("iam:PassedToService", ["cognito-identity.amazonaws.com"])
    }));
    Permissions::All(all)
}

/// The group of this name in a pool that is there.
pub(super) async fn find(tx: &Tx, pool: &PoolRef, name: &str) -> Result<Group, IdpError> {
    lookup::pool(tx, pool).await?;
    let group = GROUPS.get(tx, pool.parts().str(name)).await?;
    group.ok_or_else(|| IdpError::NoSuchResource("Group not found.".into()))
}

impl Operation for CreateGroup {
    type Service = CognitoIdp;
    type Input = PutInput;
    type Output = GroupOutput;
    type Error = IdpError;

    const NAME: &'static str = "CreateGroup";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &PutInput) -> Permissions {
        put_permissions(asked, "cognito-idp:CreateGroup", input)
    }

    fn run(
        cx: Cx<CognitoIdp>,
        input: PutInput,
    ) -> impl Future<Output = Result<GroupOutput, IdpError>> + Send {
        async move {
            let group = Group {
                pool: lookup::named(&cx, &input.user_pool_id)?,
                name: input.group_name,
                description: input.description,
                role_arn: input.role_arn,
                precedence: input.precedence,
                created: cx.now(),
                modified: cx.now(),
            };
            while drop_members(&cx, &group.pool, &group.name).await? {}
            cx.write(|tx| {
                let group = &group;
                async move {
                    lookup::pool(&tx, &group.pool).await?;
                    if GROUPS.insert(&tx, group).await? { Ok(()) } else { Err(IdpError::GroupExists) }
                }
            })
            .await?;
            Ok(GroupOutput { group: GroupType::of(&group) })
        }
    }
}

impl Operation for GetGroup {
    type Service = CognitoIdp;
    type Input = GroupInput;
    type Output = GroupOutput;
    type Error = IdpError;

    const NAME: &'static str = "GetGroup";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &GroupInput) -> Permissions {
        super::on_pool(asked, "cognito-idp:GetGroup", &input.user_pool_id)
    }

    fn run(
        cx: Cx<CognitoIdp>,
        input: GroupInput,
    ) -> impl Future<Output = Result<GroupOutput, IdpError>> + Send {
        async move {
            let (reference, name) = (&lookup::named(&cx, &input.user_pool_id)?, &input.group_name);
            let group = cx.read(|tx| async move { find(&tx, reference, name).await }).await?;
            Ok(GroupOutput { group: GroupType::of(&group) })
        }
    }
}

impl Operation for UpdateGroup {
    type Service = CognitoIdp;
    type Input = PutInput;
    type Output = GroupOutput;
    type Error = IdpError;

    const NAME: &'static str = "UpdateGroup";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &PutInput) -> Permissions {
        put_permissions(asked, "cognito-idp:UpdateGroup", input)
    }

    fn run(
        cx: Cx<CognitoIdp>,
        input: PutInput,
    ) -> impl Future<Output = Result<GroupOutput, IdpError>> + Send {
        async move {
            let reference = lookup::named(&cx, &input.user_pool_id)?;
            let group = cx
                .write(|tx| {
                    let (reference, input, now) = (&reference, &input, cx.now());
                    async move {
                        let before = find(&tx, reference, &input.group_name).await?;
                        let group = Group {
                            description: input.description.clone().or(before.description),
                            role_arn: input.role_arn.clone().or(before.role_arn),
                            precedence: input.precedence.or(before.precedence),
                            modified: now,
                            ..before
                        };
                        GROUPS.put(&tx, &group).await?;
                        Ok::<_, IdpError>(group)
                    }
                })
                .await?;
            Ok(GroupOutput { group: GroupType::of(&group) })
        }
    }
}

impl Operation for DeleteGroup {
    type Service = CognitoIdp;
    type Input = GroupInput;
    type Output = Nothing;
    type Error = IdpError;

    const NAME: &'static str = "DeleteGroup";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &GroupInput) -> Permissions {
        super::on_pool(asked, "cognito-idp:DeleteGroup", &input.user_pool_id)
    }

    fn run(cx: Cx<CognitoIdp>, input: GroupInput) -> impl Future<Output = Result<Nothing, IdpError>> + Send {
        async move {
            let reference = lookup::named(&cx, &input.user_pool_id)?;
            cx.write(|tx| {
                let (reference, name) = (&reference, &input.group_name);
                async move {
                    find(&tx, reference, name).await?;
                    GROUPS.delete(&tx, reference.parts().str(name)).await?;
                    Ok::<_, IdpError>(())
                }
            })
            .await?;
            while drop_members(&cx, &reference, &input.group_name).await? {}
            Ok(Nothing {})
        }
    }
}

/// Removes a page of the memberships of a group that isn't there; true while more may be there. A membership without
/// its group shows nowhere; what a crash left of them goes before a group of the same name is made. No audit row
/// rides along: the call is not done yet, or done already.
async fn drop_members(cx: &Cx<CognitoIdp>, pool: &PoolRef, name: &str) -> Result<bool, IdpError> {
    let store = cx.store();
    let dropped = store.write(|tx| async move {
        if GROUPS.get(&tx, pool.parts().str(name)).await?.is_some() {
            return Ok(false);
        }
        let prefix = pool.parts().str(name);
        let page = MEMBERSHIPS.page_by(&tx, "group", prefix, None, MAX_PAGE_ROWS).await?;
        for member in &page.records {
            MEMBERSHIPS.delete(&tx, pool.parts().str(&member.username).str(name)).await?;
        }
        Ok::<_, IdpError>(page.cursor.is_some())
    });
    dropped.await
}

impl Operation for ListGroups {
    type Service = CognitoIdp;
    type Input = ListInput;
    type Output = ListOutput;
    type Error = IdpError;

    const NAME: &'static str = "ListGroups";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &ListInput) -> Permissions {
        super::on_pool(asked, "cognito-idp:ListGroups", &input.user_pool_id)
    }

    fn run(
        cx: Cx<CognitoIdp>,
        input: ListInput,
    ) -> impl Future<Output = Result<ListOutput, IdpError>> + Send {
        async move {
            let reference = &lookup::named(&cx, &input.user_pool_id)?;
            let vault = &cx.service.parts.vault;
            let list = format!("groups/{}", reference.id);
            let after = &paging::cursor(vault, &list, input.next_token.as_deref())?;
            let limit = paging::limit(input.limit);
            let page = cx
                .read(|tx| async move {
                    lookup::pool(&tx, reference).await?;
                    Ok::<_, IdpError>(GROUPS.page(&tx, reference.parts(), after.as_deref(), limit).await?)
                })
                .await?;
            Ok(ListOutput {
                groups: page.records.iter().map(GroupType::of).collect(),
                next_token: paging::token(vault, &list, page.cursor.as_deref())?,
            })
        }
    }
}
