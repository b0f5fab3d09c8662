//! What requests have in common: bodies, constraints, table names, the expressions' placeholders.

use std::collections::BTreeMap;

use homeport_core::{Arn, Fault, Scope};
use homeport_service::{Call, CallBody};
use serde::de::DeserializeOwned;

use crate::error::{DynamoError, Invalid};
use crate::expression::{PlaceholderError, Placeholders};
use crate::value::{AttributeValue, Checked, SharedValue};

mod counted;
mod integer;
mod names;

pub(crate) use counted::Counted;
pub(crate) use integer::Integer;
pub(crate) use names::{check_not_empty, check_table};

/// Constraints beyond this many are not listed.
const MAX_VIOLATIONS: usize = 10;

/// Reads a body. What isn't of the request's shape at once is read again by the model, which knows what else AWS takes
/// and refuses the rest in AWS's words.
pub(crate) fn body<T: DeserializeOwned>(call: &Call) -> Result<T, DynamoError> {
    let CallBody::Whole(bytes) = &call.body else {
        return Err(DynamoError::Fault(Fault::internal("a body of DynamoDB's came as a stream")));
    };
    if let Ok(body) = serde_json::from_slice(bytes) {
        return Ok(body);
    }
    let body = call.json().map_err(DynamoError::Fault)?;
    serde_json::from_value(body)
        .map_err(|error| DynamoError::Fault(Fault::sender("SerializationException", "").because(error)))
}

/// Members of the wrong form, collected.
#[derive(Default)]
pub(crate) struct Violations(Vec<String>);

impl Violations {
    /// Notes a violation unless `holds`. `value` is as messages show it: quoted, or `null`.
    pub(crate) fn check(&mut self, holds: bool, value: impl FnOnce() -> String, at: &str, constraint: &str) {
        // What won't be listed isn't shown either: showing may take long.
        if !holds && self.0.len() < MAX_VIOLATIONS {
            self.note(&format!("Value {} at '{at}'", value()), constraint);
        }
    }

    /// Notes a violation of what is named in words of its own.
    pub(crate) fn note(&mut self, what: &str, constraint: &str) {
        self.push(format!("{what} failed to satisfy constraint: {constraint}"));
    }

    fn push(&mut self, violation: String) {
        if self.0.len() < MAX_VIOLATIONS {
            self.0.push(violation);
        }
    }

    /// The first of them; none where all is well.
    pub(crate) fn first(&self) -> Option<&str> {
        self.0.first().map(String::as_str)
    }

    /// Notes that a required member is missing.
    pub(crate) fn require<T>(&mut self, value: Option<&T>, at: &str) {
        self.check(value.is_some(), || "null".to_owned(), at, "Member must not be null");
    }

    /// The choice that the text names; none where there is no text, or (noted) no such choice.
    pub(crate) fn one_of<T: Copy>(
        &mut self,
        given: Option<&str>,
        at: &str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let given = given?;
        let found = choices.iter().find(|(name, _)| *name == given);
        if found.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            let constraint = format!("Member must satisfy enum value set: [{}]", names.join(", "));
            self.check(false, || format!("'{given}'"), at, &constraint);
        }
        found.map(|(_, choice)| *choice)
    }

    /// Refuses the request if there are any.
    pub(crate) fn finish(self) -> Result<(), Invalid> {
        if self.0.is_empty() { Ok(()) } else { Err(Invalid::Constraints(self.0)) }
    }
}

/// A table as a request names it: by name or by ARN.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TableName {
    name: String,
    /// Account and region, where an ARN says them.
    place: Option<(String, String)>,
}

impl TableName {
    /// The table that this text names.
    pub(crate) fn of(text: &str) -> Self {
        let parsed = Arn::parse(text).ok().filter(|arn| arn.service() == "dynamodb");
        let named = parsed.as_ref().and_then(|arn| {
            let name = arn.resource().strip_prefix("table/")?;
            Some((name.split('/').next()?.to_owned(), arn.account().to_owned(), arn.region().to_owned()))
        });
        match named {
            Some((name, account, region)) => Self { name, place: Some((account, region)) },
            None => Self { name: text.to_owned(), place: None },
        }
    }

    /// The name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the table would be one of this scope.
    pub(crate) fn is_in(&self, scope: &Scope) -> bool {
        self.place.as_ref().is_none_or(|(account, region)| {
            *account == scope.account.to_string() && region == scope.region.as_str()
        })
    }

    /// The table's ARN in this scope.
    pub(crate) fn arn(&self, scope: &Scope) -> String {
        match &self.place {
            Some((account, region)) => format!("arn:aws:dynamodb:{region}:{account}:table/{}", self.name),
            None => format!("arn:aws:dynamodb:{}:{}:table/{}", scope.region, scope.account, self.name),
        }
    }
}

/// `ReturnConsumedCapacity`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ReturnCapacity {
    /// Nothing.
    #[default]
    None,
    /// One figure per table.
    Total,
    /// Tables and indexes apart.
    Indexes,
}

impl ReturnCapacity {
    pub(crate) fn parse(given: Option<&str>, violations: &mut Violations) -> Self {
        let choices = [("INDEXES", Self::Indexes), ("TOTAL", Self::Total), ("NONE", Self::None)];
        violations.one_of(given, "returnConsumedCapacity", &choices).unwrap_or_default()
    }
}

/// `ReturnValues`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ReturnValues {
    /// Nothing.
    #[default]
    None,
    /// The item as it was.
    AllOld,
    /// The updated attributes as they were.
    UpdatedOld,
    /// The item as it is.
    AllNew,
    /// The updated attributes as they are.
    UpdatedNew,
}

