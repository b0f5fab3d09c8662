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
    /// Set once its rows were old and were let go, and it stays as the anchor of the next: the keyed hash that says
    /// it was the program that let them go.
    let_go: Option<[u8; 32]>,
    /// The keyed hash over the link before, this one's number and time, and its rows.
    hash: [u8; 32],
}

impl Link {
    fn hash(&self, vault: &Vault, before: Option<&Self>, rows: &[Row]) -> [u8; 32] {
        let previous = before.map_or([0; 32], |link| link.hash);
        let (number, newest) = (self.number.to_be_bytes(), self.newest.millis().to_be_bytes());
        let rows = rows.iter().flat_map(|row| [row.key.as_ref(), row.value.as_ref()]);
        let parts: Vec<&[u8]> = [&previous[..], &number, &newest].into_iter().chain(rows).collect();
        vault.keyed_hash(Purpose::Audit, &parts)
    }

    fn let_go_hash(&self, vault: &Vault) -> [u8; 32] {
        vault.keyed_hash(Purpose::Audit, &[b"let go", &self.hash, &self.number.to_be_bytes(), &self.last_row])
    }
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
            let mut link = Link {
                number: before.as_ref().map_or(1, |link| link.number + 1),
                last_row: last.key.to_vec(),
                rows: page.rows.len() as u64,
                newest: page.rows.iter().filter_map(time_of).max().unwrap_or_default(),
                let_go: None,
                hash: [0; 32],
            };
            link.hash = link.hash(vault, before.as_ref(), &page.rows);
            LINKS.put(&tx, &link).await?;
            Ok(true)
        })
        .await
}

fn time_of(row: &Row) -> Option<Timestamp> {
    serde_json::from_slice::<AuditRow>(&row.value).ok().map(|row| row.time)
}

/// Lets go of the oldest link's rows once they are older than 90 days; whether it did. Rows that don't fit their link
/// stay, so that [`verify`] finds them.
///
/// # Errors
/// What the store answers.
pub async fn prune(store: &Store, vault: &Vault, now: Timestamp) -> Result<bool, StoreError> {
    let cutoff = now.plus_seconds(-KEPT_SECONDS);
    store
        .write(|tx| async move {
            let oldest = LINKS.page(&tx, KeyParts::new(), None, 2).await?.records;
            let anchor = oldest.first().filter(|link| link.let_go.is_some());
            let old = oldest.iter().find(|link| link.let_go.is_none());
            let Some(old) = old.filter(|link| link.newest < cutoff) else { return Ok(false) };
            let Some(covered) = fitting_rows(&tx, vault, anchor, old).await? else { return Ok(false) };
            for row in covered {
                tx.delete(&Key::from_row(&row.key))?;
            }
            if let Some(anchor) = anchor {
                LINKS.delete(&tx, anchor.key()).await?;
            }
            LINKS.put(&tx, &Link { let_go: Some(old.let_go_hash(vault)), ..old.clone() }).await?;
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
                    rows += if link.let_go.is_some() { 0 } else { link.rows };
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
    match &link.let_go {
        Some(let_go) => Ok(before.is_none() && Vault::same_hash(let_go, &link.let_go_hash(vault))),
        None => Ok(fitting_rows(tx, vault, before, link).await?.is_some()),
    }
}

/// The rows that a link covers, if they and it are what was linked.
async fn fitting_rows(
    tx: &Tx,
    vault: &Vault,
    before: Option<&Link>,
    link: &Link,
) -> Result<Option<Vec<Row>>, StoreError> {
    if before.map_or(0, |before| before.number) + 1 != link.number {
        return Ok(None);
    }
    let (mut covered, mut from) = (Vec::new(), rows_behind(before));
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
    let last_is_there = covered.last().is_some_and(|row| row.key.as_ref() == link.last_row.as_slice());
    let fits = last_is_there && Vault::same_hash(&link.hash(vault, before, &covered), &link.hash);
    Ok(fits.then_some(covered))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows without a time count as old.
    async fn linked(rows: usize) -> (Store, Vault) {
        let (store, vault) = (Store::testkit(1), Vault::for_tests());
        for _ in 0..rows {
            let put = store.write(|tx| async move { tx.put_stamped(&rows_root(), KeyParts::new(), "{}") });
            let put: Result<_, StoreError> = put.await;
            put.unwrap();
            assert!(extend(&store, &vault).await.unwrap());
        }
        (store, vault)
    }

    async fn change(store: &Store, number: u64, change: impl Fn(&mut Link) + Send + Sync) {
        let change = &change;
        let done = store.write(|tx| async move {
            let mut link = LINKS.get(&tx, number).await?.unwrap();
            change(&mut link);
            LINKS.put(&tx, &link).await
        });
        let done: Result<(), StoreError> = done.await;
        done.unwrap();
    }

    async fn remove_row(store: &Store, index: usize) {
        let done = store.write(|tx| async move {
            let rows = tx.scan(Range::prefix(&rows_root()), Direction::Forward, 10).await?.rows;
            tx.delete(&Key::from_row(&rows[index].key))
        });
        let done: Result<(), StoreError> = done.await;
        done.unwrap();
    }

    const LATER: Timestamp = Timestamp::from_seconds(200 * 86_400);

    #[tokio::test]
    async fn nobody_but_the_program_lets_rows_go() {
        let (store, vault) = linked(3).await;
        assert!(prune(&store, &vault, LATER).await.unwrap());
        assert_eq!(verify(&store, &vault).await.unwrap(), Verdict::Whole { rows: 2, unlinked: 0 });
        let (store, vault) = linked(3).await;
        remove_row(&store, 0).await;
        change(&store, 1, |link| link.let_go = Some(link.hash)).await;
        assert!(matches!(verify(&store, &vault).await.unwrap(), Verdict::Broken { link: 1, .. }));
    }

    #[tokio::test]
    async fn the_first_link_can_neither_be_cut_off_nor_made_old() {
        let (store, vault) = linked(3).await;
        let cut = store.write(|tx| async move { LINKS.delete(&tx, 1).await.map(drop) });
        let cut: Result<(), StoreError> = cut.await;
        cut.unwrap();
        assert!(matches!(verify(&store, &vault).await.unwrap(), Verdict::Broken { link: 2, .. }));

        let (store, vault) = linked(3).await;
        change(&store, 1, |link| link.newest = Timestamp::from_seconds(-1)).await;
        assert!(!prune(&store, &vault, LATER).await.unwrap(), "what was tampered with is not tidied up");
        assert!(matches!(verify(&store, &vault).await.unwrap(), Verdict::Broken { link: 1, .. }));
    }
}
