use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use homeport_service::{Asked, Cx, Effect, Operation, Permission, Permissions};
use homeport_store::KeyParts;
use serde::{Deserialize, Serialize};

use crate::records::{IDENTITIES, Identity};
use crate::{CognitoIdentity, IdentityError, arns, find};

/// What operations show of an identity.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Shown {
    identity_id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logins: Vec<String>,
    creation_date: f64,
    last_modified_date: f64,
}

fn shown(identity: Identity) -> Shown {
    Shown {
        identity_id: identity.id,
        logins: identity.logins.into_iter().map(|login| login.provider).collect(),
        creation_date: identity.created.seconds_f64(),
        last_modified_date: identity.modified.seconds_f64(),
    }
}

/// `DescribeIdentity` (Amazon Cognito Identity API reference).
pub(crate) struct DescribeIdentity;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct OneInput {
    identity_id: String,
}

impl Operation for DescribeIdentity {
    type Service = CognitoIdentity;
    type Input = OneInput;
    type Output = Shown;
    type Error = IdentityError;

    const NAME: &'static str = "DescribeIdentity";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, CognitoIdentity>, _: &OneInput) -> Permissions {
        Permissions::one("cognito-identity:DescribeIdentity", "*")
    }

    fn run(
        cx: Cx<CognitoIdentity>,
        input: OneInput,
    ) -> impl Future<Output = Result<Shown, IdentityError>> + Send {
        async move {
            let id = &input.identity_id;
            let found = match find::is_of(cx.scope(), id) {
                true => cx.read(|tx| async move { IDENTITIES.get(&tx, id).await }).await?,
                false => None,
            };
            found.map(shown).ok_or(IdentityError::NoSuchIdentity(input.identity_id))
        }
    }
}

/// `ListIdentities` (Amazon Cognito Identity API reference): at most 60 a page.
pub(crate) struct ListIdentities;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListInput {
    identity_pool_id: String,
    max_results: usize,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListOutput {
    identity_pool_id: String,
    identities: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Operation for ListIdentities {
    type Service = CognitoIdentity;
    type Input = ListInput;
    type Output = ListOutput;
    type Error = IdentityError;

    const NAME: &'static str = "ListIdentities";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, CognitoIdentity>, input: &ListInput) -> Permissions {
        Permissions::one("cognito-identity:ListIdentities", arns::pool(asked.scope, &input.identity_pool_id))
    }

    fn run(
        cx: Cx<CognitoIdentity>,
        input: ListInput,
    ) -> impl Future<Output = Result<ListOutput, IdentityError>> + Send {
        async move {
            let after = cursor(input.next_token.as_deref())?;
            let (pool_id, limit) = (find::named(cx.scope(), &input.identity_pool_id)?, input.max_results);
            let after = after.as_deref();
            let page = cx
                .read(|tx| async move {
                    find::pool(&tx, pool_id).await?;
                    let prefix = KeyParts::from(pool_id);
                    Ok::<_, IdentityError>(IDENTITIES.page_by(&tx, "pool", prefix, after, limit).await?)
                })
                .await?;
            Ok(ListOutput {
                next_token: page.cursor.map(|cursor| URL_SAFE_NO_PAD.encode(cursor)),
                identities: page.records.into_iter().map(shown).collect(),
                identity_pool_id: input.identity_pool_id,
            })
        }
    }
}

/// Reads a paging token.
pub(crate) fn cursor(token: Option<&str>) -> Result<Option<Vec<u8>>, IdentityError> {
    let invalid = |_| IdentityError::InvalidParameter("Invalid NextToken.".to_owned());
    token.map(|token| URL_SAFE_NO_PAD.decode(token).map_err(invalid)).transpose()
}

/// `DeleteIdentities` (Amazon Cognito Identity API reference): at most 60 at once. Those of another region than the
/// call's are not its to delete, and are told.
pub(crate) struct DeleteIdentities;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DeleteInput {
    identity_ids_to_delete: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DeleteOutput {
    unprocessed_identity_ids: Vec<Unprocessed>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Unprocessed {
    identity_id: String,
    error_code: &'static str,
}

impl Operation for DeleteIdentities {
    type Service = CognitoIdentity;
    type Input = DeleteInput;
    type Output = DeleteOutput;
    type Error = IdentityError;

    const NAME: &'static str = "DeleteIdentities";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, CognitoIdentity>, _: &DeleteInput) -> Permissions {
        Permissions::All(vec![Permission::new("cognito-identity:DeleteIdentities", "*")])
    }

    fn run(
        cx: Cx<CognitoIdentity>,
        input: DeleteInput,
    ) -> impl Future<Output = Result<DeleteOutput, IdentityError>> + Send {
        async move {
            let (own, foreign): (Vec<String>, Vec<String>) =
                input.identity_ids_to_delete.into_iter().partition(|id| find::is_of(cx.scope(), id));
            let own = &own;
            cx.write(|tx| async move {
                for id in own {
                    IDENTITIES.delete(&tx, id).await?;
                }
                Ok::<_, IdentityError>(())
            })
            .await?;
            let denied = |identity_id| Unprocessed { identity_id, error_code: "AccessDenied" };
            Ok(DeleteOutput { unprocessed_identity_ids: foreign.into_iter().map(denied).collect() })
        }
    }
}
