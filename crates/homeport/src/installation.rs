use std::path::PathBuf;

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

    /// Writes it.
    pub(crate) async fn write(&self, store: &Store) -> Result<(), StoreError> {
        store.write(|tx| async move { INSTALLATIONS.put(&tx, self).await }).await
    }

    /// A new installation, for a store that holds nothing yet.
    pub(crate) async fn make(
        store: &Store,
        config: &Config,
        key: &KeySource,
        endpoint: &str,
        now: Timestamp,
        randomness: &dyn Randomness,
    ) -> Result<(Self, MasterKey), ProgramError> {
        let page = store.read(|tx| async move { tx.scan(Range::all(), Direction::Forward, 1).await }).await;
        if !page.map_err(|error: StoreError| error)?.rows.is_empty() {
            return Err(ProgramError::NoInstallation { folder: config.data.folder.clone() });
        }
        let master = key.for_empty_store(randomness)?;
        let record = Self {
            account: config.data.account.unwrap_or_else(|| new_account(config.dev, randomness)),
            public_urls: vec![config.listen.public_url.clone().unwrap_or_else(|| endpoint.to_owned())],
            key_ring: KeyRing::new(&master, randomness)?,
            created: now,
        };
        record.write(store).await?;
        Ok((record, master))
    }

    /// The kept installation with what the configuration says today.
    pub(crate) async fn bring_up_to_date(
        mut self,
        store: &Store,
        config: &Config,
        master: &MasterKey,
        randomness: &dyn Randomness,
    ) -> Result<Self, ProgramError> {
        if let Some(configured) = config.data.account.filter(|configured| *configured != self.account) {
            let (kept, configured) = (self.account.to_string(), configured.to_string());
            return Err(ProgramError::OtherAccount { kept, configured });
        }
        let more_keys = self.key_ring.complete(master, randomness)?;
        let moved = config.listen.public_url.as_ref().is_some_and(|url| self.move_to(url));
        if more_keys || moved {
            self.write(store).await?;
        }
        Ok(self)
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
        folder: PathBuf,
        randomness: &dyn Randomness,
    ) -> Result<String, ProgramError> {
        let Some(mut record) = Self::read(store).await? else {
            return Err(ProgramError::NoInstallation { folder });
        };
        let old = key.for_ring(&record.key_ring, folder)?;
        let next = key.next(randomness)?;
        record.key_ring = record.key_ring.rewrap(&old, &next, randomness)?;
        record.write(store).await?;
        key.turned()?;
        Ok(next.fingerprint()?)
    }
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
