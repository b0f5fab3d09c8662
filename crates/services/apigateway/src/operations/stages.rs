//! `CreateStage`, `GetStage`, `GetStages`, `UpdateStage`, `DeleteStage`, `FlushStageAuthorizersCache`
//! (API Gateway API reference).

use std::collections::BTreeMap;

use homeport_core::Arn;
use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use homeport_store::Tx;
use serde::{Deserialize, Serialize};

use super::{DELETE, GET, Nothing, PATCH, POST, permission};
use crate::limits::{
    MAX_LOG_FORMAT, MAX_METHOD_SETTINGS, MAX_STAGE_VARIABLE, MAX_STAGE_VARIABLES, MAX_STAGES, MAX_TAGS,
};
use crate::patch::{self, Op, Patch};
use crate::records::{AccessLogSettings, DEPLOYMENTS, Home, MethodSetting, STAGES, Stage, all, api};
use crate::{ApiGateway, GatewayError};

/// A stage with nothing but its name and deployment.
pub(super) fn new(home: &Home, name: &str, deployment: &str, now: i64) -> Stage {
    Stage {
        home: home.clone(),
        stage_name: name.to_owned(),
        deployment_id: deployment.to_owned(),
        description: None,
        created_date: now,
        last_updated_date: now,
        variables: BTreeMap::new(),
        method_settings: BTreeMap::new(),
        access_log_settings: None,
        tracing_enabled: false,
        cache_cluster_enabled: false,
        cache_cluster_status: "NOT_AVAILABLE".to_owned(),
        documentation_version: None,
        tags: BTreeMap::new(),
        authorizer_flushes: 0,
    }
}

/// Answers are not cached and canaries not released: asking for them is an error, not a promise.
pub(super) fn refuse_unsupported(cache: bool, canary: bool) -> Result<(), GatewayError> {
    if cache {
        return Err(GatewayError::invalid("Cache clusters are not supported"));
    }
    if canary {
        return Err(GatewayError::invalid("Canary releases are not supported"));
    }
    Ok(())
}

pub(super) fn check_name(name: &str) -> Result<(), GatewayError> {
    let formed = !name.is_empty()
        && name.len() <= 128
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if formed { Ok(()) } else { Err(GatewayError::invalid("Stage name only allows a-zA-Z0-9_-")) }
}

pub(super) fn check_variables(variables: &BTreeMap<String, String>) -> Result<(), GatewayError> {
    if variables.len() > MAX_STAGE_VARIABLES {
        return Err(GatewayError::invalid("Stage has too many variables"));
    }
    for (name, value) in variables {
        let named = !name.is_empty()
            && name.len() <= 64
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let valued = value.len() <= MAX_STAGE_VARIABLE
            && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:/?#&=,".contains(&b));
        if !named || !valued {
            return Err(GatewayError::invalid(
                "Invalid stage variable. Please use values with only alphanumeric characters and -._~:/?#&=,",
            ));
        }
    }
    Ok(())
}

/// Refuses a further stage when there are as many as there may be.
pub(super) async fn check_room(tx: &Tx, home: &Home) -> Result<(), GatewayError> {
    if all(tx, &STAGES, home).await?.len() >= MAX_STAGES {
        return Err(GatewayError::LimitExceeded("Maximum number of stages for this API has been reached"));
    }
    Ok(())
}

async fn check_deployment(tx: &Tx, home: &Home, id: &str) -> Result<(), GatewayError> {
    match DEPLOYMENTS.get(tx, home.key().str(id)).await? {
        Some(_) => Ok(()),
        None => Err(GatewayError::invalid("Deployment id does not exist")),
    }
}

/// Serves a deployment under a name.
pub(crate) struct CreateStage;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateInput {
    rest_api_id: String,
    stage_name: String,
    deployment_id: String,
    description: Option<String>,
    documentation_version: Option<String>,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    #[serde(default)]
    tracing_enabled: bool,
    #[serde(default)]
    cache_cluster_enabled: bool,
    canary_settings: Option<serde_json::Value>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

impl Operation for CreateStage {
    type Service = ApiGateway;
    type Input = CreateInput;
    type Output = Stage;
    type Error = GatewayError;

