//! What the operations that take PartiQL statements have in common: how statements come, and what they need to be
//! allowed.

use std::sync::Arc;

use homeport_service::{Asked, Permissions};

use super::changing::Terms;
use super::writing::looked_at;
use crate::DynamoDb;
use crate::access::{Decided, Need, permissions};
use crate::error::DynamoError;
use crate::partiql::{
    MAX_STATEMENT_LENGTH, Plan, Returning, Selection, StatementError, Writing, equalities, prepare,
};
use crate::request::Violations;
use crate::table::Index;
use crate::value::{AttributeValue, Checked, ValueError};

/// A statement's parameters as they came.
pub(super) type RawParameters = Option<Checked<Vec<AttributeValue>>>;

/// Notes what is wrong with the members of a statement; `place` stands in front of their names.
pub(super) fn check_members(
    statement: Option<&str>,
    parameters: &RawParameters,
    place: &str,
    violations: &mut Violations,
) {
    let at = format!("{place}statement");
    violations.require(statement.as_ref(), &at);
    if let Some(statement) = statement {
        let shown = || format!("'{statement}'");
        let at_least = "Member must have length greater than or equal to 1";
        violations.check(!statement.is_empty(), shown, &at, at_least);
        let at_most = "Member must have length less than or equal to 8192";
        violations.check(statement.chars().count() <= MAX_STATEMENT_LENGTH, shown, &at, at_most);
    }
    if let Some(parameters) = parameters {
        let at_least = "Member must have length greater than or equal to 1";
        let at = format!("{place}parameters");
        let is_empty = parameters.0.as_ref().is_ok_and(Vec::is_empty);
        violations.check(!is_empty, || "'[]'".to_owned(), &at, at_least);
    }
}

/// The parameters, found to be values. They are judged before the statement is looked at.
pub(super) fn values(parameters: RawParameters) -> Result<Vec<AttributeValue>, ValueError> {
    parameters.map_or(Ok(Vec::new()), |parameters| parameters.0)
}

/// The plan of a statement that stands alone, or in a batch.
pub(super) fn plan(statement: &str, parameters: &[AttributeValue]) -> Result<Plan, DynamoError> {
    match prepare(statement, parameters)? {
        Plan::Exists(_) => Err(StatementError::ExistsElsewhere.into()),
        plan => Ok(plan),
    }
}

/// Refuses a global index whose key has several attributes of a kind: no statement reads it, whatever it asks for.
pub(super) fn check_keys(index: &Index) -> Result<(), StatementError> {
    let has_many = !index.schema.partition_rest.is_empty() || !index.schema.sort_rest.is_empty();
    if has_many { Err(StatementError::ManyKeys) } else { Ok(()) }
}

/// How a statement is run: alone, or as part of another operation (`dynamodb:EnclosingOperation`).
pub(super) type Enclosing = Option<&'static str>;

/// What the plans need, to be decided all at once.
pub(super) fn needed<'a>(
    asked: &Asked<'_, DynamoDb>,
    plans: impl IntoIterator<Item = (&'a Plan, Terms)>,
    enclosing: Enclosing,
    decided: &Decided,
) -> Permissions {
    permissions(asked, plans.into_iter().map(|(plan, terms)| need(plan, terms, enclosing)).collect(), decided)
}

fn need(plan: &Plan, terms: Terms, enclosing: Enclosing) -> Need {
    let need = match plan {
        // Alone it may read many items; within another operation it must name one.
        Plan::Select(selection) if enclosing.is_none() => {
            selecting(selection).selecting(selection.condition.as_ref())
        }
        Plan::Select(selection) | Plan::Exists(selection) => {
            let need = selecting(selection)
                .leading(equalities(selection.condition.as_ref()).into_iter().map(Arc::new));
            let tells_old = terms.tell_old && matches!(plan, Plan::Exists(_));
            if tells_old { need.with("dynamodb:ReturnValues", "ALL_OLD") } else { need }
        }
        Plan::Insert(insertion) => {
            Need::new("dynamodb:PartiQLInsert", &insertion.table).leading([insertion.item.clone()])
        }
        Plan::Write(writing) => changing(writing, terms),
    };
    match enclosing {
        Some(operation) => need.with("dynamodb:EnclosingOperation", operation),
        None => need,
    }
}

fn selecting(selection: &Selection) -> Need {
    let projected = selection.projection.iter().flat_map(|projection| projection.paths());
    let select = match (&selection.projection, &selection.index) {
        (Some(_), _) => "SPECIFIC_ATTRIBUTES",
        (None, Some(_)) => "ALL_PROJECTED_ATTRIBUTES",
        (None, None) => "ALL_ATTRIBUTES",
    };
    Need::new("dynamodb:PartiQLSelect", &selection.table)
        .on_index(selection.index.as_deref())
        .touching(projected.map(|path| path.head.as_str()))
        .touching(looked_at(selection.condition.as_ref()))
        .touching(selection.order.iter().map(|term| term.attribute.as_str()))
        .with("dynamodb:Select", select)
}

fn changing(writing: &Writing, terms: Terms) -> Need {
    let action = if writing.update.is_some() { "dynamodb:PartiQLUpdate" } else { "dynamodb:PartiQLDelete" };
    let returned = match writing.returning {
        Some(Returning::AllNew) => "ALL_NEW",
        // Where the condition doesn't hold, if nowhere else.
        _ if terms.tell_old => "ALL_OLD",
        None => "NONE",
        Some(Returning::AllOld) => "ALL_OLD",
        Some(Returning::ModifiedOld) => "UPDATED_OLD",
        Some(Returning::ModifiedNew) => "UPDATED_NEW",
    };
    Need::new(action, &writing.table)
        .leading(equalities(writing.condition.as_ref()).into_iter().map(Arc::new))
        .touching(looked_at(writing.condition.as_ref()))
        .touching(writing.update.iter().flat_map(|update| update.attributes()))
        .with("dynamodb:ReturnValues", returned)
}
