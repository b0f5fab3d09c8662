//! What provisioned tables let through (Developer Guide, "Provisioned capacity mode"): their units a second, and what
//! they left unused in the last five minutes. What a call consumes is known when it is done; so a call passes while
//! anything is left, and what it took too much is made up for before the next one passes.

use homeport_core::Timestamp;
use homeport_service::{Parts, SharedRates};

use crate::capacity::Consumed;
use crate::error::DynamoError;
use crate::items::OpenTable;
use crate::table::{Index, Throughput};

/// Unused units of so many seconds are kept.
const BURST_SECONDS: f64 = 300.0;
/// Buckets count half units: what a read costs that need not be consistent.
const HALVES: f64 = 2.0;

/// Which of a table's capacities is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    Reads,
    Writes,
}

impl Use {
    fn of(self, throughput: Throughput) -> u64 {
        match self {
            Self::Reads => throughput.read,
            Self::Writes => throughput.write,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Writes => "writes",
        }
    }
}

/// The buckets of provisioned tables and their indexes, over all nodes.
pub(crate) struct Throttles(SharedRates);

impl Throttles {
    pub(crate) fn start(parts: &Parts) -> Self {
        Self(SharedRates::start(parts, "dynamodb"))
    }

    /// Refuses a call to a table that has nothing left: of itself, or, where an index is read, of the index; or, where
    /// it is written, of any of its global indexes.
    pub(crate) fn check(
        &self,
        open: &OpenTable,
        index: Option<&Index>,
        used: Use,
        now: Timestamp,
    ) -> Result<(), DynamoError> {
        if open.table.throughput.is_none() {
            return Ok(());
        }
        let has_any = |index: Option<&Index>| {
            self.bucket(open, index, used, now).is_none_or(|bucket| bucket.has_any(now))
        };
        let global = index.filter(|index| index.global);
        if used == Use::Writes && !open.table.indexes.iter().all(|index| !index.global || has_any(Some(index))) {
            return Err(DynamoError::IndexThroughputExceeded);
        }
        match (global, has_any(global)) {
            (_, true) => Ok(()),
            (None, false) => Err(DynamoError::ThroughputExceeded),
            (Some(_), false) => Err(DynamoError::IndexThroughputExceeded),
        }
    }

    /// Takes what a call has consumed.
    pub(crate) fn charge(&self, open: &OpenTable, consumed: &Consumed, used: Use, now: Timestamp) {
        if open.table.throughput.is_none() {
            return;
        }
        for (index, units) in consumed.by_owner(&open.table) {
            if let Some(bucket) = self.bucket(open, index, used, now) {
                bucket.charge((units * HALVES).ceil() as u64, now);
            }
        }
    }

    fn bucket(
        &self,
        open: &OpenTable,
        index: Option<&Index>,
        used: Use,
        now: Timestamp,
    ) -> Option<std::sync::Arc<homeport_service::SharedBucket>> {
        let throughput = index.map_or(open.table.throughput, |index| index.throughput)?;
        let rate = used.of(throughput) as f64 * HALVES;
        let number = index.map_or(0, |index| index.number);
        let name = format!("{}/{number}/{}", open.table.id, used.name());
        Some(self.0.bucket(&name, rate, rate * BURST_SECONDS, now))
    }
}
