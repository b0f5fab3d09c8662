//! What `Query` and `Scan` have in common: a page of items along a stretch of keys.

use std::collections::BTreeMap;
use std::time::Duration;

use homeport_store::{Direction, MAX_PAGE_ROWS, Range, Row, Tx};
use tokio::task::coop::consume_budget;
use tokio::time::Instant;

use crate::capacity::{Answering, Consumed, read_units};
use crate::error::{DynamoError, Invalid};
use crate::expression::{Condition, Projection};
use crate::items::{OpenTable, SharedTable};
use crate::metering::Meter;
use crate::request::{Integer, ReturnCapacity, Violations};
use crate::table::{Index, IndexProjection, IndexState, KeyAttribute, Schema, Table};
use crate::value::{
    AttributeValue, Checked, Item, StoredAttributes, StoredItem, ValueError, decode_stored, item_size,
    write_item,
};

/// A page ends with the item that passes this many bytes.
const MAX_PAGE_SIZE: usize = 1 << 20;

/// A page ends with the item that makes its JSON pass this many bytes, whatever it counts: a number of three bytes may
/// have over a hundred digits.
const MAX_PAGE_JSON: usize = 8 << 20;
/// A page ends behind the item at which its filter has taken so long: it may look at megabytes for each.
const FILTERING: Duration = Duration::from_secs(1);

/// `Select`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Select {
    /// Whole items.
    All,
    /// What the index holds.
    Projected,
    /// What a projection says.
    Specific,
    /// How many.
    Count,
}

impl Select {
    pub(super) fn parse(given: Option<&str>, violations: &mut Violations) -> Option<Self> {
        let choices = [
            ("SPECIFIC_ATTRIBUTES", Self::Specific),
            ("COUNT", Self::Count),
            ("ALL_ATTRIBUTES", Self::All),
            ("ALL_PROJECTED_ATTRIBUTES", Self::Projected),
        ];
        violations.one_of(given, "select", &choices)
    }

    /// As it is written.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::All => "ALL_ATTRIBUTES",
            Self::Projected => "ALL_PROJECTED_ATTRIBUTES",
            Self::Specific => "SPECIFIC_ATTRIBUTES",
            Self::Count => "COUNT",
        }
    }

    /// What is selected where the request doesn't say, if the rest of the request goes with it.
    pub(super) fn settle(given: Option<Self>, what: &Projecting, index: bool) -> Result<Self, Invalid> {
        let projection = what.member;
        match (given, projection) {
            (None, Some(_)) => Ok(Self::Specific),
            (None, None) => Ok(if index { Self::Projected } else { Self::All }),
            (Some(Self::Specific), None) => Err(Invalid::NothingSpecific),
            (Some(Self::Projected), None) if !index => Err(Invalid::ProjectedOfTable),
            (Some(Self::Specific), Some(_)) => Ok(Self::Specific),
            (Some(select), Some(projection)) => {
                let select = if select == Self::Count { "only the Count" } else { select.name() };
                Err(Invalid::ProjectionAndSelect { projection, select })
            }
            (Some(select), None) => Ok(select),
        }
    }
}

/// A projection and the member it came by.
#[derive(Default)]
pub(super) struct Projecting {
    pub(super) projection: Option<Projection>,
    pub(super) member: Option<&'static str>,
}

impl Projecting {
    /// The projection of either member.
    pub(super) fn of(expression: Option<Projection>, legacy: Option<Projection>) -> Self {
        let member = match (&expression, &legacy) {
            (Some(_), _) => Some("ProjectionExpression"),
            (None, Some(_)) => Some("AttributesToGet"),
            (None, None) => None,
        };
        Self { projection: expression.or(legacy), member }
    }
}

/// What is wanted of the items on the way.
pub(super) struct Wish {
    pub(super) select: Select,
    pub(super) projection: Option<Projection>,
    pub(super) filter: Option<Condition>,
    pub(super) limit: Option<usize>,
    pub(super) consistent: bool,
    pub(super) capacity: ReturnCapacity,
}

