//! Whose temporary credentials signed a call.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use homeport_core::{BoxFuture, Timestamp};
use homeport_service::Principal;
use homeport_service::needs::{Identified, Identify, Unidentified, met};
use homeport_store::{StoreError, Tx};
use homeport_vault::Purpose;

use crate::Sts;
use crate::session::{Session, SessionOf};

/// Sessions that are kept ready; when full, the cache starts anew.
const CACHED_SESSIONS: usize = 10_000;

/// Sessions as of an authorization epoch: every change of a role, user or policy moves the epoch.
#[derive(Default)]
pub(crate) struct Cache(Mutex<Sessions>);

#[derive(Default)]
struct Sessions {
    seen_epoch: u64,
    by_token: HashMap<[u8; 32], Known>,
}

/// A session that was opened, and whose role or user was there.
#[derive(Clone)]
struct Known {
    principal: Principal,
    expires: Timestamp,
    issued: Timestamp,
}

impl Cache {
    fn get(&self, epoch: u64, token: &[u8; 32]) -> Option<Known> {
        let sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.by_token.get(token).filter(|_| sessions.seen_epoch == epoch).cloned()
    }

    fn put(&self, epoch: u64, token: [u8; 32], known: Known) {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.seen_epoch != epoch || sessions.by_token.len() >= CACHED_SESSIONS {
            *sessions = Sessions { seen_epoch: epoch, by_token: HashMap::new() };
        }
        sessions.by_token.insert(token, known);
    }
}

impl Sts {
    async fn known(&self, access_key_id: &str, token: &str) -> Result<Known, Unidentified> {
        // Taken before the look-up: a change in between leaves an entry that is already stale.
        let epoch = self.epoch.current();
        let hash = self.vault.keyed_hash(Purpose::Session, &[access_key_id.as_bytes(), token.as_bytes()]);
        if let Some(known) = self.identified.get(epoch, &hash) {
            return Ok(known);
        }
        let session = self.open(access_key_id, token).ok_or(Unidentified::InvalidToken)?;
        if session.expires <= self.clock.now() {
            return Err(Unidentified::Expired);
        }
        let session_ref = &session;
        let principal = self.store.read(|tx| async move { self.stands(&tx, session_ref).await }).await?;
        let known = Known {
            principal: principal.ok_or(Unidentified::Revoked)?,
            expires: session.expires,
            issued: session.issued,
        };
        self.identified.put(epoch, hash, known.clone());
        Ok(known)
    }

    /// The session's principal, if the very role or user that it was issued for is still there.
    async fn stands(&self, tx: &Tx, session: &Session) -> Result<Option<Principal>, StoreError> {
        let Ok(policies_of) = met(&self.needs.policies_of, "PoliciesOf") else { return Ok(None) };
        let policies = self.narrowed_by(tx, session).await?;
        Ok(match &session.of {
            // Renamed or moved, a user stays the same; policies must see who it is today.
            SessionOf::User { id } => {
                let user = policies_of.user(tx, id).await?;
                user.map(|user| session.of_user(id, user, policies))
            }
            SessionOf::Role(assumed) => {
                let role = policies_of.role(tx, assumed.role_arn.as_str()).await?;
                let stands = role.is_some_and(|role| role.id == assumed.role_id);
                stands.then(|| session.of_role(assumed, policies))
            }
        })
    }
}

impl Identify for Sts {
    fn identify<'a>(
        &'a self,
        access_key_id: &'a str,
        session_token: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Identified, Unidentified>> {
        Box::pin(async move {
            let token = session_token.ok_or(Unidentified::UnknownKey)?;
            let known = self.known(access_key_id, token).await?;
            if known.expires <= self.clock.now() {
                return Err(Unidentified::Expired);
            }
            if let Principal::Role(session) = &known.principal
                && !session.ends_with.stands(&self.needs, known.issued).await?
            {
                return Err(Unidentified::Revoked);
            }
            Ok(Identified { secret: self.secret_of(access_key_id), principal: known.principal })
        })
    }
}
