//! `CreateResource`, `GetResource`, `GetResources`, `UpdateResource`, `DeleteResource` (API Gateway API reference).

use std::collections::BTreeMap;

use homeport_core::{LOWER_ALPHANUMERIC, draw};
use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use super::{DELETE, GET, Nothing, PATCH, POST, Page, page, permission};
use crate::limits::MAX_RESOURCES;
use crate::method::Method;
use crate::patch::{self, Patch};
use crate::records::{Home, RESOURCES, Resource, all, api, resource};
use crate::{ApiGateway, GatewayError};

/// A resource as clients see it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResourceView {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_part: Option<String>,
    path: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    resource_methods: BTreeMap<String, MethodView>,
}

/// A method within a resource.
#[derive(Serialize)]
#[serde(untagged)]
enum MethodView {
    /// All of it, where the caller asked for `methods`.
    Whole(Box<Method>),
    /// An empty object: that it is there.
    There {},
}

fn view(resource: Resource, with_methods: bool) -> ResourceView {
    let shown = |(name, method): (String, Method)| {
        (name, if with_methods { MethodView::Whole(Box::new(method)) } else { MethodView::There {} })
    };
    ResourceView {
        id: resource.id,
        parent_id: resource.parent_id,
        path_part: resource.path_part,
        path: resource.path,
        resource_methods: resource.methods.into_iter().map(shown).collect(),
    }
}

/// Makes a resource below another.
pub(crate) struct CreateResource;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateInput {
    rest_api_id: String,
    parent_id: String,
    path_part: String,
}

impl Operation for CreateResource {
    type Service = ApiGateway;
    type Input = CreateInput;
    type Output = ResourceView;
    type Error = GatewayError;

    const NAME: &'static str = "CreateResource";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &CreateInput) -> Permissions {
        permission(
            POST,
            asked.scope,
            &format!("/restapis/{}/resources/{}", input.rest_api_id, input.parent_id),
        )
    }

    async fn run(cx: Cx<ApiGateway>, input: CreateInput) -> Result<ResourceView, GatewayError> {
        check_path_part(&input.path_part)?;
        let home = &Home::new(cx.scope(), &input.rest_api_id);
        let id = &draw(&**cx.randomness(), LOWER_ALPHANUMERIC, 6);
        let input = &input;
        let made = cx
            .write(|tx| async move {
                let parent = resource(&tx, home, &input.parent_id).await?;
                let known = all(&tx, &RESOURCES, home).await?;
                if known.len() >= MAX_RESOURCES {
                    return Err(GatewayError::LimitExceeded(
                        "Maximum number of resources for this API has been reached",
                    ));
                }
                check_siblings(&parent, &input.path_part, &known)?;
                let made = Resource {
                    home: home.clone(),
                    id: id.clone(),
                    parent_id: Some(parent.id.clone()),
                    path_part: Some(input.path_part.clone()),
                    path: below(&parent.path, &input.path_part),
                    methods: BTreeMap::new(),
                };
                RESOURCES.put(&tx, &made).await?;
                Ok(made)
            })
            .await?;
        Ok(view(made, false))
    }
}

fn below(parent: &str, part: &str) -> String {
    format!("{}/{part}", parent.trim_end_matches('/'))
}

fn is_variable(part: &str) -> bool {
    part.starts_with('{')
}

fn check_path_part(part: &str) -> Result<(), GatewayError> {
    let plain = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-:".contains(&b))
    };
    let formed = match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        Some(name) => plain(name.strip_suffix('+').unwrap_or(name)),
        None => plain(part),
    };
    if formed && part.len() <= 256 {
        return Ok(());
    }
    Err(GatewayError::invalid(
        "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end.",
    ))
}

fn check_siblings(parent: &Resource, part: &str, known: &[Resource]) -> Result<(), GatewayError> {
    if parent.path.ends_with("+}") {
        let message =
            format!("Cannot create a child of a resource with a greedy path variable: {}", parent.path);
        return Err(GatewayError::invalid(message));
    }
    for sibling in known.iter().filter(|resource| resource.parent_id.as_deref() == Some(&parent.id)) {
        let theirs = sibling.path_part.as_deref().unwrap_or_default();
        if theirs == part {
            let message = format!("Another resource with the same parent already has this name: {part}");
            return Err(GatewayError::Conflict(message.into()));
        }
        if is_variable(theirs) && is_variable(part) {
            let message = format!(
                "A sibling ({theirs}) of this resource already has a variable path part -- only one is allowed"
            );
            return Err(GatewayError::invalid(message));
        }
    }
    Ok(())
}

/// A resource's id.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResourceInput {
    rest_api_id: String,
    resource_id: String,
    #[serde(default)]
    embed: Vec<String>,
}

fn path(api: &str, id: &str) -> String {
    format!("/restapis/{api}/resources/{id}")
}

fn embeds_methods(embed: &[String]) -> bool {
    embed.iter().any(|what| what == "methods")
}

/// Shows a resource.
pub(crate) struct GetResource;

impl Operation for GetResource {
    type Service = ApiGateway;
    type Input = ResourceInput;
    type Output = ResourceView;
    type Error = GatewayError;

