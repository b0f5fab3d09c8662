//! What tables and global indexes are asked for, held against what they are provisioned for, or against the most that
//! was set for an on-demand one.
//!
//! A bucket holds five minutes of what is provisioned, as AWS keeps it for bursts, and gains a second's worth a second.
//! A call passes where there is anything left, and is charged all that it consumed once it is known: a bucket may owe, as
//! much as it holds at most.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use homeport_service::{Cx, SharedBucket};
use homeport_store::Tx;

use crate::DynamoDb;
use crate::capacity::{Consumed, write_units};
use crate::error::DynamoError;
use crate::items::{OpenTable, SharedTable};
use crate::table::{Index, OnDemandMaximum, Throughput};
use crate::value::{Item, item_size};

/// Seconds of unused capacity that are kept for bursts (Developer Guide, "Burst capacity").
const BURST_SECONDS: f64 = 300.0;
/// Tokens of a unit: half a unit is what a read consumes at least.
const TOKENS_PER_UNIT: f64 = 2.0;

/// Whether capacity is consumed by reading or by writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consumes {
    /// Read capacity.
    Reads,
    /// Write capacity.
    Writes,
}

/// More was asked for than a table or an index serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Throttled {
    consumes: Consumes,
    of_index: bool,
    provisioned: bool,
    /// The table's or the index's ARN.
    resource: String,
}

impl Throttled {
    /// `ProvisionedThroughputExceededException`, or for on-demand `ThrottlingException`.
    pub fn exception(&self) -> &'static str {
        if self.provisioned { "ProvisionedThroughputExceededException" } else { "ThrottlingException" }
    }

    /// The code of a transaction's action, or of a batch's statement, that was given up for this.
    pub fn code(&self) -> &'static str {
        if self.provisioned { "ProvisionedThroughputExceeded" } else { "ThrottlingError" }
    }

    /// `ThrottlingReasons` (API reference, `ThrottlingReason`), as JSON.
    pub fn reasons(&self) -> String {
        let of = if self.of_index { "Index" } else { "Table" };
        let consumes = match self.consumes {
            Consumes::Reads => "Read",
            Consumes::Writes => "Write",
        };
        let limit = if self.provisioned { "Provisioned" } else { "MaxOnDemand" };
        let reason = format!("{of}{consumes}{limit}ThroughputExceeded");
        serde_json::json!([{"reason": reason, "resource": self.resource}]).to_string()
    }
}

impl std::error::Error for Throttled {}

impl std::fmt::Display for Throttled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match (self.provisioned, self.of_index) {
            (true, false) => "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.",
            (true, true) => "The level of configured provisioned throughput for one or more global secondary indexes of the table was exceeded. Consider increasing your provisioning level for the under-provisioned global secondary indexes with the UpdateTable API",
            (false, _) => "Throughput exceeds the maximum OnDemandThroughput configured on table or index",
        })
    }
}

/// How much a table or an index serves a second, and how the answer is called when more is asked for.
#[derive(Clone, Copy)]
struct Limit {
    units: u64,
    provisioned: bool,
}

fn limit(
    provisioned: Option<Throughput>,
    maximum: Option<OnDemandMaximum>,
    consumes: Consumes,
) -> Option<Limit> {
    let reads = consumes == Consumes::Reads;
    let (units, provisioned) = match (provisioned, maximum) {
        (Some(given), _) => (Some(if reads { given.read } else { given.write }), true),
        (None, Some(most)) => (if reads { most.read } else { most.write }, false),
        (None, None) => (None, false),
    };
    units.map(|units| Limit { units, provisioned })
}

/// What one call consumes. Its transaction runs by [`Meter::read`] or [`Meter::write`]: each attempt begins with nothing
/// noted, and what the last of them noted is charged when it is over.
pub(crate) struct Meter<'a> {
    cx: &'a Cx<DynamoDb>,
    charges: Mutex<Vec<Charge>>,
}

struct Charge {
    table: SharedTable,
    consumes: Consumes,
    consumed: Consumed,
}

impl<'a> Meter<'a> {
    /// Of this call.
    pub(crate) fn new(cx: &'a Cx<DynamoDb>) -> Self {
        Self { cx, charges: Mutex::default() }
    }

    /// Reads a consistent snapshot, and charges for it.
    pub(crate) async fn read<T, F, Fut>(&self, read: F) -> Result<T, DynamoError>
    where
        F: Fn(Tx) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, DynamoError>> + Send,
        T: Send,
    {
        let done = self.cx.read(|tx| read(self.begin(tx))).await;
        self.settle();
        done
    }

    /// Reads, decides and writes in one transaction, and charges for it.
    pub(crate) async fn write<T, F, Fut>(&self, write: F) -> Result<T, DynamoError>
    where
        F: Fn(Tx) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, DynamoError>> + Send,
        T: Send,
    {
        let done = self.cx.write(|tx| write(self.begin(tx))).await;
        self.settle();
        done
    }

    /// What an earlier attempt noted was for nothing.
    fn begin(&self, tx: Tx) -> Tx {
        self.lock().clear();
        tx
    }

    /// Notes what reading consumes of a table; refused where too much is asked for.
    pub(crate) fn reads(&self, open: &SharedTable, consumed: &Consumed) -> Result<(), DynamoError> {
        self.note(open, Consumes::Reads, consumed)
    }

