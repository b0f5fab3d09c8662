//! Long-term access keys: making a secret, sealing it, and finding whose key signed a call.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use homeport_core::{Alphabet, BoxFuture, Randomness, draw};
use homeport_service::Principal;
use homeport_service::needs::{Identified, Identify, Unidentified};
use homeport_store::{StoreError, Tx};
use homeport_vault::{Place, Purpose, Secret};

use crate::Iam;
use crate::records::{ACCESS_KEYS, AccessKey, ENTITIES, Entity, within};

/// What secret keys are sealed under.
pub(crate) const PURPOSE: Purpose = Purpose::Iam;
/// Keys whose owner is kept ready; when full, the cache starts anew.
const CACHED_KEYS: usize = 10_000;
/// The characters of secret keys.
const SECRET: Alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Forty characters of chance.
pub(crate) fn draw_secret(randomness: &dyn Randomness) -> String {
    draw(randomness, SECRET, 40)
}

/// Where a key's secret is sealed to.
pub(crate) fn place(access_key_id: &str) -> Place<'_> {
    Place { collection: "iam.access_keys", key: access_key_id.as_bytes(), field: "secret" }
}

/// Owners of keys as of an authorization epoch: every change of a key or user moves the epoch.
#[derive(Default)]
pub(crate) struct Cache(Mutex<Owners>);

#[derive(Default)]
struct Owners {
    seen_epoch: u64,
    by_key: HashMap<String, (Secret, Principal)>,
}

impl Cache {
    fn get(&self, epoch: u64, key: &str) -> Option<Identified> {
        let owners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (secret, principal) = owners.by_key.get(key).filter(|_| owners.seen_epoch == epoch)?;
        Some(Identified { secret: secret.clone(), principal: principal.clone() })
    }

    fn put(&self, epoch: u64, key: &str, identified: &Identified) {
        let mut owners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if owners.seen_epoch != epoch || owners.by_key.len() >= CACHED_KEYS {
            *owners = Owners { seen_epoch: epoch, by_key: HashMap::new() };
        }
        owners.by_key.insert(key.to_owned(), (identified.secret.clone(), identified.principal.clone()));
    }
}

/// The user as a principal.
pub(crate) fn principal_of(user: &Entity) -> Principal {
    Principal::User { arn: user.arn(), id: user.id.clone(), name: user.name.clone(), session: None }
}

impl Iam {
    async fn owner(&self, tx: &Tx, id: &str) -> Result<Option<(AccessKey, Entity)>, StoreError> {
        let Some(key) = ACCESS_KEYS.get(tx, within(self.account, id)).await?.filter(|key| key.active) else {
            return Ok(None);
        };
        let user = ENTITIES.by(tx, "id", within(self.account, &key.user_id)).await?;
        Ok(user.map(|user| (key, user)))
    }

    async fn look_up(&self, id: &str) -> Result<Identified, Unidentified> {
        let found = self.store.read(|tx| async move { self.owner(&tx, id).await }).await?;
        let (key, user) = found.ok_or(Unidentified::UnknownKey)?;
        let secret = self.vault.open(&place(id), &key.secret).map_err(|_| Unidentified::UnknownKey)?;
        Ok(Identified { secret, principal: principal_of(&user) })
    }
}

impl Identify for Iam {
    fn identify<'a>(
        &'a self,
        access_key_id: &'a str,
        session_token: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Identified, Unidentified>> {
        Box::pin(async move {
            if session_token.is_some() {
                return Err(Unidentified::InvalidToken);
            }
            // Taken before the look-up: a change in between leaves an entry that is already stale.
            let epoch = self.epoch.current();
            if let Some(identified) = self.identified.get(epoch, access_key_id) {
                return Ok(identified);
            }
            let identified = self.look_up(access_key_id).await?;
            self.identified.put(epoch, access_key_id, &identified);
            Ok(identified)
        })
    }
}
