//! The mark of a store that is being filled. As long as it is there, there is no installation, and no server starts.

use homeport_core::Randomness;
use homeport_store::{Collection, Direction, Key, KeyParts, Range, Record, Row, Store, StoreError, Tx};
use serde::{Deserialize, Serialize};

use super::MovingError;
use super::rows::is_installation;
use crate::installation::InstallationRecord;

const UNFINISHED: Collection<Unfinished> = Collection::new();
/// Rows that are removed at once where one begins anew.
const STEP_ROWS: usize = 500;

/// What is being filled into this store, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Unfinished {
    /// The installation that comes.
    pub(super) installation: String,
    /// The commit as which its rows are taken.
    pub(super) last: u64,
    /// The last row's key that is there, in hexadecimal digits.
    behind: String,
    /// A random number of who fills it now: one that was thought to be gone can't go on beside.
    turn: String,
}

impl Record for Unfinished {
    const COLLECTION: &'static str = "homeport.unfinished";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        KeyParts::new()
    }
}

/// What came before.
pub(super) enum Found {
    /// Nothing at all.
    Empty,
    /// A part of the same installation.
    Begun(Unfinished),
}

impl Found {
    async fn still_holds(&self, tx: &Tx) -> Result<bool, StoreError> {
        match self {
            Self::Empty => Ok(tx.scan(Range::all(), Direction::Forward, 1).await?.rows.is_empty()),
            Self::Begun(mark) => Ok(UNFINISHED.get(tx, KeyParts::new()).await?.as_ref() == Some(mark)),
        }
    }
}

/// What of an installation is in this store; refused where another is, or anything else.
pub(super) async fn look(store: &Store, place: &str, installation: &str) -> Result<Found, MovingError> {
    let place = place.to_owned();
    if InstallationRecord::read(store).await?.is_some() {
        return Err(MovingError::Taken { place });
    }
    let mark = store.read(|tx| async move { UNFINISHED.get(&tx, KeyParts::new()).await });
    match mark.await? {
        Some(mark) if mark.installation == installation => Ok(Found::Begun(mark)),
        Some(_) => Err(MovingError::OtherUnfinished { place }),
        None if store.is_empty().await? => Ok(Found::Empty),
        None => Err(MovingError::NotEmpty { place, what: "rows without an installation" }),
    }
}

/// Fills a store.
pub(super) struct Filling<'s> {
    store: &'s Store,
    mark: Unfinished,
}

impl<'s> Filling<'s> {
    /// Takes the turn. Rows of another commit of the same installation are removed first.
    pub(super) async fn begin(
        store: &'s Store,
        found: Found,
        installation: String,
        last: u64,
        randomness: &dyn Randomness,
    ) -> Result<Self, MovingError> {
        let mut turn = [0; 16];
        randomness.fill(&mut turn);
        let behind = match &found {
            Found::Begun(mark) if mark.last == last => mark.behind.clone(),
            Found::Begun(_) | Found::Empty => String::new(),
        };
        let anew = matches!(found, Found::Begun(_)) && behind.is_empty();
        let filling =
            Self { store, mark: Unfinished { installation, last, behind, turn: hex::encode(turn) } };
        let (mark, found) = (&filling.mark, &found);
        store
            .write(|tx| async move {
                // Whoever came in between wins.
                if !found.still_holds(&tx).await? {
                    return Err(MovingError::TakenOver);
                }
                Ok(UNFINISHED.put(&tx, mark).await?)
            })
            .await?;
        if anew {
            filling.empty().await?;
        }
        Ok(filling)
    }

    /// The last key that is there; empty at the beginning.
    pub(super) fn behind(&self) -> Vec<u8> {
        hex::decode(&self.mark.behind).unwrap_or_default()
    }

    /// Puts rows that follow those that are there.
    pub(super) async fn put(&mut self, rows: &[Row]) -> Result<(), MovingError> {
        let Some(last) = rows.last() else { return Ok(()) };
        let (before, after) =
            (&self.mark, Unfinished { behind: hex::encode(&last.key), ..self.mark.clone() });
        let next = &after;
        self.store
            .write(|tx| async move {
                check_turn(UNFINISHED.get(&tx, KeyParts::new()).await?, before)?;
                rows.iter().try_for_each(|row| tx.put_row(row))?;
                Ok::<_, MovingError>(UNFINISHED.put(&tx, next).await?)
            })
            .await?;
        self.mark = after;
        Ok(())
    }

