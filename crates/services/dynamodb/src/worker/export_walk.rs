//! The items of an export, in the order of their places. Each place is looked at once: whether an item lies there now,
//! or the history knows what lay there. What comes of a place never changes, so a stretch that is walked again gives
//! the same lines.

use std::iter::Peekable;
use std::vec;

use homeport_store::{Direction, Range, Row, Tx};
use tokio::time::Instant;

use super::STRETCH;
use crate::error::DynamoError;
use crate::history::AsOf;
use crate::records::{Export, ExportSpan, Exporting, items_of};
use crate::transfer::{ChangedItem, write_change, write_item_line};
use crate::value::{Item, StoredItem, decode_stored};
use homeport_core::Timestamp;

/// Places that one transaction looks at.
const PLACES: usize = 500;
/// A transaction ends behind the item that passes this many bytes.
const BYTES: usize = 2 << 20;

/// A line of a data file.
pub(super) struct Line {
    /// Of which place.
    pub(super) place: Vec<u8>,
    pub(super) text: Vec<u8>,
    /// The item's size, as DynamoDB counts it.
    pub(super) size: i64,
}

/// What one transaction saw.
#[derive(Default)]
pub(super) struct Walked {
    pub(super) lines: Vec<Line>,
    /// The last place that was looked at; none at the end.
    pub(super) upto: Option<Vec<u8>>,
}

/// The places where items lie now, as far as they were read.
struct Now {
    rows: Peekable<vec::IntoIter<(Vec<u8>, Row)>>,
    /// Behind this place there may be more.
    bound: Option<Vec<u8>>,
}

impl Now {
    async fn of(tx: &Tx, table_id: &str, after: Option<&[u8]>) -> Result<Self, DynamoError> {
        let root = items_of(table_id);
        let root = root.as_bytes();
        let mut range = Range::prefix(&items_of(table_id));
        if let Some(after) = after {
            range = range.after(&[root, after].concat());
        }
        let page = tx.scan(range, Direction::Forward, PLACES).await?;
        let place = |row: &Row| row.key.slice(root.len()..).to_vec();
        let bound = page.rows.last().filter(|_| page.more).map(place);
        let rows: Vec<_> = page.rows.into_iter().map(|row| (place(&row), row)).collect();
        Ok(Self { rows: rows.into_iter().peekable(), bound })
    }

    fn nothing() -> Self {
        Self { rows: Vec::new().into_iter().peekable(), bound: None }
    }
}

/// Walks a stretch behind `after`.
pub(super) async fn walk(
    tx: &Tx,
    exporting: &Exporting,
    export: &Export,
    after: Option<&[u8]>,
) -> Result<Walked, DynamoError> {
    let (mut now, at) = match export.span {
        ExportSpan::Full(at) => (Now::of(tx, &exporting.table.id, after).await?, at),
        // What wasn't written isn't in the history.
        ExportSpan::Incremental { to, .. } => (Now::nothing(), before(to)),
    };
    let as_of = AsOf { table_id: &exporting.table.id, number: exporting.number, at };
    let (mut walked, mut looked, mut bytes, begun) = (Walked::default(), 0, 0, Instant::now());
    let mut earlier = as_of.next_place(tx, after).await?;
    loop {
        let known = earlier.take().filter(|place| now.bound.as_ref().is_none_or(|bound| place <= bound));
        let present = now.rows.next_if(|(place, _)| known.as_ref().is_none_or(|known| place <= known));
        let place = match (&known, &present) {
            (Some(known), _) if present.as_ref().is_none_or(|(place, _)| place == known) => {
                let line = line_of_place(tx, &as_of, export, known).await?;
                earlier = as_of.next_place(tx, Some(known)).await?;
                walked.lines.extend(line);
                known.clone()
            }
            (_, Some((place, row))) => {
                walked.lines.push(line(export, place, &row.value)?);
                earlier = known;
                place.clone()
            }
            (_, None) => {
                walked.upto = now.bound;
                return Ok(walked);
            }
        };
        looked += 1;
        bytes += walked.lines.last().filter(|line| line.place == place).map_or(0, |line| line.text.len());
        if looked >= PLACES || bytes >= BYTES || begun.elapsed() >= STRETCH {
            walked.upto = Some(place);
            return Ok(walked);
        }
    }
}

/// What comes of a place of which the history knows.
async fn line_of_place(
    tx: &Tx,
    as_of: &AsOf<'_>,
    export: &Export,
    place: &[u8],
) -> Result<Option<Line>, DynamoError> {
    match export.span {
        ExportSpan::Full(_) => {
            let item = as_of.item(tx, place).await?;
            item.map(|stored| line(export, place, &stored)).transpose()
        }
        ExportSpan::Incremental { from, with_old, .. } => {
            change(tx, as_of, export, place, (from, with_old)).await
        }
    }
}

fn line(export: &Export, place: &[u8], stored: &[u8]) -> Result<Line, DynamoError> {
    let mut text = Vec::new();
    write_item_line(export.format, stored, &mut text)?;
    let size = StoredItem::open(stored)?.size() as i64;
    Ok(Line { place: place.to_vec(), text, size })
}

/// The net change of an item, if it was written in the export's time and was there before or is there behind it.
async fn change(
    tx: &Tx,
    as_of: &AsOf<'_>,
    export: &Export,
    place: &[u8],
    (from, with_old): (Timestamp, bool),
) -> Result<Option<Line>, DynamoError> {
    let Some(written) = as_of.last_write(tx, place, from).await? else { return Ok(None) };
    let then = AsOf { at: before(from), ..*as_of };
    let (old, new) = (then.item(tx, place).await?, as_of.item(tx, place).await?);
    let [old, new] = [old, new].map(|stored| stored.map(|stored| decode_stored(&stored)).transpose());
    let (old, new): (Option<Item>, Option<Item>) = (old?, new?);
    let Some(keys) = new.as_ref().or(old.as_ref()).map(|item| keys_of(item, export)) else {
        return Ok(None);
    };
    let size = |item: &Option<Item>| item.as_ref().map_or(0, crate::value::item_size) as i64;
    let total = size(&new) + if with_old { size(&old) } else { 0 };
    let changed =
        ChangedItem { micros: written.saturating_mul(1_000), keys, old: old.filter(|_| with_old), new };
    let mut text = Vec::new();
    write_change(export.format, &changed, &mut text);
    Ok(Some(Line { place: place.to_vec(), text, size: total }))
}

/// The attributes of an item that are the table's key.
fn keys_of(item: &Item, export: &Export) -> Item {
    let is_key = |name: &String| export.keys.contains(name);
    item.iter().filter(|(name, _)| is_key(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The last moment before another.
fn before(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.millis().saturating_sub(1))
}
