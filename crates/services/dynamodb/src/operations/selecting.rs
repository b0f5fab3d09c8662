//! `SELECT`: a page of items along the stretches that its `WHERE` reaches.

use homeport_store::{Direction, Tx};

use super::next_token::Binding;
use super::reading::{Select, Wish, check_held, holds, index as readable};
use super::statements::check_keys;
use crate::error::DynamoError;
use crate::expression::Condition;
use crate::items::{OpenTable, SharedTable};
use crate::metering::Meter;
use crate::partiql::{Branch, Order, Selection, StatementError, branches};
use crate::request::ReturnCapacity;
use crate::table::{Index, Schema};

mod page;
mod stretches;

/// What is asked of a `SELECT` beside its statement.
pub(super) struct Paging {
    pub(super) limit: Option<usize>,
    pub(super) consistent: bool,
    pub(super) capacity: ReturnCapacity,
    pub(super) next_token: Option<String>,
    pub(super) binding: Binding,
}

/// The page that the selection and its token lead to.
pub(super) async fn select(
    tx: &Tx,
    open: &SharedTable,
    selection: &Selection,
    paging: &Paging,
    meter: &Meter<'_>,
) -> Result<Vec<u8>, DynamoError> {
    let mut wish = wish(selection, paging);
    let index = index(open, selection, &wish)?;
    let schema = index.map_or(&open.table.schema, |index| &index.schema);
    open.table.check_paths(selection.projection.iter().flat_map(|projection| projection.paths()))?;
    open.table.check_paths(selection.condition.iter().flat_map(Condition::paths))?;
    let found = branches(selection.condition.as_ref(), schema)?;
    check_order(selection, schema, found.as_deref())?;
    if let Some(index) = index {
        check_filters(open, index, found.as_deref())?;
    }
    if found.as_ref().is_some_and(|branches| branches.iter().all(|branch| branch.filters.is_empty())) {
        // Whatever lies in the stretches meets the condition.
        wish.filter = None;
    }
    let direction = sort_direction(selection, schema);
    let stretches = match found {
        None => vec![stretches::everything(open, index)],
        Some(branches) => {
            let mut stretches = stretches::of(open, index, schema, branches)?;
            let descends = order_of(selection, &schema.partition.name) == Some(Order::Descending);
            stretches::arrange(&mut stretches, descends, direction);
            stretches
        }
    };
    let page = page::Page { open, index, schema, wish: &wish, direction, stretches };
    page.answer(tx, paging, meter).await
}

fn wish(selection: &Selection, paging: &Paging) -> Wish {
    Wish {
        select: match (&selection.projection, &selection.index) {
            (Some(_), _) => Select::Specific,
            (None, Some(_)) => Select::Projected,
            (None, None) => Select::All,
        },
        projection: selection.projection.clone(),
        filter: selection.condition.clone(),
        limit: paging.limit,
        consistent: paging.consistent,
        capacity: paging.capacity,
    }
}

/// The index that is read, if it may be read so; in the words for statements.
fn index<'a>(
    open: &'a OpenTable,
    selection: &Selection,
    wish: &Wish,
) -> Result<Option<&'a Index>, DynamoError> {
    let Some(name) = selection.index.as_deref() else { return Ok(None) };
    let index = open.table.index(name).map_err(|_| StatementError::NoIndex)?;
    check_keys(index)?;
    if index.global && wish.consistent {
        return Err(StatementError::ConsistentIndex.into());
    }
    let index = readable(open, Some(name), wish)?;
    check_held(open, index, wish)?;
    Ok(index)
}

/// Refuses conditions on what the index doesn't hold, where it is read by its key.
fn check_filters(
    open: &OpenTable,
    index: &Index,
    branches: Option<&[Branch<'_>]>,
) -> Result<(), StatementError> {
    let missing = |branch: &Branch<'_>| {
        let mut names: Vec<String> = Vec::new();
        for path in branch.filters.iter().flat_map(|filter| filter.paths()) {
            if !holds(open, index, &path.head) && !names.contains(&path.head) {
                names.push(path.head.clone());
            }
        }
        names
    };
    let missing: Vec<Vec<String>> = branches.unwrap_or_default().iter().map(missing).collect();
    match missing.last() {
        Some(last) if missing.iter().all(|names| !names.is_empty()) => {
            Err(StatementError::NotProjected { index: index.name.clone(), attributes: last.join(", ") })
        }
        _ => Ok(()),
    }
}

fn check_order(
    selection: &Selection,
    schema: &Schema,
    branches: Option<&[Branch<'_>]>,
) -> Result<(), StatementError> {
    if selection.order.is_empty() {
        return Ok(());
    }
    if let Some(term) = selection.order.iter().find(|term| !schema.has(&term.attribute)) {
        return Err(StatementError::OrderByNoKey(term.attribute.clone()));
    }
    let Some(branches) = branches else { return Err(StatementError::OrderWithoutPartition) };
    let partitions = branches.windows(2).any(|pair| pair[0].partition != pair[1].partition);
    let by_partition = selection.order.iter().any(|term| term.attribute == schema.partition.name);
    if partitions && !by_partition { Err(StatementError::OrderOfPartitions) } else { Ok(()) }
}

fn order_of(selection: &Selection, attribute: &str) -> Option<Order> {
    selection.order.iter().find(|term| term.attribute == attribute).map(|term| term.order)
}

/// Sort keys ascend; but under an `ORDER BY` that doesn't name them they descend, as on AWS.
fn sort_direction(selection: &Selection, schema: &Schema) -> Direction {
    let said = schema.sort.as_ref().and_then(|sort| order_of(selection, &sort.name));
    match said {
        Some(Order::Ascending) => Direction::Forward,
        None if selection.order.is_empty() => Direction::Forward,
        Some(Order::Descending) | None => Direction::Backward,
    }
}
