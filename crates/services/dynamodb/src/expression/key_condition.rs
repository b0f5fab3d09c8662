use std::sync::Arc;

use super::condition::{Comparator, Condition, Operand};
use super::{KeyConditionError, Path};
use crate::value::AttributeValue;

/// A condition on one attribute of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCondition {
    /// The attribute.
    pub attribute: String,
    /// What is asked of it.
    pub predicate: KeyPredicate,
}

/// What is asked of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPredicate {
    /// `=`, `<`, `<=`, `>` or `>=`
    Compare(Comparator, AttributeValue),
    /// Between the two, both included.
    Between(AttributeValue, AttributeValue),
    /// It begins with this.
    BeginsWith(AttributeValue),
}

impl KeyPredicate {
    /// The values that the key is held against.
    pub fn values(&self) -> Vec<&AttributeValue> {
        match self {
            Self::Compare(_, value) | Self::BeginsWith(value) => vec![value],
            Self::Between(lower, upper) => vec![lower, upper],
        }
    }
}

/// The key conditions that a condition is made of, or why it is more than that.
pub fn key_conditions(condition: Condition) -> Result<Vec<KeyCondition>, KeyConditionError> {
    let mut found: Vec<KeyCondition> = Vec::new();
    collect(condition, &mut found)?;
    Ok(found)
}

fn collect(condition: Condition, found: &mut Vec<KeyCondition>) -> Result<(), KeyConditionError> {
    let refused = |operator: &str| Err(KeyConditionError::Operator(operator.to_owned()));
    let condition = match condition {
        Condition::And(left, right) => {
            collect(*left, found)?;
            return collect(*right, found);
        }
        Condition::Or(..) => return refused("OR"),
        Condition::Not(_) => return refused("NOT"),
        Condition::In(..) => return refused("IN"),
        Condition::Exists(_) => return refused("attribute_exists"),
        Condition::NotExists(_) => return refused("attribute_not_exists"),
        Condition::IsType(..) => return refused("attribute_type"),
        Condition::Contains(..) => return refused("contains"),
        Condition::Compare(Comparator::NotEqual, ..) => return refused("<>"),
        Condition::Compare(comparator, left, right) => comparison(comparator, left, right)?,
        Condition::Between(operand, lower, upper) => {
            let attribute = key_first("BETWEEN", operand)?;
            KeyCondition { attribute, predicate: KeyPredicate::Between(constant(lower)?, constant(upper)?) }
        }
        Condition::BeginsWith(operand, prefix) => {
            let attribute = key_first("begins_with", operand)?;
            KeyCondition { attribute, predicate: KeyPredicate::BeginsWith(constant(prefix)?) }
        }
    };
    if found.iter().any(|earlier| earlier.attribute == condition.attribute) {
        return Err(KeyConditionError::Twice);
    }
    found.push(condition);
    Ok(())
}

fn comparison(
    comparator: Comparator,
    left: Operand,
    right: Operand,
) -> Result<KeyCondition, KeyConditionError> {
    match (left, right) {
        (Operand::Size(_), _) | (_, Operand::Size(_)) => Err(KeyConditionError::Nested),
        (Operand::Path(_), Operand::Path(_)) => Err(KeyConditionError::ManyAttributes),
        (Operand::Value(_), Operand::Value(_)) => Err(KeyConditionError::NoAttribute),
        (Operand::Path(path), Operand::Value(value)) => Ok(KeyCondition {
            attribute: attribute(path)?,
            predicate: KeyPredicate::Compare(comparator, Arc::unwrap_or_clone(value)),
        }),
        (Operand::Value(value), Operand::Path(path)) => {
            let value = Arc::unwrap_or_clone(value);
            let predicate = KeyPredicate::Compare(comparator.mirrored(), value);
            Ok(KeyCondition { attribute: attribute(path)?, predicate })
        }
    }
}

fn key_first(operator: &'static str, operand: Operand) -> Result<String, KeyConditionError> {
    match operand {
        Operand::Path(path) => attribute(path),
        Operand::Size(_) => Err(KeyConditionError::Nested),
        Operand::Value(_) => Err(KeyConditionError::KeyNotFirst(operator)),
    }
}

fn attribute(path: Path) -> Result<String, KeyConditionError> {
    if path.is_top_level() { Ok(path.head) } else { Err(KeyConditionError::NestedAttribute) }
}

fn constant(operand: Operand) -> Result<AttributeValue, KeyConditionError> {
    match operand {
        Operand::Value(value) => Ok(Arc::unwrap_or_clone(value)),
        Operand::Path(_) => Err(KeyConditionError::ManyAttributes),
        Operand::Size(_) => Err(KeyConditionError::Nested),
    }
}