    const NAME: &'static str = "GetResource";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &ResourceInput) -> Permissions {
        permission(GET, asked.scope, &path(&input.rest_api_id, &input.resource_id))
    }

    async fn run(cx: Cx<ApiGateway>, input: ResourceInput) -> Result<ResourceView, GatewayError> {
        let (home, id) = (&Home::new(cx.scope(), &input.rest_api_id), &input.resource_id);
        let with_methods = embeds_methods(&input.embed);
        let found = cx.read(|tx| async move { resource(&tx, home, id).await }).await?;
        Ok(view(found, with_methods))
    }
}

/// Lists an API's resources.
pub(crate) struct GetResources;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListInput {
    rest_api_id: String,
    limit: Option<i64>,
    position: Option<String>,
    #[serde(default)]
    embed: Vec<String>,
}

impl Operation for GetResources {
    type Service = ApiGateway;
    type Input = ListInput;
    type Output = Page<ResourceView>;
    type Error = GatewayError;

    const NAME: &'static str = "GetResources";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &ListInput) -> Permissions {
        permission(GET, asked.scope, &format!("/restapis/{}/resources", input.rest_api_id))
    }

    async fn run(cx: Cx<ApiGateway>, input: ListInput) -> Result<Page<ResourceView>, GatewayError> {
        let home = &Home::new(cx.scope(), &input.rest_api_id);
        let found = cx
            .read(|tx| async move {
                api(&tx, home).await?;
                Ok::<_, GatewayError>(all(&tx, &RESOURCES, home).await?)
            })
            .await?;
        let with_methods = embeds_methods(&input.embed);
        let views = found.into_iter().map(|resource| view(resource, with_methods)).collect();
        page(views, |view: &ResourceView| &view.id, input.position.as_deref(), input.limit)
    }
}

/// Renames a resource.
pub(crate) struct UpdateResource;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdateInput {
    rest_api_id: String,
    resource_id: String,
    #[serde(default)]
    patch_operations: Vec<Patch>,
}

impl Operation for UpdateResource {
    type Service = ApiGateway;
    type Input = UpdateInput;
    type Output = ResourceView;
    type Error = GatewayError;

    const NAME: &'static str = "UpdateResource";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &UpdateInput) -> Permissions {
        permission(PATCH, asked.scope, &path(&input.rest_api_id, &input.resource_id))
    }

    async fn run(cx: Cx<ApiGateway>, input: UpdateInput) -> Result<ResourceView, GatewayError> {
        patch::bounded(&input.patch_operations)?;
        let home = &Home::new(cx.scope(), &input.rest_api_id);
        let input = &input;
        let changed = cx
            .write(|tx| async move {
                let mut changed = resource(&tx, home, &input.resource_id).await?;
                for patch in &input.patch_operations {
                    let part = match patch.raw_parts().as_slice() {
                        ["pathPart"] => patch.required()?,
                        _ => return Err(patch.bad_path("/pathPart")),
                    };
                    rename(&tx, &mut changed, &part).await?;
                }
                Ok(changed)
            })
            .await?;
        Ok(view(changed, false))
    }
}

async fn rename(tx: &homeport_store::Tx, changed: &mut Resource, part: &str) -> Result<(), GatewayError> {
    check_path_part(part)?;
    let Some(parent_id) = changed.parent_id.clone() else {
        return Err(GatewayError::invalid("Root resource cannot update its path part."));
    };
    let home = changed.home.clone();
    let parent = resource(tx, &home, &parent_id).await?;
    let known = all(tx, &RESOURCES, &home).await?;
    let others: Vec<Resource> = known.iter().filter(|other| other.id != changed.id).cloned().collect();
    check_siblings(&parent, part, &others)?;
    let (before, after) = (format!("{}/", changed.path), below(&parent.path, part));
    for mut child in known.into_iter().filter(|other| other.path.starts_with(&before)) {
        child.path = format!("{after}/{}", &child.path[before.len()..]);
        RESOURCES.put(tx, &child).await?;
    }
    changed.path = after;
    changed.path_part = Some(part.to_owned());
    RESOURCES.put(tx, changed).await?;
    Ok(())
}

/// Deletes a resource with all below it.
pub(crate) struct DeleteResource;

impl Operation for DeleteResource {
    type Service = ApiGateway;
    type Input = ResourceInput;
    type Output = Nothing;
    type Error = GatewayError;

    const NAME: &'static str = "DeleteResource";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, ApiGateway>, input: &ResourceInput) -> Permissions {
        permission(DELETE, asked.scope, &path(&input.rest_api_id, &input.resource_id))
    }

    async fn run(cx: Cx<ApiGateway>, input: ResourceInput) -> Result<Nothing, GatewayError> {
        let home = &Home::new(cx.scope(), &input.rest_api_id);
        let input = &input;
        cx.write(|tx| async move {
            let doomed = resource(&tx, home, &input.resource_id).await?;
            if doomed.parent_id.is_none() {
                return Err(GatewayError::invalid("Root resource cannot be deleted"));
            }
            let below = format!("{}/", doomed.path);
            for child in all(&tx, &RESOURCES, home).await? {
                if child.id == doomed.id || child.path.starts_with(&below) {
                    RESOURCES.delete(&tx, home.key().str(&child.id)).await?;
                }
            }
            Ok(Nothing {})
        })
        .await
    }
}
