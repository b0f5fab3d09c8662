//! Literals and parameters as values.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::StatementError;
use super::syntax::Expression;
use crate::number::Number;
use crate::value::{AttributeValue, Item, MAX_DEPTH, Repeated, ValueError};

/// The values of a statement's `?`s.
#[derive(Clone, Copy)]
pub(super) struct Parameters<'p>(pub(super) &'p [AttributeValue]);

/// A step into a value, for messages.
enum Step<'e> {
    Key(&'e str),
    Index(usize),
}

impl Parameters<'_> {
    fn get(&self, at: usize) -> Result<&AttributeValue, StatementError> {
        self.0.get(at).ok_or(StatementError::ParameterCount)
    }

    /// Whether it is a value, and not something to be looked up or worked out.
    pub(super) fn is_value(expression: &Expression) -> bool {
        !matches!(
            expression,
            Expression::Path(..)
                | Expression::Call { .. }
                | Expression::Arithmetic(..)
                | Expression::Compare(..)
                | Expression::Between(_)
                | Expression::In(..)
                | Expression::Is(..)
                | Expression::And(_)
                | Expression::Or(_)
                | Expression::Not(_)
        )
    }

    /// The value of a literal or a parameter.
    pub(super) fn value(&self, expression: &Expression) -> Result<AttributeValue, StatementError> {
        let value = self.value_at(expression, &mut Vec::new())?;
        if value.depth() > MAX_DEPTH { Err(ValueError::TooDeep.into()) } else { Ok(value) }
    }

    /// The item that a tuple, or a parameter that is a map, is. Each of its attributes is the root of its own value.
    pub(super) fn item(&self, expression: &Expression) -> Result<Item, StatementError> {
        match expression {
            Expression::Tuple(fields) => {
                fields.iter().map(|(name, value)| Ok((name.clone(), self.value(value)?))).collect()
            }
            Expression::Parameter(at) => match self.get(*at)? {
                AttributeValue::M(item) => Ok(item.clone()),
                _ => Err(StatementError::InsertNoTuple),
            },
            other => self.value(other).and(Err(StatementError::InsertNoTuple)),
        }
    }

    fn value_at<'e>(
        &self,
        expression: &'e Expression,
        way: &mut Vec<Step<'e>>,
    ) -> Result<AttributeValue, StatementError> {
        match expression {
            Expression::Text(text) => Ok(AttributeValue::S(text.clone())),
            Expression::Number(text) => number(text, way).map(AttributeValue::N),
            Expression::Bool(truth) => Ok(AttributeValue::Bool(*truth)),
            Expression::Null => Ok(AttributeValue::Null),
            Expression::Parameter(at) => self.get(*at).cloned(),
            Expression::Bag(members) => self.set(members, way),
            Expression::List(items) => {
                let mut list = Vec::with_capacity(items.len());
                for (at, item) in items.iter().enumerate() {
                    list.push(self.inside(item, Step::Index(at), way)?);
                }
                Ok(AttributeValue::L(list))
            }
            Expression::Tuple(fields) => {
                let mut map = Item::new();
                for (name, value) in fields {
                    map.insert(name.clone(), self.inside(value, Step::Key(name), way)?);
                }
                Ok(AttributeValue::M(map))
            }
            Expression::Missing => Err(StatementError::MissingValue(place(way))),
            Expression::Path(path, at) => {
                Err(StatementError::NoValue { name: path.head.clone(), place: place(way), at: *at })
            }
            Expression::Call { name, at, .. } => {
                Err(StatementError::NoValue { name: name.clone(), place: place(way), at: *at })
            }
            operation => Err(StatementError::UpdateOperator(operator(operation))),
        }
    }

    fn inside<'e>(
        &self,
        expression: &'e Expression,
        step: Step<'e>,
        way: &mut Vec<Step<'e>>,
    ) -> Result<AttributeValue, StatementError> {
        way.push(step);
        let value = self.value_at(expression, way)?;
        way.pop();
        Ok(value)
    }

    fn set<'e>(
        &self,
        members: &'e [Expression],
        way: &mut Vec<Step<'e>>,
    ) -> Result<AttributeValue, StatementError> {
        let (mut texts, mut numbers) = (Vec::new(), Vec::new());
        let mut written = Vec::new();
        for member in members {
            match self.value_at(member, way)? {
                AttributeValue::S(text) => texts.push(text),
                AttributeValue::N(number) => {
                    written.push(match member {
                        Expression::Number(text) => text.clone(),
                        _ => number.to_string(),
                    });
                    numbers.push(number);
                }
                _ => return Err(StatementError::MixedBag),
            }
        }
        match (texts.is_empty(), numbers.is_empty()) {
            (true, true) => Err(StatementError::EmptyBag),
            (false, false) => Err(StatementError::MixedBag),
            (false, true) => {
                let set: BTreeSet<String> = texts.iter().cloned().collect();
                if set.len() < texts.len() {
                    let given = format!("[{}]", texts.join(", "));
                    let ordered = given.clone();
                    return Err(ValueError::DuplicateStrings(Repeated { given, ordered }).into());
                }
                Ok(AttributeValue::Ss(set))
            }
            (true, false) => {
                let set: BTreeSet<Number> = numbers.iter().copied().collect();
                if set.len() < numbers.len() {
                    return Err(StatementError::DuplicateNumbers(format!("[{}]", written.join(", "))));
                }
                Ok(AttributeValue::Ns(set))
            }
        }
    }
}

fn number(text: &str, way: &[Step<'_>]) -> Result<Number, StatementError> {
    Number::parse(text).map_err(|error| StatementError::Number { error, place: place(way) })
}

/// `root.a[1]`
fn place(way: &[Step<'_>]) -> String {
    let mut place = "root".to_owned();
    for step in way {
        // Writing to a string doesn't fail.
        let _ = match step {
            Step::Key(key) => write!(place, ".{key}"),
            Step::Index(index) => write!(place, "[{index}]"),
        };
    }
    place
}

/// The operator of an operation, as messages show it.
pub(super) fn operator(expression: &Expression) -> &'static str {
    match expression {
        Expression::Arithmetic(operator, _) => operator.text(),
        Expression::Compare(comparator, _) => comparator.text(),
        Expression::Between(_) => "BETWEEN",
        Expression::In(..) => "IN",
        Expression::Is(..) => "IS",
        Expression::And(_) => "AND",
        Expression::Or(_) => "OR",
        Expression::Not(_) => "NOT",
        _ => "",
    }
}
