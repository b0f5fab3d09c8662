//! Refresh tokens that were revoked: they are kept, by their keyed hashes, until they would have expired, so that who
//! still has one is told what became of it. A token whose slot was taken since is one that was never heard of.

use std::iter;

use homeport_core::Timestamp;
use homeport_store::{KeyParts, MAX_PAGE_ROWS, Record, Store, StoreError, Tx};

use crate::records::{Client, REVOCATIONS, Revocation, SESSIONS, Session, User};

/// Rows that one step of a sweep looks at.
const STEP_ROWS: usize = 500;

/// Keeps in mind that a session's refresh tokens are revoked; ending the session is left to the caller.
pub(crate) async fn remember(tx: &Tx, session: &Session) -> Result<(), StoreError> {
    let previous = session.previous.iter().map(|(token, _)| token);
    for token in iter::once(&session.refresh).chain(previous) {
        let revocation = Revocation {
            pool: session.pool.clone(),
            token: *token,
            client_id: session.client_id.clone(),
            expires: session.expires,
        };
        REVOCATIONS.put(tx, &revocation).await?;
    }
    Ok(())
}

/// As [`remember`], of all sessions that a user has.
pub(crate) async fn remember_all(tx: &Tx, user: &User) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let sessions = user.pool.parts().str(&user.sub);
        let page = SESSIONS.page(tx, sessions, after.as_deref(), MAX_PAGE_ROWS).await?;
        for session in &page.records {
            remember(tx, session).await?;
        }
        after = page.cursor;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// Whether this was a refresh token of the client that was revoked before it expired.
pub(crate) async fn is_revoked(
    tx: &Tx,
    client: &Client,
    token: &[u8; 32],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let found = REVOCATIONS.get(tx, Revocation::at(&client.pool, token)).await?;
    Ok(found.is_some_and(|revoked| {
        revoked.token == *token && revoked.client_id == client.id && now < revoked.expires
    }))
}

/// Forgets the tokens of all pools that have expired since, step by step.
pub(crate) async fn sweep(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let from = after.as_deref();
        let cursor: Result<_, StoreError> = store
            .write(|tx| async move {
                let page = REVOCATIONS.page(&tx, KeyParts::new(), from, STEP_ROWS).await?;
                for expired in page.records.iter().filter(|revoked| revoked.expires <= now) {
                    REVOCATIONS.delete(&tx, expired.key()).await?;
                }
                Ok(page.cursor)
            })
            .await;
        after = cursor?;
        if after.is_none() {
            return Ok(());
        }
    }
}
