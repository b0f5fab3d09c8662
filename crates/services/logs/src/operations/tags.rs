//! `TagResource`, `UntagResource`, `ListTagsForResource` (CloudWatch Logs API reference), on groups.

use std::collections::BTreeMap;

use homeport_core::Scope;
use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use super::groups::change;
use crate::records::{Group, group_arn};
use crate::{Logs, LogsError, find};

/// Tags of one group.
const MOST: usize = 50;

pub(crate) struct TagResource;
pub(crate) struct UntagResource;
pub(crate) struct ListTagsForResource;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TagInput {
    resource_arn: String,
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UntagInput {
    resource_arn: String,
    tag_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListInput {
    resource_arn: String,
}

#[derive(Serialize)]
pub(crate) struct Done {}

#[derive(Serialize)]
pub(crate) struct Tags {
    tags: BTreeMap<String, String>,
}

/// The group that an ARN of this account and region names.
fn named(scope: &Scope, arn: &str) -> Result<String, LogsError> {
    let arn = arn.strip_suffix(":*").unwrap_or(arn);
    let name = arn.strip_prefix(group_arn(scope, "").as_str()).filter(|name| !name.is_empty());
    name.map(ToOwned::to_owned).ok_or_else(|| LogsError::invalid("The resource ARN is not a log group's."))
}

impl Operation for TagResource {
    type Service = Logs;
    type Input = TagInput;
    type Output = Done;
    type Error = LogsError;

    const NAME: &'static str = "TagResource";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, Logs>, input: &TagInput) -> Permissions {
        Permissions::one("logs:TagResource", &input.resource_arn)
    }

    fn run(cx: Cx<Logs>, input: TagInput) -> impl Future<Output = Result<Done, LogsError>> + Send {
        async move {
            let add = |group: &mut Group| {
                group.tags.extend(input.tags.clone());
                match group.tags.len() {
                    0..=MOST => Ok(()),
                    _ => Err(LogsError::LimitExceeded("A log group has at most 50 tags.")),
                }
            };
            change(&cx, &named(cx.scope(), &input.resource_arn)?, add).await?;
            Ok(Done {})
        }
    }
}

impl Operation for UntagResource {
    type Service = Logs;
    type Input = UntagInput;
    type Output = Done;
    type Error = LogsError;

    const NAME: &'static str = "UntagResource";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, Logs>, input: &UntagInput) -> Permissions {
        Permissions::one("logs:UntagResource", &input.resource_arn)
    }

    fn run(cx: Cx<Logs>, input: UntagInput) -> impl Future<Output = Result<Done, LogsError>> + Send {
        async move {
            let remove = |group: &mut Group| {
                group.tags.retain(|key, _| !input.tag_keys.contains(key));
                Ok(())
            };
            change(&cx, &named(cx.scope(), &input.resource_arn)?, remove).await?;
            Ok(Done {})
        }
    }
}

impl Operation for ListTagsForResource {
    type Service = Logs;
    type Input = ListInput;
    type Output = Tags;
    type Error = LogsError;

    const NAME: &'static str = "ListTagsForResource";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, Logs>, input: &ListInput) -> Permissions {
        Permissions::one("logs:ListTagsForResource", &input.resource_arn)
    }

    fn run(cx: Cx<Logs>, input: ListInput) -> impl Future<Output = Result<Tags, LogsError>> + Send {
        async move {
            let scope = cx.scope();
            let name = &named(scope, &input.resource_arn)?;
            let group = cx.read(|tx| async move { find::group(&tx, scope, name).await }).await?;
            Ok(Tags { tags: group.tags })
        }
    }
}
