//! Stretches of keys, as the branches of a `WHERE` reach them.

use homeport_store::{Direction, Key, Range};

use crate::expression::{Comparator, Condition, KeyPredicate};
use crate::items::OpenTable;
use crate::operations::stretch::range_of;
use crate::partiql::{Branch, StatementError};
use crate::records::with_sort;
use crate::table::{Index, Schema};
use crate::value::{AttributeValue, Item};

/// A stretch of keys: of one partition, or of all.
pub(super) struct Stretch {
    pub(super) range: Range,
    pub(super) partition: Option<AttributeValue>,
    /// Whether it holds one item at most.
    pub(super) single: bool,
}

impl Stretch {
    /// The partition key that its items have; empty for all.
    pub(super) fn partition_key(&self, schema: &Schema) -> Item {
        key_of(schema, self.partition.as_ref())
    }
}

fn key_of(schema: &Schema, partition: Option<&AttributeValue>) -> Item {
    partition.map(|value| (schema.partition.name.clone(), value.clone())).into_iter().collect()
}

fn root(open: &OpenTable, index: Option<&Index>) -> Key {
    match index {
        Some(index) => open.layout.entries(index),
        None => open.layout.items(),
    }
}

/// All items of the table, or entries of the index.
pub(super) fn everything(open: &OpenTable, index: Option<&Index>) -> Stretch {
    Stretch { range: Range::prefix(&root(open, index)), partition: None, single: false }
}

/// The stretches that the branches are, none of which shares a key with another.
pub(super) fn of(
    open: &OpenTable,
    index: Option<&Index>,
    schema: &Schema,
    branches: Vec<Branch<'_>>,
) -> Result<Vec<Stretch>, StatementError> {
    let root = root(open, index);
    let mut found: Vec<(Stretch, bool)> = Vec::new();
    for branch in branches {
        let key = key_of(schema, Some(&branch.partition));
        let Some(prefix) = open.layout.partition(root.clone(), schema, &key) else { continue };
        let whole = Range::prefix(&prefix);
        let ranges = branch.sort.iter().map(|predicate| range_of(&prefix, predicate));
        let range = ranges.fold(whole.clone(), |all, range| all.intersection(&range));
        let by_sort = branch.sort.iter().any(|it| matches!(it, KeyPredicate::Compare(Comparator::Equal, _)));
        let single = index.is_none() && (schema.sort.is_none() || by_sort);
        let turned = turned(&branch, schema);
        let stretch = Stretch { range, partition: Some(branch.partition), single };
        let shared = |other: &Stretch| !other.range.clone().intersection(&stretch.range).is_empty();
        match found.iter().position(|(other, _)| shared(other)) {
            None => found.push((stretch, turned)),
            // Without a sort key both are the same item.
            Some(_) if schema.sort.is_none() => {}
            Some(at) if turned || found[at].1 => {
                // What a negated condition leaves is no stretch: the whole partition is read, once.
                let partition = stretch.partition;
                found.retain(|(other, _)| other.partition != partition);
                found.push((Stretch { range: whole, partition, single: false }, true));
            }
            Some(_) => return Err(StatementError::Overlap),
        }
    }
    Ok(found.into_iter().map(|(stretch, _)| stretch).filter(|stretch| !stretch.range.is_empty()).collect())
}

/// Whether a branch asks for a sort key not to be something.
fn turned(branch: &Branch<'_>, schema: &Schema) -> bool {
    let is_sort = |name: &str| schema.sort.as_ref().is_some_and(|sort| sort.name == name);
    let negates = |filter: &&&Condition| {
        matches!(filter, Condition::Not(_) | Condition::Compare(Comparator::NotEqual, ..))
    };
    branch.filters.iter().filter(negates).flat_map(|filter| filter.paths()).any(|path| is_sort(&path.head))
}

/// Brings the stretches in order: by partition, and within one by sort key.
pub(super) fn arrange(stretches: &mut [Stretch], descends: bool, direction: Direction) {
    // Keys are ordered as sort keys are, whatever they are parts of.
    let order =
        |stretch: &Stretch| stretch.partition.as_ref().map(|value| with_sort(Key::of("order"), value));
    stretches.sort_by(|a, b| {
        let partitions = order(a).cmp(&order(b));
        let partitions = if descends { partitions.reverse() } else { partitions };
        partitions.then_with(|| match direction {
            Direction::Forward => a.range.cmp(&b.range),
            Direction::Backward => b.range.cmp(&a.range),
        })
    });
}
