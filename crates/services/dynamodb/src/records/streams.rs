//! Streams and their records.

use std::collections::BTreeMap;

use homeport_core::{Account, Region, Scope, Timestamp};
use homeport_store::{Collection, Key, KeyParts, Record};
use serde::{Deserialize, Serialize};

use super::{halves, id_number};
use crate::table::{Schema, StreamView};
use crate::value::{Corrupt, Item, decode_stored, encode_stored, item_size};

/// All streams, for a day after their end too.
pub const STREAMS: Collection<StreamRecord> = Collection::new();

/// A stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StreamRecord {
    /// The installation's account.
    pub account: Account,
    /// The table's region.
    pub region: Region,
    /// The table's name.
    pub table: String,
    /// `StreamLabel`
    pub label: String,
    /// A UUID: its records lie under it.
    pub id: String,
    /// What its records show.
    pub view: StreamView,
    /// The table's key.
    pub schema: Schema,
    /// When it was enabled.
    pub created: Timestamp,
    /// When it was disabled, or the table deleted.
    pub ended: Option<Timestamp>,
    /// Its own: it has none of the table's.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

impl Record for StreamRecord {
    const COLLECTION: &'static str = "dynamodb-streams";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        KeyParts::from((self.account.number(), self.region.as_str())).str(&self.table).str(&self.label)
    }
}

impl StreamRecord {
    /// `arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/LABEL`
    pub fn arn(&self) -> String {
        let Self { account, region, table, label, .. } = self;
        format!("arn:aws:dynamodb:{region}:{account}:table/{table}/stream/{label}")
    }

    /// The one shard that a stream has.
    pub fn shard_id(&self) -> String {
        let digits: String = self.id.chars().filter(char::is_ascii_hexdigit).take(8).collect();
        format!("shardId-{:020}-{digits}", self.created.millis())
    }
}

/// Where streams of this scope lie.
pub fn streams_of(scope: &Scope) -> KeyParts {
    KeyParts::from((scope.account.number(), scope.region.as_str()))
}

/// Where a stream's records lie, each under its versionstamp.
pub fn stream_records(id: &str) -> Key {
    let (high, low) = halves(id_number(id));
    Key::of("dynamodb-stream").u64(high).u64(low)
}

const VERSION: u8 = 1;
const WAS_THERE: u8 = 1;
const IS_THERE: u8 = 2;
const EXPIRED: u8 = 4;

/// What a stream tells of one write.
///
/// Stored as a version, flags, the time in milliseconds (8 bytes, highest first), and three items: the key, the old
/// and the new image, each as its length (4 bytes, highest first; 0 for none) and its stored form.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// Whether time to live removed the item.
    pub expired: bool,
    /// Whether the item was there before.
    pub was_there: bool,
    /// Whether it is there now.
    pub is_there: bool,
    /// The item's key.
    pub keys: Item,
    /// The item as it was, if the stream's view has it.
    pub old: Option<Item>,
    /// The item as it became, if the stream's view has it.
    pub new: Option<Item>,
}

impl Change {
    /// As it is stored.
    pub fn encode(&self) -> Vec<u8> {
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let flags =
            flag(self.was_there, WAS_THERE) | flag(self.is_there, IS_THERE) | flag(self.expired, EXPIRED);
        let mut out = vec![VERSION, flags];
        out.extend_from_slice(&self.at.millis().to_be_bytes());
        for item in [Some(&self.keys), self.old.as_ref(), self.new.as_ref()] {
            let stored = item.map(encode_stored).unwrap_or_default();
            out.extend_from_slice(&(stored.len() as u32).to_be_bytes());
            out.extend_from_slice(&stored);
        }
        out
    }

    /// Reads what [`Self::encode`] wrote.
    pub fn decode(stored: &[u8]) -> Result<Self, Corrupt> {
        let (head, rest) = stored.split_first_chunk::<2>().ok_or(Corrupt)?;
        let [VERSION, flags] = *head else { return Err(Corrupt) };
        let (at, mut rest) = rest.split_first_chunk().ok_or(Corrupt)?;
        let mut next = || {
            let (length, behind) = rest.split_first_chunk().ok_or(Corrupt)?;
            let (item, behind) =
                behind.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or(Corrupt)?;
            rest = behind;
            if item.is_empty() { Ok(None) } else { decode_stored(item).map(Some) }
        };
        Ok(Self {
            at: Timestamp::from_millis(i64::from_be_bytes(*at)),
            expired: flags & EXPIRED != 0,
            was_there: flags & WAS_THERE != 0,
            is_there: flags & IS_THERE != 0,
            keys: next()?.ok_or(Corrupt)?,
            old: next()?,
            new: next()?,
        })
    }

    /// `INSERT`, `MODIFY` or `REMOVE`.
    pub fn event_name(&self) -> &'static str {
        match (self.was_there, self.is_there) {
            (false, _) => "INSERT",
            (true, true) => "MODIFY",
            (true, false) => "REMOVE",
        }
    }

    /// `SizeBytes`
    pub fn size(&self) -> usize {
        let images = [&self.old, &self.new].map(|item| item.as_ref().map_or(0, item_size));
        item_size(&self.keys) + images.iter().sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::AttributeValue;

    #[test]
    fn a_change_reads_as_it_was_written_and_damage_is_an_error() {
        let item = |value: &str| Item::from([("p".to_owned(), AttributeValue::S(value.to_owned()))]);
        let change = Change {
            at: Timestamp::from_millis(1_700_000_000_123),
            expired: true,
            was_there: true,
            is_there: false,
            keys: item("a"),
            old: Some(item("b")),
            new: None,
        };
        let stored = change.encode();
        assert_eq!(Change::decode(&stored), Ok(change));
        for end in 0..stored.len() {
            assert_eq!(Change::decode(&stored[..end]), Err(Corrupt));
        }
    }
}
