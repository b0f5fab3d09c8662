//! The chain over the audit rows: links of keyed hashes, each over the one before and the rows since.

use homeport_core::Timestamp;
use homeport_service::AuditRow;
use homeport_store::{Collection, Direction, Key, KeyParts, Range, Record, Row, Store, StoreError, Tx};
use homeport_vault::{Purpose, Vault};
use serde::{Deserialize, Serialize};

/// Rows that one link covers at most.
const ROWS_PER_LINK: usize = 1_000;
/// How long rows are kept, in seconds: AWS's event history has 90 days.
const KEPT_SECONDS: i64 = 90 * 86_400;

const LINKS: Collection<Link> = Collection::new();

/// One link.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Link {
    number: u64,
    /// The last row that it covers, by its key.
    last_row: Vec<u8>,
    rows: u64,
    /// The newest time among its rows.
    newest: Timestamp,
    /// Its rows were old and were let go; it stays as the anchor of the next.
    pruned: bool,
    hash: [u8; 32],
}

impl Record for Link {
    const COLLECTION: &'static str = "audit-chain";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        KeyParts::new().u64(self.number)
    }
}

/// What a check of the chain found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every link fits its rows.
    Whole {
        /// Rows that links cover.
        rows: u64,
        /// Newer rows that no link covers yet.
        unlinked: u64,
    },
    /// A row was removed, added or altered, or the link itself was.
    Broken {
        /// The first link that doesn't fit.
        link: u64,
        /// Its newest time.
        until: Timestamp,
    },
}

fn rows_root() -> Key {
    Key::of("audit")
}

fn hash(vault: &Vault, previous: &[u8; 32], rows: &[Row]) -> [u8; 32] {
    let parts = rows.iter().flat_map(|row| [row.key.as_ref(), row.value.as_ref()]);
    let parts: Vec<&[u8]> = std::iter::once(previous.as_slice()).chain(parts).collect();
    vault.keyed_hash(Purpose::Audit, &parts)
}

async fn last_link(tx: &Tx) -> Result<Option<Link>, StoreError> {
    let page = LINKS.page_in(tx, KeyParts::new(), None, Direction::Backward, 1).await?;
    Ok(page.records.into_iter().next())
}

fn rows_behind(link: Option<&Link>) -> Range {
    let all = Range::prefix(&rows_root());
    link.map_or_else(|| all.clone(), |link| all.clone().after(&link.last_row))
}

/// Adds a link over the rows that have none; whether there was any. Made for a loop that runs every second.
///
/// # Errors
/// What the store answers.
pub async fn extend(store: &Store, vault: &Vault) -> Result<bool, StoreError> {
    store
        .write(|tx| async move {
            let before = last_link(&tx).await?;
            let page = tx.scan(rows_behind(before.as_ref()), Direction::Forward, ROWS_PER_LINK).await?;
            let Some(last) = page.rows.last() else { return Ok(false) };
            let previous = before.as_ref().map_or([0; 32], |link| link.hash);
            let link = Link {
                number: before.as_ref().map_or(1, |link| link.number + 1),
                last_row: last.key.to_vec(),
                rows: page.rows.len() as u64,
                newest: page.rows.iter().filter_map(time_of).max().unwrap_or_default(),
                pruned: false,
                hash: hash(vault, &previous, &page.rows),
            };
            LINKS.put(&tx, &link).await?;
            Ok(true)
        })
        .await
}

fn time_of(row: &Row) -> Option<Timestamp> {
    serde_json::from_slice::<AuditRow>(&row.value).ok().map(|row| row.time)
}

/// Lets go of the oldest link's rows once they are older than 90 days; whether it did.
///
/// # Errors
/// What the store answers.
pub async fn prune(store: &Store, now: Timestamp) -> Result<bool, StoreError> {
    let cutoff = now.plus_seconds(-KEPT_SECONDS);
    store
        .write(|tx| async move {
            let oldest = LINKS.page(&tx, KeyParts::new(), None, 2).await?.records;
            let Some(old) = oldest.iter().find(|link| !link.pruned).filter(|link| link.newest < cutoff)
            else {
                return Ok(false);
            };
            let page = tx.scan(Range::prefix(&rows_root()), Direction::Forward, ROWS_PER_LINK).await?;
            for row in page.rows.iter().filter(|row| row.key.as_ref() <= old.last_row.as_slice()) {
                tx.delete(&Key::from_row(&row.key))?;
            }
            for anchor in oldest.iter().filter(|link| link.pruned) {
                LINKS.delete(&tx, anchor.key()).await?;
            }
            LINKS.put(&tx, &Link { pruned: true, ..old.clone() }).await?;
            Ok(true)
        })
        .await
}

/// Checks every link against its rows, from the oldest on.
///
/// # Errors
/// What the store answers.
pub async fn verify(store: &Store, vault: &Vault) -> Result<Verdict, StoreError> {
    store
        .read(|tx| async move {
            let (mut before, mut rows, mut after): (Option<Link>, u64, Option<Vec<u8>>) = (None, 0, None);
            loop {
                let page = LINKS.page(&tx, KeyParts::new(), after.as_deref(), 100).await?;
                for link in page.records {
                    if !fits(&tx, vault, before.as_ref(), &link).await? {
                        return Ok(Verdict::Broken { link: link.number, until: link.newest });
                    }
                    rows += if link.pruned { 0 } else { link.rows };
                    before = Some(link);
                }
                after = page.cursor.map(|cursor| cursor.to_vec());
                if after.is_none() {
                    let newest =
                        tx.scan(rows_behind(before.as_ref()), Direction::Forward, ROWS_PER_LINK).await?;
                    return Ok(Verdict::Whole { rows, unlinked: newest.rows.len() as u64 });
                }
            }
        })
        .await
}

async fn fits(tx: &Tx, vault: &Vault, before: Option<&Link>, link: &Link) -> Result<bool, StoreError> {
    let follows = before.map_or(link.number == 1 || link.pruned, |before| before.number + 1 == link.number);
    if !follows {
        return Ok(false);
    }
    if link.pruned {
        return Ok(before.is_none());
    }
    let range = rows_behind(before);
    let (mut covered, mut from) = (Vec::new(), range);
    // A page may end early by its bytes; a link's rows all came from one page, so a few pages hold them.
    loop {
        let page = tx.scan(from.clone(), Direction::Forward, ROWS_PER_LINK).await?;
        let reached = page.rows.last().is_none_or(|row| row.key.as_ref() >= link.last_row.as_slice());
        let last = page.rows.last().map(|row| row.key.clone());
        covered.extend(page.rows.into_iter().filter(|row| row.key.as_ref() <= link.last_row.as_slice()));
        match last {
            Some(last) if !reached && page.more && covered.len() < 2 * ROWS_PER_LINK => {
                from = from.after(&last)
            }
            _ => break,
        }
    }
    let previous = before.map_or([0; 32], |link| link.hash);
    let last_is_there = covered.last().is_some_and(|row| row.key.as_ref() == link.last_row.as_slice());
    Ok(last_is_there && Vault::same_hash(&hash(vault, &previous, &covered), &link.hash))
}
