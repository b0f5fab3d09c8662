//! What is done with refresh tokens: `GetTokensFromRefreshToken`, `RevokeToken`.

use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::CognitoIdp;
use crate::error::IdpError;
use crate::lookup;
use crate::records::{Client, Pool};
use crate::shapes::Nothing;
use crate::sign_in::{RefreshedBy, refresh, revoke};
use crate::tokens::AuthenticationResult;

/// `GetTokensFromRefreshToken` (Cognito user pools API reference): the token is rotated where the client asks.
pub(crate) struct GetTokensFromRefreshToken;
/// `RevokeToken` (Cognito user pools API reference): the sign-in ends, with all tokens that stem from it.
pub(crate) struct RevokeToken;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RefreshInput {
    refresh_token: String,
    client_id: String,
    client_secret: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RevokeInput {
    token: String,
    client_id: String,
    client_secret: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RefreshOutput {
    authentication_result: AuthenticationResult,
}

/// The client, if it proves its secret by the secret itself.
async fn client(cx: &Cx<CognitoIdp>, id: &str, given: Option<&str>) -> Result<(Pool, Client), IdpError> {
    let (pool, client) = lookup::app(cx, id).await?;
    let right = match &client.secret {
        Some(sealed) => {
            let secret = lookup::open_client_secret(&cx.service.parts.vault, &client, sealed)?;
            given.is_some_and(|given| homeport_vault::Vault::same_hash(given.as_bytes(), secret.expose()))
        }
        None => given.is_none(),
    };
    if right { Ok((pool, client)) } else { Err(IdpError::not_authorized("Invalid client secret")) }
}

impl Operation for GetTokensFromRefreshToken {
    type Service = CognitoIdp;
    type Input = RefreshInput;
    type Output = RefreshOutput;
    type Error = IdpError;

    const NAME: &'static str = "GetTokensFromRefreshToken";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, CognitoIdp>, _: &RefreshInput) -> Permissions {
        Permissions::Public
    }

    fn run(
        cx: Cx<CognitoIdp>,
        input: RefreshInput,
    ) -> impl Future<Output = Result<RefreshOutput, IdpError>> + Send {
        async move {
            let (pool, client) = client(&cx, &input.client_id, input.client_secret.as_deref()).await?;
            let authentication_result =
                refresh(&cx, &pool, &client, &input.refresh_token, RefreshedBy::Proved).await?;
            Ok(RefreshOutput { authentication_result })
        }
    }
}

impl Operation for RevokeToken {
    type Service = CognitoIdp;
    type Input = RevokeInput;
    type Output = Nothing;
    type Error = IdpError;

    const NAME: &'static str = "RevokeToken";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, CognitoIdp>, _: &RevokeInput) -> Permissions {
        Permissions::Public
    }

    fn run(cx: Cx<CognitoIdp>, input: RevokeInput) -> impl Future<Output = Result<Nothing, IdpError>> + Send {
        async move {
            let (_, client) = client(&cx, &input.client_id, input.client_secret.as_deref()).await?;
            if client.settings.enable_token_revocation == Some(false) {
                return Err(IdpError::UnsupportedOperation(
                    "Token revocation is not enabled for this client.",
                ));
            }
            if input.token.matches('.').count() == 2 {
                return Err(IdpError::UnsupportedTokenType);
            }
            if revoke(&cx, &client, &input.token).await? {
                return Ok(Nothing {});
            }
            Err(IdpError::Unauthorized)
        }
    }
}
