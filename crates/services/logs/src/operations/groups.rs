//! `CreateLogGroup`, `DeleteLogGroup`, `DescribeLogGroups` (CloudWatch Logs API reference).

use std::collections::BTreeMap;

use homeport_core::{Scope, uuid_v4};
use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use homeport_store::{StoreError, Tx};
use serde::{Deserialize, Serialize};

use crate::records::{
    GROUPS, Group, UNLINKED, Unlinked, all_groups, asked_arn, bytes_key, group_arn, group_key,
};
use crate::{Logs, LogsError, find};

/// Groups on a page, unless fewer are asked for.
const PAGE: usize = 50;

pub(crate) struct CreateLogGroup;
pub(crate) struct DeleteLogGroup;
pub(crate) struct DescribeLogGroups;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateInput {
    log_group_name: String,
    kms_key_id: Option<String>,
    log_group_class: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeleteInput {
    log_group_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DescribeInput {
    log_group_name_prefix: Option<String>,
    log_group_name_pattern: Option<String>,
    limit: Option<usize>,
    next_token: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Done {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Described {
    log_groups: Vec<GroupView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupView {
    log_group_name: String,
    creation_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    retention_in_days: Option<i64>,
    metric_filter_count: u32,
    arn: String,
    log_group_arn: String,
    stored_bytes: i64,
    log_group_class: &'static str,
}

impl Operation for CreateLogGroup {
    type Service = Logs;
    type Input = CreateInput;
    type Output = Done;
    type Error = LogsError;

    const NAME: &'static str = "CreateLogGroup";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Logs>, input: &CreateInput) -> Permissions {
        Permissions::one("logs:CreateLogGroup", asked_arn(asked.scope, &input.log_group_name, ""))
    }

    fn run(cx: Cx<Logs>, input: CreateInput) -> impl Future<Output = Result<Done, LogsError>> + Send {
        async move {
            if input.kms_key_id.is_some()
                || input.log_group_class.as_deref().is_some_and(|class| class != "STANDARD")
            {
                return Err(LogsError::invalid(
                    "Only the class STANDARD without a KMS key is supported here.",
                ));
            }
            let group = Group {
                account: cx.account().to_string(),
                region: cx.scope().region.as_str().to_owned(),
                name: input.log_group_name,
                id: uuid_v4(&**cx.randomness()),
                created: cx.now().millis(),
                retention: None,
                tags: input.tags,
            };
            cx.write(|tx| {
                let group = &group;
                async move { if GROUPS.insert(&tx, group).await? { Ok(()) } else { Err(LogsError::GroupExists) } }
            })
            .await?;
            Ok(Done {})
        }
    }
}

impl Operation for DeleteLogGroup {
    type Service = Logs;
    type Input = DeleteInput;
    type Output = Done;
    type Error = LogsError;

    const NAME: &'static str = "DeleteLogGroup";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Logs>, input: &DeleteInput) -> Permissions {
        Permissions::one("logs:DeleteLogGroup", asked_arn(asked.scope, &input.log_group_name, ""))
    }

    fn run(cx: Cx<Logs>, input: DeleteInput) -> impl Future<Output = Result<Done, LogsError>> + Send {
        async move {
            cx.write(|tx| {
                let key = group_key(cx.scope(), &input.log_group_name);
                async move {
                    let group = GROUPS.delete(&tx, key).await?.ok_or(LogsError::NoSuchGroup)?;
                    Ok::<_, LogsError>(
                        UNLINKED.put(&tx, &Unlinked { group_id: group.id, stream_id: None }).await?,
                    )
                }
            })
            .await?;
            cx.service.unlinked.notify_one();
            Ok(Done {})
        }
    }
}

impl Operation for DescribeLogGroups {
    type Service = Logs;
    type Input = DescribeInput;
    type Output = Described;
    type Error = LogsError;

    const NAME: &'static str = "DescribeLogGroups";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, Logs>, _: &DescribeInput) -> Permissions {
        Permissions::one("logs:DescribeLogGroups", asked_arn(asked.scope, "", ""))
    }

    fn run(cx: Cx<Logs>, input: DescribeInput) -> impl Future<Output = Result<Described, LogsError>> + Send {
        async move {
            if input.log_group_name_prefix.is_some() && input.log_group_name_pattern.is_some() {
                return Err(LogsError::invalid(
                    "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
                ));
            }
            let (scope, input) = (cx.scope(), &input);
            cx.read(|tx| async move { describe(&tx, scope, input).await }).await
        }
    }
}

async fn describe(tx: &Tx, scope: &Scope, input: &DescribeInput) -> Result<Described, LogsError> {
    let most = input.limit.unwrap_or(PAGE).clamp(1, PAGE);
    let prefix = input.log_group_name_prefix.as_deref().unwrap_or_default();
    let pattern = input.log_group_name_pattern.as_deref().unwrap_or_default();
    let token = input.next_token.as_ref().map(hex::decode).transpose();
    let mut after = token.map_err(|_| LogsError::invalid_token())?.map(bytes::Bytes::from);
    let mut views = Vec::new();
    loop {
        let read = GROUPS.page(tx, all_groups(scope), after.as_deref(), most - views.len()).await;
        let page = read.map_err(|error| match error {
            StoreError::BadCursor => LogsError::invalid_token(),
            other => other.into(),
        })?;
        for group in
            page.records.iter().filter(|group| group.name.starts_with(prefix) && group.name.contains(pattern))
        {
            views.push(view(tx, scope, group).await?);
        }
        match page.cursor {
            Some(cursor) if views.len() < most => after = Some(cursor),
            cursor => return Ok(Described { log_groups: views, next_token: cursor.map(hex::encode) }),
        }
    }
}

async fn view(tx: &Tx, scope: &Scope, group: &Group) -> Result<GroupView, LogsError> {
    let arn = group_arn(scope, &group.name).to_string();
    Ok(GroupView {
        log_group_name: group.name.clone(),
        creation_time: group.created,
        retention_in_days: group.retention,
        metric_filter_count: 0,
        arn: format!("{arn}:*"),
        log_group_arn: arn,
        stored_bytes: tx.get_i64(&bytes_key(&group.id)).await?.unwrap_or(0),
        log_group_class: "STANDARD",
    })
}

/// Changes a group that must be there.
pub(super) async fn change(
    cx: &Cx<Logs>,
    name: &str,
    change: impl Fn(&mut Group) -> Result<(), LogsError> + Send + Sync,
) -> Result<(), LogsError> {
    cx.write(|tx| {
        let change = &change;
        async move {
            let mut group = find::group(&tx, cx.scope(), name).await?;
            change(&mut group)?;
            Ok(GROUPS.put(&tx, &group).await?)
        }
    })
    .await
}
