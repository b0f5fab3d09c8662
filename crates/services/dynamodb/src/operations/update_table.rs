use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::create_table::RawThroughput;
use crate::DynamoDb;
use crate::description::{Counts, TableDescription};
use crate::error::{DynamoError, Invalid};
use crate::records::{TABLES, tables_of};
use crate::request::TableName;
use crate::table::Table;

/// `UpdateTable` (API reference): a table's billing, class and protection. Indexes, streams and replicas of a table
/// that is there can't be changed yet, and asking for that is refused.
pub(crate) struct UpdateTable;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    table_name: String,
    billing_mode: Option<String>,
    provisioned_throughput: Option<RawThroughput>,
    deletion_protection_enabled: Option<bool>,
    table_class: Option<String>,
    global_secondary_index_updates: Option<Value>,
    stream_specification: Option<Value>,
    #[serde(rename = "SSESpecification")]
    sse_specification: Option<Value>,
    replica_updates: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    table_description: TableDescription,
}

impl Input {
    fn check(&self) -> Result<(), Invalid> {
        let unbuilt = [
            ("GlobalSecondaryIndexUpdates", &self.global_secondary_index_updates),
            ("StreamSpecification", &self.stream_specification),
            ("SSESpecification", &self.sse_specification),
            ("ReplicaUpdates", &self.replica_updates),
        ];
        if let Some((name, _)) = unbuilt.iter().find(|(_, given)| given.is_some()) {
            return Err(Invalid::Parameter(format!("{name} is not supported by this endpoint")));
        }
        let changes = [
            self.billing_mode.is_some(),
            self.provisioned_throughput.is_some(),
            self.deletion_protection_enabled.is_some(),
            self.table_class.is_some(),
        ];
        if changes.contains(&true) {
            return Ok(());
        }
        Err(Invalid::Table("At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required".to_owned()))
    }

    fn apply(&self, table: &mut Table) -> Result<(), Invalid> {
        let on_demand = match self.billing_mode.as_deref() {
            Some(mode) => mode == "PAY_PER_REQUEST",
            None => table.throughput.is_none(),
        };
        match (on_demand, self.provisioned_throughput) {
            (true, Some(_)) => {
                let said = "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST";
                return Err(Invalid::Parameter(said.to_owned()));
            }
            (true, None) => table.throughput = None,
            (false, Some(throughput)) => table.throughput = Some(throughput.check()?),
            (false, None) if table.throughput.is_none() => {
                let said = "ProvisionedThroughput must be specified when BillingMode is PROVISIONED";
                return Err(Invalid::Parameter(said.to_owned()));
            }
            (false, None) => {}
        }
        table.deletion_protection = self.deletion_protection_enabled.unwrap_or(table.deletion_protection);
        table.table_class = self.table_class.clone().or(table.table_class.take());
        Ok(())
    }
}

impl Operation for UpdateTable {
    type Service = DynamoDb;
    type Input = Input;
    type Output = Output;
    type Error = DynamoError;

    const NAME: &'static str = "UpdateTable";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, DynamoDb>, input: &Input) -> Permissions {
        Permissions::one("dynamodb:UpdateTable", TableName::of(&input.table_name).arn(asked.scope))
    }

    async fn run(cx: Cx<DynamoDb>, input: Input) -> Result<Output, DynamoError> {
        input.check()?;
        let (input, scope) = (&input, cx.scope());
        let table = cx
            .write(|tx| async move {
                let named = TableName::of(&input.table_name);
                let none = || DynamoError::NoTableNamed(named.name().to_owned());
                if !named.is_in(scope) {
                    return Err(none());
                }
                let key = tables_of(scope).str(named.name());
                let mut table = TABLES.get(&tx, key).await?.ok_or_else(none)?;
                input.apply(&mut table)?;
                TABLES.put(&tx, &table).await?;
                Ok(table)
            })
            .await?;
        let counts = Counts::of(&cx, &table).await?;
        Ok(Output { table_description: TableDescription::of(&table, counts, "ACTIVE") })
    }
}
