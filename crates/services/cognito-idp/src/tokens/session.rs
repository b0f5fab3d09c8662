use homeport_core::Timestamp;
use homeport_store::{StoreError, Tx};

use crate::lockout::Failures;
use crate::records::{Client, SESSIONS, SIGN_INS, Session, SignIns, User};

/// Sessions that a user may have at once; a further one ends the oldest.
const MAX_SESSIONS: u32 = 1_000;
/// Ended sessions that a new one clears away.
const CLEARED: usize = 3;

/// A sign-in that succeeded. Ids are drawn outside the transaction, which may run twice.
#[derive(Clone, Debug)]
pub(crate) struct NewSession {
    pub(crate) origin_jti: String,
    pub(crate) refresh: [u8; 32],
    pub(crate) signed_in: Timestamp,
}

/// Opens a session, forgets the user's failures, and clears away sessions that have ended.
pub(crate) async fn open_session(
    tx: &Tx,
    client: &Client,
    user: &User,
    new: &NewSession,
    now: Timestamp,
) -> Result<Session, StoreError> {
    let pool = &user.pool;
    let before = SIGN_INS.get(tx, pool.parts().str(&user.username)).await?;
    let mut sign_ins = before.unwrap_or_else(|| SignIns::none(pool, &user.username));
    sign_ins.failures = Failures::default();
    let oldest = SESSIONS.page(tx, pool.parts().str(&user.sub), None, CLEARED).await?;
    for session in oldest.records {
        if session.expires <= now || sign_ins.sessions >= MAX_SESSIONS {
            SESSIONS.delete(tx, pool.parts().str(&user.sub).str(&session.origin_jti)).await?;
            sign_ins.sessions = sign_ins.sessions.saturating_sub(1);
        }
    }
    sign_ins.sessions += 1;
    SIGN_INS.put(tx, &sign_ins).await?;
    let session = Session {
        pool: pool.clone(),
        sub: user.sub.clone(),
        origin_jti: new.origin_jti.clone(),
        username: user.username.clone(),
        client_id: client.id.clone(),
        signed_in: new.signed_in,
        refresh: new.refresh,
        expires: now.plus_seconds(client.refresh_seconds()),
        previous: None,
    };
    SESSIONS.put(tx, &session).await?;
    Ok(session)
}
