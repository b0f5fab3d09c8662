//! `PutMethod`, `GetMethod`, `UpdateMethod`, `DeleteMethod` (API Gateway API reference).

use std::collections::BTreeMap;

use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use homeport_store::Tx;
use serde::Deserialize;

use super::{DELETE, GET, Nothing, PATCH, PUT, permission};
use crate::method::Method;
use crate::patch::{self, Patch};
use crate::records::{AUTHORIZERS, AuthorizerType, Home, RESOURCES, Resource, resource};
use crate::{ApiGateway, GatewayError};

/// A method's place.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MethodInput {
    pub(super) rest_api_id: String,
    pub(super) resource_id: String,
    pub(super) http_method: String,
}

impl MethodInput {
    /// The path of the control plane that permissions name.
    pub(super) fn path(&self) -> String {
        format!("/restapis/{}/resources/{}/methods/{}", self.rest_api_id, self.resource_id, self.http_method)
    }

    /// The resource, and the name of a method that it has.
    pub(super) async fn find(&self, tx: &Tx, home: &Home) -> Result<Resource, GatewayError> {
        let found = resource(tx, home, &self.resource_id).await?;
        if !found.methods.contains_key(&self.http_method) {
            return Err(GatewayError::NoSuch("Method"));
        }
        Ok(found)
    }
}

/// Reads the method at a place.
pub(super) async fn read_method(cx: &Cx<ApiGateway>, place: MethodInput) -> Result<Method, GatewayError> {
    let (home, place) = (&Home::new(cx.scope(), &place.rest_api_id), &place);
    cx.read(|tx| async move {
        let mut found = place.find(&tx, home).await?;
        found.methods.remove(&place.http_method).ok_or(GatewayError::NoSuch("Method"))
    })
    .await
}

/// Changes the method at a place, in one transaction.
pub(super) async fn change_method<T: Send>(
    cx: &Cx<ApiGateway>,
    place: &MethodInput,
    change: impl Fn(&mut Method) -> Result<T, GatewayError> + Send + Sync,
) -> Result<T, GatewayError> {
    let (home, change) = (&Home::new(cx.scope(), &place.rest_api_id), &change);
    cx.write(|tx| async move {
        let mut found = place.find(&tx, home).await?;
        let method = found.methods.get_mut(&place.http_method).ok_or(GatewayError::NoSuch("Method"))?;
        let done = change(method)?;
        check_authorizer(&tx, home, method).await?;
        RESOURCES.put(&tx, &found).await?;
        Ok(done)
    })
    .await
}

/// Adds a method to a resource.
pub(crate) struct PutMethod;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PutInput {
    #[serde(flatten)]
    place: MethodInput,
    authorization_type: String,
    authorizer_id: Option<String>,
    #[serde(default)]
    authorization_scopes: Vec<String>,
    #[serde(default)]
    api_key_required: bool,
    operation_name: Option<String>,
    #[serde(default)]
    request_parameters: BTreeMap<String, bool>,
    #[serde(default)]
    request_models: BTreeMap<String, String>,
    request_validator_id: Option<String>,
}

const METHODS: [&str; 8] = ["ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

impl Operation for PutMethod {
    type Service = ApiGateway;
    type Input = PutInput;
    type Output = Method;
    type Error = GatewayError;

    const NAME: &'static str = "PutMethod";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &PutInput) -> Permissions {
        permission(PUT, asked.scope, &input.place.path())
    }

    async fn run(cx: Cx<ApiGateway>, input: PutInput) -> Result<Method, GatewayError> {
        let (home, place) = (&Home::new(cx.scope(), &input.place.rest_api_id), &input.place);
        if !METHODS.contains(&place.http_method.as_str()) {
            return Err(GatewayError::invalid(
                "Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY",
            ));
        }
        if input.request_validator_id.is_some() {
            return Err(GatewayError::NoSuch("Request Validator"));
        }
        let method = &Method {
            http_method: place.http_method.clone(),
            authorization_type: input.authorization_type,
            authorizer_id: input.authorizer_id,
            authorization_scopes: input.authorization_scopes,
            api_key_required: input.api_key_required,
            operation_name: input.operation_name,
            request_parameters: input.request_parameters,
            request_models: input.request_models,
            ..Method::default()
        };
        check_models(&method.request_models)?;
        cx.write(|tx| async move {
            let mut found = resource(&tx, home, &place.resource_id).await?;
            if found.methods.contains_key(&place.http_method) {
                return Err(GatewayError::Conflict("Method already exists for this resource".into()));
            }
            check_authorizer(&tx, home, method).await?;
            found.methods.insert(place.http_method.clone(), method.clone());
            RESOURCES.put(&tx, &found).await?;
            Ok(())
        })
        .await?;
        Ok(method.clone())
    }
}

