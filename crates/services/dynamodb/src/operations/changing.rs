//! PartiQL statements about one item: inserting, updating, deleting, checking and reading it.

use std::borrow::Cow;

use homeport_store::Tx;

use super::statements::check_keys;
use super::update_item::{check_targets, updated};
use super::writing::check_condition;
use crate::capacity::{Consumed, read_units, write_units};
use crate::error::{DynamoError, Invalid};
use crate::expression::{Condition, Projection};
use crate::items::{Occasion, OpenTable};
use crate::partiql::{Insertion, Plan, Returning, Selection, StatementError, Writing, check_type, whole_key};
use crate::records::Place;
use crate::table::Schema;
use crate::value::{Item, MAX_ITEM_SIZE, item_size};

/// Where a statement about one item is run, which decides what it may ask for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Surface {
    Statement,
    Batch,
    Transaction,
}

/// What is asked beside a statement.
#[derive(Clone, Copy, Default)]
pub(super) struct Terms {
    pub(super) consistent: bool,
    /// Whether the item is shown where a condition fails.
    pub(super) tell_old: bool,
}

/// The one item that a statement is about.
pub(super) struct Target<'p> {
    plan: &'p Plan,
    /// The key, or the item that is inserted.
    key: Cow<'p, Item>,
    /// What must hold of the item beside.
    condition: Option<Condition>,
}

/// What was done to an item.
#[derive(Default)]
pub(super) struct Done {
    /// What the statement returns of the item.
    pub(super) item: Option<Item>,
    pub(super) consumed: Consumed,
    /// The size of the item that was read or made; of none, nothing.
    pub(super) size: usize,
}

impl<'p> Target<'p> {
    /// The item that the plan names by this table's key.
    pub(super) fn of(plan: &'p Plan, open: &OpenTable, surface: Surface) -> Result<Self, DynamoError> {
        let (key, condition) = match plan {
            Plan::Insert(insertion) => {
                return Ok(Self { plan, key: Cow::Borrowed(&insertion.item), condition: None });
            }
            Plan::Write(writing) => {
                let named = whole_key(writing.condition.as_ref(), &open.table.schema);
                named.ok_or(StatementError::NoWholeKey)?
            }
            Plan::Exists(selection) => {
                let named = read_key(selection, &open.table.schema);
                named.filter(|(_, beside)| beside.is_some()).ok_or(StatementError::ExistsShape)?
            }
            Plan::Select(selection) => {
                let index = selection.index.as_deref().and_then(|name| open.table.index(name).ok());
                index.map_or(Ok(()), check_keys)?;
                let named = read_key(selection, &open.table.schema);
                let operation = match surface {
                    Surface::Transaction => "ExecuteTransaction",
                    Surface::Statement | Surface::Batch => "BatchExecuteStatement",
                };
                let alone = named.filter(|(_, beside)| beside.is_none());
                alone.ok_or(StatementError::SelectNoKey(operation))?
            }
        };
        Ok(Self { plan, key: Cow::Owned(key), condition })
    }

    /// Where the item lies, once key and paths are found to be the table's.
    pub(super) fn place(&self, open: &OpenTable) -> Result<Place, DynamoError> {
        open.table.check_paths(self.condition.iter().flat_map(Condition::paths))?;
        match self.plan {
            Plan::Insert(insertion) => place_of_new(insertion, open),
            Plan::Write(Writing { update, .. }) => {
                let place = self.place_of_key(open)?;
                update.iter().try_for_each(|update| check_targets(open, update))?;
                Ok(place)
            }
            Plan::Select(selection) | Plan::Exists(selection) => {
                let projected = selection.projection.iter().flat_map(|projection| projection.paths());
                open.table.check_paths(projected)?;
                self.place_of_key(open)
            }
        }
    }