/// Notes a limit below one; it is shown where the member is spelled `limit`.
pub(super) fn check_limit(limit: Option<Integer>, member: &str, violations: &mut Violations) {
    let constraint = "Member must have value greater than or equal to 1";
    match limit.filter(|limit| limit.value < 1) {
        None => {}
        Some(limit) if member == "limit" => {
            violations.check(false, || format!("'{}'", limit.value), "limit", constraint);
        }
        Some(_) => violations.note("Value at 'Limit'", constraint),
    }
}

/// `ExclusiveStartKey`, its values found to be values.
pub(super) fn start_key(
    given: Option<BTreeMap<String, Checked<AttributeValue>>>,
) -> Result<Option<Item>, DynamoError> {
    let Some(given) = given else { return Ok(None) };
    let mut key = Item::new();
    for (name, value) in given {
        let value = value.0.map_err(|error| match error {
            ValueError::Empty | ValueError::ManyTypes => Invalid::StartKeyBecause(error.to_string()).into(),
            error => DynamoError::Value(error),
        })?;
        key.insert(name, value);
    }
    Ok(Some(key))
}

/// Refuses a start key that is no key of the table, and of the index.
pub(super) fn check_start(table: &Table, index: Option<&Index>, start: &Item) -> Result<(), Invalid> {
    let names = start_key_names(&table.schema, index);
    if start.len() != names.len() || !index.is_none_or(|index| fits(&index.schema, start)) {
        return Err(Invalid::StartKey);
    }
    let own = |(name, _): &(&String, &AttributeValue)| table.schema.has(name);
    let key = start.iter().filter(own).map(|(name, value)| (name.clone(), value.clone()));
    table.schema.check_key(&key.collect()).map_err(|error| match error {
        Invalid::KeySchema => Invalid::StartKey,
        error => error,
    })
}

/// Whether all of the key's attributes are there with the schema's types.
fn fits(schema: &Schema, key: &Item) -> bool {
    let fit = |attribute: &KeyAttribute| {
        key.get(&attribute.name).is_some_and(|value| value.value_type() == attribute.kind.value_type())
    };
    schema.attributes().all(fit)
}

/// The attributes that a start key must have: the table's and the index's keys.
fn start_key_names<'a>(table: &'a Schema, index: Option<&'a Index>) -> Vec<&'a str> {
    let mut names: Vec<&str> = table.attributes().map(|attribute| attribute.name.as_str()).collect();
    for attribute in index.into_iter().flat_map(|index| index.schema.attributes()) {
        if !names.contains(&attribute.name.as_str()) {
            names.push(&attribute.name);
        }
    }
    names
}

/// The index that is read, if the request may read it so.
pub(super) fn index<'a>(
    open: &'a OpenTable,
    name: Option<&str>,
    wish: &Wish,
) -> Result<Option<&'a Index>, DynamoError> {
    let Some(name) = name else { return Ok(None) };
    let index = open.table.index(name)?;
    if index.state == IndexState::Building {
        return Err(Invalid::IndexBuilding(index.name.clone()).into());
    }
    if index.global && wish.consistent {
        return Err(Invalid::ConsistentIndex.into());
    }
    Ok(Some(index))
}

/// Refuses what a global index does not hold.
pub(super) fn check_held(open: &OpenTable, index: Option<&Index>, wish: &Wish) -> Result<(), Invalid> {
    let Some(index) = index.filter(|index| index.global) else { return Ok(()) };
    if wish.select == Select::All && index.projection != IndexProjection::All {
        return Err(Invalid::AllOfIndex(index.name.clone()));
    }
    let missing = unprojected(open, index, wish);
    if missing.is_empty() {
        return Ok(());
    }
    Err(Invalid::NotProjected { index: index.name.clone(), attributes: missing.join(", ") })
}