/// The two models that every API has.
pub(super) fn check_models(models: &BTreeMap<String, String>) -> Result<(), GatewayError> {
    match models.values().find(|model| !matches!(model.as_str(), "Empty" | "Error")) {
        None => Ok(()),
        Some(model) => Err(GatewayError::NoSuchModel(model.clone())),
    }
}

async fn check_authorizer(tx: &Tx, home: &Home, method: &Method) -> Result<(), GatewayError> {
    let wanted: &[AuthorizerType] = match method.authorization_type.as_str() {
        "NONE" | "AWS_IAM" => return Ok(()),
        "CUSTOM" => &[AuthorizerType::Token, AuthorizerType::Request],
        "COGNITO_USER_POOLS" => &[AuthorizerType::CognitoUserPools],
        _ => {
            return Err(GatewayError::invalid(
                "Authorization type must be one of NONE, AWS_IAM, CUSTOM, COGNITO_USER_POOLS",
            ));
        }
    };
    let invalid = || {
        GatewayError::invalid(
            "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.",
        )
    };
    let id = method.authorizer_id.as_ref().ok_or_else(invalid)?;
    let found = AUTHORIZERS.get(tx, home.key().str(id)).await?.ok_or_else(invalid)?;
    if wanted.contains(&found.kind) { Ok(()) } else { Err(invalid()) }
}

/// Shows a method.
pub(crate) struct GetMethod;

impl Operation for GetMethod {
    type Service = ApiGateway;
    type Input = MethodInput;
    type Output = Method;
    type Error = GatewayError;

    const NAME: &'static str = "GetMethod";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &MethodInput) -> Permissions {
        permission(GET, asked.scope, &input.path())
    }

    async fn run(cx: Cx<ApiGateway>, input: MethodInput) -> Result<Method, GatewayError> {
        read_method(&cx, input).await
    }
}

/// Changes a method.
pub(crate) struct UpdateMethod;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdateInput {
    #[serde(flatten)]
    place: MethodInput,
    #[serde(default)]
    patch_operations: Vec<Patch>,
}

impl Operation for UpdateMethod {
    type Service = ApiGateway;
    type Input = UpdateInput;
    type Output = Method;
    type Error = GatewayError;

    const NAME: &'static str = "UpdateMethod";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &UpdateInput) -> Permissions {
        permission(PATCH, asked.scope, &input.place.path())
    }

    async fn run(cx: Cx<ApiGateway>, input: UpdateInput) -> Result<Method, GatewayError> {
        patch::bounded(&input.patch_operations)?;
        let patches = &input.patch_operations;
        change_method(&cx, &input.place, |method| {
            patches.iter().try_for_each(|patch| apply(method, patch))?;
            check_models(&method.request_models)?;
            Ok(method.clone())
        })
        .await
    }
}

const PATCHABLE: &str = "/apiKeyRequired, /authorizationScopes, /authorizationType, /authorizerId, /operationName, \
                         /requestModels/<content_type>, /requestParameters/<parameter>";

fn apply(method: &mut Method, patch: &Patch) -> Result<(), GatewayError> {
    let parts = patch.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["authorizationType"] => method.authorization_type = patch.required()?,
        ["authorizerId"] => method.authorizer_id = patch.text()?.filter(|id| !id.is_empty()),
        ["authorizationScopes"] => patch.item(&mut method.authorization_scopes, None)?,
        ["authorizationScopes", scope] => patch.item(&mut method.authorization_scopes, Some(scope))?,
        ["apiKeyRequired"] => method.api_key_required = patch.boolean()?,
        ["operationName"] => method.operation_name = patch.text()?,
        ["requestParameters", name] => patch.entry(&mut method.request_parameters, name, |v| v == "true")?,
        ["requestModels", media_type] => {
            patch.entry(&mut method.request_models, media_type, |model| model)?
        }
        _ => return Err(patch.bad_path(PATCHABLE)),
    }
    Ok(())
}

/// Removes a method from its resource.
pub(crate) struct DeleteMethod;

impl Operation for DeleteMethod {
    type Service = ApiGateway;
    type Input = MethodInput;
    type Output = Nothing;
    type Error = GatewayError;

    const NAME: &'static str = "DeleteMethod";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &MethodInput) -> Permissions {
        permission(DELETE, asked.scope, &input.path())
    }

    async fn run(cx: Cx<ApiGateway>, input: MethodInput) -> Result<Nothing, GatewayError> {
        let (home, place) = (&Home::new(cx.scope(), &input.rest_api_id), &input);
        cx.write(|tx| async move {
            let mut found = place.find(&tx, home).await?;
            found.methods.remove(&place.http_method);
            RESOURCES.put(&tx, &found).await?;
            Ok(Nothing {})
        })
        .await
    }
}
