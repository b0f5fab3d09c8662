//! Who is in a group: `AdminAddUserToGroup`, `AdminRemoveUserFromGroup`, `AdminListGroupsForUser`, `ListUsersInGroup`.

use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use super::groups::find;
use crate::CognitoIdp;
use crate::error::IdpError;
use crate::records::{GROUPS, MEMBERSHIPS, Membership, USERS};
use crate::shapes::{GroupType, Nothing, UserType};
use crate::{lookup, paging};

/// Groups that a user is in (quota of the Cognito developer guide).
const MAX_GROUPS_OF_USER: usize = 100;

/// `AdminAddUserToGroup` (Cognito user pools API reference).
pub(crate) struct AdminAddUserToGroup;
/// `AdminRemoveUserFromGroup` (Cognito user pools API reference).
pub(crate) struct AdminRemoveUserFromGroup;
/// `AdminListGroupsForUser` (Cognito user pools API reference).
pub(crate) struct AdminListGroupsForUser;
/// `ListUsersInGroup` (Cognito user pools API reference).
pub(crate) struct ListUsersInGroup;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MemberInput {
    user_pool_id: String,
    username: String,
    group_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GroupsInput {
    user_pool_id: String,
    username: String,
    limit: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UsersInput {
    user_pool_id: String,
    group_name: String,
    limit: Option<usize>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GroupsOutput {
    groups: Vec<GroupType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UsersOutput {
    users: Vec<UserType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Operation for AdminAddUserToGroup {
    type Service = CognitoIdp;
    type Input = MemberInput;
    type Output = Nothing;
    type Error = IdpError;

    const NAME: &'static str = "AdminAddUserToGroup";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &MemberInput) -> Permissions {
        super::on_pool(asked, "cognito-idp:AdminAddUserToGroup", &input.user_pool_id)
    }

    fn run(cx: Cx<CognitoIdp>, input: MemberInput) -> impl Future<Output = Result<Nothing, IdpError>> + Send {
        async move {
            let reference = lookup::named(&cx, &input.user_pool_id)?;
            cx.write(|tx| {
                let (reference, input) = (&reference, &input);
                async move {
                    let pool = lookup::pool(&tx, reference).await?;
                    let user = lookup::known_user(&tx, &pool, &input.username).await?;
                    find(&tx, reference, &input.group_name).await?;
                    let of_user = reference.parts().str(&user.username);
                    let others = MEMBERSHIPS.page(&tx, of_user, None, MAX_GROUPS_OF_USER).await?.records;
                    let is_member = others.iter().any(|member| member.group == input.group_name);
                    if !is_member && others.len() >= MAX_GROUPS_OF_USER {
                        return Err(IdpError::LimitExceeded("Maximum number of groups of a user exceeded."));
                    }
                    let membership = Membership {
                        pool: reference.clone(),
                        username: user.username,
                        group: input.group_name.clone(),
                    };
                    Ok(MEMBERSHIPS.put(&tx, &membership).await?)
                }
            })
            .await?;
            Ok(Nothing {})
        }
    }
}

impl Operation for AdminRemoveUserFromGroup {
    type Service = CognitoIdp;
    type Input = MemberInput;
    type Output = Nothing;
    type Error = IdpError;

    const NAME: &'static str = "AdminRemoveUserFromGroup";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &MemberInput) -> Permissions {
        super::on_pool(asked, "cognito-idp:AdminRemoveUserFromGroup", &input.user_pool_id)
    }

    fn run(cx: Cx<CognitoIdp>, input: MemberInput) -> impl Future<Output = Result<Nothing, IdpError>> + Send {
        async move {
            let reference = lookup::named(&cx, &input.user_pool_id)?;
            cx.write(|tx| {
                let (reference, input) = (&reference, &input);
                async move {
                    let pool = lookup::pool(&tx, reference).await?;
                    let user = lookup::known_user(&tx, &pool, &input.username).await?;
                    find(&tx, reference, &input.group_name).await?;
                    let key = reference.parts().str(&user.username).str(&input.group_name);
                    MEMBERSHIPS.delete(&tx, key).await?;
                    Ok::<_, IdpError>(())
                }
            })
            .await?;
            Ok(Nothing {})
        }
    }
}

impl Operation for AdminListGroupsForUser {
    type Service = CognitoIdp;
    type Input = GroupsInput;
    type Output = GroupsOutput;
    type Error = IdpError;

    const NAME: &'static str = "AdminListGroupsForUser";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &GroupsInput) -> Permissions {
        super::on_pool(asked, "cognito-idp:AdminListGroupsForUser", &input.user_pool_id)
    }

    fn run(
        cx: Cx<CognitoIdp>,
        input: GroupsInput,
    ) -> impl Future<Output = Result<GroupsOutput, IdpError>> + Send {
        async move {
            let (reference, name) = (&lookup::named(&cx, &input.user_pool_id)?, &input.username);
            let vault = &cx.service.parts.vault;
            let list = format!("groups-of/{}/{}", reference.id, input.username);
            let after = &paging::cursor(vault, &list, input.next_token.as_deref())?;
            let limit = paging::limit(input.limit);
            let (groups, cursor) = cx
                .read(|tx| async move {
                    let pool = lookup::pool(&tx, reference).await?;
                    let user = lookup::known_user(&tx, &pool, name).await?;
                    let of_user = reference.parts().str(&user.username);
                    let page = MEMBERSHIPS.page(&tx, of_user, after.as_deref(), limit).await?;
                    let keys = page.records.iter().map(|member| reference.parts().str(&member.group));
                    let groups = GROUPS.get_many(&tx, keys).await?;
                    Ok::<_, IdpError>((groups, page.cursor))
                })
                .await?;
            Ok(GroupsOutput {
                groups: groups.iter().flatten().map(GroupType::of).collect(),
                next_token: paging::token(vault, &list, cursor.as_deref())?,
            })
        }
    }
}

impl Operation for ListUsersInGroup {
    type Service = CognitoIdp;
    type Input = UsersInput;
    type Output = UsersOutput;
    type Error = IdpError;

    const NAME: &'static str = "ListUsersInGroup";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &UsersInput) -> Permissions {
        super::on_pool(asked, "cognito-idp:ListUsersInGroup", &input.user_pool_id)
    }

    fn run(
        cx: Cx<CognitoIdp>,
        input: UsersInput,
    ) -> impl Future<Output = Result<UsersOutput, IdpError>> + Send {
        async move {
            let (reference, group) = (&lookup::named(&cx, &input.user_pool_id)?, &input.group_name);
            let vault = &cx.service.parts.vault;
            let list = format!("users-in/{}/{}", reference.id, input.group_name);
            let after = &paging::cursor(vault, &list, input.next_token.as_deref())?;
            let limit = paging::limit(input.limit);
            let (users, cursor) = cx
                .read(|tx| async move {
                    find(&tx, reference, group).await?;
                    let of_group = reference.parts().str(group);
                    let page = MEMBERSHIPS.page_by(&tx, "group", of_group, after.as_deref(), limit).await?;
                    let keys = page.records.iter().map(|member| reference.parts().str(&member.username));
                    let users = USERS.get_many(&tx, keys).await?;
                    Ok::<_, IdpError>((users, page.cursor))
                })
                .await?;
            Ok(UsersOutput {
                users: users.iter().flatten().map(UserType::of).collect(),
                next_token: paging::token(vault, &list, cursor.as_deref())?,
            })
        }
    }
}
