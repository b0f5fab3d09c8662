//! A page of a `SELECT`.

use homeport_store::{Direction, Range, Tx};

use super::Paging;
use super::stretches::Stretch;
use crate::capacity::{Answering, Consumed};
use crate::error::DynamoError;
use crate::items::SharedTable;
use crate::metering::Meter;
use crate::operations::next_token::Position;
use crate::operations::reading::{Found, Walk, Wish};
use crate::partiql::StatementError;
use crate::table::{Index, Schema};
use crate::value::{Item, write_item, write_string};

/// A page goes along no more stretches (Developer Guide, "PartiQL operators", on `IN`).
const STRETCHES_PER_PAGE: usize = 10;

/// A page in the making.
pub(super) struct Page<'a> {
    pub(super) open: &'a SharedTable,
    pub(super) index: Option<&'a Index>,
    pub(super) schema: &'a Schema,
    pub(super) wish: &'a Wish,
    pub(super) direction: Direction,
    pub(super) stretches: Vec<Stretch>,
}

impl Page<'_> {
    /// Goes along the stretches from where the token says, until the limit, or a megabyte.
    pub(super) async fn answer(
        &self,
        tx: &Tx,
        paging: &Paging,
        meter: &Meter<'_>,
    ) -> Result<Vec<u8>, DynamoError> {
        let start = match &paging.next_token {
            Some(token) => Position::of(token, paging.binding, &self.open.table)?,
            None => Position::default(),
        };
        let (mut found, mut consumed) = (Found::default(), Consumed::default());
        let mut next = None;
        for (number, stretch) in (0_u32..).zip(&self.stretches).skip(start.stretch as usize) {
            let gone = number.saturating_sub(start.stretch) as usize;
            if found.last.is_some() || gone >= STRETCHES_PER_PAGE {
                next = Some(Position { stretch: number, after: None });
                break;
            }
            let mut walk = self.walk(stretch);
            if let Some(after) = start.after.as_ref().filter(|_| gone == 0) {
                walk.range = self.behind(walk.range, after)?;
            }
            let before = found.size;
            walk.go(tx, &mut found).await?;
            consumed.add(&walk.consumed(found.size - before));
            // Behind the one item of a stretch that holds no more there is nothing to go on with.
            if let Some(last) = found.last.as_ref().filter(|_| !stretch.single) {
                next = Some(Position { stretch: number, after: Some(walk.last_key(last)?) });
                break;
            }
        }
        if let Some(stretch) = self.stretches.first() {
            self.walk(stretch).add_fetched(&found, &mut consumed);
        }
        meter.reads(self.open, &consumed)?;
        Ok(self.written(&found, &consumed, next, paging))
    }

    fn walk<'s>(&'s self, stretch: &'s Stretch) -> Walk<'s> {
        Walk {
            open: self.open,
            index: self.index,
            range: stretch.range.clone(),
            direction: self.direction,
            partition: stretch.partition_key(self.schema).iter().collect(),
            wish: self.wish,
        }
    }

    /// The part of a stretch behind the item with this key.
    fn behind(&self, range: Range, key: &Item) -> Result<Range, StatementError> {
        let place = match self.index {
            Some(index) => self.open.layout.entry(index, &self.open.table.schema, key),
            None => self.open.layout.item(&self.open.table.schema, key),
        };
        let key = place.ok_or(StatementError::NextToken)?.key;
        Ok(match self.direction {
            Direction::Forward => range.after(key.as_bytes()),
            Direction::Backward => range.before(key.as_bytes()),
        })
    }

    fn written(
        &self,
        found: &Found,
        consumed: &Consumed,
        next: Option<Position>,
        paging: &Paging,
    ) -> Vec<u8> {
        let mut answer = Answering::new();
        answer.member("Items", |out| {
            out.push(b'[');
            out.extend_from_slice(&found.items);
            out.push(b']');
        });
        if let Some(next) = next {
            let token = next.token(paging.binding, &self.open.table);
            answer.member("NextToken", |out| write_string(&token, out));
            if let Some(after) = &next.after {
                answer.member("LastEvaluatedKey", |out| write_item(after, out));
            }
        }
        answer.consumed(paging.capacity, &self.open.table, consumed);
        answer.finish()
    }
}