    /// Notes what writing consumes of a table; refused where too much is asked for.
    pub(crate) fn writes(&self, open: &SharedTable, consumed: &Consumed) -> Result<(), DynamoError> {
        self.note(open, Consumes::Writes, consumed)
    }

    /// Notes what a write consumes whose condition doesn't hold for the item.
    pub(crate) fn looked_at(&self, open: &SharedTable, item: Option<&Item>) {
        if is_metered(open) {
            let consumed = Consumed::table(write_units(item.map_or(0, item_size)));
            // That nothing was left changes nothing: the call is refused for its condition.
            self.writes(open, &consumed).ok();
        }
    }

    /// Refuses, before any of it is done, what would be refused of a table or any index that follows its writes. What
    /// passes is noted by [`Meter::admitted`].
    pub(crate) fn admits(&self, open: &OpenTable, consumes: Consumes) -> Result<(), Throttled> {
        if !is_metered(open) {
            return Ok(());
        }
        self.admits_table(open, consumes)?;
        let follows = |index: &&Index| index.global && consumes == Consumes::Writes;
        open.table
            .indexes
            .iter()
            .filter(follows)
            .try_for_each(|index| self.admits_index(open, index, consumes))
    }

    /// Notes what was consumed of a table that was found to serve it. It isn't asked again: what other calls took
    /// meanwhile would refuse the whole batch, where only that table's part could be left.
    pub(crate) fn admitted(&self, open: &SharedTable, consumes: Consumes, consumed: &Consumed) {
        if is_metered(open) {
            self.lock().push(Charge { table: open.clone(), consumes, consumed: consumed.clone() });
        }
    }

    fn note(&self, open: &SharedTable, consumes: Consumes, consumed: &Consumed) -> Result<(), DynamoError> {
        if !is_metered(open) {
            return Ok(());
        }
        if consumed.of_table() > 0.0 {
            self.admits_table(open, consumes)?;
        }
        for (name, _) in consumed.of_global_indexes() {
            if let Some(index) = open.table.indexes.iter().find(|index| index.name == *name) {
                self.admits_index(open, index, consumes)?;
            }
        }
        self.admitted(open, consumes, consumed);
        Ok(())
    }

    fn admits_table(&self, open: &OpenTable, consumes: Consumes) -> Result<(), Throttled> {
        let table = &open.table;
        let Some(limit) = limit(table.throughput, table.on_demand_maximum, consumes) else { return Ok(()) };
        let bucket = self.bucket(open, 0, consumes, limit);
        if bucket.has_any(self.cx.now()) {
            return Ok(());
        }
        let resource = open.arn.clone();
        Err(Throttled { consumes, of_index: false, provisioned: limit.provisioned, resource })
    }

    fn admits_index(&self, open: &OpenTable, index: &Index, consumes: Consumes) -> Result<(), Throttled> {
        let Some(limit) = limit(index.throughput, index.on_demand_maximum, consumes) else { return Ok(()) };
        if self.bucket(open, index.number, consumes, limit).has_any(self.cx.now()) {
            return Ok(());
        }
        let resource = format!("{}/index/{}", open.arn, index.name);
        Err(Throttled { consumes, of_index: true, provisioned: limit.provisioned, resource })
    }

    /// The table's bucket is number 0: indexes count from 1.
    fn bucket(&self, open: &OpenTable, number: u64, consumes: Consumes, limit: Limit) -> Arc<SharedBucket> {
        let letter = if consumes == Consumes::Reads { 'r' } else { 'w' };
        #[expect(clippy::cast_precision_loss, reason = "no table serves more than a double can count")]
        let rate = limit.units as f64 * TOKENS_PER_UNIT;
        let name = format!("{}/{number}/{letter}", open.table.id);
        self.cx.service.capacity.bucket(&name, rate, rate * BURST_SECONDS, self.cx.now())
    }

    /// Charges what was noted, whatever became of the call: a condition that doesn't hold is charged for too.
    fn settle(&self) {
        self.lock().drain(..).for_each(|charge| self.charge(&charge));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Charge>> {
        self.charges.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn charge(&self, charge: &Charge) {
        let (table, consumes, now) = (&charge.table.table, charge.consumes, self.cx.now());
        if let Some(limit) = limit(table.throughput, table.on_demand_maximum, consumes) {
            let units = charge.consumed.of_table();
            self.bucket(&charge.table, 0, consumes, limit).charge(tokens(units), now);
        }
        for (name, units) in charge.consumed.of_global_indexes() {
            let Some(index) = table.indexes.iter().find(|index| index.name == *name) else { continue };
            if let Some(limit) = limit(index.throughput, index.on_demand_maximum, consumes) {
                let bucket = self.bucket(&charge.table, index.number, consumes, limit);
                bucket.charge(tokens(*units), now);
            }
        }
    }
}

/// Whether the table or one of its indexes has a limit.
fn is_metered(open: &OpenTable) -> bool {
    let table = &open.table;
    table.throughput.is_some()
        || table.on_demand_maximum.is_some()
        || table.indexes.iter().any(|index| index.on_demand_maximum.is_some())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "units are few and never negative"
)]
fn tokens(units: f64) -> u64 {
    (units * TOKENS_PER_UNIT).ceil() as u64
}
