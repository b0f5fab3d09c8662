//! `PutMethodResponse`, `GetMethodResponse`, `UpdateMethodResponse`, `DeleteMethodResponse` (API Gateway API reference).

use std::collections::BTreeMap;

use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::Deserialize;

use super::methods::{MethodInput, change_method, check_models, read_method};
use super::{DELETE, GET, Nothing, PATCH, PUT, permission};
use crate::method::MethodResponse;
use crate::patch::{self, Patch};
use crate::{ApiGateway, GatewayError};

/// A method's answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResponseInput {
    #[serde(flatten)]
    place: MethodInput,
    status_code: String,
}

fn path(place: &MethodInput, status: &str) -> String {
    format!("{}/responses/{status}", place.path())
}

/// Declares an answer of a method.
pub(crate) struct PutMethodResponse;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PutInput {
    #[serde(flatten)]
    place: MethodInput,
    status_code: String,
    #[serde(default)]
    response_parameters: BTreeMap<String, bool>,
    #[serde(default)]
    response_models: BTreeMap<String, String>,
}

impl Operation for PutMethodResponse {
    type Service = ApiGateway;
    type Input = PutInput;
    type Output = MethodResponse;
    type Error = GatewayError;

    const NAME: &'static str = "PutMethodResponse";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &PutInput) -> Permissions {
        permission(PUT, asked.scope, &path(&input.place, &input.status_code))
    }

    async fn run(cx: Cx<ApiGateway>, input: PutInput) -> Result<MethodResponse, GatewayError> {
        check_models(&input.response_models)?;
        check_parameters(&input.response_parameters)?;
        let made = &MethodResponse {
            status_code: input.status_code,
            response_parameters: input.response_parameters,
            response_models: input.response_models,
        };
        change_method(&cx, &input.place, |method| {
            if method.method_responses.contains_key(&made.status_code) {
                return Err(GatewayError::Conflict("Response already exists for this resource".into()));
            }
            method.method_responses.insert(made.status_code.clone(), made.clone());
            Ok(made.clone())
        })
        .await
    }
}

fn check_parameters(parameters: &BTreeMap<String, bool>) -> Result<(), GatewayError> {
    match parameters.keys().find(|name| !name.starts_with("method.response.header.")) {
        None => Ok(()),
        Some(name) => Err(GatewayError::invalid(format!(
            "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: {name}]"
        ))),
    }
}

/// Shows an answer of a method.
pub(crate) struct GetMethodResponse;

impl Operation for GetMethodResponse {
    type Service = ApiGateway;
    type Input = ResponseInput;
    type Output = MethodResponse;
    type Error = GatewayError;

    const NAME: &'static str = "GetMethodResponse";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &ResponseInput) -> Permissions {
        permission(GET, asked.scope, &path(&input.place, &input.status_code))
    }

    async fn run(cx: Cx<ApiGateway>, input: ResponseInput) -> Result<MethodResponse, GatewayError> {
        let mut method = read_method(&cx, input.place).await?;
        method.method_responses.remove(&input.status_code).ok_or(GatewayError::NoSuchResponse)
    }
}

/// Changes an answer of a method.
pub(crate) struct UpdateMethodResponse;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdateInput {
    #[serde(flatten)]
    place: MethodInput,
    status_code: String,
    #[serde(default)]
    patch_operations: Vec<Patch>,
}

impl Operation for UpdateMethodResponse {
    type Service = ApiGateway;
    type Input = UpdateInput;
    type Output = MethodResponse;
    type Error = GatewayError;

    const NAME: &'static str = "UpdateMethodResponse";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &UpdateInput) -> Permissions {
        permission(PATCH, asked.scope, &path(&input.place, &input.status_code))
    }

    async fn run(cx: Cx<ApiGateway>, input: UpdateInput) -> Result<MethodResponse, GatewayError> {
        patch::bounded(&input.patch_operations)?;
        let input = &input;
        change_method(&cx, &input.place, |method| {
            let response =
                method.method_responses.get_mut(&input.status_code).ok_or(GatewayError::NoSuchResponse)?;
            input.patch_operations.iter().try_for_each(|patch| apply(response, patch))?;
            check_models(&response.response_models)?;
            check_parameters(&response.response_parameters)?;
            Ok(response.clone())
        })
        .await
    }
}

fn apply(response: &mut MethodResponse, patch: &Patch) -> Result<(), GatewayError> {
    let parts = patch.parts();
    match parts.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["responseParameters", name] => patch.entry(&mut response.response_parameters, name, |v| v == "true"),
        ["responseModels", media_type] => {
            patch.entry(&mut response.response_models, media_type, |model| model)
        }
        _ => Err(patch.bad_path("/responseModels/<content_type>, /responseParameters/<parameter>")),
    }
}

/// Removes an answer from a method.
pub(crate) struct DeleteMethodResponse;

impl Operation for DeleteMethodResponse {
    type Service = ApiGateway;
    type Input = ResponseInput;
    type Output = Nothing;
    type Error = GatewayError;

    const NAME: &'static str = "DeleteMethodResponse";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &ResponseInput) -> Permissions {
        permission(DELETE, asked.scope, &path(&input.place, &input.status_code))
    }

    async fn run(cx: Cx<ApiGateway>, input: ResponseInput) -> Result<Nothing, GatewayError> {
        let status = &input.status_code;
        change_method(&cx, &input.place, |method| {
            method.method_responses.remove(status).ok_or(GatewayError::NoSuchResponse)?;
            Ok(Nothing {})
        })
        .await
    }
}
