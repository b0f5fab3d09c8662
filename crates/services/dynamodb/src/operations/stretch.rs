//! The stretch of keys that a query's conditions ask for.

use bytes::Bytes;
use homeport_store::{Key, Range};

use crate::error::Invalid;
use crate::expression::{Comparator, Condition, KeyCondition, KeyPredicate, Operand, Path};
use crate::records::{Layout, sort_prefix, with_sort};
use crate::table::{Index, KeyAttribute, Schema, check_not_empty};
use crate::value::{AttributeValue, Item};

/// What the conditions ask for: one partition, sort attributes of one value, and maybe a stretch of the next one.
pub(super) struct Stretch<'a> {
    pub(super) partition: Item,
    fixed: Fixed<'a>,
    last: Option<&'a KeyCondition>,
}

impl Stretch<'_> {
    /// The keys that it has, of a table or an index at `root`.
    pub(super) fn range(&self, layout: &Layout, root: Key, schema: &Schema) -> Result<Range, Invalid> {
        let partition = layout.partition(root, schema, &self.partition).ok_or(Invalid::StartKey)?;
        let prefix = self.fixed.iter().fold(partition, |key, (_, value)| with_sort(key, value));
        Ok(match self.last {
            Some(condition) => range_of(&prefix, &condition.predicate),
            None => Range::prefix(&prefix),
        })
    }

    /// Refuses a start key that lies outside.
    pub(super) fn check_start(
        &self,
        schema: &Schema,
        index: Option<&Index>,
        start: &Item,
    ) -> Result<(), Invalid> {
        let same =
            |attribute: &KeyAttribute| start.get(&attribute.name) == self.partition.get(&attribute.name);
        let partition: Vec<bool> = schema.partition_attributes().map(same).collect();
        let (last, leading) = partition.split_last().unwrap_or((&true, &[]));
        if leading.contains(&false) {
            return Err(Invalid::StartOfOneRow);
        }
        let has_fixed = self.fixed.iter().all(|(name, value)| start.get(*name) == Some(*value));
        if !has_fixed || self.last.is_some_and(|last| !meant(last).holds(start)) {
            return Err(Invalid::StartKeyPredicate);
        }
        match (*last, self.last) {
            (true, _) => Ok(()),
            (false, Some(_)) => Err(Invalid::StartOfOneRow),
            (false, None) if index.is_none() && schema.sort.is_none() => Err(Invalid::StartKeyElsewhere),
            (false, None) => Err(Invalid::StartKeyOutside),
        }
    }
}

/// What is asked for, if the conditions are such that the schema can answer: partition attributes by `=`, then sort
/// attributes from the left, all but the last by `=`.
pub(super) fn stretch<'a>(
    schema: &Schema,
    index: Option<&Index>,
    conditions: &'a [KeyCondition],
) -> Result<Stretch<'a>, Invalid> {
    let attributes = schema.attributes().count();
    if conditions.len() > attributes.max(2) {
        return Err(Invalid::KeyConditionsExceed(conditions.len(), attributes));
    }
    if conditions.len() > attributes {
        return Err(Invalid::KeyConditionNotSupported);
    }
    let find = |attribute: &KeyAttribute| -> Result<Option<&'a KeyCondition>, Invalid> {
        let found = conditions.iter().find(|condition| condition.attribute == attribute.name);
        let kind = attribute.kind.value_type();
        let fits = |condition: &&KeyCondition| {
            condition.predicate.values().iter().all(|value| value.value_type() == kind)
        };
        if found.as_ref().is_some_and(|found| !fits(found)) {
            return Err(Invalid::KeyConditionType);
        }
        for value in found.iter().flat_map(|found| found.predicate.values()) {
            check_not_empty(attribute, index, value)?;
        }
        Ok(found)
    };
    let has_many = !schema.partition_rest.is_empty() || !schema.sort_rest.is_empty();
    let mut partition = Item::new();
    let mut unequal = Vec::new();
    for attribute in schema.partition_attributes() {
        let condition = find(attribute)?;
        if condition.is_none() && !has_many {
            return Err(Invalid::MissedKey(attribute.name.clone()));
        }
        match condition.and_then(equal_to) {
            Some(value) => drop(partition.insert(attribute.name.clone(), value.clone())),
            None => unequal.push(attribute.name.as_str()),
        }
    }
    if has_many && !unequal.is_empty() {
        return Err(Invalid::PartitionNotEqual(unequal.join(", ")));
    }
    let sorts = schema.sort_attributes().map(|attribute| Ok((attribute, find(attribute)?)));
    let sorts = sorts.collect::<Result<Vec<_>, Invalid>>()?;
    let (fixed, last) =
        sorted(&sorts, conditions.len().saturating_sub(schema.partition_attributes().count()))?;
    if !unequal.is_empty() {
        return Err(Invalid::KeyConditionNotSupported);
    }
    Ok(Stretch { partition, fixed, last })
}

