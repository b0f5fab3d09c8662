//! `CreateAuthorizer`, `GetAuthorizer`, `GetAuthorizers`, `UpdateAuthorizer`, `DeleteAuthorizer`
//! (API Gateway API reference).

use homeport_core::{LOWER_ALPHANUMERIC, draw};
use homeport_service::{Asked, Cx, Effect, Operation, Permission, Permissions};
use homeport_store::Tx;
use serde::Deserialize;

use super::{DELETE, GET, Nothing, PATCH, POST, Page, arn, page};
use crate::integration::function_arn;
use crate::limits::MAX_AUTHORIZERS;
use crate::patch::{self, Patch};
use crate::records::{AUTHORIZERS, Authorizer, AuthorizerType, Home, RESOURCES, all, api};
use crate::{ApiGateway, GatewayError};

fn no_roles() -> GatewayError {
    GatewayError::invalid("Authorizers with credentials of their own are not supported")
}

/// Adds an authorizer to an API.
pub(crate) struct CreateAuthorizer;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateInput {
    rest_api_id: String,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "providerARNs", default)]
    provider_arns: Vec<String>,
    auth_type: Option<String>,
    authorizer_uri: Option<String>,
    authorizer_credentials: Option<String>,
    identity_source: Option<String>,
    identity_validation_expression: Option<String>,
    authorizer_result_ttl_in_seconds: Option<i64>,
}

impl Operation for CreateAuthorizer {
    type Service = ApiGateway;
    type Input = CreateInput;
    type Output = Authorizer;
    type Error = GatewayError;

    const NAME: &'static str = "CreateAuthorizer";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &CreateInput) -> Permissions {
        let at = arn(asked.scope, &format!("/restapis/{}/authorizers", input.rest_api_id));
        let role = input.authorizer_credentials.as_deref();
        let handed = role.map(|role| Permission::pass_role(role, "apigateway.amazonaws.com"));
        Permissions::All([Permission::new(POST, at)].into_iter().chain(handed).collect())
    }

    async fn run(cx: Cx<ApiGateway>, input: CreateInput) -> Result<Authorizer, GatewayError> {
        if input.authorizer_credentials.is_some() {
            return Err(no_roles());
        }
        let kind = match input.kind.as_str() {
            "TOKEN" => AuthorizerType::Token,
            "REQUEST" => AuthorizerType::Request,
            "COGNITO_USER_POOLS" => AuthorizerType::CognitoUserPools,
            _ => return Err(GatewayError::invalid("Invalid authorizer type specified")),
        };
        let home = &Home::new(cx.scope(), &input.rest_api_id);
        let made = &Authorizer {
            home: home.clone(),
            id: draw(&**cx.randomness(), LOWER_ALPHANUMERIC, 6),
            name: input.name,
            kind,
            provider_arns: input.provider_arns,
            auth_type: input.auth_type.or_else(|| Some("custom".to_owned())),
            authorizer_uri: input.authorizer_uri,
            identity_source: input.identity_source,
            identity_validation_expression: input.identity_validation_expression,
            authorizer_result_ttl_in_seconds: input.authorizer_result_ttl_in_seconds,
        };
        check(made)?;
        cx.write(|tx| async move {
            api(&tx, home).await?;
            let known = all(&tx, &AUTHORIZERS, home).await?;
            if known.len() >= MAX_AUTHORIZERS {
                return Err(GatewayError::LimitExceeded(
                    "Maximum number of authorizers for this API has been reached",
                ));
            }
            if known.iter().any(|other| other.name == made.name) {
                return Err(GatewayError::invalid("Authorizer name must be unique"));
            }
            AUTHORIZERS.put(&tx, made).await?;
            Ok(made.clone())
        })
        .await
    }
}

