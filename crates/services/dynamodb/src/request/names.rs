//! What tables and indexes may be called, and in which words each kind of operation says so.

use super::Violations;
use crate::error::Invalid;

const PATTERN: &str = "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+";
const AT_LEAST_3: &str = "Member must have length greater than or equal to 3";
const AT_MOST_255: &str = "Member must have length less than or equal to 255";
const AT_MOST_1024: &str = "Member must have length less than or equal to 1024";
const MAP_KEYS: &str = "Map keys must satisfy constraint: [Member must have length less than or equal to 255, Member must have length greater than or equal to 3, Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+]";
const SHORTEST: usize = 3;
const LONGEST: usize = 255;

fn length_problem(name: &str) -> Option<&'static str> {
    match name.len() {
        0..SHORTEST => Some(AT_LEAST_3),
        SHORTEST..=LONGEST => None,
        _ => Some(AT_MOST_255),
    }
}

fn pattern_problem(name: &str) -> Option<&'static str> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    (name.is_empty() || !name.bytes().all(fits)).then_some(PATTERN)
}

/// What is wrong with a table's name, the length first; for an ARN, its length.
fn problems(name: &str) -> Vec<&'static str> {
    if name.starts_with("arn:") {
        return (name.len() > 1024).then_some(AT_MOST_1024).into_iter().collect();
    }
    length_problem(name).into_iter().chain(pattern_problem(name)).collect()
}

/// Refuses an empty `TableName`, which is told alone whatever else is wrong.
pub(crate) fn check_not_empty(name: Option<&str>) -> Result<(), Invalid> {
    if name != Some("") {
        return Ok(());
    }
    let said = "Value at 'TableName' failed to satisfy constraint: Member must have length greater than or equal to 1";
    Err(Invalid::Constraints(vec![said.to_owned()]))
}

/// Refuses the table's name of an operation on tables.
pub(crate) fn check_table(name: &str) -> Result<(), Invalid> {
    if name.starts_with("arn:") {
        return Ok(());
    }
    if length_problem(name).is_some() {
        let said = "TableName must be at least 3 characters long and at most 255 characters long";
        return Err(Invalid::Table(said.to_owned()));
    }
    let mut violations = Violations::default();
    violations.check(pattern_problem(name).is_none(), || format!("'{name}'"), "tableName", PATTERN);
    violations.finish()
}

impl Violations {
    /// Notes the first thing that is wrong with `TableName`.
    pub(crate) fn table_name(&mut self, name: Option<&str>) {
        let Some(name) = name else { return self.require::<()>(None, "tableName") };
        if let Some(problem) = problems(name).first() {
            self.check(false, || format!("'{name}'"), "tableName", problem);
        }
    }

    /// Notes all that is wrong with `TableName`, the pattern first, as `UpdateItem` does.
    pub(crate) fn updated_table_name(&mut self, name: Option<&str>) {
        let Some(name) = name else { return self.require::<()>(None, "tableName") };
        for problem in problems(name).iter().rev() {
            self.check(false, || format!("'{name}'"), "tableName", problem);
        }
    }

    /// Notes all that is wrong with a table's name within a transaction.
    pub(crate) fn inner_table_name(&mut self, name: Option<&str>, at: &str) {
        let Some(name) = name else { return self.require::<()>(None, at) };
        for problem in problems(name) {
            self.check(false, || format!("'{name}'"), at, problem);
        }
    }

    /// Notes that a name among those of `RequestItems` is none; `shown` is all of `RequestItems`.
    pub(crate) fn batch_table_names<'a>(
        &mut self,
        mut names: impl Iterator<Item = &'a String>,
        shown: impl FnOnce() -> String,
    ) {
        let fit = names.all(|name| problems(name).is_empty());
        self.check(fit, || format!("'{}'", shown()), "requestItems", MAP_KEYS);
    }

    /// Notes what is wrong with the name of a table that is made or of an index, the pattern first.
    pub(crate) fn name(&mut self, name: &str, at: &str) {
        for problem in pattern_problem(name).into_iter().chain(length_problem(name)) {
            self.check(false, || format!("'{name}'"), at, problem);
        }
    }
}
