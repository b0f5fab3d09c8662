use homeport_core::{Timestamp, uuid_v4};
use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use homeport_store::Tx;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::changes::Changes;
use super::encryption::SseSpecification;
use super::index_updates::{self, IndexUpdate};
use super::shape::{AttributeDefinition, StreamSpecification, check_built, parameter, table_rule};
use super::throughput::{RawMaximum, RawThroughput, RawWarm, check_unchanged};
use crate::DynamoDb;
use crate::description::{Counts, TableDescription};
use crate::error::{DynamoError, Invalid};
use crate::records::{JOBS, Job, TABLES, tables_of};
use crate::request::{TableName, check_table};
use crate::streams::{begin_stream, end_stream};
use crate::table::{IndexState, StreamView, Table};

const PROVISIONED_ON_DEMAND: &str =
    "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST";
const NOTHING_PROVISIONED: &str = "ProvisionedThroughput must be specified when BillingMode is PROVISIONED";

/// `UpdateTable` (API reference): a table's billing, class, protection, stream and global indexes. An index that is
/// added follows every write from then on, and is filled behind the answer; until then it can't be read. Replicas and
/// keys of one's own for encryption are refused.
pub(crate) struct UpdateTable;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    table_name: String,
    attribute_definitions: Option<Vec<AttributeDefinition>>,
    billing_mode: Option<String>,
    provisioned_throughput: Option<RawThroughput>,
    on_demand_throughput: Option<RawMaximum>,
    warm_throughput: Option<RawWarm>,
    deletion_protection_enabled: Option<bool>,
    table_class: Option<String>,
    global_secondary_index_updates: Option<Vec<IndexUpdate>>,
    stream_specification: Option<StreamSpecification>,
    #[serde(rename = "SSESpecification")]
    sse_specification: Option<SseSpecification>,
    replica_updates: Option<Value>,
    multi_region_consistency: Option<Value>,
    global_table_witness_updates: Option<Value>,
    global_table_settings_replication_mode: Option<Value>,
    disassociation_protection_enabled: Option<Value>,
    vector_index_updates: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    table_description: TableDescription,
}

impl Input {
    fn check(&self) -> Result<(), Invalid> {
        check_table(&self.table_name)?;
        self.check_built()?;
        if self.global_secondary_index_updates.as_ref().is_some_and(Vec::is_empty) {
            return parameter("List of GlobalSecondaryIndexUpdates is empty");
        }
        index_updates::check(self.index_updates())?;
        let changes = self.changes();
        if changes.is_empty() {
            return table_rule(
                "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency, DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is required",
            );
        }
        changes.check()?;
        if let Some(asked) = &self.sse_specification {
            asked.check()?;
            return parameter("Table is already encrypted by default");
        }
        self.check_billing()
    }

    /// What Homeport hasn't is refused, also beside what it has.
    fn check_built(&self) -> Result<(), Invalid> {
        check_built(&[
            ("ReplicaUpdates are", self.replica_updates.as_ref()),
            ("MultiRegionConsistency is", self.multi_region_consistency.as_ref()),
            ("GlobalTableWitnessUpdates are", self.global_table_witness_updates.as_ref()),
            ("GlobalTableSettingsReplicationMode is", self.global_table_settings_replication_mode.as_ref()),
            ("DisassociationProtectionEnabled is", self.disassociation_protection_enabled.as_ref()),
            ("VectorIndexUpdates are", self.vector_index_updates.as_ref()),
        ])
    }

    fn index_updates(&self) -> &[IndexUpdate] {
        self.global_secondary_index_updates.as_deref().unwrap_or_default()
    }

    fn changes(&self) -> Changes {
        let updates = self.index_updates();
        Changes {
            encryption: self.sse_specification.is_some(),
            class: self.table_class.is_some(),
            protection: self.deletion_protection_enabled.is_some(),
            warm: self.warm_throughput.is_some(),
            maximum: self.on_demand_throughput.is_some(),
            billing: self.billing_mode.is_some(),
            throughput: self.provisioned_throughput.is_some(),
            stream: self.stream_specification.is_some(),
            index_made: updates.iter().any(IndexUpdate::creates),
            index_dropped: updates.iter().any(IndexUpdate::deletes),
            index_changed: updates.iter().any(IndexUpdate::updates),
        }
    }

    /// Refuses what no table can be billed by.
    fn check_billing(&self) -> Result<(), Invalid> {
        match (self.billing_mode.as_deref(), self.provisioned_throughput) {
            (Some("PAY_PER_REQUEST"), Some(_)) => parameter(PROVISIONED_ON_DEMAND),
            (Some("PROVISIONED"), None) => parameter(NOTHING_PROVISIONED),
            (_, throughput) => throughput.map(RawThroughput::check).transpose().map(drop),
        }
    }

