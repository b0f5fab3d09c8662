//! Statements with their parameters in place, in the terms of expressions: all that can be known of them without the
//! table.

use std::sync::Arc;

use super::condition::condition;
use super::parser::parse;
use super::syntax::{Delete, OrderTerm, Returning, Select, Source, Statement, Update as UpdateStatement};
use super::update::update;
use super::value::Parameters;
use super::{Expression, StatementError};
use crate::error::DynamoError;
use crate::expression::{Condition, Projection, Update};
use crate::request::{TableName, Violations};
use crate::value::{AttributeValue, Item};

/// What a statement does.
pub(crate) enum Plan {
    /// Reads.
    Select(Selection),
    /// Checks that an item is there and as it should be.
    Exists(Selection),
    /// Puts an item where there is none.
    Insert(Insertion),
    /// Updates or deletes an item.
    Write(Writing),
}

/// What is read.
pub(crate) struct Selection {
    pub(crate) table: TableName,
    pub(crate) index: Option<String>,
    /// None for all there is.
    pub(crate) projection: Option<Projection>,
    pub(crate) condition: Option<Condition>,
    pub(crate) order: Vec<OrderTerm>,
}

/// An item for a table.
pub(crate) struct Insertion {
    pub(crate) table: TableName,
    pub(crate) item: Arc<Item>,
}

/// A change of an item, or its end.
pub(crate) struct Writing {
    pub(crate) table: TableName,
    pub(crate) condition: Option<Condition>,
    /// None to delete the item.
    pub(crate) update: Option<Update>,
    pub(crate) returning: Option<Returning>,
}

impl Plan {
    /// The table that it is about.
    pub(crate) fn table(&self) -> &TableName {
        match self {
            Self::Select(selection) | Self::Exists(selection) => &selection.table,
            Self::Insert(insertion) => &insertion.table,
            Self::Write(writing) => &writing.table,
        }
    }

    /// Whether it only reads, and no more than a table's items: `EXISTS` goes with writes.
    pub(crate) fn reads(&self) -> bool {
        matches!(self, Self::Select(_))
    }

    /// What it returns beside what it is about.
    pub(crate) fn returning(&self) -> Option<Returning> {
        match self {
            Self::Write(writing) => writing.returning,
            _ => None,
        }
    }
}

/// The plan of a statement.
pub(crate) fn prepare(text: &str, parameters: &[AttributeValue]) -> Result<Plan, DynamoError> {
    let parsed = parse(text)?;
    if parsed.parameters != parameters.len() {
        return Err(StatementError::ParameterCount.into());
    }
    let parameters = Parameters(parameters);
    match parsed.statement {
        Statement::Select(select) => selection(select, parameters).map(Plan::Select),
        Statement::Exists(select) => selection(select, parameters).map(Plan::Exists),
        Statement::Insert(insert) => {
            let (item, table) = (Arc::new(parameters.item(&insert.value)?), table(&insert.table)?);
            Ok(Plan::Insert(Insertion { table, item }))
        }
        Statement::Update(update) => changing(update, parameters).map(Plan::Write),
        Statement::Delete(delete) => deleting(delete, parameters).map(Plan::Write),
    }
}

fn selection(select: Select, parameters: Parameters<'_>) -> Result<Selection, DynamoError> {
    let condition = where_clause(select.condition.as_ref(), parameters)?;
    if condition.is_none() && !select.order.is_empty() {
        return Err(StatementError::OrderWithoutWhere.into());
    }
    Ok(Selection {
        table: table(&select.source.table)?,
        index: select.source.index,
        projection: select.columns.map(Projection::of_columns),
        condition,
        order: select.order,
    })
}

fn changing(statement: UpdateStatement, parameters: Parameters<'_>) -> Result<Writing, DynamoError> {
    let condition = where_clause(statement.condition.as_ref(), parameters)?;
    let update = update(&statement.changes, parameters)?;
    let table = written_table(&statement.source)?;
    Ok(Writing { table, condition, update: Some(update), returning: statement.returning })
}

fn deleting(statement: Delete, parameters: Parameters<'_>) -> Result<Writing, DynamoError> {
    let condition = where_clause(statement.condition.as_ref(), parameters)?;
    if let Some(returning) = statement.returning.filter(|returning| *returning != Returning::AllOld) {
        return Err(StatementError::DeleteReturning(returning.text()).into());
    }
    let table = written_table(&statement.source)?;
    Ok(Writing { table, condition, update: None, returning: statement.returning })
}

fn where_clause(
    expression: Option<&Expression>,
    parameters: Parameters<'_>,
) -> Result<Option<Condition>, StatementError> {
    expression.map(|expression| condition(expression, parameters)).transpose()
}

fn written_table(source: &Source) -> Result<TableName, DynamoError> {
    if source.index.is_some() {
        return Err(StatementError::WriteToIndex.into());
    }
    table(&source.table)
}

fn table(name: &str) -> Result<TableName, DynamoError> {
    let mut violations = Violations::default();
    violations.table_name(Some(name));
    violations.finish()?;
    Ok(TableName::of(name))
}
