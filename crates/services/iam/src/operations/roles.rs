use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use homeport_store::Tx;
use serde::{Deserialize, Serialize};

use crate::Iam;
use crate::documents;
use crate::entities::{self, Draft, Tag};
use crate::error::IamError;
use crate::limits::SESSION_SECONDS_DEFAULT;
use crate::operations::Empty;
use crate::permissions::{on_entity, to_create};
use crate::records::{Details, Entity, Kind, RoleDetails};
use crate::views::{self, Depth, RoleView};

/// `CreateRole` (IAM API reference): makes a role that whom its trust policy names may take on.
pub(crate) struct CreateRole;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreateInput {
    role_name: String,
    path: Option<String>,
    assume_role_policy_document: String,
    description: Option<String>,
    max_session_duration: Option<i64>,
    permissions_boundary: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RoleOutput {
    role: RoleView,
}

impl Operation for CreateRole {
    type Service = Iam;
    type Input = CreateInput;
    type Output = RoleOutput;
    type Error = IamError;

    const NAME: &'static str = "CreateRole";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Iam>, input: &CreateInput) -> Permissions {
        let named = (Kind::Role, input.path.as_deref(), input.role_name.as_str());
        to_create(asked, Self::NAME, named, &input.tags, input.permissions_boundary.as_ref())
    }

    fn run(cx: Cx<Iam>, input: CreateInput) -> impl Future<Output = Result<RoleOutput, IamError>> + Send {
        async move {
            let trust = &input.assume_role_policy_document;
            let draft = Draft {
                kind: Kind::Role,
                name: input.role_name,
                path: input.path,
                tags: input.tags,
                boundary: input.permissions_boundary,
                details: Details::Role(RoleDetails {
                    description: input.description,
                    max_session_seconds: input.max_session_duration.unwrap_or(SESSION_SECONDS_DEFAULT),
                    trust: trust.clone(),
                    pinned_trust: String::new(),
                }),
            };
            let (iam, role) = (&cx.service, &draft.finish(&cx)?);
            cx.write(|tx| async move {
                let mut role = role.clone();
                set_trust(iam, &tx, &mut role, trust).await?;
                entities::create(&tx, &role).await
            })
            .await?;
            Ok(RoleOutput { role: views::role(role, Depth::Whole) })
        }
    }
}

async fn set_trust(iam: &Iam, tx: &Tx, role: &mut Entity, trust: &str) -> Result<(), IamError> {
    let pinned = documents::pin_trust(iam, tx, trust).await?;
    if let Details::Role(details) = &mut role.details {
        details.trust = trust.to_owned();
        details.pinned_trust = pinned;
    }
    Ok(())
}

/// `GetRole` (IAM API reference).
pub(crate) struct GetRole;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct NameInput {
    role_name: String,
}

impl Operation for GetRole {
    type Service = Iam;
    type Input = NameInput;
    type Output = RoleOutput;
    type Error = IamError;

    const NAME: &'static str = "GetRole";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, Iam>, input: &NameInput) -> Permissions {
        on_entity(asked, Self::NAME, Kind::Role, &input.role_name, Vec::new())
    }

    fn run(cx: Cx<Iam>, input: NameInput) -> impl Future<Output = Result<RoleOutput, IamError>> + Send {
        async move {
            let (account, name) = (cx.account(), &input.role_name);
            let role =
                cx.read(|tx| async move { entities::find(&tx, account, Kind::Role, name).await }).await?;
            Ok(RoleOutput { role: views::role(&role, Depth::Whole) })
        }
    }
}

/// `UpdateRole` (IAM API reference): a role's description and longest session; what is left out is reset.
pub(crate) struct UpdateRole;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UpdateInput {
    role_name: String,
    description: Option<String>,
    max_session_duration: Option<i64>,
}

impl Operation for UpdateRole {
    type Service = Iam;
    type Input = UpdateInput;
    type Output = Empty;
    type Error = IamError;