    const NAME: &'static str = "CreateStage";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &CreateInput) -> Permissions {
        permission(POST, asked.scope, &format!("/restapis/{}/stages", input.rest_api_id))
    }

    async fn run(cx: Cx<ApiGateway>, input: CreateInput) -> Result<Stage, GatewayError> {
        check_name(&input.stage_name)?;
        check_variables(&input.variables)?;
        refuse_unsupported(input.cache_cluster_enabled, input.canary_settings.is_some())?;
        if input.tags.len() > MAX_TAGS {
            return Err(GatewayError::invalid("Too many tags"));
        }
        let home = &Home::new(cx.scope(), &input.rest_api_id);
        let stage = &Stage {
            description: input.description,
            documentation_version: input.documentation_version,
            variables: input.variables,
            tracing_enabled: input.tracing_enabled,
            tags: input.tags,
            ..new(home, &input.stage_name, &input.deployment_id, cx.now().seconds())
        };
        cx.write(|tx| async move {
            api(&tx, home).await?;
            check_deployment(&tx, home, &stage.deployment_id).await?;
            check_room(&tx, home).await?;
            if !STAGES.insert(&tx, stage).await? {
                return Err(GatewayError::Conflict("Stage already exists".into()));
            }
            Ok(stage.clone())
        })
        .await
    }
}

/// A stage's name.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StageInput {
    rest_api_id: String,
    stage_name: String,
}

fn path(api: &str, name: &str) -> String {
    format!("/restapis/{api}/stages/{name}")
}

async fn stage(tx: &Tx, home: &Home, name: &str) -> Result<Stage, GatewayError> {
    api(tx, home).await?;
    STAGES.get(tx, home.key().str(name)).await?.ok_or(GatewayError::NoSuch("stage"))
}

/// Shows a stage.
pub(crate) struct GetStage;

impl Operation for GetStage {
    type Service = ApiGateway;
    type Input = StageInput;
    type Output = Stage;
    type Error = GatewayError;

    const NAME: &'static str = "GetStage";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &StageInput) -> Permissions {
        permission(GET, asked.scope, &path(&input.rest_api_id, &input.stage_name))
    }

    async fn run(cx: Cx<ApiGateway>, input: StageInput) -> Result<Stage, GatewayError> {
        let (home, name) = (&Home::new(cx.scope(), &input.rest_api_id), &input.stage_name);
        cx.read(|tx| async move { stage(&tx, home, name).await }).await
    }
}

/// Lists an API's stages.
pub(crate) struct GetStages;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListInput {
    rest_api_id: String,
    deployment_id: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct ListOutput {
    item: Vec<Stage>,
}

impl Operation for GetStages {
    type Service = ApiGateway;
    type Input = ListInput;
    type Output = ListOutput;
    type Error = GatewayError;

    const NAME: &'static str = "GetStages";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &ListInput) -> Permissions {
        permission(GET, asked.scope, &format!("/restapis/{}/stages", input.rest_api_id))
    }

    async fn run(cx: Cx<ApiGateway>, input: ListInput) -> Result<ListOutput, GatewayError> {
        let home = &Home::new(cx.scope(), &input.rest_api_id);
        let mut found = cx
            .read(|tx| async move {
                api(&tx, home).await?;
                Ok::<_, GatewayError>(all(&tx, &STAGES, home).await?)
            })
            .await?;
        found.retain(|stage| input.deployment_id.as_ref().is_none_or(|id| stage.deployment_id == *id));
        Ok(ListOutput { item: found })
    }
}

/// Changes a stage: which deployment it serves, its variables, throttles and logs.
pub(crate) struct UpdateStage;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdateInput {
    rest_api_id: String,
    stage_name: String,
    #[serde(default)]
    patch_operations: Vec<Patch>,
}

