use homeport_core::Scope;
use homeport_service::{Entry, Permissions, modelled};

use crate::ApiGateway;

mod authorizers;
mod deployments;
mod integration_responses;
mod integrations;
mod method_responses;
mod methods;
mod resources;
mod rest_apis;
mod stages;

pub(crate) static OPERATIONS: &[Entry<ApiGateway>] = &[
    modelled::<authorizers::CreateAuthorizer>(),
    modelled::<authorizers::DeleteAuthorizer>(),
    modelled::<authorizers::GetAuthorizer>(),
    modelled::<authorizers::GetAuthorizers>(),
    modelled::<authorizers::UpdateAuthorizer>(),
    modelled::<deployments::CreateDeployment>(),
    modelled::<deployments::DeleteDeployment>(),
    modelled::<deployments::GetDeployment>(),
    modelled::<deployments::GetDeployments>(),
    modelled::<deployments::UpdateDeployment>(),
    modelled::<integration_responses::DeleteIntegrationResponse>(),
    modelled::<integration_responses::GetIntegrationResponse>(),
    modelled::<integration_responses::PutIntegrationResponse>(),
    modelled::<integration_responses::UpdateIntegrationResponse>(),
    modelled::<integrations::DeleteIntegration>(),
    modelled::<integrations::GetIntegration>(),
    modelled::<integrations::PutIntegration>(),
    modelled::<integrations::UpdateIntegration>(),
    modelled::<method_responses::DeleteMethodResponse>(),
    modelled::<method_responses::GetMethodResponse>(),
    modelled::<method_responses::PutMethodResponse>(),
    modelled::<method_responses::UpdateMethodResponse>(),
    modelled::<methods::DeleteMethod>(),
    modelled::<methods::GetMethod>(),
    modelled::<methods::PutMethod>(),
    modelled::<methods::UpdateMethod>(),
    modelled::<resources::CreateResource>(),
    modelled::<resources::DeleteResource>(),
    modelled::<resources::GetResource>(),
    modelled::<resources::GetResources>(),
    modelled::<resources::UpdateResource>(),
    modelled::<rest_apis::CreateRestApi>(),
    modelled::<rest_apis::DeleteRestApi>(),
    modelled::<rest_apis::GetRestApi>(),
    modelled::<rest_apis::GetRestApis>(),
    modelled::<rest_apis::UpdateRestApi>(),
    modelled::<stages::CreateStage>(),
    modelled::<stages::DeleteStage>(),
    modelled::<stages::FlushStageAuthorizersCache>(),
    modelled::<stages::GetStage>(),
    modelled::<stages::GetStages>(),
    modelled::<stages::UpdateStage>(),
];

/// The ARN of something in the control plane: `arn:aws:apigateway:REGION::PATH` (it names no account).
fn arn(scope: &Scope, path: &str) -> String {
    format!("arn:aws:apigateway:{}::{path}", scope.region)
}

/// The control plane's actions are HTTP methods on paths.
fn permission(action: &'static str, scope: &Scope, path: &str) -> Permissions {
    Permissions::one(action, arn(scope, path))
}

const GET: &str = "apigateway:GET";
const POST: &str = "apigateway:POST";
const PUT: &str = "apigateway:PUT";
const PATCH: &str = "apigateway:PATCH";
const DELETE: &str = "apigateway:DELETE";

/// An output without members.
#[derive(serde::Serialize)]
pub(crate) struct Nothing {}

/// A page of a list that is kept in the order of keys.
#[derive(serde::Serialize)]
pub(crate) struct Page<T> {
    items: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<String>,
}

/// Items that a page holds where the caller says nothing, and at most.
const PAGE: usize = 25;
const MAX_PAGE: usize = 500;

/// Cuts the page behind `position` (the name of the last item of the page before) out of all items, which are in the
/// order of their names.
fn page<T>(
    all: Vec<T>,
    name: impl Fn(&T) -> &str,
    position: Option<&str>,
    limit: Option<i64>,
) -> Result<Page<T>, crate::GatewayError> {
    let limit = match limit {
        None => PAGE,
        Some(limit) => usize::try_from(limit)
            .ok()
            .filter(|limit| (1..=MAX_PAGE).contains(limit))
            .ok_or_else(|| crate::GatewayError::invalid("Invalid limit parameter specified"))?,
    };
    let mut items: Vec<T> =
        all.into_iter().filter(|item| position.is_none_or(|position| name(item) > position)).collect();
    let more = items.len() > limit;
    items.truncate(limit);
    let position = items.last().filter(|_| more).map(|item| name(item).to_owned());
    Ok(Page { items, position })
}
