//! Tables as `DescribeTable` and its like show them.

use std::collections::BTreeMap;

use homeport_core::Timestamp;
use homeport_service::Cx;
use homeport_store::Tx;
use serde::Serialize;

use crate::DynamoDb;
use crate::error::DynamoError;
use crate::records::{Held, Layout};
use crate::table::{
    Index, IndexProjection, IndexState, KeyAttribute, OnDemandMaximum, Schema, Table, Throughput,
};

/// `TableDescription`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TableDescription {
    attribute_definitions: Vec<AttributeDefinition>,
    table_name: String,
    key_schema: Vec<KeySchemaElement>,
    table_status: &'static str,
    creation_date_time: f64,
    provisioned_throughput: ThroughputDescription,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_demand_throughput: Option<MaximumDescription>,
    warm_throughput: WarmDescription,
    table_size_bytes: i64,
    item_count: i64,
    table_arn: String,
    table_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    billing_mode_summary: Option<BillingModeSummary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    table_class_summary: Option<TableClassSummary>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    local_secondary_indexes: Vec<IndexDescription>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    global_secondary_indexes: Vec<IndexDescription>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_specification: Option<StreamSpecification>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_stream_label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_stream_arn: Option<String>,
    deletion_protection_enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    restore_summary: Option<RestoreSummary>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RestoreSummary {
    #[serde(skip_serializing_if = "Option::is_none")]
    source_backup_arn: Option<String>,
    source_table_arn: String,
    restore_date_time: f64,
    restore_in_progress: bool,
}

/// `GlobalSecondaryIndexInfo` or `LocalSecondaryIndexInfo`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct IndexInfo {
    index_name: String,
    key_schema: Vec<KeySchemaElement>,
    projection: Projection,
    #[serde(skip_serializing_if = "Option::is_none")]
    provisioned_throughput: Option<ThroughputInfo>,
}

/// `ProvisionedThroughput`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ThroughputInfo {
    read_capacity_units: u64,
    write_capacity_units: u64,
}

impl ThroughputInfo {
    /// Zeros for on-demand.
    pub(crate) fn of(provisioned: Option<Throughput>) -> Self {
        let Throughput { read, write } = provisioned.unwrap_or(Throughput { read: 0, write: 0 });
        Self { read_capacity_units: read, write_capacity_units: write }
    }
}

