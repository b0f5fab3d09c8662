//! What operations that write items have in common: the condition, and what is told of its failure.

use std::collections::BTreeMap;

use crate::access::Need;
use crate::capacity::Answering;
use crate::error::{DynamoError, Invalid};
use crate::expression::{Condition, ExpressionError, ExpressionKind, InvalidExpression, Placeholders};
use crate::items::OpenTable;
use crate::legacy::{self, RawExpected};
use crate::request::{ReturnCapacity, ReturnValues, Violations, wants_metrics, wants_old_on_failure};
use crate::value::{AttributeValue, Item, write_item};

/// What every single write may ask to be told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted {
    pub(super) values: ReturnValues,
    pub(super) capacity: ReturnCapacity,
    pub(super) metrics: bool,
    pub(super) old_on_failure: bool,
}

/// The texts of [`Wanted`].
pub(super) struct RawWanted<'a> {
    pub(super) values: Option<&'a str>,
    pub(super) capacity: Option<&'a str>,
    pub(super) metrics: Option<&'a str>,
    pub(super) on_failure: Option<&'a str>,
}

impl RawWanted<'_> {
    pub(super) fn check(&self, violations: &mut Violations) -> Wanted {
        Wanted {
            capacity: ReturnCapacity::parse(self.capacity, violations),
            values: ReturnValues::parse(self.values, violations),
            metrics: wants_metrics(self.metrics, violations),
            old_on_failure: wants_old_on_failure(self.on_failure, violations),
        }
    }

    /// As `UpdateItem` has it that came without a key: older words in an older order.
    pub(super) fn check_without_key(
        &self,
        table: Option<&str>,
        operator: Option<&str>,
        violations: &mut Violations,
    ) -> Wanted {
        let capacity = ReturnCapacity::parse(self.capacity, violations);
        violations.require(table.as_ref(), "tableName");
        let at_least = "Member must have length greater than or equal to 1";
        violations.check(table != Some(""), || "''".to_owned(), "tableName", at_least);
        let values = ReturnValues::parse_in_older_words(self.values, violations);
        let old_on_failure = wants_old_on_failure(self.on_failure, violations);
        let metrics = wants_metrics(self.metrics, violations);
        violations.one_of(operator, "conditionalOperator", &[("OR", ()), ("AND", ())]);
        violations.require::<()>(None, "key");
        Wanted { values, capacity, metrics, old_on_failure }
    }

    /// As `UpdateItem` has it: the first violation is told alone, and two of them without being counted.
    pub(super) fn check_one(&self) -> Result<Wanted, DynamoError> {
        let mut violations = Violations::default();
        let values = ReturnValues::parse(self.values, &mut violations);
        std::mem::take(&mut violations).finish()?;
        let old_on_failure = wants_old_on_failure(self.on_failure, &mut violations);
        if let Some(said) = violations.first() {
            return Err(DynamoError::uncounted(said));
        }
        let metrics = wants_metrics(self.metrics, &mut violations);
        std::mem::take(&mut violations).finish()?;
        let capacity = ReturnCapacity::parse(self.capacity, &mut violations);
        match violations.first() {
            Some(said) => Err(DynamoError::uncounted(said)),
            None => Ok(Wanted { values, capacity, metrics, old_on_failure }),
        }
    }
}

impl Wanted {
    /// Refuses what only updates can return.
    pub(super) fn check_values(&self) -> Result<(), Invalid> {
        match self.values {
            ReturnValues::None | ReturnValues::AllOld => Ok(()),
            _ => Err(Invalid::ReturnValues),
        }
    }

    /// The need with what is asked to be returned, be it only where the condition doesn't hold.
    pub(super) fn told(&self, need: Need) -> Need {
        let values = match self.values {
            ReturnValues::AllNew => ReturnValues::AllNew,
            _ if self.old_on_failure => ReturnValues::AllOld,
            values => values,
        };
        need.with("dynamodb:ReturnValues", values.name()).returning(self.capacity)
    }
}

/// `ConditionExpression`, or `Expected` before it.
#[derive(Default)]
pub(super) struct RawGuard {
    pub(super) expression: Option<String>,
    pub(super) expected: Option<BTreeMap<String, RawExpected>>,
    pub(super) any: bool,
}

impl RawGuard {
    /// Refuses a `ConditionExpression` without text, of which is told before an update without text.
    pub(super) fn check_not_empty(&self) -> Result<(), InvalidExpression> {
        match self.expression.as_deref() {
            Some("") => {
                Err(InvalidExpression { kind: ExpressionKind::Condition, error: ExpressionError::Empty })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn read(self, placeholders: &mut Placeholders<'_>) -> Result<Option<Condition>, DynamoError> {
        let legacy =
            self.expected.map(|expected| legacy::expected(expected, self.any)).transpose()?.flatten();
        match self.expression {
            Some(text) => Ok(Some(Condition::parse(ExpressionKind::Condition, &text, placeholders)?)),
            None => Ok(legacy),
        }
    }
}

/// The attributes that a condition looks at.
pub(super) fn looked_at(condition: Option<&Condition>) -> impl Iterator<Item = &str> {
    condition.into_iter().flat_map(Condition::paths).map(|path| path.head.as_str())
}

/// Refuses a write whose condition does not hold for the item as it is.
pub(super) fn check_condition(
    condition: Option<&Condition>,
    item: Option<&Item>,
    tell_old: bool,
) -> Result<(), DynamoError> {
    let nothing = Item::new();
    if condition.is_none_or(|condition| condition.holds(item.unwrap_or(&nothing))) {
        return Ok(());
    }
    let item = item.filter(|_| tell_old).map(|item| {
        let mut json = Vec::new();
        write_item(item, &mut json);
        String::from_utf8_lossy(&json).into_owned()
    });
    Err(DynamoError::ConditionFailed { item })
}

/// Appends `Attributes`, unless there are none.
pub(super) fn write_attributes(answer: &mut Answering, attributes: Option<&Item>) {
    if let Some(attributes) = attributes.filter(|attributes| !attributes.is_empty()) {
        answer.member("Attributes", |out| write_item(attributes, out));
    }
}

/// Appends a table's item collection metrics, if it counts them.
pub(super) fn write_metrics(answer: &mut Answering, open: &OpenTable, item: &Item) {
    if let Some(key) = collection_key(open, item) {
        answer.member("ItemCollectionMetrics", |out| write_collection(&key, out));
    }
}

/// The key of the item's collection; none for tables without local indexes.
pub(super) fn collection_key(open: &OpenTable, item: &Item) -> Option<Item> {
    if !open.table.has_local_indexes() {
        return None;
    }
    let name = &open.table.schema.partition.name;
    Some([(name.clone(), item.get(name)?.clone())].into())
}

/// Appends one collection's metrics; every collection here is below the first gigabyte's mark.
pub(super) fn write_collection(key: &Item, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"ItemCollectionKey\":");
    write_item(key, out);
    out.extend_from_slice(b",\"SizeEstimateRangeGB\":[0.0,1.0]}");
}

/// The request's values, for operations that take none.
pub(super) type RawValues = BTreeMap<String, crate::value::Checked<AttributeValue>>;
