use std::collections::BTreeMap;

use homeport_core::uuid_v4;
use homeport_service::{Asked, Cx, Effect, Operation, Permission, Permissions};
use homeport_store::Key;
use serde::{Deserialize, Serialize};

use super::tags::{RawTag, check_tags};
use crate::DynamoDb;
use crate::description::{Counts, TableDescription};
use crate::error::{DynamoError, Invalid};
use crate::records::{TABLES, table_count};
use crate::request::{TableName, Violations};
use crate::table::{Index, IndexProjection, KeyAttribute, KeyKind, Schema, Table, Throughput};

/// Tables of one account and region (AWS's quota).
const MAX_TABLES: i64 = 2_500;
/// Local indexes of a table.
const MAX_LOCAL_INDEXES: usize = 5;
/// Global indexes of a table.
const MAX_GLOBAL_INDEXES: usize = 20;
/// Attributes that all indexes of a table include.
const MAX_INCLUDED: usize = 100;
/// The most capacity units.
const MAX_UNITS: u64 = 1_000_000_000_000;

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
    stream_specification: Option<StreamSpecification>,
    #[serde(rename = "SSESpecification")]
    sse_specification: Option<SseSpecification>,
    table_class: Option<String>,
    deletion_protection_enabled: Option<bool>,
    resource_policy: Option<String>,
    tags: Option<Vec<RawTag>>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AttributeDefinition {
    attribute_name: String,
    attribute_type: String,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeySchemaElement {
    attribute_name: String,
    key_type: String,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawIndex {
    index_name: String,
    key_schema: Vec<KeySchemaElement>,
    projection: RawProjection,
    provisioned_throughput: Option<RawThroughput>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawProjection {
    projection_type: Option<String>,
    non_key_attributes: Option<Vec<String>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RawThroughput {
    pub(super) read_capacity_units: u64,
    pub(super) write_capacity_units: u64,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StreamSpecification {
    stream_enabled: bool,
    stream_view_type: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SseSpecification {
    enabled: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    table_description: TableDescription,
}

fn table_rule<T>(said: impl Into<String>) -> Result<T, Invalid> {
    Err(Invalid::Table(said.into()))
}

fn parameter<T>(said: impl Into<String>) -> Result<T, Invalid> {
    Err(Invalid::Parameter(said.into()))
}

impl RawThroughput {
    pub(super) fn check(self) -> Result<Throughput, Invalid> {
        for (units, name) in [
            (self.read_capacity_units, "ReadCapacityUnits"),
            (self.write_capacity_units, "WriteCapacityUnits"),
        ] {
            if units > MAX_UNITS {
                return table_rule(format!("Given value {units} for {name} is out of bounds"));
            }
        }
        Ok(Throughput { read: self.read_capacity_units, write: self.write_capacity_units })
    }
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

/// What Homeport hasn't yet is refused, and never an empty success.
fn check_built(input: &Input) -> Result<(), Invalid> {
    if let Some(stream) = &input.stream_specification {
        if !stream.stream_enabled && stream.stream_view_type.is_some() {
            return parameter("StreamViewType must not be specified when StreamEnabled is false");
        }
        if stream.stream_enabled {
            return parameter("StreamSpecification is not supported by this endpoint");
        }
    }
    if input.sse_specification.as_ref().is_some_and(|sse| sse.enabled == Some(true)) {
        return parameter("SSESpecification with a customer's key is not supported by this endpoint");
    }
    if input.resource_policy.is_some() {
        return parameter("ResourcePolicy is not supported by this endpoint");
    }
    Ok(())
}

/// A key schema as messages show it.
fn shown(elements: &[KeySchemaElement]) -> String {
    let element = |element: &KeySchemaElement| {
        format!("KeySchemaElement(attributeName={}, keyType={})", element.attribute_name, element.key_type)
    };
    format!("'[{}]'", elements.iter().map(element).collect::<Vec<_>>().join(", "))
}

/// Attribute definitions, and which of them were used.
struct Definitions<'a> {
    given: &'a [AttributeDefinition],
}

impl Definitions<'_> {
    fn names(&self) -> String {
        let names: Vec<&str> =
            self.given.iter().map(|definition| definition.attribute_name.as_str()).collect();
        names.join(", ")
    }

    fn attribute(&self, name: &str) -> Option<KeyAttribute> {
        let definition = self.given.iter().find(|definition| definition.attribute_name == name)?;
        let kind = match definition.attribute_type.as_str() {
            "N" => KeyKind::N,
            "B" => KeyKind::B,
            _ => KeyKind::S,
        };
        Some(KeyAttribute { name: name.to_owned(), kind })
    }

    /// The schema of these elements, if it is one.
    fn schema(&self, elements: &[KeySchemaElement]) -> Result<Schema, Invalid> {
        let attributes: Vec<Option<KeyAttribute>> =
            elements.iter().map(|it| self.attribute(&it.attribute_name)).collect();
        if attributes.iter().any(Option::is_none) {
            let keys: Vec<&str> = elements.iter().map(|element| element.attribute_name.as_str()).collect();
            return parameter(format!(
                "Some index key attributes are not defined in AttributeDefinitions. Keys: [{}], AttributeDefinitions: [{}]",
                keys.join(", "),
                self.names()
            ));
        }
        if let [first, second] = elements
            && first.attribute_name == second.attribute_name
        {
            return table_rule(
                "Both the Hash Key and the Range Key element in the KeySchema have the same name",
            );
        }
        if elements.first().is_none_or(|element| element.key_type != "HASH") {
            return table_rule("Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
        }
        if elements.get(1).is_some_and(|element| element.key_type != "RANGE") {
            return table_rule("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type");
        }
        let mut attributes = attributes.into_iter().flatten();
        let Some(partition) = attributes.next() else {
            return table_rule("Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
        };
        Ok(Schema { partition, sort: attributes.next() })
    }

    /// Refuses definitions that no key uses.
    fn check_used(&self, schema: &Schema, indexes: &[Index]) -> Result<(), Invalid> {
        let used = |name: &str| schema.has(name) || indexes.iter().any(|index| index.schema.has(name));
        if self.given.iter().all(|definition| used(&definition.attribute_name)) {
            return Ok(());
        }
        if indexes.is_empty() {
            return parameter(
                "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions",
            );
        }
        let used: Vec<&str> =
            self.given.iter().map(|it| it.attribute_name.as_str()).filter(|name| used(name)).collect();
        parameter(format!(
            "Some AttributeDefinitions are not used. AttributeDefinitions: [{}], keys used: [{}]",
            self.names(),
            used.join(", ")
        ))
    }
}

/// The table that is asked for. `id` and `seed` are fresh.
fn table(cx: &Cx<DynamoDb>, input: &Input, id: String, seed: String) -> Result<Table, DynamoError> {
    let mut violations = Violations::default();
    let name = input.table_name.as_deref().ok_or(Invalid::Required("TableName"))?;
    let named = TableName::of(name);
    violations.name(named.name(), "tableName", 3);
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
    check_built(input)?;
    let throughput = billing(input)?;
    let given = input.attribute_definitions.as_deref().unwrap_or_default();
    if elements.len() > given.len() {
        return Err(Invalid::Table(
            "Invalid KeySchema: Some index key attribute have no definition".to_owned(),
        )
        .into());
    }
    let definitions = Definitions { given };
    let schema = definitions.schema(elements)?;
    if input.local_secondary_indexes.is_none() && input.global_secondary_indexes.is_none() {
        definitions.check_used(&schema, &[])?;
    }
    let indexes = indexes(input, &definitions, &schema, throughput.is_none())?;
    definitions.check_used(&schema, &indexes)?;
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
        indexes,
        throughput,
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
        for raw in local {
            let index = index(raw, false, definitions, &indexes)?;
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
        for raw in global {
            let mut index = index(raw, true, definitions, &indexes)?;
            if on_demand && raw.provisioned_throughput.is_some() {
                let name = &raw.index_name;
                return parameter(format!(
                    "ProvisionedThroughput should not be specified for index: {name} when BillingMode is PAY_PER_REQUEST"
                ));
            }
            index.throughput = raw.provisioned_throughput.map(RawThroughput::check).transpose()?;
            indexes.push(index);
        }
        if global.len() > MAX_GLOBAL_INDEXES {
            return parameter("GlobalSecondaryIndex count exceeds the per-table limit of 20");
        }
    }
    let included: usize = indexes
        .iter()
        .map(|index| match &index.projection {
            IndexProjection::Include(names) => names.len(),
            _ => 0,
        })
        .sum();
    if included > MAX_INCLUDED {
        return parameter(format!(
            "Number of NonKeyAttributes across all indexes exceeds the limit of {MAX_INCLUDED}"
        ));
    }
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

fn index(
    raw: &RawIndex,
    global: bool,
    definitions: &Definitions<'_>,
    before: &[Index],
) -> Result<Index, Invalid> {
    if raw.key_schema.len() > 2 {
        return parameter(format!(
            "Keys of more than two attributes are not supported by this endpoint: {}",
            raw.index_name
        ));
    }
    let schema = definitions.schema(&raw.key_schema)?;
    let included = raw.projection.non_key_attributes.clone();
    let projection = match (raw.projection.projection_type.as_deref(), included) {
        (None, _) => return parameter("Unknown ProjectionType: null"),
        (Some("INCLUDE"), Some(names)) => IndexProjection::Include(names),
        (Some("INCLUDE"), None) => {
            return parameter("ProjectionType is INCLUDE, but NonKeyAttributes is not specified");
        }
        (Some(kind), Some(_)) => {
            return parameter(format!("ProjectionType is {kind}, but NonKeyAttributes is specified"));
        }
        (Some("KEYS_ONLY"), None) => IndexProjection::KeysOnly,
        (Some(_), None) => IndexProjection::All,
    };
    if before.iter().any(|other| other.name == raw.index_name) {
        return parameter(format!("Duplicate index name: {}", raw.index_name));
    }
    let number = before.len() as u64 + 1;
    Ok(Index { name: raw.index_name.clone(), number, global, schema, projection, throughput: None })
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
        let mut needed = vec![Permission::new("dynamodb:CreateTable", &arn)];
        if input.tags.as_ref().is_some_and(|tags| !tags.is_empty()) {
            needed.push(Permission::new("dynamodb:TagResource", &arn));
        }
        Permissions::All(needed)
    }

    async fn run(cx: Cx<DynamoDb>, input: Input) -> Result<Output, DynamoError> {
        let mut seed = [0_u8; 32];
        cx.randomness().fill(&mut seed);
        let table = &table(&cx, &input, uuid_v4(&**cx.randomness()), hex::encode(seed))?;
        let counted: &Key = &table_count(cx.scope());
        cx.write(|tx| async move {
            if tx.get_i64(counted).await?.unwrap_or_default() >= MAX_TABLES {
                return Err(DynamoError::LimitExceeded(format!(
                    "Subscriber limit exceeded: There is a limit of {MAX_TABLES} tables per subscriber"
                )));
            }
            if !TABLES.insert(&tx, table).await? {
                return Err(DynamoError::TableExists(table.name.clone()));
            }
            tx.add(counted, 1)?;
            Ok(())
        })
        .await?;
        Ok(Output { table_description: TableDescription::of(table, Counts::default(), "ACTIVE") })
    }
}
