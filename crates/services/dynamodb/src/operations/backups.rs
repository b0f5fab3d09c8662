//! Backups on demand (Developer Guide, "Using DynamoDB backup and restore").

use homeport_core::{Arn, Scope, Timestamp, uuid_v4};
use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use homeport_store::Tx;
use serde::{Deserialize, Serialize};

use crate::DynamoDb;
use crate::backup_description::{BackupDescription, BackupDetails, BackupSummary};
use crate::description::Counts;
use crate::error::{DynamoError, Invalid};
use crate::records::{
    BACKUPS, Backup, BackupKind, BackupRef, Copying, Goal, JOBS, Job, Origin, SWEEPS, Sweep, TABLES,
    TableRef, Work, tables_of,
};
use crate::request::TableName;
use crate::table::{History, Table};

/// Backups, exports and restores of a table that are being made at a time: each is named in the table's record.
const MOST_ASKING: usize = 50;

/// A backup as its ARN names it.
pub(super) struct BackupName {
    arn: String,
    table: TableName,
    id: String,
}

impl BackupName {
    pub(super) fn parse(arn: &str) -> Result<Self, Invalid> {
        let parsed = Arn::parse(arn).ok().filter(|parsed| parsed.service() == "dynamodb");
        let parts: Vec<&str> = parsed.iter().flat_map(|arn| arn.resource().split('/')).collect();
        match parts[..] {
            ["table", _, "backup", id] => {
                Ok(Self { arn: arn.to_owned(), table: TableName::of(arn), id: id.to_owned() })
            }
            _ => Err(Invalid::Table("Invalid Backup ARN".to_owned())),
        }
    }

    /// The backup, if it is one of the scope's.
    pub(super) async fn find(&self, tx: &Tx, scope: &Scope) -> Result<Backup, DynamoError> {
        let found = match self.table.is_in(scope) {
            true => BACKUPS.get(tx, tables_of(scope).str(self.table.name()).str(&self.id)).await?,
            false => None,
        };
        found.ok_or_else(|| DynamoError::NoBackup(self.arn.clone()))
    }
}

/// The table of this name, for operations that keep or bring back what it is.
pub(super) async fn table_to_keep(tx: &Tx, scope: &Scope, named: &TableName) -> Result<Table, DynamoError> {
    let found = match named.is_in(scope) {
        true => TABLES.get(tx, tables_of(scope).str(named.name())).await?,
        false => None,
    };
    let found = found.ok_or_else(|| DynamoError::NoTableToKeep(named.name().to_owned()))?;
    if found.is_ready() { Ok(found) } else { Err(DynamoError::NoTableToKeep(found.name)) }
}

/// Has the table keep what its items were, for the sake of a job that asks about a moment up to now; the history's
/// number.
pub(super) fn ask_history(table: &mut Table, job: &str, now: Timestamp) -> Result<u64, DynamoError> {
    let number = table.history.as_ref().map(|history| history.number);
    let number = number.unwrap_or_else(|| table.draw_number());
    let begun = || History { number, since: now, asked_by: Default::default(), asked_upto: None };
    let history = table.history.get_or_insert_with(begun);
    if history.asked_by.len() >= MOST_ASKING {
        return Err(DynamoError::LimitExceeded(format!(
            "Subscriber limit exceeded: There is a limit of {MOST_ASKING} concurrent copies of a table"
        )));
    }
    history.asked_by.insert(job.to_owned());
    history.asked_upto = history.asked_upto.max(Some(now));
    Ok(number)
}

/// The moment that a request names. What was told to the millisecond is that millisecond when it is sent back, though
/// as a fraction it may fall short of it.
pub(super) fn moment(seconds: f64) -> Timestamp {
    Timestamp::from_millis((seconds * 1_000.0).round() as i64)
}

/// The moment that is asked about when it is asked about now. What was written behind an earlier one's was written
/// later than the clock may say; it is to be in this one's.
pub(super) fn moment_of(table: &Table, now: Timestamp) -> Timestamp {
    let asked = table.history.as_ref().and_then(|history| history.asked_upto);
    let behind = asked.map(|asked| Timestamp::from_millis(asked.millis().saturating_add(1)));
    behind.map_or(now, |behind| behind.max(now))
}

