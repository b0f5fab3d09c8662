//! `PutIntegration`, `GetIntegration`, `UpdateIntegration`, `DeleteIntegration` (API Gateway API reference).

use std::collections::BTreeMap;

use homeport_service::{Asked, Cx, Effect, Operation, Permission, Permissions};
use serde::Deserialize;

use super::methods::{MethodInput, change_method, read_method};
use super::{DELETE, GET, Nothing, PATCH, PUT, arn};
use crate::limits::INTEGRATION_TIMEOUT_MS;
use crate::method::{Integration, IntegrationType};
use crate::patch::{self, Patch};
use crate::{ApiGateway, GatewayError, integration};

fn path(place: &MethodInput) -> String {
    format!("{}/integration", place.path())
}

/// An integration acts as API Gateway itself; a role of its own is handed over by these, and refused.
fn with_roles<'r>(permission: Permission, roles: impl Iterator<Item = &'r str>) -> Permissions {
    let passed = roles.map(|role| Permission::pass_role(role, "apigateway.amazonaws.com"));
    Permissions::All([permission].into_iter().chain(passed).collect())
}

fn no_roles() -> GatewayError {
    GatewayError::invalid("Integrations with credentials of their own are not supported")
}

/// Says what answers a method.
pub(crate) struct PutIntegration;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PutInput {
    #[serde(flatten)]
    place: MethodInput,
    #[serde(rename = "type")]
    kind: String,
    integration_http_method: Option<String>,
    uri: Option<String>,
    connection_type: Option<String>,
    credentials: Option<String>,
    #[serde(default)]
    request_parameters: BTreeMap<String, String>,
    #[serde(default)]
    request_templates: BTreeMap<String, String>,
    passthrough_behavior: Option<String>,
    content_handling: Option<String>,
    timeout_in_millis: Option<i64>,
    cache_namespace: Option<String>,
    #[serde(default)]
    cache_key_parameters: Vec<String>,
    tls_config: Option<serde_json::Value>,
}

fn kind(name: &str) -> Result<IntegrationType, GatewayError> {
    match name {
        "MOCK" => Ok(IntegrationType::Mock),
        "AWS_PROXY" => Ok(IntegrationType::AwsProxy),
        "HTTP_PROXY" => Ok(IntegrationType::HttpProxy),
        other => Err(GatewayError::invalid(format!(
            "Integrations of type {other} are not supported; MOCK, AWS_PROXY and HTTP_PROXY are"
        ))),
    }
}

impl PutInput {
    fn integration(self) -> Result<Integration, GatewayError> {
        if self.credentials.is_some() {
            return Err(no_roles());
        }
        if self.content_handling.is_some() || self.tls_config.is_some() {
            return Err(GatewayError::invalid("contentHandling and tlsConfig are not supported"));
        }
        let kind = kind(&self.kind)?;
        if kind != IntegrationType::Mock && self.integration_http_method.is_none() {
            return Err(GatewayError::invalid("Enumeration value for HttpMethod must be non-empty"));
        }
        let made = Integration {
            kind,
            http_method: self.integration_http_method,
            uri: self.uri,
            connection_type: self.connection_type,
            request_parameters: self.request_parameters,
            request_templates: self.request_templates,
            passthrough_behavior: self.passthrough_behavior.unwrap_or_else(|| "WHEN_NO_MATCH".to_owned()),
            timeout_in_millis: self.timeout_in_millis.unwrap_or(INTEGRATION_TIMEOUT_MS),
            cache_namespace: Some(self.cache_namespace.unwrap_or(self.place.resource_id)),
            cache_key_parameters: self.cache_key_parameters,
            integration_responses: BTreeMap::new(),
        };
        integration::check(&made)?;
        Ok(made)
    }
}

impl Operation for PutIntegration {
    type Service = ApiGateway;
    type Input = PutInput;
    type Output = Integration;
    type Error = GatewayError;

    const NAME: &'static str = "PutIntegration";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &PutInput) -> Permissions {
        let permission = Permission::new(PUT, arn(asked.scope, &path(&input.place)));
        with_roles(permission, input.credentials.as_deref().into_iter())
    }

    async fn run(cx: Cx<ApiGateway>, input: PutInput) -> Result<Integration, GatewayError> {
        let place = &input.place.clone();
        let made = &input.integration()?;
        change_method(&cx, place, |method| {
            method.method_integration = Some(made.clone());
            Ok(made.clone())
        })
        .await
    }
}