fn check(authorizer: &Authorizer) -> Result<(), GatewayError> {
    let formed = !authorizer.name.is_empty()
        && authorizer.name.len() <= 128
        && authorizer.name.chars().all(|c| c.is_ascii_alphanumeric() || "_- ".contains(c));
    if !formed {
        return Err(GatewayError::invalid("Authorizer name must be 1 to 128 letters, digits, '-' or '_'"));
    }
    if authorizer.authorizer_result_ttl_in_seconds.is_some_and(|ttl| !(0..=3_600).contains(&ttl)) {
        return Err(GatewayError::invalid("Authorizer result TTL must be between 0 and 3600 seconds"));
    }
    if let Some(expression) = authorizer.identity_validation_expression.as_deref() {
        regex::RegexBuilder::new(expression)
            .size_limit(1 << 20)
            .build()
            .map_err(|_| GatewayError::invalid("Invalid identity validation expression"))?;
    }
    let sources = authorizer.identity_source.as_deref().unwrap_or_default();
    match authorizer.kind {
        AuthorizerType::CognitoUserPools => {
            let pool = |arn: &String| arn.starts_with("arn:aws:cognito-idp:") && arn.contains(":userpool/");
            if authorizer.provider_arns.is_empty() || !authorizer.provider_arns.iter().all(pool) {
                return Err(GatewayError::invalid("Invalid Cognito User Pool ARN"));
            }
            check_header_source(sources)
        }
        AuthorizerType::Token => {
            check_function(authorizer)?;
            check_header_source(sources)
        }
        AuthorizerType::Request => {
            check_function(authorizer)?;
            let cached = authorizer.authorizer_result_ttl_in_seconds != Some(0);
            let known =
                ["method.request.header.", "method.request.querystring.", "stageVariables.", "context."];
            let valid = |source: &str| known.iter().any(|prefix| source.trim().starts_with(prefix));
            if (cached && sources.is_empty()) || (!sources.is_empty() && !sources.split(',').all(valid)) {
                return Err(invalid_source());
            }
            Ok(())
        }
    }
}

fn invalid_source() -> GatewayError {
    GatewayError::invalid("Identity source should be of format 'method.request.header.SampleToken'")
}

fn check_function(authorizer: &Authorizer) -> Result<(), GatewayError> {
    match authorizer.authorizer_uri.as_deref().and_then(function_arn) {
        Some(_) => Ok(()),
        None => {
            Err(GatewayError::invalid("Invalid Authorizer URI specified; it must name a Lambda function"))
        }
    }
}

fn check_header_source(source: &str) -> Result<(), GatewayError> {
    match source.strip_prefix("method.request.header.") {
        Some(name) if !name.is_empty() && http::HeaderName::from_bytes(name.as_bytes()).is_ok() => Ok(()),
        _ => Err(invalid_source()),
    }
}

/// An authorizer's id.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuthorizerInput {
    rest_api_id: String,
    authorizer_id: String,
}

fn path(api: &str, id: &str) -> String {
    format!("/restapis/{api}/authorizers/{id}")
}

async fn authorizer(tx: &Tx, home: &Home, id: &str) -> Result<Authorizer, GatewayError> {
    api(tx, home).await?;
    AUTHORIZERS.get(tx, home.key().str(id)).await?.ok_or(GatewayError::NoSuch("Authorizer"))
}

/// Shows an authorizer.
pub(crate) struct GetAuthorizer;

impl Operation for GetAuthorizer {
    type Service = ApiGateway;
    type Input = AuthorizerInput;
    type Output = Authorizer;
    type Error = GatewayError;

    const NAME: &'static str = "GetAuthorizer";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &AuthorizerInput) -> Permissions {
        Permissions::one(GET, arn(asked.scope, &path(&input.rest_api_id, &input.authorizer_id)))
    }

    async fn run(cx: Cx<ApiGateway>, input: AuthorizerInput) -> Result<Authorizer, GatewayError> {
        let (home, id) = (&Home::new(cx.scope(), &input.rest_api_id), &input.authorizer_id);
        cx.read(|tx| async move { authorizer(&tx, home, id).await }).await
    }
}

/// Lists an API's authorizers.
pub(crate) struct GetAuthorizers;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListInput {
    rest_api_id: String,
    limit: Option<i64>,
    position: Option<String>,
}

impl Operation for GetAuthorizers {
    type Service = ApiGateway;
    type Input = ListInput;
    type Output = Page<Authorizer>;
    type Error = GatewayError;

    const NAME: &'static str = "GetAuthorizers";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &ListInput) -> Permissions {
        Permissions::one(GET, arn(asked.scope, &format!("/restapis/{}/authorizers", input.rest_api_id)))
    }

    async fn run(cx: Cx<ApiGateway>, input: ListInput) -> Result<Page<Authorizer>, GatewayError> {
        let home = &Home::new(cx.scope(), &input.rest_api_id);
        let found = cx
            .read(|tx| async move {
                api(&tx, home).await?;
                Ok::<_, GatewayError>(all(&tx, &AUTHORIZERS, home).await?)
            })
            .await?;
        page(found, |authorizer| &authorizer.id, input.position.as_deref(), input.limit)
    }
}

