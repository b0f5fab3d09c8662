//! The parameters before there were expressions (Developer Guide, "Legacy conditional parameters"), turned into what
//! expressions mean.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::{DynamoError, Invalid};
use crate::expression::{
    Comparator, Condition, ExpressionError, ExpressionKind, InvalidExpression, KeyCondition, KeyPredicate,
    MAX_OPERATORS, Operand, Path, Projection, SetValue, Update,
};
use crate::request::Violations;
use crate::value::{AttributeValue, Checked, MAX_NAME_LENGTH, SharedValue, ValueError, ValueType};

/// The most names of `AttributesToGet`.
const MAX_ATTRIBUTES: usize = 255;

/// A condition of `QueryFilter`, `ScanFilter` or `KeyConditions`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RawCondition {
    comparison_operator: Option<String>,
    attribute_value_list: Option<Vec<Checked<AttributeValue>>>,
}

/// A condition of `Expected`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RawExpected {
    value: Option<Checked<AttributeValue>>,
    exists: Option<bool>,
    comparison_operator: Option<String>,
    attribute_value_list: Option<Vec<Checked<AttributeValue>>>,
}

/// An action of `AttributeUpdates`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RawUpdate {
    action: Option<String>,
    value: Option<Checked<AttributeValue>>,
}

/// Conditions by attribute.
pub(crate) type RawConditions = BTreeMap<String, RawCondition>;

/// A legacy comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    In,
    Null,
    Between,
    Lt,
    NotContains,
    Eq,
    Gt,
    NotNull,
    Ne,
    Le,
    BeginsWith,
    Ge,
    Contains,
}

const COMPARISONS: [(&str, Comparison); 13] = [
    ("IN", Comparison::In),
    ("NULL", Comparison::Null),
    ("BETWEEN", Comparison::Between),
    ("LT", Comparison::Lt),
    ("NOT_CONTAINS", Comparison::NotContains),
    ("EQ", Comparison::Eq),
    ("GT", Comparison::Gt),
    ("NOT_NULL", Comparison::NotNull),
    ("NE", Comparison::Ne),
    ("LE", Comparison::Le),
    ("BEGINS_WITH", Comparison::BeginsWith),
    ("GE", Comparison::Ge),
    ("CONTAINS", Comparison::Contains),
];

/// Whether one of so many conditions suffices: what `ConditionalOperator` says, if there is something to join.
pub(crate) fn any_suffices(given: Option<&str>, conditions: usize) -> Result<bool, Invalid> {
    match (given, conditions) {
        (None, _) => Ok(false),
        (Some(_), 0) => Err(Invalid::OperatorOfNone),
        (Some(_), 1) => Err(Invalid::OperatorOfOne),
        (Some("AND"), _) => Ok(false),
        (Some("OR"), _) => Ok(true),
        (Some(_), _) => Err(Invalid::Operator),
    }
}

/// Notes too few or too many names of `AttributesToGet`.
pub(crate) fn check_attributes(given: Option<&Vec<String>>, at: &str, violations: &mut Violations) {
    let Some(names) = given else { return };
    let shown = || format!("'[{}]'", names.join(", "));
    let at_least = "Member must have length greater than or equal to 1";
    violations.check(!names.is_empty(), shown, at, at_least);
    let at_most = "Member must have length less than or equal to 255";
    violations.check(names.len() <= MAX_ATTRIBUTES, shown, at, at_most);
}

/// Notes comparison operators that are none.
pub(crate) fn check_operators(conditions: Option<&RawConditions>, member: &str, violations: &mut Violations) {
    for (attribute, condition) in conditions.into_iter().flatten() {
        let at = format!("{member}.{attribute}.member.comparisonOperator");
        violations.require(condition.comparison_operator.as_ref(), &at);
        violations.one_of(condition.comparison_operator.as_deref(), &at, &COMPARISONS);
    }
}

/// Notes comparison operators that are none.
pub(crate) fn check_expected(expected: Option<&BTreeMap<String, RawExpected>>, violations: &mut Violations) {
    for (attribute, condition) in expected.into_iter().flatten() {
        let at = format!("expected.{attribute}.member.comparisonOperator");
        violations.one_of(condition.comparison_operator.as_deref(), &at, &COMPARISONS);
    }
}

/// `QueryFilter` or `ScanFilter` as a condition.
pub(crate) fn filter(conditions: RawConditions, any: bool) -> Result<Option<Condition>, DynamoError> {
    check_count(ExpressionKind::Filter, conditions.len())?;
    let mut all = Vec::new();
    for (attribute, condition) in conditions {
        let (comparison, values) = compared(condition)?;
        all.push(meaning(attribute, comparison, values));
    }
    Ok(joined(all, any))
}