    const NAME: &'static str = "UpdateRole";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Iam>, input: &UpdateInput) -> Permissions {
        on_entity(asked, Self::NAME, Kind::Role, &input.role_name, Vec::new())
    }

    fn run(cx: Cx<Iam>, input: UpdateInput) -> impl Future<Output = Result<Empty, IamError>> + Send {
        async move {
            let (account, input) = (cx.account(), &input);
            cx.write(|tx| async move {
                let mut role = entities::find(&tx, account, Kind::Role, &input.role_name).await?;
                if let Details::Role(details) = &mut role.details {
                    details.description.clone_from(&input.description);
                    details.max_session_seconds =
                        input.max_session_duration.unwrap_or(SESSION_SECONDS_DEFAULT);
                }
                entities::save(&tx, &role).await?;
                Ok::<_, IamError>(())
            })
            .await?;
            Ok(Empty {})
        }
    }
}

/// `UpdateRoleDescription` (IAM API reference): the older way to change a description.
pub(crate) struct UpdateRoleDescription;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DescriptionInput {
    role_name: String,
    description: String,
}

impl Operation for UpdateRoleDescription {
    type Service = Iam;
    type Input = DescriptionInput;
    type Output = RoleOutput;
    type Error = IamError;

    const NAME: &'static str = "UpdateRoleDescription";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Iam>, input: &DescriptionInput) -> Permissions {
        on_entity(asked, Self::NAME, Kind::Role, &input.role_name, Vec::new())
    }

    fn run(
        cx: Cx<Iam>,
        input: DescriptionInput,
    ) -> impl Future<Output = Result<RoleOutput, IamError>> + Send {
        async move {
            let (account, input) = (cx.account(), &input);
            let role = cx
                .write(|tx| async move {
                    let mut role = entities::find(&tx, account, Kind::Role, &input.role_name).await?;
                    if let Details::Role(details) = &mut role.details {
                        details.description = Some(input.description.clone());
                    }
                    entities::save(&tx, &role).await?;
                    Ok::<_, IamError>(role)
                })
                .await?;
            Ok(RoleOutput { role: views::role(&role, Depth::Whole) })
        }
    }
}

/// `UpdateAssumeRolePolicy` (IAM API reference): replaces a role's trust policy.
pub(crate) struct UpdateAssumeRolePolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TrustInput {
    role_name: String,
    policy_document: String,
}

impl Operation for UpdateAssumeRolePolicy {
    type Service = Iam;
    type Input = TrustInput;
    type Output = Empty;
    type Error = IamError;

    const NAME: &'static str = "UpdateAssumeRolePolicy";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Iam>, input: &TrustInput) -> Permissions {
        on_entity(asked, Self::NAME, Kind::Role, &input.role_name, Vec::new())
    }

    fn run(cx: Cx<Iam>, input: TrustInput) -> impl Future<Output = Result<Empty, IamError>> + Send {
        async move {
            let (iam, account, input) = (&cx.service, cx.account(), &input);
            cx.write(|tx| async move {
                let mut role = entities::find(&tx, account, Kind::Role, &input.role_name).await?;
                set_trust(iam, &tx, &mut role, &input.policy_document).await?;
                entities::save(&tx, &role).await?;
                Ok::<_, IamError>(())
            })
            .await?;
            Ok(Empty {})
        }
    }
}

/// `DeleteRole` (IAM API reference): removes a role without policies; its sessions end at once.
pub(crate) struct DeleteRole;

impl Operation for DeleteRole {
    type Service = Iam;
    type Input = NameInput;
    type Output = Empty;
    type Error = IamError;

    const NAME: &'static str = "DeleteRole";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Iam>, input: &NameInput) -> Permissions {
        on_entity(asked, Self::NAME, Kind::Role, &input.role_name, Vec::new())
    }

    fn run(cx: Cx<Iam>, input: NameInput) -> impl Future<Output = Result<Empty, IamError>> + Send {
        async move {
            let (account, name) = (cx.account(), &input.role_name);
            cx.write(|tx| async move {
                let role = entities::find(&tx, account, Kind::Role, name).await?;
                entities::delete(&tx, &role).await
            })
            .await?;
            Ok(Empty {})
        }
    }
}