/// What is asked for and the index doesn't hold.
fn unprojected<'a>(open: &OpenTable, index: &Index, wish: &'a Wish) -> Vec<&'a str> {
    let wanted =
        wish.projection.iter().flat_map(|projection| projection.paths()).map(|path| path.head.as_str());
    wanted.filter(|name| !holds(open, index, name)).collect()
}

/// Whether the index's entries hold the attribute.
pub(super) fn holds(open: &OpenTable, index: &Index, name: &str) -> bool {
    match &index.projection {
        IndexProjection::All => true,
        _ if index.schema.has(name) || open.table.schema.has(name) => true,
        IndexProjection::KeysOnly => false,
        IndexProjection::Include(names) => names.iter().any(|included| included == name),
    }
}

/// A stretch of keys to go along.
pub(super) struct Walk<'a> {
    pub(super) open: &'a SharedTable,
    pub(super) index: Option<&'a Index>,
    pub(super) range: Range,
    pub(super) direction: Direction,
    /// The partition key that rows must have, where only one partition is wanted.
    pub(super) partition: StoredAttributes,
    pub(super) wish: &'a Wish,
}

/// What was found on the way.
#[derive(Default)]
pub(super) struct Found {
    /// JSON, with commas between the items.
    pub(super) items: Vec<u8>,
    count: usize,
    pub(super) scanned: usize,
    pub(super) size: usize,
    fetched: Vec<usize>,
    /// The bytes of the items that were fetched.
    fetched_size: usize,
    /// The row at which the limit, or a megabyte, was reached.
    pub(super) last: Option<Row>,
}

impl Found {
    /// Whether the page ends: with a megabyte of what lay on the way, or of what was fetched beside it, or with JSON.
    fn is_full(&self) -> bool {
        self.size.max(self.fetched_size) >= MAX_PAGE_SIZE || self.items.len() >= MAX_PAGE_JSON
    }
}

