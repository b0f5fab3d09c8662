use std::collections::BTreeMap;

use homeport_core::{Scope, uuid_v4};
use homeport_service::{Asked, Cx, Effect, Operation, Permission, Permissions};
use homeport_store::Tx;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::encryption::SseSpecification;
use super::policy_document::of_table;
use super::resource_policies::put;
use super::shape::{
    AttributeDefinition, Definitions, KeySchemaElement, MAX_GLOBAL_INDEXES, RawIndex, StreamSpecification,
    check_built, check_included, index, parameter,
};
use super::tags::{RawTag, bringing, check_tags};
use super::throughput::{RawMaximum, RawThroughput, RawWarm};
use crate::DynamoDb;
use crate::description::{Counts, TableDescription};
use crate::error::{DynamoError, Invalid};
use crate::records::{TABLES, table_count};
use crate::request::{TableName, Violations};
use crate::streams::begin_stream;
use crate::table::{Index, Schema, StreamView, Table, Throughput};

/// Tables of one account and region (AWS's quota).
const MAX_TABLES: i64 = 2_500;
/// Local indexes of a table.
const MAX_LOCAL_INDEXES: usize = 5;
/// Of too many indexes, as many are looked at before it is told that they are too many.
const MAX_LOOKED_AT: usize = 100;

/// `CreateTable` (API reference): a table, ready when the answer arrives.
pub(crate) struct CreateTable;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    attribute_definitions: Option<Vec<AttributeDefinition>>,
    table_name: Option<String>,
    key_schema: Option<Vec<KeySchemaElement>>,
    local_secondary_indexes: Option<Vec<RawIndex>>,
    global_secondary_indexes: Option<Vec<RawIndex>>,
    billing_mode: Option<String>,
    provisioned_throughput: Option<RawThroughput>,
    on_demand_throughput: Option<RawMaximum>,
    warm_throughput: Option<RawWarm>,
    stream_specification: Option<StreamSpecification>,
    #[serde(rename = "SSESpecification")]
    sse_specification: Option<SseSpecification>,
    table_class: Option<String>,
    deletion_protection_enabled: Option<bool>,
    resource_policy: Option<String>,
    tags: Option<Vec<RawTag>>,
    vector_indexes: Option<Value>,
    global_table_source_arn: Option<Value>,
    global_table_settings_replication_mode: Option<Value>,
}

impl Input {
    /// What Homeport hasn't is refused, and never an empty success.
    fn check_built(&self) -> Result<(), Invalid> {
        check_built(&[
            ("VectorIndexes are", self.vector_indexes.as_ref()),
            ("GlobalTableSourceArn is", self.global_table_source_arn.as_ref()),
            ("GlobalTableSettingsReplicationMode is", self.global_table_settings_replication_mode.as_ref()),
        ])
    }

