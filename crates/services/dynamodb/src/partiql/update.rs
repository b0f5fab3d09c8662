//! What stands behind `SET` and `REMOVE` as an update.

use super::StatementError;
use super::syntax::{Arithmetic, Change, Expression};
use super::value::{Parameters, operator};
use crate::expression::{ExpressionError, Path, SetValue, Update};
use crate::value::AttributeValue;

/// The update that the changes are.
pub(super) fn update(changes: &[Change], parameters: Parameters<'_>) -> Result<Update, StatementError> {
    let mut update = Update::default();
    for change in changes {
        match change {
            Change::Remove(path) => update.removes.push(path.clone()),
            Change::Set(path, value) => match members(path, value, parameters)? {
                Some((SetFunction::Add, set)) => update.adds.push((path.clone(), set.into())),
                Some((SetFunction::Delete, set)) => update.deletes.push((path.clone(), set.into())),
                None => update.sets.push((path.clone(), set_value(value, parameters)?)),
            },
        }
    }
    update.check()?;
    Ok(update)
}

enum SetFunction {
    Add,
    Delete,
}

/// What `set_add` or `set_delete` adds to the target or takes from it; none if the value is another.
fn members(
    target: &Path,
    value: &Expression,
    parameters: Parameters<'_>,
) -> Result<Option<(SetFunction, AttributeValue)>, StatementError> {
    let Expression::Call { name, arguments, at } = value else { return Ok(None) };
    let (kind, function) = match name.as_str() {
        "set_add" => (SetFunction::Add, "SET_ADD"),
        "set_delete" => (SetFunction::Delete, "SET_DELETE"),
        _ => return Ok(None),
    };
    let [set, members] = arguments.as_slice() else {
        return Err(StatementError::SetArguments { function, at: *at });
    };
    let Expression::Path(path, first) = set else {
        return Err(StatementError::SetTarget { function, at: *at });
    };
    if path != target {
        return Err(StatementError::SetTarget { function, at: *at });
    }
    if Parameters::is_value(members) {
        let members = parameters.value(members)?;
        if members.value_type().is_set() {
            return Ok(Some((kind, members)));
        }
    }
    Err(StatementError::SetMember { function, at: *first })
}

fn set_value(value: &Expression, parameters: Parameters<'_>) -> Result<SetValue, StatementError> {
    let of = |value: &Expression| set_value(value, parameters).map(Box::new);
    match value {
        Expression::Path(path, _) => Ok(SetValue::Path(path.clone())),
        Expression::Arithmetic(Arithmetic::Plus, sides) => Ok(SetValue::Plus(of(&sides[0])?, of(&sides[1])?)),
        Expression::Arithmetic(Arithmetic::Minus, sides) => {
            Ok(SetValue::Minus(of(&sides[0])?, of(&sides[1])?))
        }
        Expression::Call { name, arguments, .. } if name == "list_append" => match arguments.as_slice() {
            [first, second] => Ok(SetValue::ListAppend(of(first)?, of(second)?)),
            _ => Err(ExpressionError::OperandCount { name: name.clone(), count: arguments.len() }.into()),
        },
        Expression::Call { name, at, .. } => {
            Err(StatementError::UnknownFunction { name: name.clone(), at: *at })
        }
        value if Parameters::is_value(value) => {
            parameters.value(value).map(|value| SetValue::Value(value.into()))
        }
        operation => Err(StatementError::UpdateOperator(operator(operation))),
    }
}
