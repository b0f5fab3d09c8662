//! `CreateRestApi`, `GetRestApi`, `GetRestApis`, `UpdateRestApi`, `DeleteRestApi` (API Gateway API reference).

use std::collections::BTreeMap;

use homeport_core::{LOWER_ALPHANUMERIC, draw};
use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use homeport_store::Collection;
use serde::Deserialize;

use super::{DELETE, GET, Nothing, PATCH, POST, Page, page, permission};
use crate::limits::{MAX_APIS, MAX_TAGS};
use crate::patch::{self, Patch};
use crate::records::{
    APIS, AUTHORIZERS, Api, DEPLOYMENTS, EndpointConfiguration, Home, RESOURCES, Resource, STAGES, all, api,
    of_scope,
};
use crate::{ApiGateway, GatewayError, resource_policy};

/// Makes an API with its resource `/`.
pub(crate) struct CreateRestApi;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateInput {
    name: String,
    description: Option<String>,
    version: Option<String>,
    #[serde(default)]
    binary_media_types: Vec<String>,
    minimum_compression_size: Option<i64>,
    api_key_source: Option<String>,
    endpoint_configuration: Option<EndpointConfiguration>,
    policy: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    disable_execute_api_endpoint: bool,
    clone_from: Option<String>,
}

impl CreateInput {
    fn check(&self) -> Result<(), GatewayError> {
        if self.name.is_empty() {
            return Err(GatewayError::invalid("Name cannot be empty"));
        }
        if self.clone_from.is_some() {
            return Err(GatewayError::invalid("Cloning an API is not supported"));
        }
        if self.minimum_compression_size.is_some() {
            return Err(GatewayError::invalid("Compression is not supported"));
        }
        if self.tags.len() > MAX_TAGS {
            return Err(GatewayError::invalid("Too many tags"));
        }
        Ok(())
    }
}

impl Operation for CreateRestApi {
    type Service = ApiGateway;
    type Input = CreateInput;
    type Output = Api;
    type Error = GatewayError;

    const NAME: &'static str = "CreateRestApi";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, ApiGateway>, _: &CreateInput) -> Permissions {
        permission(POST, asked.scope, "/restapis")
    }

    async fn run(cx: Cx<ApiGateway>, input: CreateInput) -> Result<Api, GatewayError> {
        input.check()?;
        let id = draw(&**cx.randomness(), LOWER_ALPHANUMERIC, 10);
        let home = Home::new(cx.scope(), &id);
        let policy = input.policy.map(|text| resource_policy::checked(&text, &home)).transpose()?;
        let endpoint = input.endpoint_configuration.unwrap_or_default();
        let types = if endpoint.types.is_empty() { vec!["EDGE".to_owned()] } else { endpoint.types };
        let api = Api {
            id,
            name: input.name,
            description: input.description,
            version: input.version,
            created_date: cx.now().seconds(),
            api_key_source: input.api_key_source.unwrap_or_else(|| "HEADER".to_owned()),
            endpoint_configuration: EndpointConfiguration { types, ..endpoint },
            policy,
            tags: input.tags,
            binary_media_types: input.binary_media_types,
            disable_execute_api_endpoint: input.disable_execute_api_endpoint,
            root_resource_id: draw(&**cx.randomness(), LOWER_ALPHANUMERIC, 10),
            home,
        };
        let root = Resource {
            home: api.home.clone(),
            id: api.root_resource_id.clone(),
            parent_id: None,
            path_part: None,
            path: "/".to_owned(),
            methods: BTreeMap::new(),
        };
        let (api_ref, root) = (&api, &root);
        cx.write(|tx| async move {
            let home = &api_ref.home;
            let known = APIS.page(&tx, of_scope(home.account, &home.region), None, MAX_APIS).await?;
            if known.records.len() >= MAX_APIS {
                return Err(GatewayError::LimitExceeded(
                    "Maximum number of APIs for this account has been reached",
                ));
            }
            APIS.put(&tx, api_ref).await?;
            RESOURCES.put(&tx, root).await?;
            homeport_service::bump_authorization(&tx)?;
            Ok(())
        })
        .await?;
        Ok(api)
    }
}

/// An API's id.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiInput {
    rest_api_id: String,
}

fn path(id: &str) -> String {
    format!("/restapis/{id}")
}

/// Shows an API.
pub(crate) struct GetRestApi;

impl Operation for GetRestApi {
    type Service = ApiGateway;
    type Input = ApiInput;
    type Output = Api;
    type Error = GatewayError;

    const NAME: &'static str = "GetRestApi";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &ApiInput) -> Permissions {
        permission(GET, asked.scope, &path(&input.rest_api_id))
    }

    async fn run(cx: Cx<ApiGateway>, input: ApiInput) -> Result<Api, GatewayError> {
        let home = &Home::new(cx.scope(), &input.rest_api_id);
        cx.read(|tx| async move { api(&tx, home).await }).await
    }
}

/// Lists APIs.
pub(crate) struct GetRestApis;

