use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::DynamoDb;
use crate::description::{Counts, TableDescription};
use crate::error::{DynamoError, Invalid};
use crate::records::{SWEEPS, Sweep, TABLES, table_count, tables_of};
use crate::request::TableName;

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
    table_description: TableDescription,
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
        let (named, scope) = (&TableName::of(&input.table_name), cx.scope());
        let table = cx
                .write(|tx| async move {
                    let none = || DynamoError::NoTableNamed(named.name().to_owned());
                    if !named.is_in(scope) {
                        return Err(none());
                    }
                    let key = tables_of(scope).str(named.name());
                    let table = TABLES.delete(&tx, key).await?.ok_or_else(none)?;
                    if table.deletion_protection {
                        let said = format!(
                            "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first. Table: {}",
                            table.name
                        );
                        return Err(Invalid::Table(said).into());
                    }
                    SWEEPS.put(&tx, &Sweep { table_id: table.id.clone() }).await?;
                    tx.add(&table_count(scope), -1)?;
                    Ok(table)
                })
                .await?;
        cx.service.sweeper().wake();
        Ok(Output { table_description: TableDescription::of(&table, Counts::default(), "DELETING") })
    }
}
