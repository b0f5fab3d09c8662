//! Shard iterators: `ARN|1|` and, in base64, when it was handed out and where it stands.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use homeport_core::Timestamp;
use homeport_store::Versionstamp;

use crate::error::{DynamoError, Invalid};

/// How long an iterator can be used.
const LIFE_SECONDS: i64 = 15 * 60;
/// The longest iterator.
const MAX_LENGTH: usize = 2_048;

/// Where a reader stands in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// Before the oldest record.
    Start,
    /// Behind this record.
    After(Versionstamp),
}

/// An iterator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ShardIterator {
    pub(super) stream_arn: String,
    pub(super) position: Position,
    pub(super) handed_out: Timestamp,
}

impl ShardIterator {
    /// As it is handed out.
    pub(super) fn text(&self) -> String {
        let (tag, stamp) = match self.position {
            Position::Start => (0, Versionstamp::default()),
            Position::After(stamp) => (1, stamp),
        };
        let mut bytes = vec![tag];
        bytes.extend_from_slice(&stamp.to_bytes());
        bytes.extend_from_slice(&self.handed_out.millis().to_be_bytes());
        format!("{}|1|{}", self.stream_arn, STANDARD.encode(bytes))
    }

    /// Reads one that a client brings.
    pub(super) fn parse(text: &str) -> Result<Self, Invalid> {
        let wrong = || Invalid::Table("Invalid ShardIterator".to_owned());
        Self::read(text).filter(|_| text.len() <= MAX_LENGTH).ok_or_else(wrong)
    }

    fn read(text: &str) -> Option<Self> {
        let (stream_arn, rest) = text.split_once("|1|")?;
        let bytes = STANDARD.decode(rest).ok()?;
        let (&tag, rest) = bytes.split_first()?;
        let (stamp, rest) = rest.split_first_chunk()?;
        let stamp = Versionstamp::from_bytes(*stamp);
        let position = match tag {
            0 => Position::Start,
            1 => Position::After(stamp),
            _ => return None,
        };
        let handed_out = Timestamp::from_millis(i64::from_be_bytes(rest.try_into().ok()?));
        Some(Self { stream_arn: stream_arn.to_owned(), position, handed_out })
    }

    /// Refuses one that is too old.
    pub(super) fn check_age(&self, now: Timestamp) -> Result<(), DynamoError> {
        if now.seconds_since(self.handed_out) >= LIFE_SECONDS {
            return Err(DynamoError::IteratorExpired);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_iterator_reads_back_and_damage_is_refused() {
        let stamp = Versionstamp::from_bytes([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        for position in [Position::Start, Position::After(stamp)] {
            let iterator = ShardIterator {
                stream_arn: "arn:aws:dynamodb:us-east-1:1:table/t/stream/l".to_owned(),
                position,
                handed_out: Timestamp::from_millis(5),
            };
            assert_eq!(ShardIterator::parse(&iterator.text()), Ok(iterator));
        }
        for wrong in ["", "arn|1|", "arn|1|AAAA", "arn|2|AAAA", &"x".repeat(5_000)] {
            assert!(ShardIterator::parse(wrong).is_err());
        }
    }
}
