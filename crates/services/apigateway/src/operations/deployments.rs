//! `CreateDeployment`, `GetDeployment`, `GetDeployments`, `UpdateDeployment`, `DeleteDeployment`
//! (API Gateway API reference).

use std::collections::BTreeMap;

use homeport_core::{LOWER_ALPHANUMERIC, draw};
use homeport_service::{Asked, Cx, Effect, Operation, Permission, Permissions};
use homeport_store::Tx;
use serde::{Deserialize, Serialize};

use super::{DELETE, GET, Nothing, PATCH, POST, Page, arn, page, permission, stages};
use crate::limits::MAX_DEPLOYMENTS;
use crate::patch::{self, Patch};
use crate::records::{
    AUTHORIZERS, Api, DEPLOYMENTS, Deployment, Home, RESOURCES, STAGES, Snapshot, SnapshotResource, Stage,
    all, api,
};
use crate::{ApiGateway, GatewayError};

/// A deployment as clients see it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeploymentView {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    created_date: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_summary: Option<BTreeMap<String, BTreeMap<String, MethodSnapshot>>>,
}

/// A method of a deployment, in short.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MethodSnapshot {
    authorization_type: String,
    api_key_required: bool,
}

fn view(deployment: Deployment, with_summary: bool) -> DeploymentView {
    let method = |(name, method): (String, crate::method::Method)| {
        let short = MethodSnapshot {
            authorization_type: method.authorization_type,
            api_key_required: method.api_key_required,
        };
        (name, short)
    };
    let resources = deployment.snapshot.resources.into_iter();
    let summary =
        resources.map(|resource| (resource.path, resource.methods.into_iter().map(method).collect()));
    DeploymentView {
        id: deployment.id,
        description: deployment.description,
        created_date: deployment.created_date,
        api_summary: with_summary.then(|| summary.collect()),
    }
}

/// Takes a picture of an API, and serves it by a stage if one is named.
pub(crate) struct CreateDeployment;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateInput {
    rest_api_id: String,
    description: Option<String>,
    stage_name: Option<String>,
    stage_description: Option<String>,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    #[serde(default)]
    cache_cluster_enabled: bool,
    #[serde(default)]
    tracing_enabled: bool,
    canary_settings: Option<serde_json::Value>,
}

impl Operation for CreateDeployment {
    type Service = ApiGateway;
    type Input = CreateInput;
    type Output = DeploymentView;
    type Error = GatewayError;

    const NAME: &'static str = "CreateDeployment";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &CreateInput) -> Permissions {
        let at = |path: &str| arn(asked.scope, &format!("/restapis/{}/{path}", input.rest_api_id));
        let stage = input.stage_name.as_ref();
        let stage = stage.map(|stage| Permission::new(PATCH, at(&format!("stages/{stage}"))));
        Permissions::All([Permission::new(POST, at("deployments"))].into_iter().chain(stage).collect())
    }

    async fn run(cx: Cx<ApiGateway>, input: CreateInput) -> Result<DeploymentView, GatewayError> {
        stages::refuse_unsupported(input.cache_cluster_enabled, input.canary_settings.is_some())?;
        stages::check_variables(&input.variables)?;
        if let Some(name) = &input.stage_name {
            stages::check_name(name)?;
        }
        let home = &Home::new(cx.scope(), &input.rest_api_id);
        let id = &draw(&**cx.randomness(), LOWER_ALPHANUMERIC, 6);
        let (input, now) = (&input, cx.now().seconds());
        let made = cx
            .write(|tx| async move {
                let api = api(&tx, home).await?;
                let known = DEPLOYMENTS.page(&tx, home.key(), None, MAX_DEPLOYMENTS).await?;
                if known.records.len() >= MAX_DEPLOYMENTS {
                    return Err(GatewayError::LimitExceeded(
                        "Maximum number of deployments for this API has been reached",
                    ));
                }
                let made = Deployment {
                    home: home.clone(),
                    id: id.clone(),
                    description: input.description.clone(),
                    created_date: now,
                    snapshot: snapshot(&tx, &api).await?,
                };
                DEPLOYMENTS.put(&tx, &made).await?;
                if let Some(name) = &input.stage_name {
                    serve(&tx, home, name, id, input, now).await?;
                }
                Ok(made)
            })
            .await?;
        Ok(view(made, false))
    }
}

async fn snapshot(tx: &Tx, api: &Api) -> Result<Snapshot, GatewayError> {
    let resources = all(tx, &RESOURCES, &api.home).await?;
    let with_methods = resources.into_iter().filter(|resource| !resource.methods.is_empty());
    let resources: Vec<SnapshotResource> = with_methods
        .map(|resource| SnapshotResource { id: resource.id, path: resource.path, methods: resource.methods })
        .collect();
    if resources.is_empty() {
        return Err(GatewayError::invalid("The REST API doesn't contain any methods"));
    }
    if resources.iter().flat_map(|r| r.methods.values()).any(|method| method.method_integration.is_none()) {
        return Err(GatewayError::invalid("No integration defined for method"));
    }
    Ok(Snapshot {
        policy: api.policy.clone(),
        binary_media_types: api.binary_media_types.clone(),
        disable_execute_api_endpoint: api.disable_execute_api_endpoint,
        resources,
        authorizers: all(tx, &AUTHORIZERS, &api.home).await?,
    })
}

