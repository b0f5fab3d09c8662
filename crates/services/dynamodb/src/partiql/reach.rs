//! What a `WHERE` reaches by a key: one item, stretches of partitions, or all there is.

use super::condition::joined;
use super::{MAX_PARTITIONS, StatementError};
use crate::expression::{
    Comparator, Condition, ExpressionError, KeyCondition, KeyPredicate, Operand, key_conditions,
};
use crate::table::{KeyAttribute, Schema};
use crate::value::{AttributeValue, Item, ValueType};

/// The most branches that one `WHERE` may fall into.
const MAX_BRANCHES: usize = 300;

/// A way by which items may meet a condition: those of one partition whose sort keys do, and which hold the rest.
#[derive(Clone, Debug)]
pub(crate) struct Branch<'c> {
    pub(crate) partition: AttributeValue,
    /// What is asked of the sort key; all of it.
    pub(crate) sort: Vec<KeyPredicate>,
    /// What is asked beside.
    pub(crate) filters: Vec<&'c Condition>,
}

/// The conditions that must all hold.
fn conjuncts(condition: Option<&Condition>) -> Vec<&Condition> {
    let (mut found, mut rest): (Vec<&Condition>, Vec<&Condition>) = (Vec::new(), Vec::new());
    rest.extend(condition);
    while let Some(next) = rest.pop() {
        match next {
            Condition::And(left, right) => rest.extend([right.as_ref(), left.as_ref()]),
            other => found.push(other),
        }
    }
    found
}

/// What a condition asks of an attribute of the key; none if it asks anything else.
fn key_condition(condition: &Condition, schema: &Schema) -> Option<KeyCondition> {
    if matches!(condition, Condition::And(..)) {
        return None;
    }
    let found = key_conditions(condition.clone()).ok()?.pop()?;
    let is_equal = matches!(found.predicate, KeyPredicate::Compare(Comparator::Equal, _));
    let answers =
        if found.attribute == schema.partition.name { is_equal } else { schema.has(&found.attribute) };
    answers.then_some(found)
}

/// The attributes that must have one value: `dynamodb:LeadingKeys` of statements about one item. An attribute that is
/// asked to have two is there twice.
pub(crate) fn equalities(condition: Option<&Condition>) -> Vec<Item> {
    let equal = |condition: &&Condition| {
        let found = key_conditions((*condition).clone()).ok()?.pop()?;
        match found.predicate {
            KeyPredicate::Compare(Comparator::Equal, value) => Some([(found.attribute, value)].into()),
            _ => None,
        }
    };
    conjuncts(condition).iter().filter_map(equal).collect()
}

/// The key that the condition names whole by `=`, and what it asks beside; none if it names no one key.
pub(crate) fn whole_key(condition: Option<&Condition>, schema: &Schema) -> Option<(Item, Option<Condition>)> {
    let (mut key, mut rest) = (Item::new(), Vec::new());
    for condition in conjuncts(condition) {
        match key_condition(condition, schema) {
            Some(KeyCondition { attribute, predicate: KeyPredicate::Compare(Comparator::Equal, value) }) => {
                let before = key.insert(attribute, value.clone());
                if before.is_some_and(|before| before != value) {
                    return None;
                }
            }
            _ => rest.push(condition.clone()),
        }
    }
    let whole = schema.attributes().all(|attribute| key.contains_key(&attribute.name));
    whole.then(|| (key, joined(rest, Condition::And)))
}

/// The branches of a condition; none if one of them is of no one partition, so that all there is must be read.
pub(crate) fn branches<'c>(
    condition: Option<&'c Condition>,
    schema: &Schema,
) -> Result<Option<Vec<Branch<'c>>>, StatementError> {
    let Some(condition) = condition else { return Ok(None) };
    let mut found = Vec::new();
    for open in spread(condition, schema)? {
        match open.closed(schema)? {
            Some(branch) => found.push(branch),
            None => return Ok(None),
        }
    }
    Ok(Some(found))
}

/// A branch whose keys have not been looked at yet.
#[derive(Clone, Default)]
struct Open<'c> {
    keys: Vec<KeyCondition>,
    filters: Vec<&'c Condition>,
}

