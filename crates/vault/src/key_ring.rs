use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use homeport_core::{Randomness, SharedRandomness};
use zeroize::Zeroizing;

use crate::data_key::{aead_key, open, seal};
use crate::place::length_prefixed;
use crate::sealed::{KEY_ID_LENGTH, NONCE_LENGTH};
use crate::{MasterKey, Purpose, Secret32, Vault, VaultError};

/// The wrapped data keys of an installation. It is kept in the store as it is (serialized), and useless without
/// the master key that it was wrapped under.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KeyRing {
    installation: String,
    master_key: String,
    keys: Vec<WrappedKey>,
}

#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct WrappedKey {
    purpose: Purpose,
    id: String,
    nonce: String,
    wrapped: String,
}

impl KeyRing {
    /// A ring for a new installation: a random id and a random key for every purpose.
    pub fn new(master: &MasterKey, randomness: &dyn Randomness) -> Result<Self, VaultError> {
        let installation = hex::encode(random::<16>(randomness));
        let mut ring = Self { installation, master_key: master.fingerprint()?, keys: Vec::new() };
        ring.complete(master, randomness)?;
        Ok(ring)
    }

    /// Thirty-two hexadecimal digits that name the installation; sealed values are bound to it.
    pub fn installation(&self) -> &str {
        &self.installation
    }

    /// The fingerprint of the master key it is wrapped under.
    pub fn master_key(&self) -> &str {
        &self.master_key
    }

    /// Adds keys for the purposes that have none yet (those of a newer version of the program). True when any was
    /// added: the ring must then be stored before the vault is used.
    pub fn complete(&mut self, master: &MasterKey, randomness: &dyn Randomness) -> Result<bool, VaultError> {
        self.check(master)?;
        let missing: Vec<Purpose> = Purpose::ALL
            .into_iter()
            .filter(|purpose| self.keys.iter().all(|key| key.purpose != *purpose))
            .collect();
        for &purpose in &missing {
            let id = random::<KEY_ID_LENGTH>(randomness);
            let key = Secret32::new(*Zeroizing::new(random::<32>(randomness)));
            self.keys.push(self.wrap(master, purpose, id, &key, randomness)?);
        }
        Ok(!missing.is_empty())
    }

    /// Unwraps the keys. Nonces of what is sealed later are drawn from `randomness`.
    pub fn unlock(&self, master: &MasterKey, randomness: SharedRandomness) -> Result<Vault, VaultError> {
        Vault::new(self.installation.clone(), self.unwrap_all(master)?, randomness)
    }

    /// The same keys wrapped under another master key. What is sealed stays as it is.
    pub fn rewrap(
        &self,
        old: &MasterKey,
        new: &MasterKey,
        randomness: &dyn Randomness,
    ) -> Result<Self, VaultError> {
        let mut ring = Self {
            installation: self.installation.clone(),
            master_key: new.fingerprint()?,
            keys: Vec::new(),
        };
        for (purpose, id, key) in self.unwrap_all(old)? {
            let wrapped = ring.wrap(new, purpose, id, &key, randomness)?;
            ring.keys.push(wrapped);
        }
        Ok(ring)
    }

    /// Whether this is the key that the ring was wrapped under.
    pub fn is_wrapped_under(&self, master: &MasterKey) -> bool {
        self.check(master).is_ok()
    }

    fn check(&self, master: &MasterKey) -> Result<(), VaultError> {
        let given = master.fingerprint()?;
        if given == self.master_key {
            return Ok(());
        }
        Err(VaultError::AnotherMasterKey { expected: self.master_key.clone(), given })
    }

    fn wrap(
        &self,
        master: &MasterKey,
        purpose: Purpose,
        id: [u8; KEY_ID_LENGTH],
        key: &Secret32,
        randomness: &dyn Randomness,
    ) -> Result<WrappedKey, VaultError> {
        let nonce = random::<NONCE_LENGTH>(randomness);
        let wrapped =
            seal(&aead_key(&master.wrapping_key()?)?, nonce, &self.bound_to(purpose, &id), key.expose())?;
        Ok(WrappedKey {
            purpose,
            id: hex::encode(id),
            nonce: hex::encode(nonce),
            wrapped: STANDARD.encode(wrapped),
        })
    }

    fn unwrap_all(
        &self,
        master: &MasterKey,
    ) -> Result<Vec<(Purpose, [u8; KEY_ID_LENGTH], Secret32)>, VaultError> {
        self.check(master)?;
        let wrapping_key = aead_key(&master.wrapping_key()?)?;
        let unwrapped = self.keys.iter().map(|key| {
            let id = fixed::<KEY_ID_LENGTH>(hex::decode(&key.id).ok())?;
            let nonce = fixed::<NONCE_LENGTH>(hex::decode(&key.nonce).ok())?;
            let wrapped = STANDARD.decode(&key.wrapped).map_err(|_| VaultError::BrokenRing)?;
            let secret = open(&wrapping_key, nonce, &self.bound_to(key.purpose, &id), &wrapped)
                .map_err(|_| VaultError::BrokenRing)?;
            let bytes = <[u8; 32]>::try_from(secret.expose()).map_err(|_| VaultError::BrokenRing)?;
            Ok((key.purpose, id, Secret32::new(bytes)))
        });
        unwrapped.collect()
    }