/// `CreateBackup` (API reference): keeps a table as it is now. Its items are copied behind the answer.
pub(crate) struct CreateBackup;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreateInput {
    table_name: String,
    backup_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreateOutput {
    backup_details: BackupDetails,
}

impl Operation for CreateBackup {
    type Service = DynamoDb;
    type Input = CreateInput;
    type Output = CreateOutput;
    type Error = DynamoError;

    const NAME: &'static str = "CreateBackup";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, DynamoDb>, input: &CreateInput) -> Permissions {
        Permissions::one("dynamodb:CreateBackup", TableName::of(&input.table_name).arn(asked.scope))
    }

    async fn run(cx: Cx<DynamoDb>, input: CreateInput) -> Result<CreateOutput, DynamoError> {
        let (job, items) = (&uuid_v4(&**cx.randomness()), &uuid_v4(&**cx.randomness()));
        let (input, scope, now) = (&input, cx.scope(), cx.now());
        let backup = cx
            .write(|tx| async move {
                let mut table = table_to_keep(&tx, scope, &TableName::of(&input.table_name)).await?;
                let now = moment_of(&table, now);
                let number = ask_history(&mut table, job, now)?;
                TABLES.put(&tx, &table).await?;
                let backup = Backup {
                    account: table.account,
                    region: table.region.clone(),
                    id: dated_id(now.millis(), items),
                    name: input.backup_name.clone(),
                    items: items.clone(),
                    created: now,
                    kind: BackupKind::User,
                    is_available: false,
                    item_count: 0,
                    bytes: 0,
                    read_by: Vec::new(),
                    table,
                };
                BACKUPS.put(&tx, &backup).await?;
                let from = Origin::Table { table: TableRef::from(&backup.table), number, at: now };
                let to = Goal::Backup(BackupRef::from(&backup));
                let work = Work::Copy(Box::new(Copying { from, to, after: None, in_history: false }));
                JOBS.put(&tx, &Job { id: job.clone(), work }).await?;
                Ok::<_, DynamoError>(backup)
            })
            .await?;
        // While its items are on their way a backup's size is the table's.
        let counts = Counts::of(&cx, &backup.table).await?;
        Ok(CreateOutput {
            backup_details: BackupDetails::of(&Backup { bytes: counts.table.bytes, ..backup }),
        })
    }
}

/// `01489602797149-73d8d5bc`: when, and some of a random id.
pub(super) fn dated_id(millis: i64, random: &str) -> String {
    let digits: String = random.chars().filter(char::is_ascii_hexdigit).take(8).collect();
    format!("{millis:014}-{digits}")
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct NamedInput {
    backup_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DescribedOutput {
    backup_description: BackupDescription,
}

/// `DescribeBackup` (API reference)
pub(crate) struct DescribeBackup;

impl Operation for DescribeBackup {
    type Service = DynamoDb;
    type Input = NamedInput;
    type Output = DescribedOutput;
    type Error = DynamoError;

    const NAME: &'static str = "DescribeBackup";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, DynamoDb>, input: &NamedInput) -> Permissions {
        Permissions::one("dynamodb:DescribeBackup", &input.backup_arn)
    }

    async fn run(cx: Cx<DynamoDb>, input: NamedInput) -> Result<DescribedOutput, DynamoError> {
        let (named, scope) = (&BackupName::parse(&input.backup_arn)?, cx.scope());
        let backup = cx.read(|tx| async move { named.find(&tx, scope).await }).await?;
        Ok(DescribedOutput { backup_description: BackupDescription::of(&backup) })
    }
}

/// `DeleteBackup` (API reference): its items are removed behind the answer.
pub(crate) struct DeleteBackup;

impl Operation for DeleteBackup {
    type Service = DynamoDb;
    type Input = NamedInput;
    type Output = DescribedOutput;
    type Error = DynamoError;

    const NAME: &'static str = "DeleteBackup";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, DynamoDb>, input: &NamedInput) -> Permissions {
        Permissions::one("dynamodb:DeleteBackup", &input.backup_arn)
    }

    async fn run(cx: Cx<DynamoDb>, input: NamedInput) -> Result<DescribedOutput, DynamoError> {
        let (named, scope) = (&BackupName::parse(&input.backup_arn)?, cx.scope());
        let backup = cx
            .write(|tx| async move {
                let backup = named.find(&tx, scope).await?;
                if !backup.is_available || !backup.read_by.is_empty() {
                    return Err(DynamoError::BackupInUse(backup.arn()));
                }
                BACKUPS.delete(&tx, BackupRef::from(&backup).key()).await?;
                SWEEPS.put(&tx, &Sweep { table_id: backup.items.clone() }).await?;
                tx.touch(&JOBS.root())?;
                Ok(backup)
            })
            .await?;
        Ok(DescribedOutput { backup_description: BackupDescription::deleted(&backup) })
    }
}

