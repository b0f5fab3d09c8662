use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Op, Tx};
use crate::key::successor;
use crate::range::Row;
use crate::{Direction, MAX_PAGE_BYTES, MAX_PAGE_ROWS, Page, Range, StoreError};

/// Pages of the snapshot with the transaction's own writes laid over them, until the page is full.
pub(super) async fn scan(
    tx: &Tx,
    range: Range,
    direction: Direction,
    limit: usize,
) -> Result<Page, StoreError> {
    let limit = limit.clamp(1, MAX_PAGE_ROWS);
    let mut page = Page::default();
    let mut size = 0;
    let mut rest = range.clone();
    while !rest.is_empty() {
        tx.check_time()?;
        let below = tx.0.snapshot.scan(rest.clone(), direction, limit - page.rows.len()).await?;
        let (walked, behind) = split(rest, direction, &below);
        let mut rows = overlay(tx, &walked, direction, below.rows)?.into_iter();
        for row in rows.by_ref() {
            size += row.size();
            page.rows.push(row);
            if page.rows.len() == limit || size >= MAX_PAGE_BYTES {
                break;
            }
        }
        let full = page.rows.len() == limit || size >= MAX_PAGE_BYTES;
        rest = behind;
        if full {
            page.more = rows.next().is_some() || below.more || has_pending(tx, &rest)?;
            break;
        }
    }
    note(tx, range, direction, &page, size)?;
    Ok(page)
}

/// What `page` walked of `rest`, and what is behind that.
fn split(rest: Range, direction: Direction, page: &Page) -> (Range, Range) {
    let nothing = Range { from: rest.to.clone(), to: rest.to.clone() };
    let Some(last) = page.rows.last().filter(|_| page.more) else {
        return (rest, nothing);
    };
    match direction {
        Direction::Forward => {
            let middle = successor(&last.key);
            (Range { from: rest.from, to: middle.clone() }, Range { from: middle, to: rest.to })
        }
        Direction::Backward => {
            let middle = last.key.clone();
            (Range { from: middle.clone(), to: rest.to }, Range { from: rest.from, to: middle })
        }
    }
}

fn overlay(tx: &Tx, walked: &Range, direction: Direction, below: Vec<Row>) -> Result<Vec<Row>, StoreError> {
    if !tx.0.writes_allowed {
        return Ok(below);
    }
    let pending = tx.open()?.writes.pending_between(&walked.from, &walked.to);
    if pending.is_empty() {
        return Ok(below);
    }
    let mut rows: BTreeMap<Bytes, Bytes> = below.into_iter().map(|row| (row.key, row.value)).collect();
    for (key, op) in pending {
        let before = rows.remove(&key);
        if let Some(value) = Op::over(Some(&op), before)? {
            rows.insert(key, value);
        }
    }
    let rows = rows.into_iter().map(|(key, value)| Row { key, value });
    Ok(match direction {
        Direction::Forward => rows.collect(),
        Direction::Backward => rows.rev().collect(),
    })
}

fn has_pending(tx: &Tx, rest: &Range) -> Result<bool, StoreError> {
    if rest.is_empty() || !tx.0.writes_allowed {
        return Ok(false);
    }
    let pending = tx.open()?.writes.pending_between(&rest.from, &rest.to);
    Ok(pending.iter().any(|(_, op)| !matches!(op, Op::Delete)))
}

/// Notes the stretch that decided what this page holds: up to its last row, or all of `range`.
fn note(tx: &Tx, range: Range, direction: Direction, page: &Page, size: usize) -> Result<(), StoreError> {
    if !tx.0.writes_allowed {
        return Ok(());
    }
    let walked = match page.rows.last().filter(|_| page.more) {
        None => range,
        Some(last) if direction == Direction::Forward => Range { from: range.from, to: successor(&last.key) },
        Some(last) => Range { from: last.key.clone(), to: range.to },
    };
    let mut state = tx.open()?;
    state.reads.range(walked.from, walked.to, size);
    state.bound()
}
