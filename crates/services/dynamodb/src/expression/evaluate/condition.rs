use std::borrow::Cow;
use std::cmp::Ordering;

use memchr::memmem;

use super::super::condition::{Comparator, Condition, Operand};
use crate::number::Number;
use crate::value::{AttributeValue, Item};

impl Condition {
    /// Whether the condition holds for the item; for one that doesn't exist, that is an empty one.
    pub fn holds(&self, item: &Item) -> bool {
        match self {
            Self::Compare(comparator, left, right) => compare(*comparator, left.of(item), right.of(item)),
            Self::Between(operand, lower, upper) => {
                let value = operand.of(item);
                compare(Comparator::GreaterOrEqual, value.clone(), lower.of(item))
                    && compare(Comparator::LessOrEqual, value, upper.of(item))
            }
            Self::In(operand, among) => operand
                .of(item)
                .is_some_and(|value| among.iter().any(|other| other.of(item).as_ref() == Some(&value))),
            Self::Exists(path) => path.get(item).is_some(),
            Self::NotExists(path) => path.get(item).is_none(),
            Self::IsType(operand, kind) => operand.of(item).is_some_and(|value| value.value_type() == *kind),
            Self::BeginsWith(operand, prefix) => both(operand.of(item), prefix.of(item), begins_with),
            Self::Contains(operand, part) => both(operand.of(item), part.of(item), contains),
            Self::And(left, right) => left.holds(item) && right.holds(item),
            Self::Or(left, right) => left.holds(item) || right.holds(item),
            Self::Not(inner) => !inner.holds(item),
        }
    }
}

type Found<'a> = Option<Cow<'a, AttributeValue>>;

impl Operand {
    fn of<'a>(&'a self, item: &'a Item) -> Found<'a> {
        match self {
            Self::Path(path) => path.get(item).map(Cow::Borrowed),
            Self::Value(value) => Some(Cow::Borrowed(value)),
            Self::Size(of) => {
                let size = length(of.of(item)?.as_ref())?;
                Some(Cow::Owned(AttributeValue::N(Number::from(size as u64))))
            }
        }
    }
}

/// What `size` says: characters of a string (UTF-16, as Java counts), bytes of a binary, elements of the rest.
fn length(value: &AttributeValue) -> Option<usize> {
    match value {
        AttributeValue::S(text) => Some(text.encode_utf16().count()),
        AttributeValue::B(bytes) => Some(bytes.len()),
        AttributeValue::Ss(set) => Some(set.len()),
        AttributeValue::Ns(set) => Some(set.len()),
        AttributeValue::Bs(set) => Some(set.len()),
        AttributeValue::L(list) => Some(list.len()),
        AttributeValue::M(map) => Some(map.len()),
        AttributeValue::N(_) | AttributeValue::Bool(_) | AttributeValue::Null => None,
    }
}

fn both(left: Found<'_>, right: Found<'_>, test: impl Fn(&AttributeValue, &AttributeValue) -> bool) -> bool {
    matches!((left, right), (Some(left), Some(right)) if test(&left, &right))
}

fn compare(comparator: Comparator, left: Found<'_>, right: Found<'_>) -> bool {
    let ordered =
        |fits: fn(Ordering) -> bool| both(left.clone(), right.clone(), |a, b| order(a, b).is_some_and(fits));
    match comparator {
        Comparator::Equal => both(left, right, |a, b| a == b),
        Comparator::NotEqual => !both(left, right, |a, b| a == b),
        Comparator::Less => ordered(Ordering::is_lt),
        Comparator::LessOrEqual => ordered(Ordering::is_le),
        Comparator::Greater => ordered(Ordering::is_gt),
        Comparator::GreaterOrEqual => ordered(Ordering::is_ge),
    }
}

/// The order of two strings (by UTF-8 bytes), numbers or binaries; other types, and two different ones, have none.
pub(in crate::expression) fn order(left: &AttributeValue, right: &AttributeValue) -> Option<Ordering> {
    match (left, right) {
        (AttributeValue::S(a), AttributeValue::S(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
        (AttributeValue::N(a), AttributeValue::N(b)) => Some(a.cmp(b)),
        (AttributeValue::B(a), AttributeValue::B(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

fn begins_with(value: &AttributeValue, prefix: &AttributeValue) -> bool {
    match (value, prefix) {
        (AttributeValue::S(text), AttributeValue::S(prefix)) => text.starts_with(prefix.as_str()),
        (AttributeValue::B(bytes), AttributeValue::B(prefix)) => bytes.starts_with(prefix),
        _ => false,
    }
}

fn contains(value: &AttributeValue, part: &AttributeValue) -> bool {
    match (value, part) {
        (AttributeValue::S(text), AttributeValue::S(part)) => text.contains(part.as_str()),
        (AttributeValue::B(bytes), AttributeValue::B(part)) => memmem::find(bytes, part).is_some(),
        (AttributeValue::Ss(set), AttributeValue::S(part)) => set.contains(part),
        (AttributeValue::Ns(set), AttributeValue::N(part)) => set.contains(part),
        (AttributeValue::Bs(set), AttributeValue::B(part)) => set.contains(part),
        (AttributeValue::L(list), part) => list.contains(part),
        _ => false,
    }
}