/// Shows what answers a method.
pub(crate) struct GetIntegration;

impl Operation for GetIntegration {
    type Service = ApiGateway;
    type Input = MethodInput;
    type Output = Integration;
    type Error = GatewayError;

    const NAME: &'static str = "GetIntegration";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &MethodInput) -> Permissions {
        Permissions::one(GET, arn(asked.scope, &path(input)))
    }

    async fn run(cx: Cx<ApiGateway>, input: MethodInput) -> Result<Integration, GatewayError> {
        read_method(&cx, input).await?.method_integration.ok_or(GatewayError::NoSuch("Integration"))
    }
}

/// Changes what answers a method.
pub(crate) struct UpdateIntegration;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdateInput {
    #[serde(flatten)]
    place: MethodInput,
    #[serde(default)]
    patch_operations: Vec<Patch>,
}

impl Operation for UpdateIntegration {
    type Service = ApiGateway;
    type Input = UpdateInput;
    type Output = Integration;
    type Error = GatewayError;

    const NAME: &'static str = "UpdateIntegration";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &UpdateInput) -> Permissions {
        let permission = Permission::new(PATCH, arn(asked.scope, &path(&input.place)));
        let handed = input.patch_operations.iter().filter(|patch| patch.raw_parts() == ["credentials"]);
        let roles: Vec<String> = handed.filter_map(|patch| patch.text().ok().flatten()).collect();
        with_roles(permission, roles.iter().map(String::as_str))
    }

    async fn run(cx: Cx<ApiGateway>, input: UpdateInput) -> Result<Integration, GatewayError> {
        patch::bounded(&input.patch_operations)?;
        let patches = &input.patch_operations;
        change_method(&cx, &input.place, |method| {
            let changed = method.method_integration.as_mut().ok_or(GatewayError::NoSuch("Integration"))?;
            patches.iter().try_for_each(|patch| apply(changed, patch))?;
            integration::check(changed)?;
            Ok(changed.clone())
        })
        .await
    }
}

const PATCHABLE: &str = "/cacheKeyParameters, /cacheNamespace, /connectionType, /httpMethod, /passthroughBehavior, \
                         /requestParameters/<parameter>, /requestTemplates/<content_type>, /timeoutInMillis, /type, /uri";

fn apply(changed: &mut Integration, patch: &Patch) -> Result<(), GatewayError> {
    let parts = patch.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["type"] => changed.kind = kind(&patch.required()?)?,
        ["uri"] => changed.uri = patch.text()?,
        ["httpMethod"] => changed.http_method = patch.text()?,
        ["connectionType"] => changed.connection_type = patch.text()?,
        ["credentials"] if patch.text()?.is_none() => {}
        ["credentials"] => return Err(no_roles()),
        ["passthroughBehavior"] => changed.passthrough_behavior = patch.required()?,
        ["timeoutInMillis"] => changed.timeout_in_millis = patch.number()?,
        ["cacheNamespace"] => changed.cache_namespace = patch.text()?,
        ["cacheKeyParameters"] => patch.item(&mut changed.cache_key_parameters, None)?,
        ["cacheKeyParameters", name] => patch.item(&mut changed.cache_key_parameters, Some(name))?,
        ["requestParameters", name] => patch.entry(&mut changed.request_parameters, name, |from| from)?,
        ["requestTemplates", media_type] => {
            patch.entry(&mut changed.request_templates, media_type, |text| text)?
        }
        _ => return Err(patch.bad_path(PATCHABLE)),
    }
    Ok(())
}

/// Removes what answers a method.
pub(crate) struct DeleteIntegration;

impl Operation for DeleteIntegration {
    type Service = ApiGateway;
    type Input = MethodInput;
    type Output = Nothing;
    type Error = GatewayError;

    const NAME: &'static str = "DeleteIntegration";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &MethodInput) -> Permissions {
        Permissions::one(DELETE, arn(asked.scope, &path(input)))
    }

    async fn run(cx: Cx<ApiGateway>, input: MethodInput) -> Result<Nothing, GatewayError> {
        change_method(&cx, &input, |method| {
            method.method_integration.take().ok_or(GatewayError::NoSuch("Integration"))?;
            Ok(Nothing {})
        })
        .await
    }
}
