use homeport_service::{Asked, Cx, Effect, Operation, Permissions, bump_authorization};
use serde::{Deserialize, Serialize};

use crate::Iam;
use crate::entities::{self, Draft};
use crate::error::IamError;
use crate::limits::GROUPS_PER_USER_MAX;
use crate::listing::{Paging, Truncation};
use crate::operations::Empty;
use crate::permissions::{on_entity, to_create, to_rename};
use crate::records::{Details, ENTITIES, Kind, within};
use crate::views::{self, Depth, GroupView, UserView};

/// `CreateGroup` (IAM API reference).
pub(crate) struct CreateGroup;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreateInput {
    group_name: String,
    path: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GroupOutput {
    group: GroupView,
}

impl Operation for CreateGroup {
    type Service = Iam;
    type Input = CreateInput;
    type Output = GroupOutput;
    type Error = IamError;

    const NAME: &'static str = "CreateGroup";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Iam>, input: &CreateInput) -> Permissions {
        to_create(asked, Self::NAME, (Kind::Group, input.path.as_deref(), &input.group_name), &[], None)
    }

    fn run(cx: Cx<Iam>, input: CreateInput) -> impl Future<Output = Result<GroupOutput, IamError>> + Send {
        async move {
            let draft = Draft {
                kind: Kind::Group,
                name: input.group_name,
                path: input.path,
                tags: Vec::new(),
                boundary: None,
                details: Details::Group,
            };
            let group = &draft.finish(&cx)?;
            cx.write(|tx| async move { entities::create(&tx, group).await }).await?;
            Ok(GroupOutput { group: views::group(group) })
        }
    }
}

/// `GetGroup` (IAM API reference): shows a group and, in pages, its users.
pub(crate) struct GetGroup;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetInput {
    group_name: String,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetOutput {
    group: GroupView,
    users: Vec<UserView>,
    #[serde(flatten)]
    truncation: Truncation,
}

impl Operation for GetGroup {
    type Service = Iam;
    type Input = GetInput;
    type Output = GetOutput;
    type Error = IamError;

    const NAME: &'static str = "GetGroup";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, Iam>, input: &GetInput) -> Permissions {
        on_entity(asked, Self::NAME, Kind::Group, &input.group_name, Vec::new())
    }

    fn run(cx: Cx<Iam>, input: GetInput) -> impl Future<Output = Result<GetOutput, IamError>> + Send {
        async move {
            let (account, input) = (cx.account(), &input);
            cx.read(|tx| async move {
                let group = entities::find(&tx, account, Kind::Group, &input.group_name).await?;
                let members = within(account, &group.id);
                let (users, truncation) =
                    input.paging.of_index(&tx, ENTITIES, "member", members, |_| true).await?;
                let users = users.iter().map(|user| views::user(user, Depth::Listed)).collect();
                Ok(GetOutput { group: views::group(&group), users, truncation })
            })
            .await
        }
    }
}

/// `UpdateGroup` (IAM API reference): gives a group another name or path.
pub(crate) struct UpdateGroup;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UpdateInput {
    group_name: String,
    new_group_name: Option<String>,
    new_path: Option<String>,
}

impl Operation for UpdateGroup {
    type Service = Iam;
    type Input = UpdateInput;
    type Output = Empty;
    type Error = IamError;

    const NAME: &'static str = "UpdateGroup";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Iam>, input: &UpdateInput) -> Permissions {
        let renamed = (input.new_path.as_ref(), input.new_group_name.as_ref());
        to_rename(asked, Self::NAME, (Kind::Group, &input.group_name), renamed)
    }

    fn run(cx: Cx<Iam>, input: UpdateInput) -> impl Future<Output = Result<Empty, IamError>> + Send {
        async move {
            let (account, input) = (cx.account(), &input);
            cx.write(|tx| async move {
                let group = entities::find(&tx, account, Kind::Group, &input.group_name).await?;
                entities::rename(&tx, group, input.new_group_name.as_ref(), input.new_path.as_ref()).await
            })
            .await?;
            Ok(Empty {})
        }
    }
}

/// `DeleteGroup` (IAM API reference): removes a group without users and policies.
pub(crate) struct DeleteGroup;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DeleteInput {
    group_name: String,
}

impl Operation for DeleteGroup {
    type Service = Iam;
    type Input = DeleteInput;
    type Output = Empty;
    type Error = IamError;