impl ReturnValues {
    const CHOICES: [(&'static str, Self); 5] = [
        ("ALL_NEW", Self::AllNew),
        ("UPDATED_OLD", Self::UpdatedOld),
        ("ALL_OLD", Self::AllOld),
        ("NONE", Self::None),
        ("UPDATED_NEW", Self::UpdatedNew),
    ];

    pub(crate) fn parse(given: Option<&str>, violations: &mut Violations) -> Self {
        let found = Self::CHOICES.iter().find(|(name, _)| Some(*name) == given);
        if given.is_some() && found.is_none() {
            // AWS's list, with its slip.
            let choices = "[ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE]";
            violations
                .push(format!("Failed to satisfy constraint: Member must satisfy enum value set: {choices}"));
        }
        found.map(|(_, values)| *values).unwrap_or_default()
    }

    /// As [`Self::parse`], in older words.
    pub(crate) fn parse_in_older_words(given: Option<&str>, violations: &mut Violations) -> Self {
        violations.one_of(given, "returnValues", &Self::CHOICES).unwrap_or_default()
    }

    /// As it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::AllOld => "ALL_OLD",
            Self::UpdatedOld => "UPDATED_OLD",
            Self::AllNew => "ALL_NEW",
            Self::UpdatedNew => "UPDATED_NEW",
        }
    }
}

/// `ReturnItemCollectionMetrics`
pub(crate) fn wants_metrics(given: Option<&str>, violations: &mut Violations) -> bool {
    violations
        .one_of(given, "returnItemCollectionMetrics", &[("SIZE", true), ("NONE", false)])
        .unwrap_or(false)
}

/// `ReturnValuesOnConditionCheckFailure`
pub(crate) fn wants_old_on_failure(given: Option<&str>, violations: &mut Violations) -> bool {
    let choices = [("ALL_OLD", true), ("NONE", false)];
    violations.one_of(given, "returnValuesOnConditionCheckFailure", &choices).unwrap_or(false)
}

/// A member's name and whether the request has it.
pub(crate) type Present = (&'static str, bool);

/// Refuses expressions beside legacy parameters, and placeholders without expressions.
pub(crate) fn check_generations(
    expressions: &[Present],
    legacy: &[Present],
    has_names: bool,
    has_values: bool,
) -> Result<(), Invalid> {
    let named = |members: &[Present]| {
        let present: Vec<&str> =
            members.iter().filter(|(_, present)| *present).map(|(name, _)| *name).collect();
        present.join(", ")
    };
    let (given, old) = (named(expressions), named(legacy));
    if !given.is_empty() && !old.is_empty() {
        return Err(Invalid::Mixed { legacy: old, expressions: given });
    }
    if has_names && given.is_empty() {
        return Err(Invalid::NamesAlone);
    }
    let taking: Vec<Present> =
        expressions.iter().filter(|(name, _)| *name != "ProjectionExpression").copied().collect();
    if has_values && !taking.is_empty() && taking.iter().all(|(_, present)| !present) {
        let names: Vec<&str> = taking.iter().map(|(name, _)| *name).collect();
        let verb = if names.len() > 1 { "are" } else { "is" };
        return Err(Invalid::ValuesAlone(format!(": {} {verb} null", names.join(" and "))));
    }
    Ok(())
}

/// As [`check_generations`], in the words of operations that write one item.
pub(crate) fn check_generations_of_write(
    expressions: &[Present],
    legacy: &[Present],
    has_names: bool,
    has_values: bool,
) -> Result<(), Invalid> {
    check_generations(expressions, legacy, has_names, has_values).map_err(|error| match error {
        Invalid::ValuesAlone(_) => Invalid::ValuesAlone(String::new()),
        other => other,
    })
}

/// `ExpressionAttributeNames` and `ExpressionAttributeValues` as they came.
#[derive(Default)]
pub(crate) struct RawPlaceholders {
    pub(crate) names: Option<BTreeMap<String, String>>,
    pub(crate) values: Option<BTreeMap<String, Checked<AttributeValue>>>,
}

/// The placeholders, their values found to be values.
#[derive(Default)]
pub(crate) struct CheckedPlaceholders {
    names: Option<BTreeMap<String, String>>,
    values: Option<BTreeMap<String, SharedValue>>,
}

impl RawPlaceholders {
    pub(crate) fn check(self) -> Result<CheckedPlaceholders, PlaceholderError> {
        // Names are judged before values.
        Placeholders::new(self.names.as_ref(), None)?;
        let Some(given) = self.values else {
            return Ok(CheckedPlaceholders { names: self.names, values: None });
        };
        let mut values = BTreeMap::new();
        let mut problem = None;
        for (key, value) in given {
            match value.0 {
                Ok(value) => drop(values.insert(key, SharedValue::new(value))),
                Err(error) => {
                    problem.get_or_insert(PlaceholderError::Value { error, key: key.clone() });
                    values.insert(key, AttributeValue::Null.into());
                }
            }
        }
        Placeholders::new(None, Some(&values))?;
        match problem {
            Some(problem) => Err(problem),
            None => Ok(CheckedPlaceholders { names: self.names, values: Some(values) }),
        }
    }
}

impl CheckedPlaceholders {
    /// Reads all of a request's expressions, and refuses placeholders that none of them used.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&mut Placeholders<'_>) -> Result<T, DynamoError>,
    ) -> Result<T, DynamoError> {
        let mut placeholders = Placeholders::new(self.names.as_ref(), self.values.as_ref())?;
        let expressions = read(&mut placeholders)?;
        placeholders.finish()?;
        Ok(expressions)
    }
}
