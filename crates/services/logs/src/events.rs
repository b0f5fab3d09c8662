//! How events lie in the store.
//!
//! `(logs.event, group id, stream id, time, stamp, place in its batch)` holds an event; `(logs.time, group id, time,
//! stamp, place)` says which stream it is in, so that a group is read in the order of time. The stamp is that of the
//! commit: of two events of one millisecond, the one that was written first comes first.

use bytes::Bytes;
use homeport_store::{Direction, Key, KeyParts, Part, Range, Row, StoreError, Tx, Versionstamp};

use crate::records::Stream;

const EVENTS: &str = "logs.event";
const TIMES: &str = "logs.time";
/// What an event counts beside its message, in bytes, as AWS counts.
pub(crate) const OVERHEAD: usize = 26;

/// Where an event stands among others of its group or stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Milliseconds since 1970.
    pub(crate) time: i64,
    stamp: Versionstamp,
    index: u64,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) place: Place,
    pub(crate) ingested: i64,
    pub(crate) message: String,
}

/// An event's row in the order of its group's time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pointer {
    pub(crate) place: Place,
    pub(crate) stream_id: String,
    pub(crate) stream_name: String,
}

impl Place {
    pub(crate) fn parts(&self) -> KeyParts {
        KeyParts::new().i64(self.time).stamp(self.stamp).u64(self.index)
    }

    /// Digits that no other event has, and that sort as events do.
    pub(crate) fn event_id(&self) -> String {
        let mut stamp = [0_u8; 16];
        stamp[6..].copy_from_slice(&self.stamp.to_bytes());
        format!("{:014}{:025}{:06}", self.time, u128::from_be_bytes(stamp), self.index)
    }
}

/// Rows of all events of a group.
pub(crate) fn group_prefixes(group_id: &str) -> [Key; 2] {
    [Key::of(EVENTS).str(group_id), time_prefix(group_id)]
}

fn stream_prefix(group_id: &str, stream_id: &str) -> Key {
    Key::of(EVENTS).str(group_id).str(stream_id)
}

fn time_prefix(group_id: &str) -> Key {
    Key::of(TIMES).str(group_id)
}

/// Puts a batch of (time, message); all of it has one stamp.
pub(crate) fn put(tx: &Tx, stream: &Stream, now: i64, batch: &[(i64, String)]) -> Result<(), StoreError> {
    let stamp = tx.versionstamp();
    let pointer = Bytes::from(format!("{}/{}", stream.id, stream.name));
    for ((time, message), index) in batch.iter().zip(0_u64..) {
        let suffix = || KeyParts::new().u64(index);
        let value = [&now.to_be_bytes(), message.as_bytes()].concat();
        let event = stream_prefix(&stream.group_id, &stream.id).i64(*time);
        tx.put_stamped_with(&stamp, &event, suffix(), value)?;
        tx.put_stamped_with(&stamp, &time_prefix(&stream.group_id).i64(*time), suffix(), pointer.clone())?;
    }
    Ok(())
}

/// A window of time, and where in it to go on.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    /// The first millisecond.
    pub(crate) from: Option<i64>,
    /// The first millisecond behind it.
    pub(crate) to: Option<i64>,
    /// Only what lies behind (or, going backward, before) this.
    pub(crate) after: Option<KeyParts>,
    pub(crate) direction: Direction,
}

impl Window {
    fn range(&self, prefix: &Key) -> Range {
        let from = prefix.clone().i64(self.from.unwrap_or(i64::MIN));
        let to = prefix.clone().i64(self.to.unwrap_or(i64::MAX));
        let range = Range::between(&from, &to);
        let Some(after) = &self.after else { return range };
        let after = prefix.clone().parts(after);
        match self.direction {
            Direction::Forward => range.after(after.as_bytes()),
            Direction::Backward => range.before(after.as_bytes()),
        }
    }
}

/// A page of a stream's events in the window's direction; whether more may follow.
pub(crate) async fn page(
    tx: &Tx,
    stream: &Stream,
    window: &Window,
    most: usize,
) -> Result<(Vec<Event>, bool), StoreError> {
    let prefix = stream_prefix(&stream.group_id, &stream.id);
    let page = tx.scan(window.range(&prefix), window.direction, most).await?;
    let events = page.rows.iter().filter_map(|row| event(place(&row.key)?, &row.value)).collect();
    Ok((events, page.more))
}

/// A page of a group's events, without the events themselves.
pub(crate) async fn pointers(
    tx: &Tx,
    group_id: &str,
    window: &Window,
    most: usize,
) -> Result<(Vec<Pointer>, bool), StoreError> {
    let page = tx.scan(window.range(&time_prefix(group_id)), window.direction, most).await?;
    let pointer = |row: &Row| {
        let (stream_id, stream_name) = std::str::from_utf8(&row.value).ok()?.split_once('/')?;
        let place = place(&row.key)?;
        Some(Pointer { place, stream_id: stream_id.to_owned(), stream_name: stream_name.to_owned() })
    };
    Ok((page.rows.iter().filter_map(pointer).collect(), page.more))
}

/// The first events of a stream that has no name any more, as pointers.
pub(crate) async fn pointers_of_stream(
    tx: &Tx,
    group_id: &str,
    stream_id: &str,
    most: usize,
) -> Result<(Vec<Pointer>, bool), StoreError> {
    let range = Range::prefix(&stream_prefix(group_id, stream_id));
    let page = tx.scan(range, Direction::Forward, most).await?;
    let pointer = |place| Pointer { place, stream_id: stream_id.to_owned(), stream_name: String::new() };
    Ok((page.rows.iter().filter_map(|row| place(&row.key).map(pointer)).collect(), page.more))
}

/// The events behind pointers; those of deleted streams are gone.
pub(crate) async fn follow(
    tx: &Tx,
    group_id: &str,
    pointers: &[Pointer],
) -> Result<Vec<Option<Event>>, StoreError> {
    let keys: Vec<Key> = pointers.iter().map(|pointer| event_key(group_id, pointer)).collect();
    let values = tx.get_many(&keys).await?;
    Ok(values.into_iter().zip(pointers).map(|(value, pointer)| event(pointer.place, &value?)).collect())
}

/// Removes the events behind pointers and the pointers; the bytes that this frees.
pub(crate) async fn remove(tx: &Tx, group_id: &str, pointers: &[Pointer]) -> Result<usize, StoreError> {
    let events = follow(tx, group_id, pointers).await?;
    for pointer in pointers {
        tx.delete(&event_key(group_id, pointer))?;
        tx.delete(&time_prefix(group_id).parts(&pointer.place.parts()))?;
    }
    Ok(events.into_iter().flatten().map(|event| event.message.len() + OVERHEAD).sum())
}

fn event_key(group_id: &str, pointer: &Pointer) -> Key {
    stream_prefix(group_id, &pointer.stream_id).parts(&pointer.place.parts())
}

fn place(key: &Bytes) -> Option<Place> {
    match KeyParts::decode(key)?.as_slice() {
        [.., Part::I64(time), Part::Stamp(stamp), Part::U64(index)] => {
            Some(Place { time: *time, stamp: *stamp, index: *index })
        }
        _ => None,
    }
}

fn event(place: Place, value: &Bytes) -> Option<Event> {
    let (ingested, message) = value.split_first_chunk()?;
    let message = String::from_utf8_lossy(message).into_owned();
    Some(Event { place, ingested: i64::from_be_bytes(*ingested), message })
}
