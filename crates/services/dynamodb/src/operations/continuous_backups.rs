//! Point-in-time recovery (Developer Guide, "Point-in-time backups for DynamoDB").

use homeport_core::{Timestamp, uuid_v4};
use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use super::backups::table_to_keep;
use crate::DynamoDb;
use crate::error::{DynamoError, Invalid};
use crate::records::{JOBS, Job, TABLES, Work};
use crate::request::TableName;
use crate::table::{History, Recovery, Table};
use crate::worker::end_unneeded;

/// The longest that recovery reaches back, and what it does unless told otherwise.
const MAX_DAYS: u32 = 35;
const DAY_SECONDS: i64 = 24 * 60 * 60;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    continuous_backups_description: Description,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    continuous_backups_status: &'static str,
    point_in_time_recovery_description: RecoveryDescription,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RecoveryDescription {
    point_in_time_recovery_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_period_in_days: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    earliest_restorable_date_time: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_restorable_date_time: Option<f64>,
}

/// The first moment that recovery reaches.
pub(super) fn earliest(recovery: Recovery, now: Timestamp) -> Timestamp {
    recovery.since.max(now.plus_seconds(-i64::from(recovery.days) * DAY_SECONDS))
}

fn described(table: &Table, now: Timestamp) -> Output {
    let recovery = table.recovery;
    Output {
        continuous_backups_description: Description {
            continuous_backups_status: "ENABLED",
            point_in_time_recovery_description: RecoveryDescription {
                point_in_time_recovery_status: if recovery.is_some() { "ENABLED" } else { "DISABLED" },
                recovery_period_in_days: recovery.map(|recovery| recovery.days),
                earliest_restorable_date_time: recovery.map(|recovery| earliest(recovery, now).seconds_f64()),
                latest_restorable_date_time: recovery.map(|_| now.seconds_f64()),
            },
        },
    }
}

/// `DescribeContinuousBackups` (API reference)
pub(crate) struct DescribeContinuousBackups;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DescribeInput {
    table_name: String,
}

impl Operation for DescribeContinuousBackups {
    type Service = DynamoDb;
    type Input = DescribeInput;
    type Output = Output;
    type Error = DynamoError;

    const NAME: &'static str = "DescribeContinuousBackups";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, DynamoDb>, input: &DescribeInput) -> Permissions {
        let arn = TableName::of(&input.table_name).arn(asked.scope);
        Permissions::one("dynamodb:DescribeContinuousBackups", arn)
    }

    async fn run(cx: Cx<DynamoDb>, input: DescribeInput) -> Result<Output, DynamoError> {
        let (named, scope) = (&TableName::of(&input.table_name), cx.scope());
        let table = cx.read(|tx| async move { table_to_keep(&tx, scope, named).await }).await?;
        Ok(described(&table, cx.now()))
    }
}

/// `UpdateContinuousBackups` (API reference): turns point-in-time recovery on or off.
pub(crate) struct UpdateContinuousBackups;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UpdateInput {
    table_name: String,
    point_in_time_recovery_specification: Specification,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Specification {
    point_in_time_recovery_enabled: bool,
    recovery_period_in_days: Option<u32>,
}

impl Specification {
    /// Brings the table in step; the number of a history that nobody needs any more.
    fn apply(&self, table: &mut Table, now: Timestamp) -> Result<Option<u64>, Invalid> {
        let days = self.recovery_period_in_days.unwrap_or(MAX_DAYS);
        if !self.point_in_time_recovery_enabled {
            if self.recovery_period_in_days.is_some() {
                let said = "Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery.";
                return Err(Invalid::Table(said.to_owned()));
            }
            table.recovery = None;
            return Ok(end_unneeded(table));
        }
        // What an earlier, shorter period did not reach is gone.
        let since = table.recovery.map_or(now, |recovery| earliest(recovery, now));
        table.recovery = Some(Recovery { since, days });
        if table.history.is_none() {
            let number = table.draw_number();
            table.history =
                Some(History { number, since: now, asked_by: Default::default(), asked_upto: None });
        }
        Ok(None)
    }
}

impl Operation for UpdateContinuousBackups {
    type Service = DynamoDb;
    type Input = UpdateInput;
    type Output = Output;
    type Error = DynamoError;

    const NAME: &'static str = "UpdateContinuousBackups";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, DynamoDb>, input: &UpdateInput) -> Permissions {
        let arn = TableName::of(&input.table_name).arn(asked.scope);
        Permissions::one("dynamodb:UpdateContinuousBackups", arn)
    }

    async fn run(cx: Cx<DynamoDb>, input: UpdateInput) -> Result<Output, DynamoError> {
        let (named, scope, now) = (&TableName::of(&input.table_name), cx.scope(), cx.now());
        let (asked, job) = (&input.point_in_time_recovery_specification, &uuid_v4(&**cx.randomness()));
        let table = cx
            .write(|tx| async move {
                let mut table = table_to_keep(&tx, scope, named).await?;
                if let Some(number) = asked.apply(&mut table, now)? {
                    let work = Work::Sweep { table_id: table.id.clone(), number };
                    JOBS.put(&tx, &Job { id: job.clone(), work }).await?;
                }
                TABLES.put(&tx, &table).await?;
                Ok::<_, DynamoError>(table)
            })
            .await?;
        Ok(described(&table, now))
    }
}