impl<'c> Open<'c> {
    fn and(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.keys.extend(other.keys.iter().cloned());
        both.filters.extend(&other.filters);
        both
    }

    /// The branch, once its keys are found to be the schema's; none if they leave more than one partition.
    fn closed(self, schema: &Schema) -> Result<Option<Branch<'c>>, StatementError> {
        let (mut partition, mut sort) = (None, Vec::new());
        for condition in self.keys {
            let is_sort = schema.sort.as_ref().filter(|sort| sort.name == condition.attribute);
            check_types(is_sort.unwrap_or(&schema.partition), &condition.predicate)?;
            match condition.predicate {
                predicate if is_sort.is_some() => sort.push(predicate),
                KeyPredicate::Compare(_, value) => {
                    if partition.as_ref().is_some_and(|partition| *partition != value) {
                        return Ok(None);
                    }
                    partition = Some(value);
                }
                _ => return Ok(None),
            }
        }
        Ok(partition.map(|partition| Branch { partition, sort, filters: self.filters }))
    }
}

fn check_types(attribute: &KeyAttribute, predicate: &KeyPredicate) -> Result<(), StatementError> {
    for value in predicate.values() {
        check_type(attribute, value)?;
    }
    Ok(())
}

/// Refuses a value of another type than the key has.
pub(crate) fn check_type(attribute: &KeyAttribute, value: &AttributeValue) -> Result<(), StatementError> {
    let given = value.value_type();
    let name = attribute.name.clone();
    if !matches!(given, ValueType::S | ValueType::N | ValueType::B) {
        return Err(StatementError::KeyNoScalar { name, given: given.name() });
    }
    if given == attribute.kind.value_type() { Ok(()) } else { Err(StatementError::KeyType(name)) }
}

fn spread<'c>(condition: &'c Condition, schema: &Schema) -> Result<Vec<Open<'c>>, StatementError> {
    let alone = |keys, filters| vec![Open { keys, filters }];
    match condition {
        Condition::And(left, right) => {
            let (left, right) = (spread(left, schema)?, spread(right, schema)?);
            if left.len() * right.len() > MAX_BRANCHES {
                return Err(too_many(left.len() * right.len()));
            }
            Ok(left.iter().flat_map(|one| right.iter().map(|other| one.and(other))).collect())
        }
        Condition::Or(left, right) if asks_for_key(condition, schema) => {
            let mut both = spread(left, schema)?;
            both.extend(spread(right, schema)?);
            if both.len() > MAX_BRANCHES { Err(too_many(both.len())) } else { Ok(both) }
        }
        Condition::In(Operand::Path(path), among) if path.is_top_level() && schema.has(&path.head) => {
            let is_partition = path.head == schema.partition.name;
            if is_partition && among.len() > MAX_PARTITIONS {
                return Err(too_many(among.len()));
            }
            let values = among.iter().map(|one| match one {
                Operand::Value(value) => Some(AttributeValue::clone(value)),
                _ => None,
            });
            let Some(values) = values.collect::<Option<Vec<_>>>() else {
                return Ok(alone(Vec::new(), vec![condition]));
            };
            let equal = |value| KeyCondition {
                attribute: path.head.clone(),
                predicate: KeyPredicate::Compare(Comparator::Equal, value),
            };
            Ok(values
                .into_iter()
                .map(|value| Open { keys: vec![equal(value)], filters: Vec::new() })
                .collect())
        }
        other => Ok(match key_condition(other, schema) {
            Some(key) => alone(vec![key], Vec::new()),
            None => alone(Vec::new(), vec![other]),
        }),
    }
}

fn too_many(count: usize) -> StatementError {
    ExpressionError::TooManyInOperands(count).into()
}

/// Whether any part of the condition asks for a key, other than to be not so.
fn asks_for_key(condition: &Condition, schema: &Schema) -> bool {
    match condition {
        Condition::And(left, right) | Condition::Or(left, right) => {
            asks_for_key(left, schema) || asks_for_key(right, schema)
        }
        Condition::In(Operand::Path(path), _) => path.is_top_level() && schema.has(&path.head),
        other => key_condition(other, schema).is_some(),
    }
}
