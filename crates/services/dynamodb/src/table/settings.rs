//! What a table has beside its key and its items: how its indexes stand, its stream, its time to live.

use std::collections::BTreeSet;

use homeport_core::Timestamp;
use serde::{Deserialize, Serialize};

/// Whether an index holds all that it should.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum IndexState {
    /// It does, and can be read.
    #[default]
    Active,
    /// It follows every write, and a job fills in what was there before.
    Building,
}

/// `OnDemandThroughput`: the most that an on-demand table or index is to be asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnDemandMaximum {
    /// `MaxReadRequestUnits`, if there is a maximum.
    pub read: Option<u64>,
    /// `MaxWriteRequestUnits`, if there is a maximum.
    pub write: Option<u64>,
}

/// A table's stream, while it is enabled.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StreamSetting {
    /// A number that is never used again: the stream's records lie under it.
    pub id: String,
    /// `LatestStreamLabel`: when it was enabled, in ISO 8601.
    pub label: String,
    /// What its records show.
    pub view: StreamView,
}

/// `StreamViewType`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StreamView {
    /// `KEYS_ONLY`
    KeysOnly,
    /// `NEW_IMAGE`
    NewImage,
    /// `OLD_IMAGE`
    OldImage,
    /// `NEW_AND_OLD_IMAGES`
    NewAndOldImages,
}

impl StreamView {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::KeysOnly, Self::NewImage, Self::OldImage, Self::NewAndOldImages];

    /// The view of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.name() == name)
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::KeysOnly => "KEYS_ONLY",
            Self::NewImage => "NEW_IMAGE",
            Self::OldImage => "OLD_IMAGE",
            Self::NewAndOldImages => "NEW_AND_OLD_IMAGES",
        }
    }

    /// Whether records show the item as it became.
    pub fn has_new(self) -> bool {
        matches!(self, Self::NewImage | Self::NewAndOldImages)
    }

    /// Whether records show the item as it was.
    pub fn has_old(self) -> bool {
        matches!(self, Self::OldImage | Self::NewAndOldImages)
    }
}

/// Time to live, while it is enabled.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Expiry {
    /// The attribute that holds when an item expires, in seconds since 1970.
    pub attribute: String,
    /// Under which the times lie, in order: one of the indexes' numbers.
    pub number: u64,
    /// Whether a job still fills in what was there before.
    pub state: IndexState,
}

/// What items were, kept while somebody may ask: point-in-time recovery, or a copy in the making.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct History {
    /// Under which the earlier items lie: one of the indexes' numbers.
    pub number: u64,
    /// The first moment that can be asked for.
    pub since: Timestamp,
    /// The jobs that still ask.
    pub asked_by: BTreeSet<String>,
    /// The last moment that a job asked about. What is written from then on is written later, whatever a node's clock
    /// says.
    #[serde(default)]
    pub asked_upto: Option<Timestamp>,
}

/// Point-in-time recovery, while it is enabled.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Recovery {
    /// Since when.
    pub since: Timestamp,
    /// `RecoveryPeriodInDays`: 1 to 35.
    pub days: u32,
}

/// What a table was restored from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Restored {
    /// The table that it was.
    pub table_arn: String,
    /// The backup, if it was one.
    pub backup_arn: Option<String>,
    /// As of when.
    pub at: Timestamp,
    /// Whether its items are still being copied: until then the table can't be used.
    pub in_progress: bool,
}