    /// The keys of all indexes that are asked for.
    fn index_schemas(&self, definitions: &Definitions<'_>) -> Result<Vec<Schema>, Invalid> {
        let local = self.local_secondary_indexes.iter().flatten().map(|raw| (raw, false));
        let global = self.global_secondary_indexes.iter().flatten().map(|raw| (raw, true));
        local.chain(global).map(|(raw, global)| definitions.index_schema(raw, global)).collect()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    table_description: TableDescription,
}

/// The billing that a table is asked to have: none for on-demand.
fn billing(input: &Input) -> Result<Option<Throughput>, Invalid> {
    let on_demand = input.billing_mode.as_deref() == Some("PAY_PER_REQUEST");
    match (on_demand, input.provisioned_throughput) {
        (true, None) => Ok(None),
        (true, Some(_)) => parameter(
            "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
        ),
        (false, Some(throughput)) => throughput.check().map(Some),
        (false, None) => parameter(
            "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
        ),
    }
}

/// A key schema as messages show it.
fn shown(elements: &[KeySchemaElement]) -> String {
    let element = |element: &KeySchemaElement| {
        format!("KeySchemaElement(attributeName={}, keyType={})", element.attribute_name, element.key_type)
    };
    format!("'[{}]'", elements.iter().map(element).collect::<Vec<_>>().join(", "))
}

/// The table that is asked for. `id` and `seed` are fresh.
pub(super) fn table(
    cx: &Cx<DynamoDb>,
    input: &Input,
    id: String,
    seed: String,
) -> Result<Table, DynamoError> {
    let mut violations = Violations::default();
    let name = input.table_name.as_deref().ok_or(Invalid::Required("TableName"))?;
    let named = TableName::of(name);
    if !named.is_in(cx.scope()) {
        // It was asked of policies whether that one may be created, and it would be another.
        return Err(Invalid::Table(format!("Invalid TableArn: {name}")).into());
    }
    violations.name(named.name(), "tableName");
    violations.require(input.attribute_definitions.as_ref(), "attributeDefinitions");
    violations.require(input.key_schema.as_ref(), "keySchema");
    for (at, definition) in input.attribute_definitions.iter().flatten().enumerate() {
        let member = format!("attributeDefinitions.{}.member.attributeName", at + 1);
        let shown = || format!("'{}'", definition.attribute_name);
        let constraint = "Member must have length less than or equal to 255";
        violations.check(definition.attribute_name.len() <= 255, shown, &member, constraint);
    }
    let elements = input.key_schema.as_deref().unwrap_or_default();
    let at_most = "Member must have length less than or equal to 2";
    violations.check(elements.len() <= 2, || shown(elements), "keySchema", at_most);
    violations.finish()?;
    input.check_built()?;
    input.sse_specification.as_ref().map_or(Ok(()), SseSpecification::check)?;
    let throughput = billing(input)?;
    let given = input.attribute_definitions.as_deref().unwrap_or_default();
    if elements.len() > given.len() {
        return Err(Invalid::Table(
            "Invalid KeySchema: Some index key attribute have no definition".to_owned(),
        )
        .into());
    }
    let definitions = Definitions::of(given);
    let schema = definitions.schema(elements, false)?;
    definitions.check_used(&schema, &input.index_schemas(&definitions)?)?;
    let on_demand = throughput.is_none();
    let indexes = indexes(input, &definitions, &schema, on_demand)?;
    let maximum = input.on_demand_throughput.map(|given| given.check(on_demand, "table")).transpose()?;
    let warm = input.warm_throughput.map(|given| given.check(throughput, "table")).transpose()?;
    let tags = input.tags.clone().unwrap_or_default();
    check_tags(&tags)?;
    Ok(Table {
        account: cx.account(),
        region: cx.scope().region.clone(),
        name: named.name().to_owned(),
        id,
        hash_seed: seed,
        created: cx.now(),
        schema,
        next_index: indexes.len() as u64 + 1,
        indexes,
        throughput,
        on_demand_since: on_demand.then(|| cx.now()),
        on_demand_maximum: maximum.flatten(),
        warm,
        stream: None,
        ended_stream: None,
        class_changed: None,
        expiry: None,
        history: None,
        recovery: None,
        restored: None,
        importing: None,
        deletion_protection: input.deletion_protection_enabled.unwrap_or(false),
        table_class: input.table_class.clone(),
        tags: tags.into_iter().map(|tag| (tag.key, tag.value)).collect::<BTreeMap<_, _>>(),
    })
}

fn indexes(
    input: &Input,
    definitions: &Definitions<'_>,
    table: &Schema,
    on_demand: bool,
) -> Result<Vec<Index>, Invalid> {
    let mut indexes: Vec<Index> = Vec::new();
    if let Some(local) = &input.local_secondary_indexes {
        if local.is_empty() {
            return parameter("List of LocalSecondaryIndexes is empty");
        }
        if table.sort.is_none() {
            return parameter(
                "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex",
            );
        }
        for raw in local.iter().take(MAX_LOOKED_AT) {
            let number = indexes.len() as u64 + 1;
            let index = index(raw, false, number, definitions, &indexes)?;
            check_local(&index, table)?;
            indexes.push(index);
        }
        if local.len() > MAX_LOCAL_INDEXES {
            return parameter("Number of LocalSecondaryIndexes exceeds per-table limit of 5");
        }
    }
    if let Some(global) = &input.global_secondary_indexes {
        if global.is_empty() {
            return parameter("List of GlobalSecondaryIndexes is empty");
        }
        for raw in global.iter().take(MAX_LOOKED_AT) {
            let number = indexes.len() as u64 + 1;
            let mut index = index(raw, true, number, definitions, &indexes)?;
            raw.throughput().give(&mut index, on_demand)?;
            indexes.push(index);
        }
        if global.len() > MAX_GLOBAL_INDEXES {
            return parameter("GlobalSecondaryIndex count exceeds the per-table limit of 20");
        }
    }
    check_included(&indexes)?;
    Ok(indexes)
}

fn check_local(index: &Index, table: &Schema) -> Result<(), Invalid> {
    let name = &index.name;
    if index.schema.sort.is_none() {
        return parameter(format!("Index KeySchema does not have a range key for index: {name}"));
    }
    let (own, of_table) = (&index.schema.partition.name, &table.partition.name);
    if own != of_table {
        return parameter(format!(
            "Index KeySchema does not have the same leading hash key as table KeySchema for index: {name}. index hash key: {own}, table hash key: {of_table}"
        ));
    }
    Ok(())
}

/// Puts a new table beside the scope's others; false where one has its name.
pub(super) async fn insert(tx: &Tx, scope: &Scope, table: &Table) -> Result<bool, DynamoError> {
    let counted = table_count(scope);
    if tx.get_i64(&counted).await?.unwrap_or_default() >= MAX_TABLES {
        return Err(DynamoError::LimitExceeded(format!(
            "Subscriber limit exceeded: There is a limit of {MAX_TABLES} tables per subscriber"
        )));
    }
    if !TABLES.insert(tx, table).await? {
        return Ok(false);
    }
    tx.add(&counted, 1)?;
    Ok(true)
}

impl Operation for CreateTable {
    type Service = DynamoDb;
    type Input = Input;
    type Output = Output;
    type Error = DynamoError;