    /// Makes an installation of it: the clock behind all that came, its record there, the mark gone, at once.
    pub(super) async fn finish(self, installation: &Row) -> Result<(), MovingError> {
        if !is_installation(installation) {
            return Err(StoreError::Aborted("a record that is no installation").into());
        }
        let mark = &self.mark;
        self.store
            .write(|tx| async move {
                check_turn(UNFINISHED.get(&tx, KeyParts::new()).await?, mark)?;
                tx.raise_clock(mark.last)?;
                tx.put_row(installation)?;
                UNFINISHED.delete(&tx, KeyParts::new()).await?;
                Ok(())
            })
            .await
    }

    /// Removes all rows but the mark.
    async fn empty(&self) -> Result<(), MovingError> {
        let (mark, own) = (&self.mark, UNFINISHED.root());
        let mut range = Range::all();
        loop {
            let rest = &range;
            let scan = |tx: Tx| async move { tx.scan(rest.clone(), Direction::Forward, STEP_ROWS).await };
            let page = self.store.read(scan).await?;
            let Some(last) = page.rows.last() else { return Ok(()) };
            let keys = page.rows.iter().map(|row| Key::from_row(&row.key)).filter(|key| *key != own);
            let keys = &keys.collect::<Vec<_>>();
            self.store
                .write(|tx| async move {
                    check_turn(UNFINISHED.get(&tx, KeyParts::new()).await?, mark)?;
                    Ok::<_, MovingError>(keys.iter().try_for_each(|key| tx.delete(key))?)
                })
                .await?;
            range = range.after(&last.key);
        }
    }
}

fn check_turn(found: Option<Unfinished>, mine: &Unfinished) -> Result<(), MovingError> {
    if found.as_ref() == Some(mine) { Ok(()) } else { Err(MovingError::TakenOver) }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use homeport_core::SeededRandomness;

    use super::*;

    fn row(name: &str) -> Row {
        Row { key: Bytes::copy_from_slice(Key::of(name).as_bytes()), value: Bytes::from("v") }
    }

    async fn begin<'s>(store: &'s Store, last: u64, seed: u64) -> Result<Filling<'s>, MovingError> {
        let found = look(store, "here", "i").await?;
        Filling::begin(store, found, "i".into(), last, &SeededRandomness::new(seed)).await
    }

    async fn names(store: &Store) -> Vec<String> {
        let scan = |tx: Tx| async move { tx.scan(Range::all(), Direction::Forward, 100).await };
        let page: Result<_, StoreError> = store.read(scan).await;
        page.unwrap()
            .rows
            .iter()
            .map(|row| String::from_utf8_lossy(&row.key[1..row.key.len() - 1]).into())
            .collect()
    }

    #[tokio::test]
    async fn it_goes_on_where_it_was_and_begins_anew_for_another_commit() {
        let store = Store::testkit(1);
        let mut filling = begin(&store, 7, 1).await.unwrap();
        assert_eq!(filling.behind(), b"");
        filling.put(&[row("a"), row("b")]).await.unwrap();
        let again = begin(&store, 7, 2).await.unwrap();
        assert_eq!(again.behind(), row("b").key);
        let anew = begin(&store, 8, 3).await.unwrap();
        assert_eq!(anew.behind(), b"");
        assert_eq!(names(&store).await, ["homeport.unfinished"]);
    }

    #[tokio::test]
    async fn a_server_that_came_in_between_is_left_alone() {
        let store = Store::testkit(1);
        let found = look(&store, "here", "i").await.unwrap();
        store.write(|tx| async move { tx.put_row(&row("installation")) }).await.unwrap();
        let refused = Filling::begin(&store, found, "i".into(), 7, &SeededRandomness::new(1)).await;
        assert!(matches!(refused, Err(MovingError::TakenOver)));
        assert_eq!(names(&store).await, ["installation"]);
    }

    #[tokio::test]
    async fn of_two_that_fill_a_store_the_later_one_goes_on() {
        let store = Store::testkit(1);
        let mut first = begin(&store, 7, 1).await.unwrap();
        let mut second = begin(&store, 7, 2).await.unwrap();
        second.put(&[row("a")]).await.unwrap();
        assert!(matches!(first.put(&[row("a")]).await, Err(MovingError::TakenOver)));
        assert!(matches!(first.finish(&row("installation")).await, Err(MovingError::TakenOver)));
        second.finish(&row("installation")).await.unwrap();
        assert_eq!(names(&store).await, ["a", "installation"]);
        assert!(store.export().await.unwrap().last() > 7);
    }

    #[tokio::test]
    async fn what_is_not_the_same_installations_is_left_alone() {
        let store = Store::testkit(1);
        begin(&store, 7, 1).await.unwrap();
        assert!(matches!(look(&store, "here", "other").await, Err(MovingError::OtherUnfinished { .. })));
        let store = Store::testkit(2);
        store.write(|tx| async move { tx.put_row(&row("a")) }).await.unwrap();
        assert!(matches!(look(&store, "here", "i").await, Err(MovingError::NotEmpty { .. })));
    }
}
