//! What stands behind `WHERE` as a condition.

use super::StatementError;
use super::syntax::{Expression, TypeTest};
use super::value::{Parameters, operator};
use crate::expression::{
    Comparator, Condition, ExpressionError, MAX_IN_OPERANDS, Operand, Path, check_bounds, check_distinct,
};
use crate::value::{AttributeValue, ValueType};

type Read = Result<Condition, StatementError>;

/// The condition that an expression is.
pub(super) fn condition(expression: &Expression, parameters: Parameters<'_>) -> Read {
    match expression {
        Expression::And(sides) => all(sides, parameters, Condition::And),
        Expression::Or(sides) => all(sides, parameters, Condition::Or),
        Expression::Not(inner) => condition(inner, parameters).map(negated),
        Expression::Compare(comparator, sides) => compare(*comparator, sides, parameters),
        Expression::Between(parts) => between(parts, parameters),
        Expression::In(subject, among) => one_of(subject, among, parameters),
        Expression::Is(subject, test) => type_test(subject, *test),
        Expression::Call { .. } => call(expression, parameters),
        Expression::Arithmetic(operator, _) => Err(StatementError::ConditionOperator(operator.text())),
        _ => Err(StatementError::NoCondition),
    }
}

fn negated(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

fn all(
    sides: &[Expression],
    parameters: Parameters<'_>,
    both: fn(Box<Condition>, Box<Condition>) -> Condition,
) -> Read {
    let sides = sides.iter().map(|side| condition(side, parameters)).collect::<Result<Vec<_>, _>>()?;
    joined(sides, both).ok_or(StatementError::NoCondition)
}

/// All of the conditions as one, no deeper than it must be; none of none.
pub(super) fn joined(
    mut sides: Vec<Condition>,
    both: fn(Box<Condition>, Box<Condition>) -> Condition,
) -> Option<Condition> {
    while sides.len() > 1 {
        let mut pairs = Vec::with_capacity(sides.len().div_ceil(2));
        let mut rest = sides.into_iter();
        while let Some(left) = rest.next() {
            pairs.push(match rest.next() {
                Some(right) => both(Box::new(left), Box::new(right)),
                None => left,
            });
        }
        sides = pairs;
    }
    sides.pop()
}

fn compare(comparator: Comparator, sides: &[Expression; 2], parameters: Parameters<'_>) -> Read {
    if let Some(truth) = truth(comparator, sides, parameters)? {
        return Ok(truth);
    }
    let [left, right] = sides;
    let (left, right) = (operand(left, parameters)?, operand(right, parameters)?);
    check_distinct(comparator.text(), &left, &right)?;
    if !matches!(comparator, Comparator::Equal | Comparator::NotEqual) {
        check_ordered(comparator.text(), [&left, &right])?;
    }
    Ok(Condition::Compare(comparator, left, right))
}

/// `attribute_exists(a) = true`: a condition held against a truth value.
fn truth(
    comparator: Comparator,
    [left, right]: &[Expression; 2],
    parameters: Parameters<'_>,
) -> Result<Option<Condition>, StatementError> {
    let (call, other) = if is_predicate(left) { (left, right) } else { (right, left) };
    if !is_predicate(call) || !Parameters::is_value(other) {
        return Ok(None);
    }
    let AttributeValue::Bool(wanted) = parameters.value(other)? else { return Ok(None) };
    let condition = condition(call, parameters)?;
    match comparator {
        Comparator::Equal => Ok(Some(if wanted { condition } else { negated(condition) })),
        Comparator::NotEqual => Ok(Some(if wanted { negated(condition) } else { condition })),
        _ => Ok(None),
    }
}

fn is_predicate(expression: &Expression) -> bool {
    matches!(expression, Expression::Call { name, .. } if name != "size")
}

fn between(parts: &[Expression; 3], parameters: Parameters<'_>) -> Read {
    let [subject, lower, upper] = parts;
    let subject = operand(subject, parameters)?;
    let (lower, upper) = (operand(lower, parameters)?, operand(upper, parameters)?);
    check_ordered("BETWEEN", [&lower, &upper])?;
    check_bounds(&lower, &upper)?;
    Ok(Condition::Between(subject, lower, upper))
}

fn one_of(subject: &Expression, among: &[Expression], parameters: Parameters<'_>) -> Read {
    if among.is_empty() {
        return Err(ExpressionError::OperandCount { name: "IN".to_owned(), count: 1 }.into());
    }
    if among.len() > MAX_IN_OPERANDS {
        return Err(ExpressionError::TooManyInOperands(among.len()).into());
    }
    let subject = operand(subject, parameters)?;
    let among = among.iter().map(|one| operand(one, parameters)).collect::<Result<_, _>>()?;
    Ok(Condition::In(subject, among))
}

fn type_test(subject: &Expression, test: TypeTest) -> Read {
    let Expression::Path(path, _) = subject else {
        return Err(ExpressionError::NeedsPath("IS".to_owned()).into());
    };
    let is = |kind| Condition::IsType(Operand::Path(path.clone()), kind);
    Ok(match test {
        TypeTest::Missing => Condition::NotExists(path.clone()),
        TypeTest::Null => is(ValueType::Null),
        TypeTest::Bool => is(ValueType::Bool),
        TypeTest::Decimal => is(ValueType::N),
        TypeTest::String => is(ValueType::S),
        TypeTest::Blob => is(ValueType::B),
        TypeTest::List => is(ValueType::L),
        TypeTest::Struct => is(ValueType::M),
        TypeTest::Bag => {
            let (texts, numbers, binaries) = (is(ValueType::Ss), is(ValueType::Ns), is(ValueType::Bs));
            let others = Condition::Or(Box::new(numbers), Box::new(binaries));
            Condition::Or(Box::new(texts), Box::new(others))
        }
    })
}

fn call(expression: &Expression, parameters: Parameters<'_>) -> Read {
    let Expression::Call { name, arguments, at } = expression else {
        return Err(StatementError::NoCondition);
    };
    let wanted = match name.as_str() {
        "attribute_exists" | "attribute_not_exists" => 1,
        "attribute_type" | "begins_with" | "contains" => 2,
        "size" => return Err(ExpressionError::Misused(name.clone()).into()),
        _ => return Err(StatementError::UnknownFunction { name: name.clone(), at: *at }),
    };
    if arguments.len() != wanted {
        return Err(ExpressionError::OperandCount { name: name.clone(), count: arguments.len() }.into());
    }
    match (name.as_str(), arguments.as_slice()) {
        ("attribute_exists", [path]) => existing(name, path).map(Condition::Exists),
        (_, [path]) => existing(name, path).map(Condition::NotExists),
        ("attribute_type", [subject, kind]) => {
            Ok(Condition::IsType(operand(subject, parameters)?, wanted_type(kind, parameters)?))
        }
        (_, [subject, part]) => {
            let (subject, part) = (operand(subject, parameters)?, operand(part, parameters)?);
            check_distinct(name, &subject, &part)?;
            if name == "contains" {
                return Ok(Condition::Contains(subject, part));
            }
            for given in [&subject, &part].into_iter().filter_map(Operand::known_type) {
                if !matches!(given, ValueType::S | ValueType::B) {
                    return Err(wrong_type(name, given));
                }
            }
            Ok(Condition::BeginsWith(subject, part))
        }
        _ => Err(StatementError::NoCondition),
    }
}

fn existing(name: &str, argument: &Expression) -> Result<Path, StatementError> {
    match argument {
        Expression::Path(path, _) => Ok(path.clone()),
        _ => Err(ExpressionError::NeedsPath(name.to_owned()).into()),
    }
}

fn wanted_type(kind: &Expression, parameters: Parameters<'_>) -> Result<ValueType, StatementError> {
    match parameters.value(kind)? {
        AttributeValue::S(text) => ValueType::parse(&text).ok_or(StatementError::UnknownType(text)),
        other => Err(wrong_type("attribute_type", other.value_type())),
    }
}

/// What is compared: a path, a value, or the size of one.
fn operand(expression: &Expression, parameters: Parameters<'_>) -> Result<Operand, StatementError> {
    match expression {
        Expression::Path(path, _) => Ok(Operand::Path(path.clone())),
        Expression::Call { name, arguments, .. } if name == "size" => {
            let [of] = arguments.as_slice() else {
                let count = arguments.len();
                return Err(ExpressionError::OperandCount { name: name.clone(), count }.into());
            };
            let of = operand(of, parameters)?;
            if let Some(given @ (ValueType::N | ValueType::Bool | ValueType::Null)) = of.known_type() {
                return Err(wrong_type(name, given));
            }
            Ok(Operand::Size(Box::new(of)))
        }
        Expression::Call { name, at, .. } => {
            Err(StatementError::UnknownFunction { name: name.clone(), at: *at })
        }
        value if Parameters::is_value(value) => {
            parameters.value(value).map(|value| Operand::Value(value.into()))
        }
        operation => Err(StatementError::ConditionOperator(operator(operation))),
    }
}

/// Only strings, numbers and bytes have an order.
fn check_ordered(operator: &str, operands: [&Operand; 2]) -> Result<(), StatementError> {
    let given = operands.into_iter().filter_map(Operand::known_type);
    match given.into_iter().find(|given| !matches!(given, ValueType::S | ValueType::N | ValueType::B)) {
        Some(given) => Err(wrong_type(operator, given)),
        None => Ok(()),
    }
}

fn wrong_type(name: &str, given: ValueType) -> StatementError {
    ExpressionError::OperandType { name: name.to_owned(), given: given.name().to_owned() }.into()
}