#[derive(Deserialize)]
pub(crate) struct ListInput {
    limit: Option<i64>,
    position: Option<String>,
}

impl Operation for GetRestApis {
    type Service = ApiGateway;
    type Input = ListInput;
    type Output = Page<Api>;
    type Error = GatewayError;

    const NAME: &'static str = "GetRestApis";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, ApiGateway>, _: &ListInput) -> Permissions {
        permission(GET, asked.scope, "/restapis")
    }

    async fn run(cx: Cx<ApiGateway>, input: ListInput) -> Result<Page<Api>, GatewayError> {
        let within = &of_scope(cx.account(), &cx.scope().region);
        let known = cx.read(|tx| async move { APIS.page(&tx, within, None, MAX_APIS).await }).await?;
        page(known.records, |api| &api.id, input.position.as_deref(), input.limit)
    }
}

/// Changes an API's own settings.
pub(crate) struct UpdateRestApi;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdateInput {
    rest_api_id: String,
    #[serde(default)]
    patch_operations: Vec<Patch>,
}

impl Operation for UpdateRestApi {
    type Service = ApiGateway;
    type Input = UpdateInput;
    type Output = Api;
    type Error = GatewayError;

    const NAME: &'static str = "UpdateRestApi";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &UpdateInput) -> Permissions {
        permission(PATCH, asked.scope, &path(&input.rest_api_id))
    }

    async fn run(cx: Cx<ApiGateway>, input: UpdateInput) -> Result<Api, GatewayError> {
        patch::bounded(&input.patch_operations)?;
        let home = &Home::new(cx.scope(), &input.rest_api_id);
        let patches = &input.patch_operations;
        cx.write(|tx| async move {
            let mut api = api(&tx, home).await?;
            patches.iter().try_for_each(|patch| apply(&mut api, patch))?;
            APIS.put(&tx, &api).await?;
            homeport_service::bump_authorization(&tx)?;
            Ok(api)
        })
        .await
    }
}

const PATCHABLE: &str = "/apiKeySource, /binaryMediaTypes, /description, /disableExecuteApiEndpoint, \
                         /endpointConfiguration/types, /name, /policy, /version";

fn apply(api: &mut Api, patch: &Patch) -> Result<(), GatewayError> {
    let parts = patch.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["name"] => api.name = patch.required()?,
        ["description"] => api.description = patch.text()?,
        ["version"] => api.version = patch.text()?,
        ["policy"] => {
            let text = patch.text()?.filter(|text| !text.is_empty());
            api.policy = text.map(|text| resource_policy::checked(&text, &api.home)).transpose()?;
        }
        ["apiKeySource"] => match patch.required()?.as_str() {
            source @ ("HEADER" | "AUTHORIZER") => api.api_key_source = source.to_owned(),
            _ => return Err(patch.bad_value()),
        },
        ["disableExecuteApiEndpoint"] => api.disable_execute_api_endpoint = patch.boolean()?,
        ["binaryMediaTypes", media_type] => patch.item(&mut api.binary_media_types, Some(media_type))?,
        ["binaryMediaTypes"] => patch.item(&mut api.binary_media_types, None)?,
        ["endpointConfiguration", "types", _] => match patch.required()?.as_str() {
            kind @ ("EDGE" | "REGIONAL" | "PRIVATE") => {
                api.endpoint_configuration.types = vec![kind.to_owned()]
            }
            _ => return Err(patch.bad_value()),
        },
        _ => return Err(patch.bad_path(PATCHABLE)),
    }
    Ok(())
}

/// Deletes an API with all its parts.
pub(crate) struct DeleteRestApi;

impl Operation for DeleteRestApi {
    type Service = ApiGateway;
    type Input = ApiInput;
    type Output = Nothing;
    type Error = GatewayError;

    const NAME: &'static str = "DeleteRestApi";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &ApiInput) -> Permissions {
        permission(DELETE, asked.scope, &path(&input.rest_api_id))
    }

    async fn run(cx: Cx<ApiGateway>, input: ApiInput) -> Result<Nothing, GatewayError> {
        let home = &Home::new(cx.scope(), &input.rest_api_id);
        cx.write(|tx| async move {
            api(&tx, home).await?;
            delete_all(&tx, &STAGES, home).await?;
            delete_all(&tx, &DEPLOYMENTS, home).await?;
            delete_all(&tx, &AUTHORIZERS, home).await?;
            delete_all(&tx, &RESOURCES, home).await?;
            APIS.delete(&tx, home.key()).await?;
            homeport_service::bump_authorization(&tx)?;
            Ok(Nothing {})
        })
        .await
    }
}

/// The parts of an API are few enough ([`crate::limits`]) to go in one transaction.
async fn delete_all<R: homeport_store::Record>(
    tx: &homeport_store::Tx,
    collection: &Collection<R>,
    home: &Home,
) -> Result<(), GatewayError> {
    for record in all(tx, collection, home).await? {
        collection.delete(tx, record.key()).await?;
    }
    Ok(())
}
