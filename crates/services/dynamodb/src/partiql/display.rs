//! Statements as text. What is printed is read as the same tree; operands that are made of operators stand in
//! parentheses.

use std::fmt::{self, Display, Formatter, Write};

use super::syntax::{
    Change, Delete, Expression, Insert, Order, OrderTerm, Returning, Select, Source, Statement, Update,
};
use crate::expression::{Path, Step};

impl Display for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Select(select) => select.fmt(f),
            Self::Exists(select) => write!(f, "EXISTS({select})"),
            Self::Insert(insert) => insert.fmt(f),
            Self::Update(update) => update.fmt(f),
            Self::Delete(delete) => delete.fmt(f),
        }
    }
}

impl Display for Source {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        quoted(&self.table, '"', f)?;
        match &self.index {
            None => Ok(()),
            Some(index) => {
                f.write_char('.')?;
                quoted(index, '"', f)
            }
        }
    }
}

impl Display for Select {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("SELECT ")?;
        match &self.columns {
            None => f.write_char('*')?,
            Some(columns) => separated(columns, f, path)?,
        }
        write!(f, " FROM {}", self.source)?;
        condition(self.condition.as_ref(), f)?;
        if self.order.is_empty() {
            return Ok(());
        }
        f.write_str(" ORDER BY ")?;
        separated(&self.order, f, |term, f| term.fmt(f))
    }
}

impl Display for OrderTerm {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        quoted(&self.attribute, '"', f)?;
        f.write_str(match self.order {
            Order::Ascending => " ASC",
            Order::Descending => " DESC",
        })
    }
}

impl Display for Insert {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("INSERT INTO ")?;
        quoted(&self.table, '"', f)?;
        write!(f, " VALUE {}", self.value)
    }
}

impl Display for Update {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.from_first {
            write!(f, "FROM {}", self.source)?;
            condition(self.condition.as_ref(), f)?;
            self.changes.iter().try_for_each(|change| change.fmt(f))?;
        } else {
            write!(f, "UPDATE {}", self.source)?;
            self.changes.iter().try_for_each(|change| change.fmt(f))?;
            condition(self.condition.as_ref(), f)?;
        }
        returning(self.returning, f)
    }
}

impl Display for Change {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(target, value) => {
                f.write_str(" SET ")?;
                path(target, f)?;
                write!(f, " = {value}")
            }
            Self::Remove(target) => {
                f.write_str(" REMOVE ")?;
                path(target, f)
            }
        }
    }
}

impl Display for Delete {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "DELETE FROM {}", self.source)?;
        condition(self.condition.as_ref(), f)?;
        returning(self.returning, f)
    }
}

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => quoted(text, '\'', f),
            Self::Number(text) => f.write_str(text),
            Self::Bool(true) => f.write_str("TRUE"),
            Self::Bool(false) => f.write_str("FALSE"),
            Self::Null => f.write_str("NULL"),
            Self::Missing => f.write_str("MISSING"),
            Self::Parameter(_) => f.write_char('?'),
            Self::List(items) => enclosed("[", items, "]", f),
            Self::Bag(items) => enclosed("<<", items, ">>", f),
            Self::Tuple(fields) => {
                f.write_char('{')?;
                separated(fields, f, |(name, value), f| {
                    quoted(name, '\'', f)?;
                    write!(f, ": {value}")
                })?;
                f.write_char('}')
            }
            Self::Path(steps, _) => path(steps, f),
            Self::Call { name, arguments, .. } => {
                f.write_str(name)?;
                enclosed("(", arguments, ")", f)
            }
            Self::Arithmetic(operator, sides) => infix(operator.text(), sides.as_slice(), f),
            Self::Compare(comparator, sides) => infix(comparator.text(), sides.as_slice(), f),
            Self::Between(parts) => {
                let [operand, lower, upper] = parts.as_ref();
                part(operand, f)?;
                f.write_str(" BETWEEN ")?;
                part(lower, f)?;
                f.write_str(" AND ")?;
                part(upper, f)
            }
            Self::In(operand, among) => {
                part(operand, f)?;
                enclosed(" IN [", among, "]", f)
            }
            Self::Is(operand, test) => {
                part(operand, f)?;
                write!(f, " IS {}", test.text())
            }
            Self::And(sides) => infix("AND", sides, f),
            Self::Or(sides) => infix("OR", sides, f),
            Self::Not(inner) => {
                f.write_str("NOT ")?;
                part(inner, f)
            }
        }
    }
}

impl Expression {
    fn is_operation(&self) -> bool {
        matches!(
            self,
            Self::Arithmetic(..)
                | Self::Compare(..)
                | Self::Between(_)
                | Self::In(..)
                | Self::Is(..)
                | Self::And(_)
                | Self::Or(_)
                | Self::Not(_)
        )
    }
}

/// An operand, in parentheses if it is made of operators.
fn part(operand: &Expression, f: &mut Formatter<'_>) -> fmt::Result {
    if operand.is_operation() { write!(f, "({operand})") } else { operand.fmt(f) }
}

fn infix(operator: &str, sides: &[Expression], f: &mut Formatter<'_>) -> fmt::Result {
    for (at, side) in sides.iter().enumerate() {
        if at > 0 {
            write!(f, " {operator} ")?;
        }
        part(side, f)?;
    }
    Ok(())
}

fn enclosed(open: &str, items: &[Expression], close: &str, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_str(open)?;
    separated(items, f, |item, f| item.fmt(f))?;
    f.write_str(close)
}

fn separated<T>(
    items: &[T],
    f: &mut Formatter<'_>,
    write: impl Fn(&T, &mut Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            f.write_str(", ")?;
        }
        write(item, f)?;
    }
    Ok(())
}

fn path(path: &Path, f: &mut Formatter<'_>) -> fmt::Result {
    quoted(&path.head, '"', f)?;
    path.rest.iter().try_for_each(|step| match step {
        Step::Index(index) => write!(f, "[{index}]"),
        Step::Key(key) => {
            f.write_char('.')?;
            quoted(key, '"', f)
        }
    })
}

fn condition(condition: Option<&Expression>, f: &mut Formatter<'_>) -> fmt::Result {
    condition.map_or(Ok(()), |condition| write!(f, " WHERE {condition}"))
}

fn returning(returning: Option<Returning>, f: &mut Formatter<'_>) -> fmt::Result {
    returning.map_or(Ok(()), |returning| write!(f, " {}", returning.text()))
}

/// A text in quotes, those inside it doubled.
fn quoted(text: &str, quote: char, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_char(quote)?;
    for char in text.chars() {
        if char == quote {
            f.write_char(quote)?;
        }
        f.write_char(char)?;
    }
    f.write_char(quote)
}
