//! `PutRetentionPolicy`, `DeleteRetentionPolicy` (CloudWatch Logs API reference).

use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use super::groups::change;
use crate::records::asked_arn;
use crate::{Logs, LogsError};

/// The days that AWS knows.
const DAYS: [i64; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1_096, 1_827, 2_192, 2_557, 2_922, 3_288,
    3_653,
];

pub(crate) struct PutRetentionPolicy;
pub(crate) struct DeleteRetentionPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PutInput {
    log_group_name: String,
    retention_in_days: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeleteInput {
    log_group_name: String,
}

#[derive(Serialize)]
pub(crate) struct Done {}

impl Operation for PutRetentionPolicy {
    type Service = Logs;
    type Input = PutInput;
    type Output = Done;
    type Error = LogsError;

    const NAME: &'static str = "PutRetentionPolicy";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Logs>, input: &PutInput) -> Permissions {
        Permissions::one("logs:PutRetentionPolicy", asked_arn(asked.scope, &input.log_group_name, ""))
    }

    fn run(cx: Cx<Logs>, input: PutInput) -> impl Future<Output = Result<Done, LogsError>> + Send {
        async move {
            let days = input.retention_in_days;
            if !DAYS.contains(&days) {
                return Err(LogsError::invalid(format!(
                    "1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: {DAYS:?}"
                )));
            }
            let set = |group: &mut crate::records::Group| {
                group.retention = Some(days);
                Ok(())
            };
            change(&cx, &input.log_group_name, set).await?;
            cx.service.unlinked.notify_one();
            Ok(Done {})
        }
    }
}

impl Operation for DeleteRetentionPolicy {
    type Service = Logs;
    type Input = DeleteInput;
    type Output = Done;
    type Error = LogsError;

    const NAME: &'static str = "DeleteRetentionPolicy";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Logs>, input: &DeleteInput) -> Permissions {
        Permissions::one("logs:DeleteRetentionPolicy", asked_arn(asked.scope, &input.log_group_name, ""))
    }

    fn run(cx: Cx<Logs>, input: DeleteInput) -> impl Future<Output = Result<Done, LogsError>> + Send {
        async move {
            let clear = |group: &mut crate::records::Group| {
                group.retention = None;
                Ok(())
            };
            change(&cx, &input.log_group_name, clear).await?;
            Ok(Done {})
        }
    }
}