    fn apply(&self, table: &mut Table, now: Timestamp) -> Result<(), Invalid> {
        self.apply_billing(table, now)?;
        self.apply_limits(table)?;
        table.deletion_protection = self.deletion_protection_enabled.unwrap_or(table.deletion_protection);
        self.apply_class(table, now);
        Ok(())
    }

    fn apply_class(&self, table: &mut Table, now: Timestamp) {
        let Some(class) = &self.table_class else { return };
        if table.table_class.as_deref().unwrap_or("STANDARD") != class {
            table.class_changed = Some(now);
        }
        table.table_class = Some(class.clone());
    }

    fn apply_billing(&self, table: &mut Table, now: Timestamp) -> Result<(), Invalid> {
        let was_on_demand = table.throughput.is_none();
        let on_demand = match self.billing_mode.as_deref() {
            Some(mode) => mode == "PAY_PER_REQUEST",
            None => was_on_demand,
        };
        match (on_demand, self.provisioned_throughput) {
            (true, Some(_)) => parameter(PROVISIONED_ON_DEMAND),
            (true, None) => {
                if !was_on_demand {
                    table.on_demand_since = Some(now);
                    table.indexes.iter_mut().for_each(|index| index.throughput = None);
                }
                table.throughput = None;
                Ok(())
            }
            (false, Some(throughput)) => {
                let asked = throughput.check()?;
                check_unchanged("table", table.throughput, asked)?;
                table.throughput = Some(asked);
                table.on_demand_maximum = None;
                table.indexes.iter_mut().for_each(|index| index.on_demand_maximum = None);
                Ok(())
            }
            (false, None) if was_on_demand => parameter(NOTHING_PROVISIONED),
            (false, None) => Ok(()),
        }
    }

    fn apply_limits(&self, table: &mut Table) -> Result<(), Invalid> {
        if let Some(maximum) = self.on_demand_throughput {
            let on_demand = table.throughput.is_none();
            table.on_demand_maximum = maximum.change(table.on_demand_maximum, on_demand, "table")?;
        }
        if let Some(warm) = self.warm_throughput {
            table.warm = Some(warm.raise(table.warm, table.throughput, "table")?);
        }
        Ok(())
    }
}

/// Enables or disables the stream. `id` is fresh.
async fn change_stream(
    tx: &Tx,
    table: &mut Table,
    view: Option<StreamView>,
    id: &str,
    now: Timestamp,
) -> Result<(), DynamoError> {
    let name = &table.name;
    match (view, &table.stream) {
        (Some(_), Some(_)) => {
            Ok(table_rule(format!("Table already has an enabled stream: TableName: {name}"))?)
        }
        (None, None) => Ok(table_rule(format!("Table has no stream to disable: TableName: {name}"))?),
        (Some(view), None) => begin_stream(tx, table, view, id.to_owned(), now).await,
        (None, Some(stream)) => {
            let label = stream.label.clone();
            end_stream(tx, table, now).await?;
            table.stream = None;
            table.ended_stream = Some(label);
            Ok(())
        }
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
        let view = input.stream_specification.as_ref().map(StreamSpecification::of_table).transpose()?;
        let ids = &[uuid_v4(&**cx.randomness()), uuid_v4(&**cx.randomness())];
        let (input, scope, now) = (&input, cx.scope(), cx.now());
        let table = cx
            .write(|tx| async move {
                let named = TableName::of(&input.table_name);
                let none = || DynamoError::NoTableNamed(named.name().to_owned());
                if !named.is_in(scope) {
                    return Err(none());
                }
                let key = tables_of(scope).str(named.name());
                let mut table = TABLES.get(&tx, key).await?.ok_or_else(none)?;
                if table.indexes.iter().any(|index| index.state == IndexState::Building) {
                    return Err(DynamoError::InUse(format!("Table is being updated: {}", table.name)));
                }
                if !table.is_ready() {
                    return Err(DynamoError::InUse(format!("Table is being created: {}", table.name)));
                }
                let was_on_demand = table.throughput.is_none();
                input.apply(&mut table, now)?;
                if let Some(view) = view {
                    change_stream(&tx, &mut table, view, &ids[0], now).await?;
                }
                let given = input.attribute_definitions.as_deref();
                if let Some(work) = index_updates::apply(&mut table, input.index_updates(), given)? {
                    JOBS.put(&tx, &Job { id: ids[1].clone(), work }).await?;
                }
                if was_on_demand {
                    index_updates::check_provisioned(&table)?;
                }
                TABLES.put(&tx, &table).await?;
                Ok(table)
            })
            .await?;
        let counts = Counts::of(&cx, &table).await?;
        let status = if input.changes().is_at_once() { "ACTIVE" } else { "UPDATING" };
        Ok(Output { table_description: TableDescription::of(&table, &counts, status) })
    }
}