/// `KeyConditions` as key conditions.
pub(crate) fn key_conditions(conditions: RawConditions) -> Result<Vec<KeyCondition>, DynamoError> {
    let mut all = Vec::new();
    for (attribute, condition) in conditions {
        let (comparison, values) = compared(condition)?;
        let mut values = values.into_iter();
        let (first, second) = (values.next(), values.next());
        let predicate = match (comparison, first, second) {
            (Comparison::Between, Some(lower), Some(upper)) => KeyPredicate::Between(lower, upper),
            (Comparison::BeginsWith, Some(prefix), _) => KeyPredicate::BeginsWith(prefix),
            (comparison, Some(value), _) => {
                KeyPredicate::Compare(comparator(comparison).ok_or(Invalid::NotIndexable)?, value)
            }
            _ => return Err(Invalid::NotIndexable.into()),
        };
        if matches!(predicate, KeyPredicate::Compare(Comparator::NotEqual, _)) {
            return Err(Invalid::NotIndexable.into());
        }
        all.push(KeyCondition { attribute, predicate });
    }
    Ok(all)
}

/// `Expected` as a condition.
pub(crate) fn expected(
    expected: BTreeMap<String, RawExpected>,
    any: bool,
) -> Result<Option<Condition>, DynamoError> {
    check_count(ExpressionKind::Condition, expected.len())?;
    let mut all = Vec::new();
    for (attribute, raw) in expected {
        all.push(expectation(attribute, raw)?);
    }
    Ok(joined(all, any))
}

fn expectation(attribute: String, raw: RawExpected) -> Result<Condition, DynamoError> {
    let wrong = |said: String| Err(Invalid::Parameter(format!("{said} for Attribute: {attribute}")).into());
    if raw.attribute_value_list.is_some() && raw.value.is_some() {
        return wrong("Value and AttributeValueList cannot be used together".to_owned());
    }
    let Some(operator) = &raw.comparison_operator else {
        if raw.attribute_value_list.is_some() {
            return wrong("AttributeValueList can only be used with a ComparisonOperator".to_owned());
        }
        return match (raw.exists, raw.value) {
            (None, None) => wrong("Value must be provided when Exists is null".to_owned()),
            (Some(true), None) => wrong("Value must be provided when Exists is true".to_owned()),
            (Some(false), Some(_)) => wrong("Value cannot be used when Exists is false".to_owned()),
            (Some(false), None) => Ok(Condition::NotExists(top(attribute))),
            (_, Some(value)) => Ok(meaning(attribute, Comparison::Eq, vec![value.0?])),
        };
    };
    if raw.exists.is_some() {
        return wrong("Exists and ComparisonOperator cannot be used together".to_owned());
    }
    let needs_none = matches!(operator.as_str(), "NULL" | "NOT_NULL");
    if !needs_none && raw.attribute_value_list.is_none() && raw.value.is_none() {
        return wrong(format!(
            "Value or AttributeValueList must be used with ComparisonOperator: {operator}"
        ));
    }
    let values = raw.attribute_value_list.or_else(|| raw.value.map(|value| vec![value]));
    let (comparison, values) = compared(RawCondition {
        comparison_operator: raw.comparison_operator,
        attribute_value_list: values,
    })?;
    Ok(meaning(attribute, comparison, values))
}

/// `AttributeUpdates` as an update.
pub(crate) fn update(updates: BTreeMap<String, RawUpdate>) -> Result<Update, DynamoError> {
    let known = |raw: &RawUpdate| matches!(raw.action.as_deref(), None | Some("PUT" | "ADD" | "DELETE"));
    if !updates.values().all(known) {
        return Err(Invalid::UpdateAction.into());
    }
    let mut update = Update::default();
    for (attribute, raw) in updates {
        check_name(&attribute)?;
        let path = top(attribute);
        let action = raw.action.as_deref().unwrap_or("PUT");
        let Some(value) = raw.value else {
            if action != "DELETE" {
                let said = "Only DELETE action is allowed when no attribute value is specified";
                return Err(Invalid::Parameter(said.to_owned()).into());
            }
            update.removes.push(path);
            continue;
        };
        let value = SharedValue::new(value.0?);
        let kind = value.value_type();
        match action {
            "DELETE" if kind.is_set() => update.deletes.push((path, value)),
            "DELETE" => {
                let said = format!("DELETE action with value is not supported for the type {kind}");
                return Err(Invalid::Parameter(said).into());
            }
            "ADD" if kind.is_set() || kind == ValueType::N => update.adds.push((path, value)),
            "ADD" if kind == ValueType::L => {
                let before = SetValue::IfNotExists(
                    path.clone(),
                    Box::new(SetValue::Value(AttributeValue::L(Vec::new()).into())),
                );
                update
                    .sets
                    .push((path, SetValue::ListAppend(Box::new(before), Box::new(SetValue::Value(value)))));
            }
            "ADD" => {
                return Err(
                    Invalid::Parameter(format!("ADD action is not supported for the type {kind}")).into()
                );
            }
            _ => update.sets.push((path, SetValue::Value(value))),
        }
    }
    Ok(update)
}

/// Refuses what can't be an attribute's name.
fn check_name(name: &str) -> Result<(), ValueError> {
    match name.len() {
        0 => Err(ValueError::NoName),
        1..=MAX_NAME_LENGTH => Ok(()),
        _ => Err(ValueError::NameTooLong),
    }
}