async fn serve(
    tx: &Tx,
    home: &Home,
    name: &str,
    deployment: &str,
    input: &CreateInput,
    now: i64,
) -> Result<(), GatewayError> {
    let stage = match STAGES.get(tx, home.key().str(name)).await? {
        Some(stage) => Stage {
            deployment_id: deployment.to_owned(),
            description: input.stage_description.clone().or(stage.description),
            variables: if input.variables.is_empty() { stage.variables } else { input.variables.clone() },
            last_updated_date: now,
            ..stage
        },
        None => {
            stages::check_room(tx, home).await?;
            Stage {
                description: input.stage_description.clone(),
                variables: input.variables.clone(),
                tracing_enabled: input.tracing_enabled,
                ..stages::new(home, name, deployment, now)
            }
        }
    };
    STAGES.put(tx, &stage).await?;
    Ok(())
}

/// A deployment's id.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeploymentInput {
    rest_api_id: String,
    deployment_id: String,
    #[serde(default)]
    embed: Vec<String>,
}

fn path(api: &str, id: &str) -> String {
    format!("/restapis/{api}/deployments/{id}")
}

async fn deployment(tx: &Tx, home: &Home, id: &str) -> Result<Deployment, GatewayError> {
    api(tx, home).await?;
    DEPLOYMENTS.get(tx, home.key().str(id)).await?.ok_or(GatewayError::NoSuch("Deployment"))
}

/// Shows a deployment.
pub(crate) struct GetDeployment;

impl Operation for GetDeployment {
    type Service = ApiGateway;
    type Input = DeploymentInput;
    type Output = DeploymentView;
    type Error = GatewayError;

    const NAME: &'static str = "GetDeployment";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &DeploymentInput) -> Permissions {
        permission(GET, asked.scope, &path(&input.rest_api_id, &input.deployment_id))
    }

    async fn run(cx: Cx<ApiGateway>, input: DeploymentInput) -> Result<DeploymentView, GatewayError> {
        let (home, id) = (&Home::new(cx.scope(), &input.rest_api_id), &input.deployment_id);
        let with_summary = input.embed.iter().any(|what| what.eq_ignore_ascii_case("apisummary"));
        let found = cx.read(|tx| async move { deployment(&tx, home, id).await }).await?;
        Ok(view(found, with_summary))
    }
}

/// Lists an API's deployments.
pub(crate) struct GetDeployments;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListInput {
    rest_api_id: String,
    limit: Option<i64>,
    position: Option<String>,
}

impl Operation for GetDeployments {
    type Service = ApiGateway;
    type Input = ListInput;
    type Output = Page<DeploymentView>;
    type Error = GatewayError;

    const NAME: &'static str = "GetDeployments";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &ListInput) -> Permissions {
        permission(GET, asked.scope, &format!("/restapis/{}/deployments", input.rest_api_id))
    }

    async fn run(cx: Cx<ApiGateway>, input: ListInput) -> Result<Page<DeploymentView>, GatewayError> {
        let home = &Home::new(cx.scope(), &input.rest_api_id);
        let found = cx
            .read(|tx| async move {
                api(&tx, home).await?;
                Ok::<_, GatewayError>(all(&tx, &DEPLOYMENTS, home).await?)
            })
            .await?;
        let views = found.into_iter().map(|deployment| view(deployment, false)).collect();
        page(views, |view: &DeploymentView| &view.id, input.position.as_deref(), input.limit)
    }
}

/// Changes a deployment's description; what it holds never changes.
pub(crate) struct UpdateDeployment;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdateInput {
    rest_api_id: String,
    deployment_id: String,
    #[serde(default)]
    patch_operations: Vec<Patch>,
}

impl Operation for UpdateDeployment {
    type Service = ApiGateway;
    type Input = UpdateInput;
    type Output = DeploymentView;
    type Error = GatewayError;

    const NAME: &'static str = "UpdateDeployment";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &UpdateInput) -> Permissions {
        permission(PATCH, asked.scope, &path(&input.rest_api_id, &input.deployment_id))
    }

    async fn run(cx: Cx<ApiGateway>, input: UpdateInput) -> Result<DeploymentView, GatewayError> {
        patch::bounded(&input.patch_operations)?;
        let home = &Home::new(cx.scope(), &input.rest_api_id);
        let input = &input;
        let changed = cx
            .write(|tx| async move {
                let mut changed = deployment(&tx, home, &input.deployment_id).await?;
                for patch in &input.patch_operations {
                    match patch.raw_parts().as_slice() {
                        ["description"] => changed.description = patch.text()?,
                        _ => return Err(patch.bad_path("/description")),
                    }
                }
                DEPLOYMENTS.put(&tx, &changed).await?;
                Ok(changed)
            })
            .await?;
        Ok(view(changed, false))
    }
}

/// Deletes a deployment that no stage serves.
pub(crate) struct DeleteDeployment;

impl Operation for DeleteDeployment {
    type Service = ApiGateway;
    type Input = DeploymentInput;
    type Output = Nothing;
    type Error = GatewayError;

    const NAME: &'static str = "DeleteDeployment";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &DeploymentInput) -> Permissions {
        permission(DELETE, asked.scope, &path(&input.rest_api_id, &input.deployment_id))
    }

    async fn run(cx: Cx<ApiGateway>, input: DeploymentInput) -> Result<Nothing, GatewayError> {
        let home = &Home::new(cx.scope(), &input.rest_api_id);
        let id = &input.deployment_id;
        cx.write(|tx| async move {
            deployment(&tx, home, id).await?;
            if all(&tx, &STAGES, home).await?.iter().any(|stage| stage.deployment_id == *id) {
                return Err(GatewayError::invalid(
                    "Active stages pointing to this deployment must be moved or deleted",
                ));
            }
            DEPLOYMENTS.delete(&tx, home.key().str(id)).await?;
            Ok(Nothing {})
        })
        .await
    }
}
