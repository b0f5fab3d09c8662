//! Leases: work that must run once in the house (schedules, stream readers, sweeps) takes one first.

use std::time::Duration;

use homeport_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Collection, KeyParts, Record, Store, StoreError, Tx};

const LEASES: Collection<Row> = Collection::new();

#[derive(Clone, Serialize, Deserialize)]
struct Row {
    name: String,
    holder: String,
    token: u64,
    expires: Timestamp,
}

impl Record for Row {
    const COLLECTION: &'static str = "homeport.leases";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        KeyParts::from(&self.name)
    }
}

/// A lease that is held: until it ends, nobody else is given the same name.
///
/// Clocks may err, so whoever writes under a lease asks [`Self::fence`] in the same transaction: a holder
/// whose lease another has taken can then no longer write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    name: String,
    holder: String,
    token: u64,
    expires: Timestamp,
}

impl Lease {
    /// Takes the lease `name` for `holder` until `now` and `life`; `None` while another holds it. The same
    /// holder is given it anew, with a new token (it may have restarted).
    ///
    /// # Errors
    /// What the store answers.
    pub async fn acquire(
        store: &Store,
        name: &str,
        holder: &str,
        now: Timestamp,
        life: Duration,
    ) -> Result<Option<Self>, StoreError> {
        let expires = end(now, life);
        store
            .write(|tx| async move {
                let before = LEASES.get(&tx, name).await?;
                if before.as_ref().is_some_and(|row| row.holder != holder && row.expires > now) {
                    return Ok(None);
                }
                let token = before.map_or(1, |row| row.token + 1);
                let row = Row { name: name.to_owned(), holder: holder.to_owned(), token, expires };
                LEASES.put(&tx, &row).await?;
                Ok(Some(Self { name: row.name, holder: row.holder, token, expires }))
            })
            .await
    }

    /// Keeps the lease until `now` and `life`.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] when another took it or it was given back.
    pub async fn renew(&mut self, store: &Store, now: Timestamp, life: Duration) -> Result<(), StoreError> {
        let (lease, expires) = (&*self, end(now, life));
        store
            .write(|tx| async move {
                let row = lease.current(&tx).await?;
                LEASES.put(&tx, &Row { expires, ..row }).await
            })
            .await?;
        self.expires = expires;
        Ok(())
    }

    /// Gives the lease back, so that another can take it at once. Its token is never given again.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] as for [`Self::renew`].
    pub async fn release(self, store: &Store) -> Result<(), StoreError> {
        let lease = &self;
        store
            .write(|tx| async move {
                let row = lease.current(&tx).await?;
                let ended = Row { holder: String::new(), expires: Timestamp::default(), ..row };
                LEASES.put(&tx, &ended).await
            })
            .await
    }

    /// Makes `tx` commit only if this lease is still the last one given.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] when it is not.
    pub async fn fence(&self, tx: &Tx) -> Result<(), StoreError> {
        self.current(tx).await.map(drop)
    }

    /// The fencing token: it grows with every lease given of this name, so that what lies outside the store
    /// can refuse an older holder too.
    pub fn token(&self) -> u64 {
        self.token
    }

    /// When it ends unless renewed.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    async fn current(&self, tx: &Tx) -> Result<Row, StoreError> {
        let row = LEASES.get(tx, &self.name).await?;
        row.filter(|row| row.token == self.token && row.holder == self.holder)
            .ok_or_else(|| StoreError::LeaseLost { name: self.name.clone() })
    }
}

fn end(now: Timestamp, life: Duration) -> Timestamp {
    let life = i64::try_from(life.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(now.millis().saturating_add(life))
}