    const NAME: &'static str = "DeleteGroup";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Iam>, input: &DeleteInput) -> Permissions {
        on_entity(asked, Self::NAME, Kind::Group, &input.group_name, Vec::new())
    }

    fn run(cx: Cx<Iam>, input: DeleteInput) -> impl Future<Output = Result<Empty, IamError>> + Send {
        async move {
            let (account, name) = (cx.account(), &input.group_name);
            cx.write(|tx| async move {
                let group = entities::find(&tx, account, Kind::Group, name).await?;
                let members = ENTITIES.page_by(&tx, "member", within(account, &group.id), None, 1).await?;
                if !members.records.is_empty() {
                    return Err(IamError::DeleteConflict(
                        "Cannot delete entity, must remove users from group first.",
                    ));
                }
                entities::delete(&tx, &group).await
            })
            .await?;
            Ok(Empty {})
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MemberInput {
    group_name: String,
    user_name: String,
}

/// `AddUserToGroup` (IAM API reference); one that is in it stays in it.
pub(crate) struct AddUserToGroup;

impl Operation for AddUserToGroup {
    type Service = Iam;
    type Input = MemberInput;
    type Output = Empty;
    type Error = IamError;

    const NAME: &'static str = "AddUserToGroup";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Iam>, input: &MemberInput) -> Permissions {
        on_entity(asked, Self::NAME, Kind::Group, &input.group_name, Vec::new())
    }

    fn run(cx: Cx<Iam>, input: MemberInput) -> impl Future<Output = Result<Empty, IamError>> + Send {
        async move { change_groups(&cx, &input, add).await }
    }
}

/// `RemoveUserFromGroup` (IAM API reference).
pub(crate) struct RemoveUserFromGroup;

impl Operation for RemoveUserFromGroup {
    type Service = Iam;
    type Input = MemberInput;
    type Output = Empty;
    type Error = IamError;

    const NAME: &'static str = "RemoveUserFromGroup";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Iam>, input: &MemberInput) -> Permissions {
        on_entity(asked, Self::NAME, Kind::Group, &input.group_name, Vec::new())
    }

    fn run(cx: Cx<Iam>, input: MemberInput) -> impl Future<Output = Result<Empty, IamError>> + Send {
        async move { change_groups(&cx, &input, remove).await }
    }
}

fn add(groups: &mut Vec<String>, group_id: &str, _: &str) -> Result<(), IamError> {
    if groups.iter().any(|known| known == group_id) {
        return Ok(());
    }
    if groups.len() >= GROUPS_PER_USER_MAX {
        let quota = format!("Cannot exceed quota for GroupsPerUser: {GROUPS_PER_USER_MAX}");
        return Err(IamError::LimitExceeded(quota.into()));
    }
    groups.push(group_id.to_owned());
    Ok(())
}

fn remove(groups: &mut Vec<String>, group_id: &str, user_name: &str) -> Result<(), IamError> {
    if !groups.iter().any(|known| known == group_id) {
        return Err(IamError::NotInGroup(user_name.to_owned()));
    }
    groups.retain(|known| known != group_id);
    Ok(())
}

/// Changes the groups of a user: its list, the group's unique id, the user's name.
type Change = fn(&mut Vec<String>, &str, &str) -> Result<(), IamError>;

async fn change_groups(cx: &Cx<Iam>, input: &MemberInput, change: Change) -> Result<Empty, IamError> {
    let account = cx.account();
    cx.write(|tx| async move {
        let group = entities::find(&tx, account, Kind::Group, &input.group_name).await?;
        let mut user = entities::find(&tx, account, Kind::User, &input.user_name).await?;
        if let Details::User { groups } = &mut user.details {
            change(groups, &group.id, &input.user_name)?;
        }
        ENTITIES.put(&tx, &user).await?;
        bump_authorization(&tx)?;
        Ok::<_, IamError>(())
    })
    .await?;
    Ok(Empty {})
}

/// `ListGroupsForUser` (IAM API reference).
pub(crate) struct ListGroupsForUser;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListForUserInput {
    user_name: String,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListOutput {
    groups: Vec<GroupView>,
    #[serde(flatten)]
    truncation: Truncation,
}

impl Operation for ListGroupsForUser {
    type Service = Iam;
    type Input = ListForUserInput;
    type Output = ListOutput;
    type Error = IamError;

    const NAME: &'static str = "ListGroupsForUser";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, Iam>, input: &ListForUserInput) -> Permissions {
        on_entity(asked, Self::NAME, Kind::User, &input.user_name, Vec::new())
    }

    fn run(
        cx: Cx<Iam>,
        input: ListForUserInput,
    ) -> impl Future<Output = Result<ListOutput, IamError>> + Send {
        async move {
            let (account, input) = (cx.account(), &input);
            cx.read(|tx| async move {
                let user = entities::find(&tx, account, Kind::User, &input.user_name).await?;
                let mut groups = Vec::new();
                for id in user.groups() {
                    groups.extend(ENTITIES.by(&tx, "id", within(account, id)).await?);
                }
                let (groups, truncation) = input.paging.of_few(groups, |group| group.name.clone())?;
                Ok(ListOutput { groups: groups.iter().map(views::group).collect(), truncation })
            })
            .await
        }
    }
}
