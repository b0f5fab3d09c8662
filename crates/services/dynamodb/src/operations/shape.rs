//! How tables and indexes are described in requests, and what of that AWS accepts.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use serde_json::Value;

use super::hash_order::{grown, sized};
use super::throughput::{OfIndex, RawMaximum, RawThroughput, RawWarm};
use crate::error::Invalid;
use crate::table::{Index, IndexProjection, IndexState, KeyAttribute, KeyKind, Schema, StreamView, Table};

/// Global indexes of a table.
pub(super) const MAX_GLOBAL_INDEXES: usize = 20;
/// Attributes that all indexes of a table include.
const MAX_INCLUDED: usize = 100;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AttributeDefinition {
    pub(super) attribute_name: String,
    pub(super) attribute_type: String,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct KeySchemaElement {
    pub(super) attribute_name: String,
    pub(super) key_type: String,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RawIndex {
    pub(super) index_name: String,
    pub(super) key_schema: Vec<KeySchemaElement>,
    pub(super) projection: RawProjection,
    provisioned_throughput: Option<RawThroughput>,
    on_demand_throughput: Option<RawMaximum>,
    warm_throughput: Option<RawWarm>,
}

impl RawIndex {
    /// What the index is asked to serve.
    pub(super) fn throughput(&self) -> OfIndex {
        OfIndex {
            provisioned: self.provisioned_throughput,
            maximum: self.on_demand_throughput,
            warm: self.warm_throughput,
        }
    }
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RawProjection {
    pub(super) projection_type: Option<String>,
    pub(super) non_key_attributes: Option<Vec<String>>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StreamSpecification {
    pub(super) stream_enabled: bool,
    pub(super) stream_view_type: Option<String>,
}

impl StreamSpecification {
    /// The view of the stream that a new table is asked to have; none for no stream.
    pub(super) fn of_new_table(&self) -> Result<Option<StreamView>, Invalid> {
        match (self.stream_enabled, self.stream_view_type.as_deref()) {
            (false, None) => Ok(None),
            (false, Some(_)) => parameter(
                "Table is being created with a stream disabled, UpdateViewType should not be specified",
            ),
            (true, None) => {
                parameter("Table is being created with a stream enabled, UpdateViewType is required")
            }
            (true, Some(name)) => Self::view(name).map(Some),
        }
    }

    /// The view of the stream that a table is asked to have from now on; none for no stream.
    pub(super) fn of_table(&self) -> Result<Option<StreamView>, Invalid> {
        match (self.stream_enabled, self.stream_view_type.as_deref()) {
            (false, None) => Ok(None),
            (false, Some(_)) => {
                parameter("If stream is being disabled, then UpdateViewType must not be specified")
            }
            (true, None) => parameter("If stream is being enabled then UpdateViewType is required"),
            (true, Some(name)) => Self::view(name).map(Some),
        }
    }

    fn view(name: &str) -> Result<StreamView, Invalid> {
        StreamView::parse(name).ok_or_else(|| Invalid::Parameter(format!("Unknown StreamViewType: {name}")))
    }
}

/// Refuses what a request asks for that Homeport hasn't: each member by how its refusal begins.
pub(super) fn check_built(unbuilt: &[(&str, Option<&Value>)]) -> Result<(), Invalid> {
    match unbuilt.iter().find(|(_, given)| given.is_some()) {
        Some((what, _)) => parameter(format!("{what} not supported by this endpoint")),
        None => Ok(()),
    }
}

pub(super) fn table_rule<T>(said: impl Into<String>) -> Result<T, Invalid> {
    Err(Invalid::Table(said.into()))
}

pub(super) fn parameter<T>(said: impl Into<String>) -> Result<T, Invalid> {
    Err(Invalid::Parameter(said.into()))
}

/// Attribute definitions.
pub(super) struct Definitions<'a> {
    given: &'a [AttributeDefinition],
    /// The first of each attribute.
    named: HashMap<&'a str, &'a AttributeDefinition>,
}

/// The most attributes of a global index's partition key, and of its sort key.
const MAX_KEY_ATTRIBUTES: usize = 4;

impl<'a> Definitions<'a> {
    pub(super) fn of(given: &'a [AttributeDefinition]) -> Self {
        let mut named = HashMap::new();
        for definition in given {
            named.entry(definition.attribute_name.as_str()).or_insert(definition);
        }
        Self { given, named }
    }

    pub(super) fn names(&self) -> String {
        sized(self.given.iter().map(|definition| definition.attribute_name.as_str())).join(", ")
    }

    pub(super) fn attribute(&self, name: &str) -> Option<KeyAttribute> {
        let definition = self.named.get(name)?;
        let kind = match definition.attribute_type.as_str() {
            "N" => KeyKind::N,
            "B" => KeyKind::B,
            _ => KeyKind::S,
        };
        Some(KeyAttribute { name: name.to_owned(), kind })
    }

    /// Those that a table's keys have already, and these: what is there keeps its type.
    pub(super) fn with_those_of(given: &[AttributeDefinition], table: &Table) -> Vec<AttributeDefinition> {
        let schemas = std::iter::once(&table.schema).chain(table.indexes.iter().map(|index| &index.schema));
        let known = schemas.flat_map(Schema::attributes).map(|attribute| AttributeDefinition {
            attribute_name: attribute.name.clone(),
            attribute_type: attribute.kind.name().to_owned(),
        });
        let mut names = HashSet::new();
        known
            .chain(given.iter().cloned())
            .filter(|definition| names.insert(definition.attribute_name.clone()))
            .collect()
    }

    /// Refuses keys that these definitions don't name.
    pub(super) fn check_named(&self, elements: &[KeySchemaElement]) -> Result<(), Invalid> {
        if elements.iter().all(|element| self.attribute(&element.attribute_name).is_some()) {
            return Ok(());
        }
        let keys = sized(elements.iter().map(|element| element.attribute_name.as_str()));
        parameter(format!(
            "Some index key attributes are not defined in AttributeDefinitions. Keys: [{}], AttributeDefinitions: [{}]",
            keys.join(", "),
            self.names()
        ))
    }

    /// The schema of these elements, if it is one.
    pub(super) fn schema(&self, elements: &[KeySchemaElement], global: bool) -> Result<Schema, Invalid> {
        self.check_named(elements)?;
        let mut attributes = elements.iter().filter_map(|it| self.attribute(&it.attribute_name));
        let mut names = HashSet::new();
        if !elements.iter().all(|element| names.insert(&element.attribute_name)) {
            return table_rule(
                "Both the Hash Key and the Range Key element in the KeySchema have the same name",
            );
        }
        if elements.first().is_none_or(|element| element.key_type != "HASH") {
            return table_rule("Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
        }
        let hashes = elements.iter().take_while(|element| element.key_type == "HASH").count();
        if elements.len() == 2 && hashes == 2 && !global {
            return table_rule("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type");
        }
        if elements[hashes..].iter().any(|element| element.key_type == "HASH") {
            return parameter("All HASH key attributes must precede RANGE key attributes in the KeySchema");
        }
        let partition: Vec<KeyAttribute> = attributes.by_ref().take(hashes).collect();
        Ok(Schema::of(partition, attributes.collect()))
    }

    /// Refuses definitions that no key uses, and two of one attribute.
    pub(super) fn check_used(&self, schema: &Schema, indexes: &[Schema]) -> Result<(), Invalid> {
        self.check_once()?;
        let schemas = || std::iter::once(schema).chain(indexes);
        let names = || schemas().flat_map(Schema::attributes).map(|attribute| attribute.name.as_str());
        let used: HashSet<&str> = names().collect();
        if self.given.iter().all(|definition| used.contains(definition.attribute_name.as_str())) {
            return Ok(());
        }
        if indexes.is_empty() {
            return parameter(
                "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions",
            );
        }
        parameter(format!(
            "Some AttributeDefinitions are not used. AttributeDefinitions: [{}], keys used: [{}]",
            self.names(),
            grown(names()).join(", ")
        ))
    }

    fn check_once(&self) -> Result<(), Invalid> {
        match repeated(self.given.iter().map(|definition| definition.attribute_name.as_str())) {
            Some(name) => parameter(format!("Attribute Name is duplicated: {name}")),
            None => Ok(()),
        }
    }

    /// The key of an index, if it is one.
    pub(super) fn index_schema(&self, raw: &RawIndex, global: bool) -> Result<Schema, Invalid> {
        let of_kind = |kind: &str| raw.key_schema.iter().filter(|element| element.key_type == kind).count();
        let most = if global { MAX_KEY_ATTRIBUTES } else { 1 };
        let too_many = ["HASH", "RANGE"].into_iter().find(|kind| of_kind(kind) > most);
        match (too_many, global) {
            (None, _) => self.schema(&raw.key_schema, global),
            (Some(kind), true) => parameter(format!(
                "The KeySchema exceeds the maximum allowed number of {kind} key attributes"
            )),
            (Some(_), false) => parameter(format!(
                "Invalid KeySchema for index {}: at most {most} HASH and {most} RANGE key attributes are allowed",
                raw.index_name
            )),
        }
    }
}

/// The first name that comes again.
fn repeated<'a>(mut names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = HashSet::new();
    names.find(|name| !seen.insert(*name))
}

fn projection(raw: &RawProjection) -> Result<IndexProjection, Invalid> {
    let included = raw.non_key_attributes.as_deref();
    match (raw.projection_type.as_deref(), included) {
        (None, _) => parameter("Unknown ProjectionType: null"),
        (Some("INCLUDE"), Some(names)) => match repeated(names.iter().map(String::as_str)) {
            Some(name) => parameter(format!("Duplicate element in NonKeyAttributes: {name}")),
            None => Ok(IndexProjection::Include(names.to_vec())),
        },
        (Some("INCLUDE"), None) => {
            parameter("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
        }
        (Some(kind), Some(_)) => {
            parameter(format!("ProjectionType is {kind}, but NonKeyAttributes is specified"))
        }
        (Some("KEYS_ONLY"), None) => Ok(IndexProjection::KeysOnly),
        (Some(_), None) => Ok(IndexProjection::All),
    }
}

pub(super) fn index(
    raw: &RawIndex,
    global: bool,
    number: u64,
    definitions: &Definitions<'_>,
    before: &[Index],
) -> Result<Index, Invalid> {
    let schema = definitions.index_schema(raw, global)?;
    let projection = projection(&raw.projection)?;
    if before.iter().any(|other| other.name == raw.index_name) {
        return parameter(format!("Duplicate index name: {}", raw.index_name));
    }
    let (name, state) = (raw.index_name.clone(), IndexState::Active);
    Ok(Index {
        name,
        number,
        global,
        schema,
        projection,
        throughput: None,
        on_demand_maximum: None,
        warm: None,
        state,
    })
}

/// Refuses indexes that include too many attributes together.
pub(super) fn check_included(indexes: &[Index]) -> Result<(), Invalid> {
    let included = indexes.iter().map(|index| match &index.projection {
        IndexProjection::Include(names) => names.len(),
        _ => 0,
    });
    if included.sum::<usize>() > MAX_INCLUDED {
        return parameter(format!(
            "Number of NonKeyAttributes across all indexes exceeds the limit of {MAX_INCLUDED}"
        ));
    }
    Ok(())
}
