//! What `UpdateTable` does to global indexes.

use serde::Deserialize;

use super::shape::{
    AttributeDefinition, Definitions, MAX_GLOBAL_INDEXES, RawIndex, check_included, index, parameter,
    table_rule,
};
use super::throughput::{OfIndex, RawMaximum, RawThroughput, RawWarm};
use crate::error::{DynamoError, Invalid};
use crate::records::{TableRef, Work};
use crate::table::{IndexState, Table};

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
    given: &[AttributeDefinition],
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
        match (&update.create, &update.update, &update.delete) {
            (Some(raw), None, None) => work = Some(create(table, raw, given)?),
            (None, Some(action), None) => change(table, action)?,
            (None, None, Some(action)) => work = Some(delete(table, action)?),
            _ => {
                return Err(Invalid::Parameter(
                    "One of GlobalSecondaryIndexUpdate action must be specified: Create, Update or Delete"
                        .to_owned(),
                )
                .into());
            }
        }
    }
    Ok(work)
}

fn create(table: &mut Table, raw: &RawIndex, given: &[AttributeDefinition]) -> Result<Work, DynamoError> {
    if table.indexes.iter().any(|index| index.name == raw.index_name) {
        return Ok(table_rule("Attempting to create an index which already exists")?);
    }
    if table.indexes.iter().filter(|index| index.global).count() >= MAX_GLOBAL_INDEXES {
        return Ok(parameter("GlobalSecondaryIndex count exceeds the per-table limit of 20")?);
    }
    Definitions::of(given).check_named(&raw.key_schema)?;
    let all = Definitions::with_those_of(given, table);
    let number = table.draw_number();
    let mut made = index(raw, true, number, &Definitions::of(&all), &table.indexes)?;
    raw.throughput().add(&mut made, table.throughput.is_none())?;
    made.state = IndexState::Building;
    table.indexes.push(made);
    check_included(&table.indexes)?;
    Ok(Work::Build { table: TableRef::from(&*table), number, after: None })
}

fn change(table: &mut Table, action: &UpdateAction) -> Result<(), DynamoError> {
    let on_demand = table.throughput.is_none();
    let index = table.indexes.iter_mut().find(|index| index.global && index.name == action.index_name);
    let index = index.ok_or(DynamoError::NoIndexToChange)?;
    let asked = OfIndex {
        provisioned: action.provisioned_throughput,
        maximum: action.on_demand_throughput,
        warm: action.warm_throughput,
    };
    Ok(asked.change(index, on_demand)?)
}

fn delete(table: &mut Table, action: &DeleteAction) -> Result<Work, DynamoError> {
    let at = table.indexes.iter().position(|index| index.global && index.name == action.index_name);
    let removed = table.indexes.remove(at.ok_or(DynamoError::NoIndexToChange)?);
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