/// Backups in one answer.
const MAX_BACKUPS: usize = 100;

/// `ListBackups` (API reference): by table and time.
pub(crate) struct ListBackups;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListInput {
    table_name: Option<String>,
    backup_type: Option<String>,
    limit: Option<usize>,
    exclusive_start_backup_arn: Option<String>,
    time_range_lower_bound: Option<f64>,
    time_range_upper_bound: Option<f64>,
}

impl ListInput {
    fn wants(&self, backup: &Backup) -> bool {
        let kind = match self.backup_type.as_deref() {
            None | Some("USER") => backup.kind == BackupKind::User,
            Some("SYSTEM") => backup.kind == BackupKind::System,
            Some(kind) => kind == "ALL",
        };
        let at = backup.created.seconds_f64();
        kind && self.time_range_lower_bound.is_none_or(|from| at >= from)
            && self.time_range_upper_bound.is_none_or(|to| at < to)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListOutput {
    backup_summaries: Vec<BackupSummary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_evaluated_backup_arn: Option<String>,
}

impl Operation for ListBackups {
    type Service = DynamoDb;
    type Input = ListInput;
    type Output = ListOutput;
    type Error = DynamoError;

    const NAME: &'static str = "ListBackups";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, DynamoDb>, _: &ListInput) -> Permissions {
        Permissions::one("dynamodb:ListBackups", "*")
    }

    async fn run(cx: Cx<DynamoDb>, input: ListInput) -> Result<ListOutput, DynamoError> {
        let mut prefix = tables_of(cx.scope());
        if let Some(table) = &input.table_name {
            prefix = prefix.str(TableName::of(table).name());
        }
        let start = input.exclusive_start_backup_arn.as_deref().map(BackupName::parse).transpose()?;
        let after = start.map(|start| tables_of(cx.scope()).str(start.table.name()).str(&start.id));
        let limit = input.limit.unwrap_or(MAX_BACKUPS).clamp(1, MAX_BACKUPS);
        let (prefix, after) = (&prefix, &after);
        let found = cx
            .read(|tx| async move {
                let after = after.as_ref().map(|after| after.as_bytes());
                Ok::<_, DynamoError>(BACKUPS.page(&tx, prefix, after, limit).await?)
            })
            .await?;
        let last = found.records.last().filter(|_| found.cursor.is_some()).map(Backup::arn);
        let wanted = found.records.iter().filter(|backup| input.wants(backup));
        Ok(ListOutput {
            backup_summaries: wanted.map(BackupSummary::of).collect(),
            last_evaluated_backup_arn: last,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_that_is_told_is_the_same_when_it_is_sent_back() {
        for millis in (0..1_000).map(|fraction| 1_795_000_000_000 + fraction) {
            let told = Timestamp::from_millis(millis);
            let seconds = told.seconds_f64();
            // A client may read the digits as the double beside.
            for sent in [seconds.next_down(), seconds, seconds.next_up()] {
                assert_eq!(moment(sent), told);
            }
        }
    }
}
