//! App clients: `DescribeUserPoolClient`, `UpdateUserPoolClient`, `ListUserPoolClients`, `DeleteUserPoolClient`.

use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::CognitoIdp;
use crate::client_shape::{UserPoolClientType, check};
use crate::error::IdpError;
use crate::records::{CLIENTS, ClientSettings};
use crate::shapes::Nothing;
use crate::{lookup, paging};

/// `DescribeUserPoolClient` (Cognito user pools API reference).
pub(crate) struct DescribeUserPoolClient;
/// `UpdateUserPoolClient` (Cognito user pools API reference): what isn't named becomes the default again.
pub(crate) struct UpdateUserPoolClient;
/// `ListUserPoolClients` (Cognito user pools API reference).
pub(crate) struct ListUserPoolClients;
/// `DeleteUserPoolClient` (Cognito user pools API reference): its tokens verify no more.
pub(crate) struct DeleteUserPoolClient;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ClientInput {
    user_pool_id: String,
    client_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UpdateInput {
    user_pool_id: String,
    client_id: String,
    analytics_configuration: Option<Value>,
    #[serde(flatten)]
    settings: ClientSettings,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListInput {
    user_pool_id: String,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ClientOutput {
    user_pool_client: UserPoolClientType,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListOutput {
    user_pool_clients: Vec<Description>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `UserPoolClientDescription`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    client_id: String,
    user_pool_id: String,
    client_name: String,
}

impl Operation for DescribeUserPoolClient {
    type Service = CognitoIdp;
    type Input = ClientInput;
    type Output = ClientOutput;
    type Error = IdpError;

    const NAME: &'static str = "DescribeUserPoolClient";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &ClientInput) -> Permissions {
        super::on_pool(asked, "cognito-idp:DescribeUserPoolClient", &input.user_pool_id)
    }

    fn run(
        cx: Cx<CognitoIdp>,
        input: ClientInput,
    ) -> impl Future<Output = Result<ClientOutput, IdpError>> + Send {
        async move {
            let (_, client) = lookup::app_of(&cx, &input.user_pool_id, &input.client_id).await?;
            Ok(ClientOutput { user_pool_client: UserPoolClientType::of(&cx.service.parts.vault, &client)? })
        }
    }
}

impl Operation for UpdateUserPoolClient {
    type Service = CognitoIdp;
    type Input = UpdateInput;
    type Output = ClientOutput;
    type Error = IdpError;

    const NAME: &'static str = "UpdateUserPoolClient";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &UpdateInput) -> Permissions {
        super::on_pool(asked, "cognito-idp:UpdateUserPoolClient", &input.user_pool_id)
    }

    fn run(
        cx: Cx<CognitoIdp>,
        input: UpdateInput,
    ) -> impl Future<Output = Result<ClientOutput, IdpError>> + Send {
        async move {
            if input.analytics_configuration.is_some() {
                return Err(IdpError::FeatureUnavailable("AnalyticsConfiguration"));
            }
            let reference = lookup::named(&cx, &input.user_pool_id)?;
            let settings = input.settings.completed();
            let client = cx
                .write(|tx| {
                    let (reference, id, settings, now) = (&reference, &input.client_id, &settings, cx.now());
                    async move {
                        let pool = lookup::pool(&tx, reference).await?;
                        let mut client = lookup::client(&tx, reference, id).await?;
                        let name = std::mem::take(&mut client.settings.client_name);
                        client.settings = settings.clone();
                        if client.settings.client_name.is_empty() {
                            client.settings.client_name = name;
                        }
                        client.modified = now;
                        check(&pool, &client)?;
                        CLIENTS.put(&tx, &client).await?;
                        Ok::<_, IdpError>(client)
                    }
                })
                .await?;
            Ok(ClientOutput { user_pool_client: UserPoolClientType::of(&cx.service.parts.vault, &client)? })
        }
    }
}

impl Operation for ListUserPoolClients {
    type Service = CognitoIdp;
    type Input = ListInput;
    type Output = ListOutput;
    type Error = IdpError;

    const NAME: &'static str = "ListUserPoolClients";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &ListInput) -> Permissions {
        super::on_pool(asked, "cognito-idp:ListUserPoolClients", &input.user_pool_id)
    }

    fn run(
        cx: Cx<CognitoIdp>,
        input: ListInput,
    ) -> impl Future<Output = Result<ListOutput, IdpError>> + Send {
        async move {
            let reference = &lookup::named(&cx, &input.user_pool_id)?;
            let vault = &cx.service.parts.vault;
            let list = format!("clients/{}", reference.id);
            let after = &paging::cursor(vault, &list, input.next_token.as_deref())?;
            let limit = paging::limit(input.max_results);
            let page = cx
                .read(|tx| async move {
                    lookup::pool(&tx, reference).await?;
                    Ok::<_, IdpError>(CLIENTS.page(&tx, reference.parts(), after.as_deref(), limit).await?)
                })
                .await?;
            let described = page.records.into_iter().map(|client| Description {
                client_id: client.id,
                user_pool_id: client.pool.id,
                client_name: client.settings.client_name,
            });
            Ok(ListOutput {
                user_pool_clients: described.collect(),
                next_token: paging::token(vault, &list, page.cursor.as_deref())?,
            })
        }
    }
}

impl Operation for DeleteUserPoolClient {
    type Service = CognitoIdp;
    type Input = ClientInput;
    type Output = Nothing;
    type Error = IdpError;

    const NAME: &'static str = "DeleteUserPoolClient";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &ClientInput) -> Permissions {
        super::on_pool(asked, "cognito-idp:DeleteUserPoolClient", &input.user_pool_id)
    }

    fn run(cx: Cx<CognitoIdp>, input: ClientInput) -> impl Future<Output = Result<Nothing, IdpError>> + Send {
        async move {
            let reference = lookup::named(&cx, &input.user_pool_id)?;
            cx.write(|tx| {
                let (reference, id) = (&reference, &input.client_id);
                async move {
                    lookup::pool(&tx, reference).await?;
                    lookup::client(&tx, reference, id).await?;
                    CLIENTS.delete(&tx, reference.parts().str(id)).await?;
                    Ok::<_, IdpError>(())
                }
            })
            .await?;
            Ok(Nothing {})
        }
    }
}
