//! What `UpdateTable` does to global indexes.

use std::collections::HashSet;

use serde::Deserialize;

use super::shape::{
    AttributeDefinition, Definitions, MAX_GLOBAL_INDEXES, RawIndex, check_included, index, parameter,
    table_rule,
};
use super::throughput::{OfIndex, RawMaximum, RawThroughput, RawWarm};
use crate::error::{DynamoError, Invalid};
use crate::records::{TableRef, Work};
use crate::table::{IndexState, KeyAttribute, Schema, Table};

/// One member of `GlobalSecondaryIndexUpdates`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct IndexUpdate {
    // Boxed, for `{}` must not take the room of all three: such a list may have millions of members.
    create: Option<Box<RawIndex>>,
    update: Option<Box<UpdateAction>>,
    delete: Option<Box<DeleteAction>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateAction {
    index_name: String,
    provisioned_throughput: Option<RawThroughput>,
    on_demand_throughput: Option<RawMaximum>,
    warm_throughput: Option<RawWarm>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteAction {
    index_name: String,
}

impl IndexUpdate {
    pub(super) fn creates(&self) -> bool {
        self.create.is_some()
    }

    pub(super) fn updates(&self) -> bool {
        self.update.is_some()
    }

    pub(super) fn deletes(&self) -> bool {
        self.delete.is_some()
    }

    fn check(&self) -> Result<(), Invalid> {
        match [self.creates(), self.updates(), self.deletes()].into_iter().filter(|given| *given).count() {
            0 => parameter(
                "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null",
            ),
            1 => Ok(()),
            _ => parameter(
                "Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object",
            ),
        }
    }
}

/// Refuses updates that are none, or not one, and two of one index.
pub(super) fn check(updates: &[IndexUpdate]) -> Result<(), Invalid> {
    updates.iter().try_for_each(IndexUpdate::check)?;
    let mut names = HashSet::new();
    let mut updated = updates.iter().filter_map(|update| update.update.as_deref());
    match updated.find(|action| !names.insert(&action.index_name)) {
        Some(action) => parameter(format!(
            "Only one global secondary index update per index is allowed simultaneously. Index: {}",
            action.index_name
        )),
        None => Ok(()),
    }
}

/// Refuses a table with global indexes that were left without throughput when it ceased to be on-demand.
pub(super) fn check_provisioned(table: &Table) -> Result<(), Invalid> {
    let lacks = table.indexes.iter().find(|index| index.global && index.throughput.is_none());
    match lacks.filter(|_| table.throughput.is_some()) {
        Some(index) => {
            parameter(format!("ProvisionedThroughput must be specified for index: {}", index.name))
        }
        None => Ok(()),
    }
}

/// Brings the table's record in step; gives the work that follows: an index to fill, or one to remove.
pub(super) fn apply(
    table: &mut Table,
    updates: &[IndexUpdate],
    given: Option<&[AttributeDefinition]>,
) -> Result<Option<Work>, DynamoError> {
    let online = updates.iter().filter(|update| update.create.is_some() || update.delete.is_some()).count();
    if online > 1 {
        return Err(DynamoError::LimitExceeded(
            "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"
                .to_owned(),
        ));
    }
    let mut work = None;
    for update in updates {
        if let Some(raw) = &update.create {
            work = Some(create(table, raw, given)?);
        }
        if let Some(action) = &update.update {
            change(table, action)?;
        }
        if let Some(action) = &update.delete {
            work = Some(delete(table, action)?);
        }
    }
    Ok(work)
}

fn create(
    table: &mut Table,
    raw: &RawIndex,
    given: Option<&[AttributeDefinition]>,
) -> Result<Work, DynamoError> {
    let Some(given) = given else {
        let name = &raw.index_name;
        return Ok(parameter(format!("AttributeDefinitions is not specified for index: {name}"))?);
    };
    if table.indexes.iter().any(|index| index.name == raw.index_name) {
        return Ok(table_rule("Attempting to create an index which already exists")?);
    }
    if table.indexes.iter().filter(|index| index.global).count() >= MAX_GLOBAL_INDEXES {
        return Err(DynamoError::LimitExceeded(format!(
            "Subscriber limit exceeded: Number of global secondary indexes exceeds per-table limit of {MAX_GLOBAL_INDEXES}"
        )));
    }
    let asked = Definitions::of(given).index_schema(raw, true)?;
    check_types(table, &asked)?;
    let all = Definitions::with_those_of(given, table);
    let number = table.draw_number();
    let mut made = index(raw, true, number, &Definitions::of(&all), &table.indexes)?;
    raw.throughput().add(&mut made, table.throughput.is_none())?;
    made.state = IndexState::Building;
    table.indexes.push(made);
    check_included(&table.indexes)?;
    Ok(Work::Build { table: TableRef::from(&*table), number, after: None })
}

/// Refuses a key with an attribute that one of the table's keys has with another type.
fn check_types(table: &Table, asked: &Schema) -> Result<(), Invalid> {
    let schemas = || std::iter::once(&table.schema).chain(table.indexes.iter().map(|index| &index.schema));
    let differs = |schema: &Schema, attribute: &KeyAttribute| {
        schema.attributes().any(|known| known.name == attribute.name && known.kind != attribute.kind)
    };
    let clash = |attribute| schemas().find(|schema| differs(schema, attribute));
    match asked.attributes().find_map(clash) {
        Some(existing) => parameter(format!(
            "Attributes cannot be redefined. Please check that your attribute has the same type as previously defined. Existing schema: {} New schema: {}",
            shown(existing),
            shown(asked)
        )),
        None => Ok(()),
    }
}

/// `Schema:[SchemaElement: key{p:S:HASH}]`
fn shown(schema: &Schema) -> String {
    let element = |kind: &'static str| {
        move |it: &KeyAttribute| format!("SchemaElement: key{{{}:{}:{kind}}}", it.name, it.kind.name())
    };
    let elements = schema.partition_attributes().map(element("HASH"));
    let elements: Vec<String> = elements.chain(schema.sort_attributes().map(element("RANGE"))).collect();
    format!("Schema:[{}]", elements.join(", "))
}

/// Where the table's global index of this name is. `what` a local one can't be done to it.
fn position(table: &Table, name: &str, what: &str) -> Result<usize, DynamoError> {
    let at = table.indexes.iter().position(|index| index.name == name);
    let at = at.ok_or(DynamoError::NoIndexToChange)?;
    if !table.indexes[at].global {
        let said = format!("Cannot {what} an index that is not a GlobalSecondaryIndex: {name}");
        return Ok(table_rule(said)?);
    }
    Ok(at)
}

fn change(table: &mut Table, action: &UpdateAction) -> Result<(), DynamoError> {
    let on_demand = table.throughput.is_none();
    let at = position(table, &action.index_name, "update")?;
    let index = &mut table.indexes[at];
    let asked = OfIndex {
        provisioned: action.provisioned_throughput,
        maximum: action.on_demand_throughput,
        warm: action.warm_throughput,
    };
    Ok(asked.change(index, on_demand)?)
}

fn delete(table: &mut Table, action: &DeleteAction) -> Result<Work, DynamoError> {
    let at = position(table, &action.index_name, "delete")?;
    let removed = table.indexes.remove(at);
    Ok(Work::Sweep { table_id: table.id.clone(), number: removed.number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_of_nothing_takes_little_room() {
        assert_eq!(size_of::<IndexUpdate>(), 3 * size_of::<usize>());
    }
}