    const NAME: &'static str = "CreateTable";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, DynamoDb>, input: &Input) -> Permissions {
        let arn = TableName::of(input.table_name.as_deref().unwrap_or_default()).arn(asked.scope);
        let tags = input.tags.as_deref().unwrap_or_default();
        let mut needed = vec![bringing(Permission::new("dynamodb:CreateTable", &arn), tags)];
        if !tags.is_empty() {
            needed.push(bringing(Permission::new("dynamodb:TagResource", &arn), tags));
        }
        if input.resource_policy.is_some() {
            needed.push(Permission::new("dynamodb:PutResourcePolicy", &arn));
        }
        Permissions::All(needed)
    }

    async fn run(cx: Cx<DynamoDb>, input: Input) -> Result<Output, DynamoError> {
        let mut seed = [0_u8; 32];
        cx.randomness().fill(&mut seed);
        let table = &table(&cx, &input, uuid_v4(&**cx.randomness()), hex::encode(seed))?;
        let view = input.stream_specification.as_ref().map(StreamSpecification::of_new_table).transpose()?;
        let view = view.flatten();
        let stream: &Option<(StreamView, String)> = &view.map(|view| (view, uuid_v4(&**cx.randomness())));
        let policy = input.resource_policy.as_deref().map(|text| Ok((text, of_table(text)?)));
        let policy = &policy.transpose().map_err(|error: Invalid| DynamoError::from(error))?;
        let revision = &uuid_v4(&**cx.randomness());
        let (cx, scope, now) = (&cx, cx.scope(), cx.now());
        let table = cx
            .write(|tx| async move {
                let mut table = table.clone();
                if let Some((view, id)) = stream {
                    begin_stream(&tx, &mut table, *view, id.clone(), now).await?;
                }
                if !insert(&tx, scope, &table).await? {
                    return Err(DynamoError::TableExists(table.name));
                }
                if let Some((text, policy)) = policy {
                    put(cx, &tx, &table.arn(), (text, policy), revision).await?;
                }
                Ok(table)
            })
            .await?;
        Ok(Output { table_description: TableDescription::of(&table, &Counts::default(), "ACTIVE") })
    }
}