/// `AttributesToGet` as a projection.
pub(crate) fn projection(attributes: Vec<String>) -> Result<Projection, DynamoError> {
    for (at, attribute) in attributes.iter().enumerate() {
        if attribute.len() > MAX_NAME_LENGTH {
            return Err(ValueError::NameTooLong.into());
        }
        if attributes[..at].contains(attribute) {
            return Err(Invalid::DuplicateAttribute(attribute.clone()).into());
        }
    }
    Ok(Projection::of_attributes(attributes))
}

fn top(attribute: String) -> Path {
    Path { head: attribute, rest: Vec::new() }
}

/// A condition's comparison and values, if they go together.
fn compared(raw: RawCondition) -> Result<(Comparison, Vec<AttributeValue>), DynamoError> {
    let name = raw.comparison_operator.unwrap_or_default();
    let known = COMPARISONS.iter().find(|(known, _)| *known == name);
    let comparison = known.map_or(Comparison::Eq, |(_, comparison)| *comparison);
    let given = raw.attribute_value_list.unwrap_or_default();
    let values = given.into_iter().map(|value| value.0).collect::<Result<Vec<_>, _>>()?;
    let fits = match comparison {
        Comparison::Null | Comparison::NotNull => values.is_empty(),
        Comparison::Between => values.len() == 2,
        Comparison::In => !values.is_empty(),
        _ => values.len() == 1,
    };
    let wrong = |said: String| Err(Invalid::Parameter(said).into());
    if !fits {
        return wrong(format!("Invalid number of argument(s) for the {name} ComparisonOperator"));
    }
    let mut kinds = values.iter().map(AttributeValue::value_type);
    let first = kinds.next();
    if kinds.any(|kind| Some(kind) != first) {
        return wrong("AttributeValues inside AttributeValueList must be of same type".to_owned());
    }
    if let Some(kind) = first.filter(|kind| !takes(comparison, *kind)) {
        return wrong(format!("ComparisonOperator {name} is not valid for {kind} AttributeValue type"));
    }
    if let (Comparison::Between, [lower, upper]) = (comparison, values.as_slice())
        && Condition::Compare(
            Comparator::Greater,
            Operand::Value(lower.clone().into()),
            Operand::Value(upper.clone().into()),
        )
        .holds(&Default::default())
    {
        return Err(Invalid::BetweenOrder.into());
    }
    Ok((comparison, values))
}

fn takes(comparison: Comparison, kind: ValueType) -> bool {
    let scalar = matches!(kind, ValueType::S | ValueType::N | ValueType::B);
    match comparison {
        Comparison::Eq | Comparison::Ne | Comparison::Null | Comparison::NotNull => true,
        Comparison::BeginsWith => matches!(kind, ValueType::S | ValueType::B),
        _ => scalar,
    }
}

fn comparator(comparison: Comparison) -> Option<Comparator> {
    Some(match comparison {
        Comparison::Eq => Comparator::Equal,
        Comparison::Ne => Comparator::NotEqual,
        Comparison::Lt => Comparator::Less,
        Comparison::Le => Comparator::LessOrEqual,
        Comparison::Gt => Comparator::Greater,
        Comparison::Ge => Comparator::GreaterOrEqual,
        _ => return None,
    })
}

fn meaning(attribute: String, comparison: Comparison, values: Vec<AttributeValue>) -> Condition {
    let path = top(attribute);
    let subject = Operand::Path(path.clone());
    let mut values = values.into_iter().map(|value| Operand::Value(value.into()));
    let mut next = || values.next().unwrap_or(Operand::Value(AttributeValue::Null.into()));
    match comparison {
        Comparison::Null => Condition::NotExists(path),
        Comparison::NotNull => Condition::Exists(path),
        Comparison::Contains => Condition::Contains(subject, next()),
        Comparison::NotContains => {
            let contains = Condition::Contains(subject, next());
            Condition::And(Box::new(Condition::Exists(path)), Box::new(Condition::Not(Box::new(contains))))
        }
        Comparison::BeginsWith => Condition::BeginsWith(subject, next()),
        Comparison::Between => Condition::Between(subject, next(), next()),
        Comparison::In => Condition::In(subject, values.collect()),
        other => Condition::Compare(comparator(other).unwrap_or(Comparator::Equal), subject, next()),
    }
}

/// The conditions with as few levels over them as can be.
fn joined(mut conditions: Vec<Condition>, any: bool) -> Option<Condition> {
    let right = conditions.split_off(conditions.len().div_ceil(2));
    if right.is_empty() {
        return conditions.pop();
    }
    let (left, right) = (Box::new(joined(conditions, any)?), Box::new(joined(right, any)?));
    Some(if any { Condition::Or(left, right) } else { Condition::And(left, right) })
}

/// Refuses more conditions than an expression may have operators.
fn check_count(kind: ExpressionKind, count: usize) -> Result<(), DynamoError> {
    if count <= MAX_OPERATORS {
        return Ok(());
    }
    Err(InvalidExpression { kind, error: ExpressionError::TooManyOperators(count) }.into())
}