type Fixed<'a> = Vec<(&'a str, &'a AttributeValue)>;

/// The sort attributes that have one value, and the last that is asked for; `asked` conditions aren't on the partition
/// key.
fn sorted<'a>(
    sorts: &[(&KeyAttribute, Option<&'a KeyCondition>)],
    asked: usize,
) -> Result<(Fixed<'a>, Option<&'a KeyCondition>), Invalid> {
    let given: Vec<&'a KeyCondition> = sorts.iter().filter_map(|(_, condition)| *condition).collect();
    if given.len() < asked
        && let Some((attribute, _)) = sorts.iter().find(|(_, condition)| condition.is_none())
    {
        return Err(Invalid::MissedKey(attribute.name.clone()));
    }
    let Some(last) = given.last() else { return Ok((Vec::new(), None)) };
    let before = sorts.iter().take_while(|(attribute, _)| attribute.name != last.attribute);
    let (mut fixed, mut unequal) = (Vec::new(), Vec::new());
    for (attribute, condition) in before {
        match condition.and_then(|condition| Some((condition.attribute.as_str(), equal_to(condition)?))) {
            Some(equal) => fixed.push(equal),
            None => unequal.push(attribute.name.as_str()),
        }
    }
    if !unequal.is_empty() {
        return Err(Invalid::SortNotEqual(unequal.join(", "), last.attribute.clone()));
    }
    Ok((fixed, Some(last)))
}

/// The one value that a condition leaves, if it leaves one.
fn equal_to(condition: &KeyCondition) -> Option<&AttributeValue> {
    match &condition.predicate {
        KeyPredicate::Compare(Comparator::Equal, value) => Some(value),
        _ => None,
    }
}

/// A key condition as a condition.
fn meant(condition: &KeyCondition) -> Condition {
    let subject = Operand::Path(Path { head: condition.attribute.clone(), rest: Vec::new() });
    match condition.predicate.clone() {
        KeyPredicate::Compare(comparator, value) => {
            Condition::Compare(comparator, subject, Operand::Value(value.into()))
        }
        KeyPredicate::Between(lower, upper) => {
            Condition::Between(subject, Operand::Value(lower.into()), Operand::Value(upper.into()))
        }
        KeyPredicate::BeginsWith(prefix) => Condition::BeginsWith(subject, Operand::Value(prefix.into())),
    }
}

/// The stretch of a partition's keys that a predicate on the sort key leaves.
pub(super) fn range_of(partition: &Key, predicate: &KeyPredicate) -> Range {
    let all = Range::prefix(partition);
    let key = |value: &AttributeValue| with_sort(partition.clone(), value);
    match predicate {
        KeyPredicate::BeginsWith(prefix) => Range::prefix(&sort_prefix(partition.clone(), prefix)),
        KeyPredicate::Between(lower, upper) => all.after(&before(&key(lower))).before(&behind(&key(upper))),
        KeyPredicate::Compare(comparator, value) => {
            let key = key(value);
            match comparator {
                Comparator::Less => all.before(key.as_bytes()),
                Comparator::LessOrEqual => all.before(&behind(&key)),
                Comparator::Greater => all.after(&behind(&key)),
                Comparator::GreaterOrEqual => all.after(&before(&key)),
                Comparator::Equal | Comparator::NotEqual => Range::prefix(&key),
            }
        }
    }
}

/// Bytes behind all keys that begin with this one: no part of a key begins so.
fn behind(key: &Key) -> Bytes {
    [key.as_bytes(), &[u8::MAX]].concat().into()
}

/// Bytes just before this key: without the byte that ends its last part, which is the least there is.
fn before(key: &Key) -> Bytes {
    let bytes = key.as_bytes();
    Bytes::copy_from_slice(&bytes[..bytes.len().saturating_sub(1)])
}