    fn place_of_key(&self, open: &OpenTable) -> Result<Place, DynamoError> {
        for attribute in open.table.schema.attributes() {
            if let Some(value) = self.key.get(&attribute.name) {
                check_type(attribute, value)?;
            }
        }
        open.place(&self.key)
    }

    /// Does what the statement says.
    pub(super) async fn act(
        &self,
        tx: &Tx,
        open: &OpenTable,
        place: &Place,
        terms: Terms,
        on: Occasion,
    ) -> Result<Done, DynamoError> {
        let before = open.item(tx, place, &self.key).await?;
        match self.plan {
            Plan::Insert(_) if before.is_some() => Err(DynamoError::DuplicateItem),
            Plan::Insert(_) => {
                let consumed = open.put(tx, place, None, &self.key, on).await?;
                Ok(Done { item: None, consumed, size: item_size(&self.key) })
            }
            Plan::Write(writing) => self.write(tx, open, place, (writing, before, terms.tell_old), on).await,
            Plan::Exists(_) => {
                let found = self.found(before.as_ref(), terms.tell_old)?;
                Ok(Done { consumed: Consumed::table(write_units(item_size(found))), ..Done::default() })
            }
            Plan::Select(selection) => Ok(read(selection, before.as_ref(), terms.consistent)),
        }
    }

    async fn write(
        &self,
        tx: &Tx,
        open: &OpenTable,
        place: &Place,
        (writing, before, tell_old): (&Writing, Option<Item>, bool),
        on: Occasion,
    ) -> Result<Done, DynamoError> {
        let Some(update) = &writing.update else {
            // What isn't there is deleted already, whatever is asked of it.
            if before.is_some() {
                self.found(before.as_ref(), tell_old)?;
            }
            let consumed = open.delete(tx, place, before.as_ref(), on).await?;
            return Ok(Done { item: before.filter(|_| writing.returning.is_some()), consumed, size: 0 });
        };
        let found = self.found(before.as_ref(), tell_old)?;
        let after = updated(open, &self.key, Some(found), update)?;
        let consumed = open.keep(tx, place, Some(found), after.as_ref(), on).await?;
        let size = after.as_ref().map_or(0, item_size);
        let item = match writing.returning {
            None => None,
            Some(Returning::AllOld) => before,
            Some(Returning::AllNew) => after,
            Some(Returning::ModifiedOld) => Some(update.touched(found)),
            Some(Returning::ModifiedNew) => after.map(|after| update.touched(&after)),
        };
        Ok(Done { item: item.filter(|item| !item.is_empty()), consumed, size })
    }

    /// The item, if it is there and as it should be: a statement neither updates nor finds what isn't.
    fn found<'i>(&self, item: Option<&'i Item>, tell_old: bool) -> Result<&'i Item, DynamoError> {
        let item = item.ok_or(DynamoError::ConditionFailed { item: None })?;
        check_condition(self.condition.as_ref(), Some(item), tell_old)?;
        Ok(item)
    }
}

/// The key of the one item that is read, and what is asked of it beside; none if an index is read.
fn read_key(selection: &Selection, schema: &Schema) -> Option<(Item, Option<Condition>)> {
    let named = whole_key(selection.condition.as_ref(), schema)?;
    selection.index.is_none().then_some(named)
}

fn place_of_new(insertion: &Insertion, open: &OpenTable) -> Result<Place, DynamoError> {
    if item_size(&insertion.item) > MAX_ITEM_SIZE {
        return Err(Invalid::ItemSize.into());
    }
    open.table.check_item(&insertion.item)?;
    open.layout.item(&open.table.schema, &insertion.item).ok_or_else(|| Invalid::KeySchema.into())
}

fn read(selection: &Selection, item: Option<&Item>, consistent: bool) -> Done {
    let projected =
        |item: &Item| selection.projection.as_ref().map_or(item.clone(), |it: &Projection| it.apply(item));
    let size = item.map_or(0, item_size);
    Done { item: item.map(projected), consumed: Consumed::table(read_units(size, consistent)), size }
}