impl Walk<'_> {
    /// Goes along until the limit, or a megabyte; gives the whole answer.
    pub(super) async fn answer(mut self, tx: &Tx, meter: &Meter<'_>) -> Result<Vec<u8>, DynamoError> {
        let mut found = Found::default();
        self.go(tx, &mut found).await?;
        self.written(found, meter)
    }

    /// Goes along until the limit, or a megabyte, with all that was found before.
    pub(super) async fn go(&mut self, tx: &Tx, found: &mut Found) -> Result<(), DynamoError> {
        let (limit, begun) = (self.wish.limit.unwrap_or(usize::MAX), Instant::now());
        loop {
            let batch = limit.saturating_sub(found.scanned).min(MAX_PAGE_ROWS);
            let page = tx.scan(self.range.clone(), self.direction, batch).await?;
            if self.writes_whole_rows() && self.wish.select != Select::Count {
                let stored: usize = page.rows.iter().map(|row| row.value.len()).sum();
                found.items.reserve((stored + stored / 4).min(MAX_PAGE_SIZE));
            }
            for row in &page.rows {
                self.take(tx, row, found).await?;
                if found.scanned == limit || found.is_full() || self.has_filtered_enough(begun).await {
                    found.last = Some(row.clone());
                    return Ok(());
                }
            }
            let Some(last) = page.rows.last().filter(|_| page.more) else { return Ok(()) };
            let range = self.range.clone();
            self.range = match self.direction {
                Direction::Forward => range.after(&last.key),
                Direction::Backward => range.before(&last.key),
            };
        }
    }

    /// Whether the page ends for the time that its filter takes, which may have long values to look at for each row.
    async fn has_filtered_enough(&self, begun: Instant) -> bool {
        if self.wish.filter.is_none() {
            return false;
        }
        // Others' calls have their turn meanwhile.
        consume_budget().await;
        begun.elapsed() >= FILTERING
    }

    async fn take(&self, tx: &Tx, row: &Row, found: &mut Found) -> Result<(), DynamoError> {
        let stored = StoredItem::open(&row.value)?;
        if !stored.holds(&self.partition) {
            return Ok(());
        }
        found.scanned += 1;
        found.size += stored.size();
        if self.writes_whole_rows() {
            found.count += 1;
            if self.wish.select != Select::Count {
                separate(&mut found.items);
                stored.write_json(&mut found.items)?;
            }
            return Ok(());
        }
        let mut item = decode_stored(&row.value)?;
        if self.fetches()
            && let Some(whole) = self.fetch(tx, &item).await?
        {
            let size = item_size(&whole);
            found.fetched.push(size);
            found.fetched_size += size;
            item = whole;
        }
        if self.wish.filter.as_ref().is_some_and(|filter| !filter.holds(&item)) {
            return Ok(());
        }
        found.count += 1;
        if self.wish.select == Select::Count {
            return Ok(());
        }
        let item = match &self.wish.projection {
            Some(projection) => projection.apply(&item),
            None => item,
        };
        separate(&mut found.items);
        write_item(&item, &mut found.items);
        Ok(())
    }

    /// Whether a row is written, or counted, as it lies there.
    fn writes_whole_rows(&self) -> bool {
        self.wish.filter.is_none() && self.wish.projection.is_none() && !self.fetches()
    }

    /// Whether whole items are read from the table, as a local index does not hold what is asked for.
    fn fetches(&self) -> bool {
        let Some(index) = self.index.filter(|index| !index.global) else { return false };
        let all = self.wish.select == Select::All && index.projection != IndexProjection::All;
        all || !unprojected(self.open, index, self.wish).is_empty()
    }

    async fn fetch(&self, tx: &Tx, entry: &Item) -> Result<Option<Item>, DynamoError> {
        let Some(key) = self.open.table.schema.key_of(entry) else { return Ok(None) };
        let place = self.open.place(&key)?;
        self.open.item(tx, &place, &key).await
    }

    fn written(&self, found: Found, meter: &Meter<'_>) -> Result<Vec<u8>, DynamoError> {
        let mut answer = Answering::new();
        if self.wish.select != Select::Count {
            answer.member("Items", |out| {
                out.push(b'[');
                out.extend_from_slice(&found.items);
                out.push(b']');
            });
        }
        answer.number("Count", found.count);
        answer.number("ScannedCount", found.scanned);
        if let Some(last) = &found.last {
            let key = self.last_key(last)?;
            answer.member("LastEvaluatedKey", |out| write_item(&key, out));
        }
        let mut consumed = self.consumed(found.size);
        self.add_fetched(&found, &mut consumed);
        meter.reads(self.open, &consumed)?;
        answer.consumed(self.wish.capacity, &self.open.table, &consumed);
        Ok(answer.finish())
    }

    /// The key of the row at which the walk ended.
    pub(super) fn last_key(&self, last: &Row) -> Result<Item, DynamoError> {
        let stored = StoredItem::open(&last.value)?;
        let mut key = Item::new();
        for name in start_key_names(&self.open.table.schema, self.index) {
            if let Some(value) = stored.value(name)? {
                key.insert(name.to_owned(), value);
            }
        }
        Ok(key)
    }

    /// What reading so many bytes consumes.
    pub(super) fn consumed(&self, size: usize) -> Consumed {
        let units = read_units(size, self.wish.consistent);
        let mut consumed = Consumed::default();
        match self.index {
            Some(index) => consumed.add_index(index, units),
            None => consumed.add_table(units),
        }
        consumed
    }

    /// Adds what reading whole items beside an index consumed.
    pub(super) fn add_fetched(&self, found: &Found, consumed: &mut Consumed) {
        found.fetched.iter().for_each(|size| consumed.add_table(read_units(*size, self.wish.consistent)));
    }
}

fn separate(items: &mut Vec<u8>) {
    if !items.is_empty() {
        items.push(b',');
    }
}
