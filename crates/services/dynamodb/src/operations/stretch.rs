//! The stretch of keys that a query's conditions ask for.

use bytes::Bytes;
use homeport_store::{Key, Range};

use crate::error::Invalid;
use crate::expression::{Comparator, Condition, KeyCondition, KeyPredicate, Operand, Path};
use crate::records::{Layout, sort_prefix, with_sort};
use crate::table::{KeyAttribute, Schema};
use crate::value::{AttributeValue, Item};

/// What the conditions ask for: one partition, sort attributes of one value, and maybe a stretch of the next one.
pub(super) struct Stretch<'a> {
    pub(super) partition: Item,
    fixed: Vec<(&'a str, &'a AttributeValue)>,
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
    pub(super) fn check_start(&self, start: &Item) -> Result<(), Invalid> {
        let has_fixed = self.fixed.iter().all(|(name, value)| start.get(*name) == Some(*value));
        if !has_fixed || self.last.is_some_and(|last| !meant(last).holds(start)) {
            return Err(Invalid::StartKeyPredicate);
        }
        let same_partition = self.partition.iter().all(|(name, value)| start.get(name) == Some(value));
        if same_partition { Ok(()) } else { Err(Invalid::StartKeyOutside) }
    }
}

/// What is asked for, if the conditions are such that the schema can answer: partition attributes by `=`, then sort
/// attributes from the left, all but the last by `=`.
pub(super) fn stretch<'a>(schema: &Schema, conditions: &'a [KeyCondition]) -> Result<Stretch<'a>, Invalid> {
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
        Ok(found)
    };
    let mut asked = Stretch { partition: Item::new(), fixed: Vec::new(), last: None };
    let mut used = 0;
    let mut other_than_equal = false;
    for attribute in schema.partition_attributes() {
        let condition = find(attribute)?.ok_or_else(|| Invalid::MissedKey(attribute.name.clone()))?;
        match &condition.predicate {
            KeyPredicate::Compare(Comparator::Equal, value) => {
                asked.partition.insert(attribute.name.clone(), value.clone());
            }
            _ => other_than_equal = true,
        }
        used += 1;
    }
    for attribute in schema.sort_attributes() {
        let Some(condition) = find(attribute)? else {
            if used < conditions.len() {
                return Err(Invalid::MissedKey(attribute.name.clone()));
            }
            break;
        };
        // Behind a stretch of one attribute the next ones have no order.
        if let Some(stretch) = asked.last.take() {
            match &stretch.predicate {
                KeyPredicate::Compare(Comparator::Equal, value) => {
                    asked.fixed.push((&stretch.attribute, value));
                }
                _ => return Err(Invalid::KeyConditionNotSupported),
            }
        }
        asked.last = Some(condition);
        used += 1;
    }
    if other_than_equal {
        return Err(Invalid::KeyConditionNotSupported);
    }
    Ok(asked)
}

/// A key condition as a condition.
fn meant(condition: &KeyCondition) -> Condition {
    let subject = Operand::Path(Path { head: condition.attribute.clone(), rest: Vec::new() });
    match condition.predicate.clone() {
        KeyPredicate::Compare(comparator, value) => {
            Condition::Compare(comparator, subject, Operand::Value(value))
        }
        KeyPredicate::Between(lower, upper) => {
            Condition::Between(subject, Operand::Value(lower), Operand::Value(upper))
        }
        KeyPredicate::BeginsWith(prefix) => Condition::BeginsWith(subject, Operand::Value(prefix)),
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