    fn bound_to(&self, purpose: Purpose, id: &[u8]) -> Vec<u8> {
        length_prefixed([
            b"data key 1".as_slice(),
            self.installation.as_bytes(),
            purpose.name().as_bytes(),
            id,
        ])
    }
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyRing({} keys)", self.keys.len())
    }
}

pub(crate) fn random<const N: usize>(randomness: &dyn Randomness) -> [u8; N] {
    let mut bytes = [0; N];
    randomness.fill(&mut bytes);
    bytes
}

fn fixed<const N: usize>(bytes: Option<Vec<u8>>) -> Result<[u8; N], VaultError> {
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(VaultError::BrokenRing)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Place, Sealed};
    use homeport_core::SeededRandomness;

    const PLACE: Place<'_> = Place { collection: "iam.access_key", key: b"AKIA", field: "secret" };

    fn master(seed: u64) -> MasterKey {
        MasterKey::generate(&SeededRandomness::new(seed))
    }

    fn unlock(ring: &KeyRing, key: &MasterKey) -> Result<Vault, VaultError> {
        ring.unlock(key, Arc::new(SeededRandomness::new(99)))
    }

    fn sealed_under(ring: &KeyRing, key: &MasterKey) -> Sealed {
        unlock(ring, key).unwrap().seal(Purpose::Iam, &PLACE, b"hunter2").unwrap()
    }

    #[test]
    fn a_ring_opens_only_under_its_master_key() {
        let ring = KeyRing::new(&master(1), &SeededRandomness::new(2)).unwrap();
        assert!(unlock(&ring, &master(1)).is_ok());
        let other = unlock(&ring, &master(3)).unwrap_err();
        assert!(matches!(other, VaultError::AnotherMasterKey { .. }), "{other}");
    }

    #[test]
    fn a_ring_survives_being_stored() {
        let ring = KeyRing::new(&master(1), &SeededRandomness::new(2)).unwrap();
        let sealed = sealed_under(&ring, &master(1));
        let stored = serde_json::to_vec(&ring).unwrap();
        let again: KeyRing = serde_json::from_slice(&stored).unwrap();
        let opened = unlock(&again, &master(1)).unwrap().open(&PLACE, &sealed).unwrap();
        assert_eq!(opened.expose(), b"hunter2");
    }

    #[test]
    fn rewrapping_changes_the_master_key_and_nothing_sealed() {
        let ring = KeyRing::new(&master(1), &SeededRandomness::new(2)).unwrap();
        let sealed = sealed_under(&ring, &master(1));
        let rewrapped = ring.rewrap(&master(1), &master(5), &SeededRandomness::new(6)).unwrap();
        assert!(unlock(&rewrapped, &master(1)).is_err());
        let vault = unlock(&rewrapped, &master(5)).unwrap();
        assert_eq!(vault.open(&PLACE, &sealed).unwrap().expose(), b"hunter2");
    }

    #[test]
    fn a_key_moved_to_another_purpose_is_refused() {
        let mut ring = KeyRing::new(&master(1), &SeededRandomness::new(2)).unwrap();
        ring.keys[0].purpose = Purpose::Iam;
        ring.keys[1].purpose = Purpose::UserPool;
        assert!(matches!(unlock(&ring, &master(1)), Err(VaultError::BrokenRing)));
    }

    #[test]
    fn a_ring_of_another_installation_is_refused() {
        let mut ring = KeyRing::new(&master(1), &SeededRandomness::new(2)).unwrap();
        ring.installation = "00".repeat(16);
        assert!(matches!(unlock(&ring, &master(1)), Err(VaultError::BrokenRing)));
    }

    #[test]
    fn an_older_ring_gains_the_purposes_it_lacks() {
        let mut ring = KeyRing::new(&master(1), &SeededRandomness::new(2)).unwrap();
        let sealed = sealed_under(&ring, &master(1));
        ring.keys.retain(|key| key.purpose != Purpose::Audit);
        assert!(ring.complete(&master(1), &SeededRandomness::new(7)).unwrap());
        assert!(!ring.complete(&master(1), &SeededRandomness::new(8)).unwrap());
        let vault = unlock(&ring, &master(1)).unwrap();
        assert_eq!(vault.open(&PLACE, &sealed).unwrap().expose(), b"hunter2");
    }
}
