use homeport_core::{BASE32, draw};
use homeport_service::{Asked, Cx, Effect, Operation, Permissions, bump_authorization};
use homeport_store::Tx;
use serde::{Deserialize, Serialize};

use super::users::named_or_caller;
use crate::Iam;
use crate::access_keys::{draw_secret, place};
use crate::entities;
use crate::error::IamError;
use crate::limits::ACCESS_KEYS_PER_USER_MAX;
use crate::listing::{Paging, Truncation};
use crate::operations::Empty;
use crate::permissions::on_user_or_caller;
use crate::records::{ACCESS_KEYS, AccessKey, Kind, within};
use crate::views::whole_seconds;

/// `CreateAccessKey` (IAM API reference): the only time that the secret is shown.
pub(crate) struct CreateAccessKey;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreateInput {
    user_name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreateOutput {
    access_key: Created,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Created {
    user_name: String,
    access_key_id: String,
    status: &'static str,
    secret_access_key: String,
    create_date: f64,
}

impl Operation for CreateAccessKey {
    type Service = Iam;
    type Input = CreateInput;
    type Output = CreateOutput;
    type Error = IamError;

    const NAME: &'static str = "CreateAccessKey";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Iam>, input: &CreateInput) -> Permissions {
        on_user_or_caller(asked, Self::NAME, input.user_name.as_deref())
    }

    fn run(cx: Cx<Iam>, input: CreateInput) -> impl Future<Output = Result<CreateOutput, IamError>> + Send {
        async move {
            let name = &named_or_caller(&cx, input.user_name)?;
            let (account, now) = (cx.account(), cx.now());
            let id = &format!("AKIA{}", draw(&**cx.randomness(), BASE32, 16));
            let secret = draw_secret(&**cx.randomness());
            let sealed =
                &cx.service.vault.seal(crate::access_keys::PURPOSE, &place(id), secret.as_bytes())?;
            let user = cx
                .write(|tx| async move {
                    let user = entities::find(&tx, account, Kind::User, name).await?;
                    if keys_of(&tx, &user).await?.len() >= ACCESS_KEYS_PER_USER_MAX {
                        let quota =
                            format!("Cannot exceed quota for AccessKeysPerUser: {ACCESS_KEYS_PER_USER_MAX}");
                        return Err(IamError::LimitExceeded(quota.into()));
                    }
                    let key = AccessKey {
                        account,
                        id: id.clone(),
                        user_id: user.id.clone(),
                        active: true,
                        created: now,
                        secret: sealed.clone(),
                    };
                    ACCESS_KEYS.insert(&tx, &key).await?;
                    bump_authorization(&tx)?;
                    Ok(user)
                })
                .await?;
            let access_key = Created {
                user_name: user.name,
                access_key_id: id.clone(),
                status: "Active",
                secret_access_key: secret,
                create_date: whole_seconds(now),
            };
            Ok(CreateOutput { access_key })
        }
    }
}

async fn keys_of(tx: &Tx, user: &crate::records::Entity) -> Result<Vec<AccessKey>, IamError> {
    let page = ACCESS_KEYS.page_by(tx, "user", within(user.account, &user.id), None, 100).await?;
    Ok(page.records)
}

/// The key with this id, if it is this user's.
async fn key_of(tx: &Tx, user: &crate::records::Entity, id: &str) -> Result<AccessKey, IamError> {
    let key = ACCESS_KEYS.get(tx, within(user.account, id)).await?;
    key.filter(|key| key.user_id == user.id).ok_or_else(|| IamError::NoSuchAccessKey(id.to_owned()))
}

/// `UpdateAccessKey` (IAM API reference): makes a key active or inactive; an inactive one signs nothing any more.
pub(crate) struct UpdateAccessKey;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UpdateInput {
    user_name: Option<String>,
    access_key_id: String,
    status: String,
}

impl Operation for UpdateAccessKey {
    type Service = Iam;
    type Input = UpdateInput;
    type Output = Empty;
    type Error = IamError;

