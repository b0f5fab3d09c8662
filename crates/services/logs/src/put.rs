//! Putting a batch into a stream: the one way events come in.

use homeport_store::{StoreError, Tx};

use crate::events;
use crate::records::{STREAMS, Stream, bytes_key};

/// Puts (time, message), in order of time, and what the stream and the group know of them.
pub(crate) async fn put(
    tx: &Tx,
    mut stream: Stream,
    now: i64,
    batch: &[(i64, String)],
) -> Result<(), StoreError> {
    let (Some((first, _)), Some((last, _))) = (batch.first(), batch.last()) else { return Ok(()) };
    events::put(tx, &stream, now, batch)?;
    let bytes: usize = batch.iter().map(|(_, message)| message.len() + events::OVERHEAD).sum();
    tx.add(&bytes_key(&stream.group_id), i64::try_from(bytes).unwrap_or(i64::MAX))?;
    stream.first_event = Some(stream.first_event.map_or(*first, |known| known.min(*first)));
    stream.last_event = Some(stream.last_event.map_or(*last, |known| known.max(*last)));
    stream.last_ingestion = Some(now);
    STREAMS.put(tx, &stream).await
}
