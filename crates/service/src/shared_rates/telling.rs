use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use homeport_core::{LOWER_ALPHANUMERIC, Randomness, SharedClock, draw};
use homeport_store::{Collection, KeyParts, MAX_PAGE_ROWS, Record, Store, StoreError};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{Known, SharedRates};

/// How often a node tells and hears.
const EVERY: Duration = Duration::from_millis(500);
/// For so many beats it is told what was taken in one: a node that was busy for a moment misses nothing.
const TOLD_BEATS: u64 = 4;
/// Buckets that one beat tells of, the most used first; the rest wait for the next.
const MOST_TOLD: usize = 256;
/// Bytes of their names, and of one: what has a longer one holds for each node alone.
const MOST_TOLD_BYTES: usize = 16 * 1_024;
const MOST_NAME_BYTES: usize = 1_024;
/// After so long without a beat a node's record is removed. An idle node's too: it is made anew when needed.
const GONE_AFTER: Duration = Duration::from_secs(600);

const TOLD: Collection<Told> = Collection::new();

/// What one node tells the others. Its beat says how new that is: no clocks are compared.
#[derive(Clone, Serialize, Deserialize)]
struct Told {
    of: String,
    node: String,
    beat: u64,
    beats: VecDeque<Beat>,
}

/// What was taken between two beats, by the buckets' names.
#[derive(Clone, Serialize, Deserialize)]
struct Beat {
    beat: u64,
    taken: Vec<(String, u64)>,
}

impl Record for Told {
    const COLLECTION: &'static str = "shared-rates";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        KeyParts::new().str(&self.of).str(&self.node)
    }
}

/// One node's side of the telling.
pub struct Telling {
    of: &'static str,
    rates: Weak<Mutex<Known>>,
    store: Store,
    clock: SharedClock,
    node: String,
    beat: u64,
    /// The last beats in which anything was taken.
    beats: VecDeque<Beat>,
    /// The last of them that is in the store.
    written: u64,
    /// The other nodes.
    heard: HashMap<String, Heard>,
    /// What was told before this node began is over.
    has_begun: bool,
}

/// The last beat that was heard of a node, and when.
struct Heard {
    beat: u64,
    at: Instant,
}

impl Telling {
    /// Of these buckets, under a name that all nodes know.
    pub fn new(
        rates: &SharedRates,
        of: &'static str,
        store: &Store,
        clock: &SharedClock,
        randomness: &dyn Randomness,
    ) -> Self {
        Self {
            of,
            rates: Arc::downgrade(&rates.0),
            store: store.clone(),
            clock: clock.clone(),
            node: draw(randomness, LOWER_ALPHANUMERIC, 16),
            beat: 0,
            beats: VecDeque::new(),
            written: 0,
            heard: HashMap::new(),
            has_begun: false,
        }
    }

    /// Tells and hears for as long as the buckets are used.
    pub(super) async fn go_on(mut self) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while self.rates.strong_count() > 0 {
            ticks.tick().await;
            if let Err(error) = self.exchange().await {
                tracing::debug!(%error, of = self.of, "rates hold for this node alone until the store answers");
            }
        }
    }

    /// Tells what was taken here since the last time, and has the buckets owe for what was taken elsewhere.
    pub async fn exchange(&mut self) -> Result<(), StoreError> {
        self.beat += 1;
        self.gather();
        self.tell().await?;
        let others = self.others().await?;
        self.hear(&others);
        self.forget_gone().await
    }

    /// What all other nodes tell.
    async fn others(&self) -> Result<Vec<Told>, StoreError> {
        let (of, mut others, mut after) = (self.of, Vec::new(), None);
        loop {
            let from: Option<&[u8]> = after.as_deref();
            let page =
                self.store.read(|tx| async move { TOLD.page(&tx, of, from, MAX_PAGE_ROWS).await }).await?;
            others.extend(page.records.into_iter().filter(|told| told.node != self.node));
            match page.cursor {
                Some(cursor) => after = Some(cursor),
                None => return Ok(others),
            }
        }
    }

    /// Notes what was taken since the last beat, and drops what all have heard.
    fn gather(&mut self) {
        let Some(rates) = self.rates.upgrade() else { return };
        let mut taken: Vec<_> = {
            let known = rates.lock().unwrap_or_else(PoisonError::into_inner);
            let short = known.by_name.iter().filter(|(name, _)| name.len() <= MOST_NAME_BYTES);
            let used = short.filter(|(_, bucket)| bucket.untold() > 0);
            used.map(|(name, bucket)| (name.clone(), bucket.clone(), bucket.untold())).collect()
        };
        taken.sort_unstable_by_key(|(_, _, untold)| std::cmp::Reverse(*untold));
        let mut bytes = 0;
        let told = taken.into_iter().take(MOST_TOLD).take_while(|(name, ..)| {
            bytes += name.len();
            bytes <= MOST_TOLD_BYTES
        });
        let told = told.map(|(name, bucket, untold)| {
            bucket.tell(untold);
            (name, untold)
        });
        let taken: Vec<_> = told.collect();
        if !taken.is_empty() {
            self.beats.push_back(Beat { beat: self.beat, taken });
        }
        while self.beats.front().is_some_and(|oldest| oldest.beat + TOLD_BEATS <= self.beat) {
            self.beats.pop_front();
        }
    }

    async fn tell(&mut self) -> Result<(), StoreError> {
        if self.beats.back().is_none_or(|newest| newest.beat <= self.written) {
            return Ok(());
        }
        let (of, node) = (self.of.to_owned(), self.node.clone());
        let told = &Told { of, node, beat: self.beat, beats: self.beats.clone() };
        self.store.write(|tx| async move { TOLD.put(&tx, told).await }).await?;
        self.written = self.beat;
        Ok(())
    }

    fn hear(&mut self, others: &[Told]) {
        let at = Instant::now();
        for told in others {
            let before = self.heard.get(&told.node).map(|heard| heard.beat);
            if before == Some(told.beat) {
                continue;
            }
            if self.has_begun {
                let unheard = told.beats.iter().filter(|beat| before.is_none_or(|before| beat.beat > before));
                self.owe(unheard, others.len());
            }
            self.heard.insert(told.node.clone(), Heard { beat: told.beat, at });
        }
        self.heard.retain(|node, _| others.iter().any(|told| told.node == *node));
        self.has_begun = true;
    }

    fn owe<'b>(&self, beats: impl Iterator<Item = &'b Beat>, others: usize) {
        let Some(rates) = self.rates.upgrade() else { return };
        let (now, known) = (self.clock.now(), rates.lock().unwrap_or_else(PoisonError::into_inner));
        for (name, taken) in beats.flat_map(|beat| &beat.taken) {
            if let Some(bucket) = known.by_name.get(name) {
                bucket.owe(*taken, others, now);
            }
        }
    }

    /// Removes the records of nodes whose beat has stood still for long.
    async fn forget_gone(&self) -> Result<(), StoreError> {
        for (node, heard) in self.heard.iter().filter(|(_, heard)| heard.at.elapsed() >= GONE_AFTER) {
            let key = KeyParts::new().str(self.of).str(node);
            let forgotten = self.store.write(|tx| {
                let key = key.clone();
                async move {
                    let told = TOLD.get(&tx, key.clone()).await?;
                    if told.is_some_and(|told| told.beat == heard.beat) {
                        TOLD.delete(&tx, key).await?;
                    }
                    Ok::<_, StoreError>(())
                }
            });
            forgotten.await?;
        }
        Ok(())
    }
}
