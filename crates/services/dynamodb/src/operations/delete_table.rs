use homeport_core::{Fault, Scope, Timestamp};
use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use homeport_store::Tx;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::backups::dated_id;
use super::resource_policies::remove;
use crate::DynamoDb;
use crate::description::{Counts, TableDescription};
use crate::error::{DynamoError, Invalid};
use crate::records::{
    BACKUPS, Backup, BackupKind, EXPIRING, JOBS, Job, Layout, SWEEPS, Sweep, TABLES, TableRef, Work,
    table_count, tables_of,
};
use crate::request::{TableName, check_table};
use crate::streams::end_stream;
use crate::table::Table;

/// `DeleteTable` (API reference): unlinks a table; its items are removed behind it.
pub(crate) struct DeleteTable;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    table_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    table_description: Value,
}

/// What isn't told of a table any more once it is being deleted.
const GONE: [&str; 5] = [
    "AttributeDefinitions",
    "CreationDateTime",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "LocalSecondaryIndexes",
];

/// The table as it is told of while it is being deleted.
fn deleting(table: &Table) -> Result<Value, DynamoError> {
    let described = TableDescription::of(table, &Counts::default(), "DELETING");
    let mut told = serde_json::to_value(described)
        .map_err(|error| DynamoError::Fault(Fault::internal("a description is no JSON").because(error)))?;
    if let Some(members) = told.as_object_mut() {
        members.retain(|name, _| !GONE.contains(&name.as_str()));
    }
    Ok(told)
}

impl Operation for DeleteTable {
    type Service = DynamoDb;
    type Input = Input;
    type Output = Output;
    type Error = DynamoError;

    const NAME: &'static str = "DeleteTable";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, DynamoDb>, input: &Input) -> Permissions {
        Permissions::one("dynamodb:DeleteTable", TableName::of(&input.table_name).arn(asked.scope))
    }

    async fn run(cx: Cx<DynamoDb>, input: Input) -> Result<Output, DynamoError> {
        check_table(&input.table_name)?;
        let (named, scope, now) = (&TableName::of(&input.table_name), cx.scope(), cx.now());
        let table = cx
            .write(|tx| async move {
                let none = || DynamoError::NoTableNamed(named.name().to_owned());
                if !named.is_in(scope) {
                    return Err(none());
                }
                let key = tables_of(scope).str(named.name());
                let table = TABLES.delete(&tx, key).await?.ok_or_else(none)?;
                check(&table)?;
                unlink(&tx, scope, &table, now).await?;
                Ok(table)
            })
            .await?;
        Ok(Output { table_description: deleting(&table)? })
    }
}

/// Unlinks what belongs to a table whose record was deleted.
pub(crate) async fn unlink(tx: &Tx, scope: &Scope, table: &Table, now: Timestamp) -> Result<(), DynamoError> {
    tx.add(&table_count(scope), -1)?;
    EXPIRING.delete(tx, TableRef::from(table).key()).await?;
    end_stream(tx, table, now).await?;
    remove(tx, &table.arn()).await?;
    match table.recovery {
        Some(_) => keep(tx, table, now).await?,
        None => SWEEPS.put(tx, &Sweep { table_id: table.id.clone() }).await?,
    }
    // Whoever works behind the calls is told.
    Ok(tx.touch(&JOBS.root())?)
}

/// Refuses to delete a table that is protected, or that somebody still copies to or from.
fn check(table: &Table) -> Result<(), DynamoError> {
    let name = &table.name;
    if table.deletion_protection {
        let said = "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.";
        return Err(Invalid::Table(said.to_owned()).into());
    }
    if !table.is_ready() {
        return Err(DynamoError::InUse(format!("Table is being created: {name}")));
    }
    if table.history.as_ref().is_some_and(|history| !history.asked_by.is_empty()) {
        return Err(DynamoError::InUse(format!("Table is being backed up or restored from: {name}")));
    }
    Ok(())
}

/// Keeps the items of a table with point-in-time recovery as a backup of DynamoDB's own: they stay where they are.
async fn keep(tx: &Tx, table: &Table, now: Timestamp) -> Result<(), DynamoError> {
    let held = Layout::of(table).counts().read(tx).await?;
    let backup = Backup {
        account: table.account,
        region: table.region.clone(),
        id: dated_id(now.millis(), &table.id),
        name: format!("{}$DeletedTableBackup", table.name),
        items: table.id.clone(),
        created: now,
        kind: BackupKind::System,
        is_available: true,
        item_count: held.items,
        bytes: held.bytes,
        read_by: Vec::new(),
        table: table.clone(),
    };
    BACKUPS.put(tx, &backup).await?;
    let indexes = table.indexes.iter().map(|index| index.number);
    let expiry = table.expiry.iter().map(|expiry| expiry.number);
    let history = table.history.iter().map(|history| history.number);
    for number in indexes.chain(expiry).chain(history) {
        // A table is deleted once, so no other job has this id.
        let (id, table_id) = (format!("{}-{number}", table.id), table.id.clone());
        JOBS.put(tx, &Job { id, work: Work::Sweep { table_id, number } }).await?;
    }
    Ok(())
}