/// A table's global or local indexes, as backups show them.
pub(crate) fn index_infos(table: &Table, global: bool) -> Vec<IndexInfo> {
    let info = |index: &Index| IndexInfo {
        index_name: index.name.clone(),
        key_schema: key_schema(&index.schema),
        projection: projection(index),
        provisioned_throughput: index.throughput.map(|throughput| ThroughputInfo::of(Some(throughput))),
    };
    table.indexes.iter().filter(|index| index.global == global).map(info).collect()
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StreamSpecification {
    stream_enabled: bool,
    stream_view_type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AttributeDefinition {
    attribute_name: String,
    attribute_type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct KeySchemaElement {
    attribute_name: String,
    key_type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ThroughputDescription {
    number_of_decreases_today: u64,
    read_capacity_units: u64,
    write_capacity_units: u64,
}

/// `OnDemandThroughput`: -1 where there is no maximum.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MaximumDescription {
    max_read_request_units: i64,
    max_write_request_units: i64,
}

impl MaximumDescription {
    fn of(maximum: OnDemandMaximum) -> Self {
        let shown = |units: Option<u64>| units.and_then(|units| i64::try_from(units).ok()).unwrap_or(-1);
        Self { max_read_request_units: shown(maximum.read), max_write_request_units: shown(maximum.write) }
    }
}

/// `TableWarmThroughputDescription`, and an index's
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WarmDescription {
    read_units_per_second: u64,
    write_units_per_second: u64,
    status: &'static str,
}

impl WarmDescription {
    fn of(asked: Option<Throughput>, provisioned: Option<Throughput>) -> Self {
        let Throughput { read, write } = Throughput::warm(asked, provisioned);
        Self { read_units_per_second: read, write_units_per_second: write, status: "ACTIVE" }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BillingModeSummary {
    billing_mode: &'static str,
    last_update_to_pay_per_request_date_time: f64,
}

impl BillingModeSummary {
    /// Of a table that is on-demand, or was.
    fn of(table: &Table) -> Option<Self> {
        let (billing_mode, since) = match table.throughput {
            None => ("PAY_PER_REQUEST", table.on_demand_since.unwrap_or(table.created)),
            Some(_) => ("PROVISIONED", table.on_demand_since?),
        };
        Some(Self { billing_mode, last_update_to_pay_per_request_date_time: since.seconds_f64() })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TableClassSummary {
    table_class: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_update_date_time: Option<f64>,
}

impl TableClassSummary {
    /// Of a table that was asked to have a class.
    fn of(table: &Table) -> Option<Self> {
        let last_update_date_time = table.class_changed.map(Timestamp::seconds_f64);
        Some(Self { table_class: table.table_class.clone()?, last_update_date_time })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct IndexDescription {
    index_name: String,
    key_schema: Vec<KeySchemaElement>,
    projection: Projection,
    #[serde(skip_serializing_if = "Option::is_none")]
    index_status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backfilling: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provisioned_throughput: Option<ThroughputDescription>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_demand_throughput: Option<MaximumDescription>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warm_throughput: Option<WarmDescription>,
    index_size_bytes: i64,
    item_count: i64,
    index_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Projection {
    projection_type: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    non_key_attributes: Vec<String>,
}

/// How much a table and its indexes hold.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) table: Held,
    /// By their numbers.
    indexes: BTreeMap<u64, Held>,
}

impl Counts {
    /// The counts of a table, as of now.
    pub(crate) async fn of(cx: &Cx<DynamoDb>, table: &Table) -> Result<Self, DynamoError> {
        let layout = &Layout::of(table);
        cx.read(|tx: Tx| async move {
            let mut counts = Self { table: layout.counts().read(&tx).await?, ..Self::default() };
            for index in &table.indexes {
                counts.indexes.insert(index.number, layout.counts_of(index).read(&tx).await?);
            }
            Ok(counts)
        })
        .await
    }

    fn of_index(&self, index: &Index) -> Held {
        self.indexes.get(&index.number).copied().unwrap_or_default()
    }
}

impl TableDescription {
    /// A table as it stands: `ACTIVE`, `UPDATING` while an index is filled, `CREATING` while it is restored.
    pub(crate) fn now(table: &Table, counts: &Counts) -> Self {
        Self::of(table, counts, status_of(table))
    }

    /// A table in this state: such as `DELETING` for one that is gone when the answer arrives.
    pub(crate) fn of(table: &Table, counts: &Counts, status: &'static str) -> Self {
        let described = |global: bool| {
            table
                .indexes
                .iter()
                .filter(move |index| index.global == global)
                .map(|index| describe(table, index, counts.of_index(index)))
        };
        let created = table.created.seconds_f64();
        Self {
            attribute_definitions: definitions(table),
            table_name: table.name.clone(),
            key_schema: key_schema(&table.schema),
            table_status: status,
            creation_date_time: created,
            provisioned_throughput: throughput(table.throughput),
            on_demand_throughput: table.on_demand_maximum.map(MaximumDescription::of),
            warm_throughput: WarmDescription::of(table.warm, table.throughput),
            table_size_bytes: counts.table.bytes,
            item_count: counts.table.items,
            table_arn: table.arn(),
            table_id: table.id.clone(),
            billing_mode_summary: BillingModeSummary::of(table),
            table_class_summary: TableClassSummary::of(table),
            local_secondary_indexes: described(false).collect(),
            global_secondary_indexes: described(true).collect(),
            stream_specification: table.stream.as_ref().map(|stream| StreamSpecification {
                stream_enabled: true,
                stream_view_type: stream.view.name(),
            }),
            latest_stream_label: table.stream_label().map(str::to_owned),
            latest_stream_arn: table.stream_label().map(|label| format!("{}/stream/{label}", table.arn())),
            deletion_protection_enabled: table.deletion_protection,
            restore_summary: table.restored.as_ref().map(|restored| RestoreSummary {
                source_backup_arn: restored.backup_arn.clone(),
                source_table_arn: restored.table_arn.clone(),
                restore_date_time: restored.at.seconds_f64(),
                restore_in_progress: restored.in_progress,
            }),
        }
    }
}

/// `TableStatus`
pub(crate) fn status_of(table: &Table) -> &'static str {
    let is_building = table.indexes.iter().any(|index| index.state == IndexState::Building);
    match (table.is_ready(), is_building) {
        (false, _) => "CREATING",
        (true, true) => "UPDATING",
        (true, false) => "ACTIVE",
    }
}

/// In the order of their names, as on AWS.
fn definitions(table: &Table) -> Vec<AttributeDefinition> {
    let schemas = std::iter::once(&table.schema).chain(table.indexes.iter().map(|index| &index.schema));
    let mut attributes: Vec<&KeyAttribute> = Vec::new();
    for attribute in schemas.flat_map(Schema::attributes) {
        if !attributes.iter().any(|known| known.name == attribute.name) {
            attributes.push(attribute);
        }
    }
    attributes.sort_by_key(|attribute| &attribute.name);
    let definition = |attribute: &KeyAttribute| AttributeDefinition {
        attribute_name: attribute.name.clone(),
        attribute_type: attribute.kind.name(),
    };
    attributes.into_iter().map(definition).collect()
}

/// A key schema, as answers have it.
pub(crate) fn key_schema(schema: &Schema) -> Vec<KeySchemaElement> {
    let of = |key_type| {
        move |attribute: &KeyAttribute| KeySchemaElement { attribute_name: attribute.name.clone(), key_type }
    };
    schema.partition_attributes().map(of("HASH")).chain(schema.sort_attributes().map(of("RANGE"))).collect()
}

fn throughput(provisioned: Option<Throughput>) -> ThroughputDescription {
    let Throughput { read, write } = provisioned.unwrap_or(Throughput { read: 0, write: 0 });
    ThroughputDescription {
        number_of_decreases_today: 0,
        read_capacity_units: read,
        write_capacity_units: write,
    }
}

fn projection(index: &Index) -> Projection {
    let (projection_type, mut non_key_attributes) = match &index.projection {
        IndexProjection::All => ("ALL", Vec::new()),
        IndexProjection::KeysOnly => ("KEYS_ONLY", Vec::new()),
        IndexProjection::Include(names) => ("INCLUDE", names.clone()),
    };
    non_key_attributes.sort();
    Projection { projection_type, non_key_attributes }
}

/// An index as it stands.
fn describe(table: &Table, index: &Index, held: Held) -> IndexDescription {
    let is_building = index.state == IndexState::Building;
    IndexDescription {
        index_name: index.name.clone(),
        key_schema: key_schema(&index.schema),
        projection: projection(index),
        index_status: index.global.then_some(if is_building { "CREATING" } else { "ACTIVE" }),
        backfilling: is_building.then_some(true),
        provisioned_throughput: index.global.then(|| throughput(index.throughput)),
        on_demand_throughput: index.on_demand_maximum.map(MaximumDescription::of),
        warm_throughput: index.global.then(|| WarmDescription::of(index.warm, index.throughput)),
        index_size_bytes: held.bytes,
        item_count: held.items,
        index_arn: format!("{}/index/{}", table.arn(), index.name),
    }
}
