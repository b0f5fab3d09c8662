//! Restoring a table, from a backup or as of a moment. The items are copied behind the answer; until they are all
//! there, the table is `CREATING` and can't be used.

use homeport_core::{Scope, Timestamp, uuid_v4};
use homeport_service::{Asked, Cx, Effect, Operation, Permission, Permissions};
use homeport_store::Tx;
use serde::{Deserialize, Serialize};

use super::backups::{BackupName, ask_history, moment, moment_of, table_to_keep};
use super::continuous_backups::earliest;
use super::create_table::insert;
use super::restore_overrides::Overrides;
use super::shape::table_rule;
use crate::DynamoDb;
use crate::description::{Counts, TableDescription};
use crate::error::DynamoError;
use crate::records::{BACKUPS, BackupRef, Copying, Goal, JOBS, Job, Origin, TABLES, TableRef, Work};
use crate::request::TableName;
use crate::table::{Restored, Table};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    table_description: TableDescription,
}

/// Puts the new table and the job that fills it.
async fn begin(tx: &Tx, scope: &Scope, table: Table, from: Origin, job: &str) -> Result<Table, DynamoError> {
    if !insert(tx, scope, &table).await? {
        return Err(DynamoError::TableInTheWay(table.name));
    }
    let to = Goal::Table(TableRef::from(&table));
    let work = Work::Copy(Box::new(Copying { from, to, after: None, in_history: false }));
    JOBS.put(tx, &Job { id: job.to_owned(), work }).await?;
    Ok(table)
}

/// What a restore needs: its own action on the source, and what fills the new table.
fn needed(action: &'static str, source: &str, asked: &Asked<'_, DynamoDb>, target: &str) -> Permissions {
    let target = TableName::of(target).arn(asked.scope);
    let writes = [
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:Query",
        "dynamodb:Scan",
        "dynamodb:BatchWriteItem",
    ];
    let mut all = vec![Permission::new(action, source), Permission::new(action, &target)];
    all.extend(writes.map(|action| Permission::new(action, &target)));
    Permissions::All(all)
}

/// `RestoreTableFromBackup` (API reference)
pub(crate) struct RestoreTableFromBackup;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct FromBackup {
    backup_arn: String,
    #[serde(flatten)]
    overrides: Overrides,
}

impl Operation for RestoreTableFromBackup {
    type Service = DynamoDb;
    type Input = FromBackup;
    type Output = Output;
    type Error = DynamoError;

    const NAME: &'static str = "RestoreTableFromBackup";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, DynamoDb>, input: &FromBackup) -> Permissions {
        let target = &input.overrides.target_table_name;
        needed("dynamodb:RestoreTableFromBackup", &input.backup_arn, asked, target)
    }

    async fn run(cx: Cx<DynamoDb>, input: FromBackup) -> Result<Output, DynamoError> {
        let named = &BackupName::parse(&input.backup_arn)?;
        let (id, job) = (&uuid_v4(&**cx.randomness()), &uuid_v4(&**cx.randomness()));
        let (input, scope, now) = (&input, cx.scope(), cx.now());
        let table = cx
            .write(|tx| async move {
                let mut backup = named.find(&tx, scope).await?;
                if !backup.is_available {
                    return Err(DynamoError::BackupInUse(backup.arn()));
                }
                let restored = Restored {
                    table_arn: backup.table.arn(),
                    backup_arn: Some(backup.arn()),
                    at: backup.created,
                    in_progress: true,
                };
                let table = input.overrides.table(&backup.table, id, now, restored)?;
                backup.read_by.push(job.clone());
                BACKUPS.put(&tx, &backup).await?;
                let from = Origin::Backup { backup: BackupRef::from(&backup), items: backup.items.clone() };
                begin(&tx, scope, table, from, job).await
            })
            .await?;
        Ok(Output { table_description: TableDescription::now(&table, &Counts::default()) })
    }
}

/// `RestoreTableToPointInTime` (API reference)
pub(crate) struct RestoreTableToPointInTime;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ToPointInTime {
    source_table_name: Option<String>,
    source_table_arn: Option<String>,
    use_latest_restorable_time: Option<bool>,
    restore_date_time: Option<f64>,
    #[serde(flatten)]
    overrides: Overrides,
}

impl ToPointInTime {
    fn source(&self) -> &str {
        self.source_table_arn.as_deref().or(self.source_table_name.as_deref()).unwrap_or_default()
    }

    /// The moment that is asked for, if recovery reaches it.
    fn moment(&self, table: &Table, now: Timestamp) -> Result<Timestamp, DynamoError> {
        let recovery = table.recovery.ok_or_else(|| DynamoError::NoRecovery(table.name.clone()))?;
        let latest = self.use_latest_restorable_time == Some(true);
        let at = match (latest, self.restore_date_time) {
            (true, None) => now,
            (false, Some(seconds)) => moment(seconds),
            _ => {
                return Ok(table_rule(
                    "Invalid Request: Either one of RestoreDateTime or UseLatestRestorableTime must be specified, but not both",
                )?);
            }
        };
        let earliest = earliest(recovery, now);
        if at < earliest || at > now {
            let (from, to) = (earliest.rfc3339(), now.rfc3339());
            return Err(DynamoError::RestoreTime(format!(
                "RestoreDateTime is not between EarliestRestorableDateTime {from} and LatestRestorableDateTime {to}"
            )));
        }
        Ok(at)
    }
}

impl Operation for RestoreTableToPointInTime {
    type Service = DynamoDb;
    type Input = ToPointInTime;
    type Output = Output;
    type Error = DynamoError;

    const NAME: &'static str = "RestoreTableToPointInTime";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, DynamoDb>, input: &ToPointInTime) -> Permissions {
        let source = TableName::of(input.source()).arn(asked.scope);
        let target = &input.overrides.target_table_name;
        needed("dynamodb:RestoreTableToPointInTime", &source, asked, target)
    }

    async fn run(cx: Cx<DynamoDb>, input: ToPointInTime) -> Result<Output, DynamoError> {
        if input.source_table_arn.is_some() == input.source_table_name.is_some() {
            return Ok(table_rule("Must provide exactly one of: sourceTableArn, sourceTableName")?);
        }
        let named = &TableName::of(input.source());
        let (id, job) = (&uuid_v4(&**cx.randomness()), &uuid_v4(&**cx.randomness()));
        let (input, scope, now) = (&input, cx.scope(), cx.now());
        let table = cx
            .write(|tx| async move {
                let mut source = table_to_keep(&tx, scope, named).await?;
                let now = moment_of(&source, now);
                let at = input.moment(&source, now)?;
                let number = ask_history(&mut source, job, now)?;
                TABLES.put(&tx, &source).await?;
                let restored = Restored { table_arn: source.arn(), backup_arn: None, at, in_progress: true };
                let table = input.overrides.table(&source, id, now, restored)?;
                let from = Origin::Table { table: TableRef::from(&source), number, at };
                begin(&tx, scope, table, from, job).await
            })
            .await?;
        Ok(Output { table_description: TableDescription::now(&table, &Counts::default()) })
    }
}
