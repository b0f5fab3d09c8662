//! `PutIntegrationResponse`, `GetIntegrationResponse`, `UpdateIntegrationResponse`, `DeleteIntegrationResponse`
//! (API Gateway API reference).

use std::collections::BTreeMap;

use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::Deserialize;

use super::methods::{MethodInput, change_method, read_method};
use super::{DELETE, GET, Nothing, PATCH, PUT, permission};
use crate::method::{Integration, IntegrationResponse, Method};
use crate::patch::{self, Patch};
use crate::{ApiGateway, GatewayError, integration};

/// An integration's answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResponseInput {
    #[serde(flatten)]
    place: MethodInput,
    status_code: String,
}

fn path(place: &MethodInput, status: &str) -> String {
    format!("{}/integration/responses/{status}", place.path())
}

fn integration_of(method: &mut Method) -> Result<&mut Integration, GatewayError> {
    method.method_integration.as_mut().ok_or(GatewayError::NoSuch("Integration"))
}

/// Says how an integration's answer becomes the method's.
pub(crate) struct PutIntegrationResponse;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PutInput {
    #[serde(flatten)]
    place: MethodInput,
    status_code: String,
    selection_pattern: Option<String>,
    #[serde(default)]
    response_parameters: BTreeMap<String, String>,
    #[serde(default)]
    response_templates: BTreeMap<String, String>,
    content_handling: Option<String>,
}

impl Operation for PutIntegrationResponse {
    type Service = ApiGateway;
    type Input = PutInput;
    type Output = IntegrationResponse;
    type Error = GatewayError;

    const NAME: &'static str = "PutIntegrationResponse";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &PutInput) -> Permissions {
        permission(PUT, asked.scope, &path(&input.place, &input.status_code))
    }

    async fn run(cx: Cx<ApiGateway>, input: PutInput) -> Result<IntegrationResponse, GatewayError> {
        if input.content_handling.is_some() {
            return Err(GatewayError::invalid("contentHandling is not supported"));
        }
        let made = &IntegrationResponse {
            status_code: input.status_code,
            selection_pattern: input.selection_pattern.filter(|pattern| !pattern.is_empty()),
            response_parameters: input.response_parameters,
            response_templates: input.response_templates,
        };
        integration::check_response(made)?;
        change_method(&cx, &input.place, |method| {
            check_declared(method, made)?;
            integration_of(method)?.integration_responses.insert(made.status_code.clone(), made.clone());
            Ok(made.clone())
        })
        .await
    }
}

/// An answer's headers must be declared by the method's answer of that status.
fn check_declared(method: &Method, response: &IntegrationResponse) -> Result<(), GatewayError> {
    let declared = method.method_responses.get(&response.status_code).ok_or(GatewayError::NoSuchResponse)?;
    match response.response_parameters.keys().find(|name| !declared.response_parameters.contains_key(*name)) {
        None => Ok(()),
        Some(name) => Err(GatewayError::invalid(format!(
            "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: {name}]"
        ))),
    }
}

/// Shows an answer of an integration.
pub(crate) struct GetIntegrationResponse;

impl Operation for GetIntegrationResponse {
    type Service = ApiGateway;
    type Input = ResponseInput;
    type Output = IntegrationResponse;
    type Error = GatewayError;

    const NAME: &'static str = "GetIntegrationResponse";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &ResponseInput) -> Permissions {
        permission(GET, asked.scope, &path(&input.place, &input.status_code))
    }

    async fn run(cx: Cx<ApiGateway>, input: ResponseInput) -> Result<IntegrationResponse, GatewayError> {
        let mut method = read_method(&cx, input.place).await?;
        let responses = &mut integration_of(&mut method)?.integration_responses;
        responses.remove(&input.status_code).ok_or(GatewayError::NoSuchResponse)
    }
}

/// Changes an answer of an integration.
pub(crate) struct UpdateIntegrationResponse;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdateInput {
    #[serde(flatten)]
    place: MethodInput,
    status_code: String,
    #[serde(default)]
    patch_operations: Vec<Patch>,
}

impl Operation for UpdateIntegrationResponse {
    type Service = ApiGateway;
    type Input = UpdateInput;
    type Output = IntegrationResponse;
    type Error = GatewayError;

    const NAME: &'static str = "UpdateIntegrationResponse";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &UpdateInput) -> Permissions {
        permission(PATCH, asked.scope, &path(&input.place, &input.status_code))
    }

    async fn run(cx: Cx<ApiGateway>, input: UpdateInput) -> Result<IntegrationResponse, GatewayError> {
        patch::bounded(&input.patch_operations)?;
        let input = &input;
        change_method(&cx, &input.place, |method| {
            let responses = &mut integration_of(method)?.integration_responses;
            let response = responses.get_mut(&input.status_code).ok_or(GatewayError::NoSuchResponse)?;
            input.patch_operations.iter().try_for_each(|patch| apply(response, patch))?;
            integration::check_response(response)?;
            let changed = response.clone();
            check_declared(method, &changed)?;
            Ok(changed)
        })
        .await
    }
}

fn apply(response: &mut IntegrationResponse, patch: &Patch) -> Result<(), GatewayError> {
    let parts = patch.parts();
    match parts.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["selectionPattern"] => {
            response.selection_pattern = patch.text()?.filter(|pattern| !pattern.is_empty());
            Ok(())
        }
        ["responseParameters", name] => patch.entry(&mut response.response_parameters, name, |from| from),
        ["responseTemplates", media_type] => {
            patch.entry(&mut response.response_templates, media_type, |text| text)
        }
        _ => Err(patch.bad_path(
            "/responseParameters/<parameter>, /responseTemplates/<content_type>, /selectionPattern",
        )),
    }
}

/// Removes an answer from an integration.
pub(crate) struct DeleteIntegrationResponse;

impl Operation for DeleteIntegrationResponse {
    type Service = ApiGateway;
    type Input = ResponseInput;
    type Output = Nothing;
    type Error = GatewayError;

    const NAME: &'static str = "DeleteIntegrationResponse";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &ResponseInput) -> Permissions {
        permission(DELETE, asked.scope, &path(&input.place, &input.status_code))
    }

    async fn run(cx: Cx<ApiGateway>, input: ResponseInput) -> Result<Nothing, GatewayError> {
        let status = &input.status_code;
        change_method(&cx, &input.place, |method| {
            let responses = &mut integration_of(method)?.integration_responses;
            responses.remove(status).ok_or(GatewayError::NoSuchResponse)?;
            Ok(Nothing {})
        })
        .await
    }
}
