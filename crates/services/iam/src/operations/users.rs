use homeport_service::{Asked, Cx, Effect, Operation, Permissions, Principal};
use serde::{Deserialize, Serialize};

use crate::Iam;
use crate::entities::{self, Draft, Tag};
use crate::error::IamError;
use crate::operations::Empty;
use crate::permissions::{on_entity, on_user_or_caller, to_create, to_rename};
use crate::records::{ACCESS_KEYS, Details, Kind, within};
use crate::views::{self, Depth, UserView};

/// `CreateUser` (IAM API reference): makes a user without any permission.
pub(crate) struct CreateUser;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreateInput {
    user_name: String,
    path: Option<String>,
    permissions_boundary: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UserOutput {
    user: UserView,
}

impl Operation for CreateUser {
    type Service = Iam;
    type Input = CreateInput;
    type Output = UserOutput;
    type Error = IamError;

    const NAME: &'static str = "CreateUser";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Iam>, input: &CreateInput) -> Permissions {
        let named = (Kind::User, input.path.as_deref(), input.user_name.as_str());
        to_create(asked, Self::NAME, named, &input.tags, input.permissions_boundary.as_ref())
    }

    fn run(cx: Cx<Iam>, input: CreateInput) -> impl Future<Output = Result<UserOutput, IamError>> + Send {
        async move {
            let draft = Draft {
                kind: Kind::User,
                name: input.user_name,
                path: input.path,
                tags: input.tags,
                boundary: input.permissions_boundary,
                details: Details::User { groups: Vec::new() },
            };
            let user = &draft.finish(&cx)?;
            cx.write(|tx| async move { entities::create(&tx, user).await }).await?;
            Ok(UserOutput { user: views::user(user, Depth::Whole) })
        }
    }
}

/// `GetUser` (IAM API reference): shows a user, or the one that asks.
pub(crate) struct GetUser;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetInput {
    user_name: Option<String>,
}

/// The user named, or else the user that asks.
pub(super) fn named_or_caller(cx: &Cx<Iam>, named: Option<String>) -> Result<String, IamError> {
    match (named, cx.principal()) {
        (Some(name), _) => Ok(name),
        (None, Principal::User { name, .. }) => Ok(name.clone()),
        (None, _) => {
            Err(IamError::ValidationError("Must specify userName when calling with non-User credentials"))
        }
    }
}

impl Operation for GetUser {
    type Service = Iam;
    type Input = GetInput;
    type Output = UserOutput;
    type Error = IamError;

    const NAME: &'static str = "GetUser";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, Iam>, input: &GetInput) -> Permissions {
        on_user_or_caller(asked, Self::NAME, input.user_name.as_deref())
    }

    fn run(cx: Cx<Iam>, input: GetInput) -> impl Future<Output = Result<UserOutput, IamError>> + Send {
        async move {
            let name = &named_or_caller(&cx, input.user_name)?;
            let account = cx.account();
            let user =
                cx.read(|tx| async move { entities::find(&tx, account, Kind::User, name).await }).await?;
            Ok(UserOutput { user: views::user(&user, Depth::Whole) })
        }
    }
}

/// `UpdateUser` (IAM API reference): gives a user another name or path. What hangs on it, hangs on its unique id.
pub(crate) struct UpdateUser;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UpdateInput {
    user_name: String,
    new_user_name: Option<String>,
    new_path: Option<String>,
}

impl Operation for UpdateUser {
    type Service = Iam;
    type Input = UpdateInput;
    type Output = Empty;
    type Error = IamError;

    const NAME: &'static str = "UpdateUser";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Iam>, input: &UpdateInput) -> Permissions {
        let renamed = (input.new_path.as_ref(), input.new_user_name.as_ref());
        to_rename(asked, Self::NAME, (Kind::User, &input.user_name), renamed)
    }

    fn run(cx: Cx<Iam>, input: UpdateInput) -> impl Future<Output = Result<Empty, IamError>> + Send {
        async move {
            let (account, input) = (cx.account(), &input);
            cx.write(|tx| async move {
                let user = entities::find(&tx, account, Kind::User, &input.user_name).await?;
                entities::rename(&tx, user, input.new_user_name.as_ref(), input.new_path.as_ref()).await
            })
            .await?;
            Ok(Empty {})
        }
    }
}

/// `DeleteUser` (IAM API reference): removes a user that owns nothing any more.
pub(crate) struct DeleteUser;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DeleteInput {
    user_name: String,
}

impl Operation for DeleteUser {
    type Service = Iam;
    type Input = DeleteInput;
    type Output = Empty;
    type Error = IamError;

    const NAME: &'static str = "DeleteUser";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Iam>, input: &DeleteInput) -> Permissions {
        on_entity(asked, Self::NAME, Kind::User, &input.user_name, Vec::new())
    }

    fn run(cx: Cx<Iam>, input: DeleteInput) -> impl Future<Output = Result<Empty, IamError>> + Send {
        async move {
            let (account, name) = (cx.account(), &input.user_name);
            cx.write(|tx| async move {
                let user = entities::find(&tx, account, Kind::User, name).await?;
                let keys = ACCESS_KEYS.page_by(&tx, "user", within(account, &user.id), None, 1).await?;
                if !keys.records.is_empty() {
                    return Err(IamError::DeleteConflict(
                        "Cannot delete entity, must delete access keys first.",
                    ));
                }
                if !user.groups().is_empty() {
                    return Err(IamError::DeleteConflict(
                        "Cannot delete entity, must remove user from groups first.",
                    ));
                }
                entities::delete(&tx, &user).await
            })
            .await?;
            Ok(Empty {})
        }
    }
}