/// Changes an authorizer; deployments that were made before keep it as it was.
pub(crate) struct UpdateAuthorizer;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdateInput {
    rest_api_id: String,
    authorizer_id: String,
    #[serde(default)]
    patch_operations: Vec<Patch>,
}

impl Operation for UpdateAuthorizer {
    type Service = ApiGateway;
    type Input = UpdateInput;
    type Output = Authorizer;
    type Error = GatewayError;

    const NAME: &'static str = "UpdateAuthorizer";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &UpdateInput) -> Permissions {
        let at = arn(asked.scope, &path(&input.rest_api_id, &input.authorizer_id));
        let handed =
            input.patch_operations.iter().filter(|patch| patch.raw_parts() == ["authorizerCredentials"]);
        let roles = handed.filter_map(|patch| patch.text().ok().flatten());
        let roles = roles.map(|role| Permission::pass_role(&role, "apigateway.amazonaws.com"));
        Permissions::All([Permission::new(PATCH, at)].into_iter().chain(roles).collect())
    }

    async fn run(cx: Cx<ApiGateway>, input: UpdateInput) -> Result<Authorizer, GatewayError> {
        patch::bounded(&input.patch_operations)?;
        let home = &Home::new(cx.scope(), &input.rest_api_id);
        let input = &input;
        cx.write(|tx| async move {
            let mut changed = authorizer(&tx, home, &input.authorizer_id).await?;
            input.patch_operations.iter().try_for_each(|patch| apply(&mut changed, patch))?;
            check(&changed)?;
            let known = all(&tx, &AUTHORIZERS, home).await?;
            if known.iter().any(|other| other.id != changed.id && other.name == changed.name) {
                return Err(GatewayError::invalid("Authorizer name must be unique"));
            }
            AUTHORIZERS.put(&tx, &changed).await?;
            Ok(changed)
        })
        .await
    }
}

const PATCHABLE: &str = "/authType, /authorizerResultTtlInSeconds, /authorizerUri, /identitySource, \
                         /identityValidationExpression, /name, /providerARNs";

fn apply(changed: &mut Authorizer, patch: &Patch) -> Result<(), GatewayError> {
    match patch.raw_parts().as_slice() {
        ["name"] => changed.name = patch.required()?,
        ["authType"] => changed.auth_type = patch.text()?,
        ["authorizerUri"] => changed.authorizer_uri = patch.text()?,
        ["authorizerCredentials"] if patch.text()?.is_none() => {}
        ["authorizerCredentials"] => return Err(no_roles()),
        ["identitySource"] => changed.identity_source = patch.text()?,
        ["identityValidationExpression"] => {
            changed.identity_validation_expression = patch.text()?.filter(|text| !text.is_empty());
        }
        ["authorizerResultTtlInSeconds"] => changed.authorizer_result_ttl_in_seconds = Some(patch.number()?),
        ["providerARNs"] => patch.item(&mut changed.provider_arns, None)?,
        _ => return Err(patch.bad_path(PATCHABLE)),
    }
    Ok(())
}

/// Deletes an authorizer that no method uses.
pub(crate) struct DeleteAuthorizer;

impl Operation for DeleteAuthorizer {
    type Service = ApiGateway;
    type Input = AuthorizerInput;
    type Output = Nothing;
    type Error = GatewayError;

    const NAME: &'static str = "DeleteAuthorizer";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &AuthorizerInput) -> Permissions {
        Permissions::one(DELETE, arn(asked.scope, &path(&input.rest_api_id, &input.authorizer_id)))
    }

    async fn run(cx: Cx<ApiGateway>, input: AuthorizerInput) -> Result<Nothing, GatewayError> {
        let (home, id) = (&Home::new(cx.scope(), &input.rest_api_id), &input.authorizer_id);
        cx.write(|tx| async move {
            authorizer(&tx, home, id).await?;
            let resources = all(&tx, &RESOURCES, home).await?;
            let mut methods = resources.iter().flat_map(|resource| resource.methods.values());
            if methods.any(|method| method.authorizer_id.as_ref() == Some(id)) {
                let message = format!("Cannot delete authorizer '{id}', is referenced in method");
                return Err(GatewayError::Conflict(message.into()));
            }
            AUTHORIZERS.delete(&tx, home.key().str(id)).await?;
            Ok(Nothing {})
        })
        .await
    }
}