    const NAME: &'static str = "UpdateAccessKey";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Iam>, input: &UpdateInput) -> Permissions {
        on_user_or_caller(asked, Self::NAME, input.user_name.as_deref())
    }

    fn run(cx: Cx<Iam>, input: UpdateInput) -> impl Future<Output = Result<Empty, IamError>> + Send {
        async move {
            let active = match input.status.as_str() {
                "Active" => true,
                "Inactive" => false,
                _ => return Err(IamError::ValidationError("Status must be Active or Inactive.")),
            };
            let name = &named_or_caller(&cx, input.user_name)?;
            let (account, id) = (cx.account(), &input.access_key_id);
            cx.write(|tx| async move {
                let user = entities::find(&tx, account, Kind::User, name).await?;
                let key = key_of(&tx, &user, id).await?;
                ACCESS_KEYS.put(&tx, &AccessKey { active, ..key }).await?;
                bump_authorization(&tx)?;
                Ok::<_, IamError>(())
            })
            .await?;
            Ok(Empty {})
        }
    }
}

/// `DeleteAccessKey` (IAM API reference): the key is refused from the next call on.
pub(crate) struct DeleteAccessKey;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DeleteInput {
    user_name: Option<String>,
    access_key_id: String,
}

impl Operation for DeleteAccessKey {
    type Service = Iam;
    type Input = DeleteInput;
    type Output = Empty;
    type Error = IamError;

    const NAME: &'static str = "DeleteAccessKey";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Iam>, input: &DeleteInput) -> Permissions {
        on_user_or_caller(asked, Self::NAME, input.user_name.as_deref())
    }

    fn run(cx: Cx<Iam>, input: DeleteInput) -> impl Future<Output = Result<Empty, IamError>> + Send {
        async move {
            let name = &named_or_caller(&cx, input.user_name)?;
            let (account, id) = (cx.account(), &input.access_key_id);
            cx.write(|tx| async move {
                let user = entities::find(&tx, account, Kind::User, name).await?;
                let key = key_of(&tx, &user, id).await?;
                ACCESS_KEYS.delete(&tx, within(account, &key.id)).await?;
                bump_authorization(&tx)?;
                Ok::<_, IamError>(())
            })
            .await?;
            Ok(Empty {})
        }
    }
}

/// `ListAccessKeys` (IAM API reference): ids and statuses, never secrets.
pub(crate) struct ListAccessKeys;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListInput {
    user_name: Option<String>,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListOutput {
    access_key_metadata: Vec<Metadata>,
    #[serde(flatten)]
    truncation: Truncation,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    user_name: String,
    access_key_id: String,
    status: &'static str,
    create_date: f64,
}

impl Operation for ListAccessKeys {
    type Service = Iam;
    type Input = ListInput;
    type Output = ListOutput;
    type Error = IamError;

    const NAME: &'static str = "ListAccessKeys";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, Iam>, input: &ListInput) -> Permissions {
        on_user_or_caller(asked, Self::NAME, input.user_name.as_deref())
    }

    fn run(cx: Cx<Iam>, input: ListInput) -> impl Future<Output = Result<ListOutput, IamError>> + Send {
        async move {
            let name = &named_or_caller(&cx, input.user_name)?;
            let (account, paging) = (cx.account(), &input.paging);
            cx.read(|tx| async move {
                let user = entities::find(&tx, account, Kind::User, name).await?;
                let (keys, truncation) = paging.of_few(keys_of(&tx, &user).await?, |key| key.id.clone())?;
                let shown = |key: AccessKey| Metadata {
                    user_name: user.name.clone(),
                    access_key_id: key.id,
                    status: if key.active { "Active" } else { "Inactive" },
                    create_date: whole_seconds(key.created),
                };
                Ok(ListOutput { access_key_metadata: keys.into_iter().map(shown).collect(), truncation })
            })
            .await
        }
    }
}