impl Operation for UpdateStage {
    type Service = ApiGateway;
    type Input = UpdateInput;
    type Output = Stage;
    type Error = GatewayError;

    const NAME: &'static str = "UpdateStage";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &UpdateInput) -> Permissions {
        permission(PATCH, asked.scope, &path(&input.rest_api_id, &input.stage_name))
    }

    async fn run(cx: Cx<ApiGateway>, input: UpdateInput) -> Result<Stage, GatewayError> {
        patch::bounded(&input.patch_operations)?;
        let home = &Home::new(cx.scope(), &input.rest_api_id);
        let (input, now) = (&input, cx.now().seconds());
        cx.write(|tx| async move {
            let mut changed = stage(&tx, home, &input.stage_name).await?;
            let before = changed.deployment_id.clone();
            input.patch_operations.iter().try_for_each(|patch| apply(&mut changed, patch))?;
            check(&changed)?;
            if changed.deployment_id != before {
                check_deployment(&tx, home, &changed.deployment_id).await?;
            }
            changed.last_updated_date = now;
            STAGES.put(&tx, &changed).await?;
            Ok(changed)
        })
        .await
    }
}

fn check(stage: &Stage) -> Result<(), GatewayError> {
    check_variables(&stage.variables)?;
    if stage.method_settings.len() > MAX_METHOD_SETTINGS {
        return Err(GatewayError::invalid("Stage has too many method settings"));
    }
    let Some(log) = &stage.access_log_settings else { return Ok(()) };
    if log.format.len() > MAX_LOG_FORMAT {
        return Err(GatewayError::invalid("Access log format is too long"));
    }
    let arn = Arn::parse(&log.destination_arn).ok();
    let own = arn.is_some_and(|arn| {
        arn.service() == "logs"
            && arn.region() == stage.home.region.as_str()
            && arn.account() == stage.home.account.to_string()
            && arn.resource().starts_with("log-group:")
    });
    if own {
        return Ok(());
    }
    Err(GatewayError::invalid(
        "Invalid ARN specified in the request. ARNs must start with 'arn:' and contain a log group of this account and region",
    ))
}

const PATCHABLE: &str = "/accessLogSettings/destinationArn, /accessLogSettings/format, /deploymentId, /description, \
     /documentationVersion, /tracingEnabled, /variables/<name>, \
     /<resource_path>/<http_method>/<metrics/enabled|logging/loglevel|logging/dataTrace|throttling/burstLimit|\
     throttling/rateLimit|caching/...>";

fn apply(stage: &mut Stage, patch: &Patch) -> Result<(), GatewayError> {
    let removes = patch.op()? == Op::Remove;
    match patch.raw_parts().as_slice() {
        ["deploymentId"] => stage.deployment_id = patch.required()?,
        ["description"] => stage.description = patch.text()?,
        ["documentationVersion"] => stage.documentation_version = patch.text()?,
        ["tracingEnabled"] => stage.tracing_enabled = patch.boolean()?,
        ["cacheClusterEnabled"] => refuse_unsupported(patch.boolean()?, false)?,
        ["variables", name] => patch.entry(&mut stage.variables, name, |value| value)?,
        ["accessLogSettings"] if removes => stage.access_log_settings = None,
        ["accessLogSettings", "destinationArn"] if removes => stage.access_log_settings = None,
        ["accessLogSettings", "destinationArn"] => {
            let arn = patch.required()?;
            log_settings(stage).destination_arn = arn.strip_suffix(":*").unwrap_or(&arn).to_owned();
        }
        ["accessLogSettings", "format"] => log_settings(stage).format = patch.text()?.unwrap_or_default(),
        [resource, method] if removes => {
            stage.method_settings.remove(&format!("{resource}/{method}"));
        }
        [resource, method, category, setting] => {
            let known = stage.method_settings.entry(format!("{resource}/{method}")).or_default();
            apply_to_method(known, category, setting, patch)?;
        }
        _ => return Err(patch.bad_path(PATCHABLE)),
    }
    Ok(())
}

