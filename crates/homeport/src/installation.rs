use homeport_core::{Account, Randomness, Timestamp};
use homeport_store::{Collection, Direction, KeyParts, Range, Record, Store, StoreError};
use homeport_vault::{KeyRing, MasterKey};
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::ProgramError;
use crate::master_key::KeySource;

const INSTALLATIONS: Collection<InstallationRecord> = Collection::new();
/// Earlier public URLs that are kept; more would be a mistake in somebody's configuration.
const MOST_URLS: usize = 64;

/// What was decided at the first start. There is one.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct InstallationRecord {
    /// The account.
    pub(crate) account: Account,
    /// The public URL, and all there were before it.
    pub(crate) public_urls: Vec<String>,
    /// The wrapped data keys.
    pub(crate) key_ring: KeyRing,
    /// When it was made.
    pub(crate) created: Timestamp,
}

impl Record for InstallationRecord {
    const COLLECTION: &'static str = "installation";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        KeyParts::new()
    }
}

impl InstallationRecord {
    /// The installation in this store, if there is one.
    pub(crate) async fn read(store: &Store) -> Result<Option<Self>, StoreError> {
        store.read(|tx| async move { INSTALLATIONS.get(&tx, KeyParts::new()).await }).await
    }

    /// A new installation, for a store that holds nothing yet. Of nodes that come at the same time one makes it; the
    /// others find it, and need the same key.
    pub(crate) async fn make(
        store: &Store,
        config: &Config,
        key: &KeySource,
        endpoint: &str,
        now: Timestamp,
        randomness: &dyn Randomness,
    ) -> Result<(Self, MasterKey), ProgramError> {
        let (master, is_new) = key.for_empty_store(randomness)?;
        let record = &Self {
            account: config.data.account.unwrap_or_else(|| new_account(config.dev, randomness)),
            public_urls: vec![config.listen.public_url.clone().unwrap_or_else(|| endpoint.to_owned())],
            key_ring: KeyRing::new(&master, randomness)?,
            created: now,
        };
        let found = store.write(|tx| async move {
            if let Some(kept) = INSTALLATIONS.get(&tx, KeyParts::new()).await? {
                return Ok(First::Found(kept));
            }
            if !tx.scan(Range::all(), Direction::Forward, 1).await?.rows.is_empty() {
                return Ok(First::NotEmpty);
            }
            INSTALLATIONS.put(&tx, record).await?;
            Ok::<_, StoreError>(First::Made(record.clone()))
        });
        let place = config.place();
        let refused = match found.await? {
            First::Made(record) => return Ok((record, master)),
            First::Found(kept) if kept.key_ring.is_wrapped_under(&master) => return Ok((kept, master)),
            First::Found(_) => ProgramError::KeyOfAnother { place },
            First::NotEmpty => ProgramError::NoInstallation { place },
        };
        if is_new {
            key.take_back()?;
        }
        Err(refused)
    }

    /// The kept installation with what the configuration says today.
    pub(crate) async fn bring_up_to_date(
        self,
        store: &Store,
        config: &Config,
        master: &MasterKey,
        randomness: &dyn Randomness,
    ) -> Result<Self, ProgramError> {
        if let Some(configured) = config.data.account.filter(|configured| *configured != self.account) {
            let (kept, configured) = (self.account.to_string(), configured.to_string());
            return Err(ProgramError::OtherAccount { kept, configured });
        }
        let before = &self;
        store
            .write(|tx| async move {
                let kept = INSTALLATIONS.get(&tx, KeyParts::new()).await?;
                let mut record = kept.unwrap_or_else(|| before.clone());
                let more_keys = record.key_ring.complete(master, randomness)?;
                let moved = config.listen.public_url.as_ref().is_some_and(|url| record.move_to(url));
                if more_keys || moved {
                    INSTALLATIONS.put(&tx, &record).await?;
                }
                Ok(record)
            })
            .await
    }

    /// Makes this the public URL; true if it was another. The others go on to denote the same pools.
    fn move_to(&mut self, url: &str) -> bool {
        if self.public_urls.first().is_some_and(|first| first == url) {
            return false;
        }
        self.public_urls.retain(|other| other != url);
        self.public_urls.insert(0, url.to_owned());
        self.public_urls.truncate(MOST_URLS);
        true
    }

    /// Wraps the data keys under the next master key (`homeport key rotate`).
    pub(crate) async fn rotate_key(
        store: &Store,
        key: &KeySource,
        place: String,
        randomness: &dyn Randomness,
    ) -> Result<String, ProgramError> {
        let Some(record) = Self::read(store).await? else {
            return Err(ProgramError::NoInstallation { place });
        };
        let old = &key.for_ring(&record.key_ring, &place)?;
        let next = &key.next(randomness)?;
        let record = &record;
        // Another node may have turned it meanwhile: then the old key doesn't open the ring any more.
        let turned: Result<(), ProgramError> = store
            .write(|tx| async move {
                let kept = INSTALLATIONS.get(&tx, KeyParts::new()).await?;
                let mut kept = kept.unwrap_or_else(|| record.clone());
                kept.key_ring = kept.key_ring.rewrap(old, next, randomness)?;
                Ok(INSTALLATIONS.put(&tx, &kept).await?)
            })
            .await;
        turned?;
        key.turned()?;
        Ok(next.fingerprint()?)
    }
}

/// What a node found that wanted to make the installation.
enum First {
    Made(InstallationRecord),
    Found(InstallationRecord),
    NotEmpty,
}

/// Twelve random digits, the first not zero; with `--dev` twelve zeros, as other local tools have it.
fn new_account(dev: bool, randomness: &dyn Randomness) -> Account {
    if dev {
        return Account::from_number(0);
    }
    let mut bytes = [0; 8];
    randomness.fill(&mut bytes);
    Account::from_number(100_000_000_000 + u64::from_be_bytes(bytes) % 900_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use homeport_core::SeededRandomness;

    #[test]
    fn a_new_public_url_comes_first_and_the_old_ones_stay() {
        let random = SeededRandomness::new(1);
        let key_ring = KeyRing::new(&MasterKey::generate(&random), &random).unwrap();
        let account = new_account(false, &random);
        let public_urls = vec!["http://a".to_owned()];
        let mut record = InstallationRecord { account, public_urls, key_ring, created: Timestamp::default() };
        assert!(!record.move_to("http://a"));
        assert!(record.move_to("https://b"));
        assert!(record.move_to("http://a"));
        assert_eq!(record.public_urls, ["http://a", "https://b"]);
        assert_eq!(account.to_string().len(), 12);
        assert!(!account.to_string().starts_with('0'));
        assert_eq!(new_account(true, &random).to_string(), "000000000000");
    }
}