fn log_settings(stage: &mut Stage) -> &mut AccessLogSettings {
    stage.access_log_settings.get_or_insert_default()
}

fn apply_to_method(
    setting: &mut MethodSetting,
    category: &str,
    name: &str,
    patch: &Patch,
) -> Result<(), GatewayError> {
    match (category, name) {
        ("throttling", "rateLimit") => {
            let rate: f64 = patch.number()?;
            let valid = rate.is_finite() && rate >= -1.0;
            setting.throttling_rate_limit = if valid { rate } else { return Err(patch.bad_value()) };
        }
        ("throttling", "burstLimit") => {
            let burst: i64 = patch.number()?;
            setting.throttling_burst_limit = if burst >= -1 { burst } else { return Err(patch.bad_value()) };
        }
        ("metrics", "enabled") => setting.metrics_enabled = patch.boolean()?,
        ("logging", "dataTrace") => setting.data_trace_enabled = patch.boolean()?,
        ("logging", "loglevel") => match patch.required()?.as_str() {
            level @ ("OFF" | "ERROR" | "INFO") => setting.logging_level = level.to_owned(),
            _ => return Err(patch.bad_value()),
        },
        ("caching", "enabled") => refuse_unsupported(patch.boolean()?, false)?,
        ("caching", "dataEncrypted") => setting.cache_data_encrypted = patch.boolean()?,
        ("caching", "ttlInSeconds") => setting.cache_ttl_in_seconds = patch.number()?,
        ("caching", "requireAuthorizationForCacheControl") => {
            setting.require_authorization_for_cache_control = patch.boolean()?;
        }
        ("caching", "unauthorizedCacheControlHeaderStrategy") => {
            setting.unauthorized_cache_control_header_strategy = patch.required()?;
        }
        _ => return Err(patch.bad_path(PATCHABLE)),
    }
    Ok(())
}

/// Stops serving under a name.
pub(crate) struct DeleteStage;

impl Operation for DeleteStage {
    type Service = ApiGateway;
    type Input = StageInput;
    type Output = Nothing;
    type Error = GatewayError;

    const NAME: &'static str = "DeleteStage";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &StageInput) -> Permissions {
        permission(DELETE, asked.scope, &path(&input.rest_api_id, &input.stage_name))
    }

    async fn run(cx: Cx<ApiGateway>, input: StageInput) -> Result<Nothing, GatewayError> {
        let (home, name) = (&Home::new(cx.scope(), &input.rest_api_id), &input.stage_name);
        cx.write(|tx| async move {
            stage(&tx, home, name).await?;
            STAGES.delete(&tx, home.key().str(name)).await?;
            Ok(Nothing {})
        })
        .await
    }
}

/// Forgets what authorizers of a stage have decided. (The stage's record is written anew, which tells every node.)
pub(crate) struct FlushStageAuthorizersCache;

impl Operation for FlushStageAuthorizersCache {
    type Service = ApiGateway;
    type Input = StageInput;
    type Output = Nothing;
    type Error = GatewayError;

    const NAME: &'static str = "FlushStageAuthorizersCache";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &StageInput) -> Permissions {
        let path = format!("{}/cache/authorizers", path(&input.rest_api_id, &input.stage_name));
        permission(DELETE, asked.scope, &path)
    }

    async fn run(cx: Cx<ApiGateway>, input: StageInput) -> Result<Nothing, GatewayError> {
        let (home, name) = (&Home::new(cx.scope(), &input.rest_api_id), &input.stage_name);
        cx.write(|tx| async move {
            let mut flushed = stage(&tx, home, name).await?;
            flushed.authorizer_flushes += 1;
            STAGES.put(&tx, &flushed).await?;
            Ok(Nothing {})
        })
        .await
    }
}
