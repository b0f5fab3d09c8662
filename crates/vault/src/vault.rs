use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use homeport_core::{SeededRandomness, SharedRandomness};

use crate::data_key::DataKey;
use crate::key_ring::random;
use crate::place::length_prefixed;
use crate::sealed::{FORMAT, KEY_ID_LENGTH};
use crate::{KeyRing, MasterKey, Place, Purpose, Sealed, Secret, Secret32, VaultError};

type KeyId = [u8; KEY_ID_LENGTH];

/// An installation's unwrapped data keys. Cheap to clone; the keys are zeroed when the last clone goes.
#[derive(Clone)]
pub struct Vault(Arc<Keys>);

struct Keys {
    installation: String,
    by_purpose: HashMap<Purpose, KeyId>,
    by_id: HashMap<KeyId, DataKey>,
    randomness: SharedRandomness,
}

impl Vault {
    pub(crate) fn new(
        installation: String,
        keys: Vec<(Purpose, KeyId, Secret32)>,
        randomness: SharedRandomness,
    ) -> Result<Self, VaultError> {
        let by_purpose: HashMap<_, _> = keys.iter().map(|(purpose, id, _)| (*purpose, *id)).collect();
        let data_keys = keys.iter().map(|(_, id, key)| Ok((*id, DataKey::new(key)?)));
        let by_id = data_keys.collect::<Result<HashMap<_, _>, VaultError>>()?;
        if Purpose::ALL.iter().any(|purpose| !by_purpose.contains_key(purpose)) {
            return Err(VaultError::BrokenRing);
        }
        Ok(Self(Arc::new(Keys { installation, by_purpose, by_id, randomness })))
    }

    /// A vault whose keys and nonces follow from a fixed seed. For tests alone: it hides nothing.
    pub fn for_tests() -> Self {
        let randomness = SeededRandomness::new(0x5ea1);
        let master = MasterKey::generate(&randomness);
        let ring = KeyRing::new(&master, &randomness);
        let vault = ring.and_then(|ring| ring.unlock(&master, Arc::new(randomness)));
        #[expect(clippy::unwrap_used, reason = "a ring just made opens under the key it was made with")]
        vault.unwrap()
    }

    /// Thirty-two hexadecimal digits that name the installation.
    pub fn installation(&self) -> &str {
        &self.0.installation
    }

    /// Seals a secret to its place by AES-256-GCM-SIV (RFC 8452) with a random nonce.
    pub fn seal(&self, purpose: Purpose, place: &Place<'_>, secret: &[u8]) -> Result<Sealed, VaultError> {
        let (id, key) = self.key_of(purpose);
        let nonce = random(&*self.0.randomness);
        let ciphertext = key.seal(nonce, &self.associated_data(id, place), secret)?;
        Ok(Sealed::assemble(*id, nonce, &ciphertext))
    }

    /// Opens what was sealed for this place. Fails with [`VaultError::Refused`] where it was altered or was sealed
    /// for another place, with [`VaultError::UnknownKey`] where another installation sealed it.
    pub fn open(&self, place: &Place<'_>, sealed: &Sealed) -> Result<Secret, VaultError> {
        let id = sealed.key_id();
        let key = self.0.by_id.get(&id).ok_or(VaultError::UnknownKey)?;
        key.open(sealed.nonce(), &self.associated_data(&id, place), sealed.ciphertext())
    }

    /// As [`Vault::open`], and refuses what was sealed for another purpose, which matters where a sealed value
    /// comes from a client instead of the store.
    pub fn open_as(
        &self,
        purpose: Purpose,
        place: &Place<'_>,
        sealed: &Sealed,
    ) -> Result<Secret, VaultError> {
        if self.0.by_purpose.get(&purpose) != Some(&sealed.key_id()) {
            return Err(VaultError::UnknownKey);
        }
        self.open(place, sealed)
    }

    /// HMAC-SHA-256 of the parts, each with its length, for what is only ever compared. Compare two in constant
    /// time with [`Vault::same_hash`].
    pub fn keyed_hash(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        self.key_of(purpose).1.hash(parts)
    }

    /// Whether two keyed hashes are equal, in a time that doesn't tell where they differ.
    pub fn same_hash(left: &[u8], right: &[u8]) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(left, right).is_ok()
    }

    /// Thirty-two bytes by HKDF-SHA-256 (RFC 5869) from the purpose's key and the parts, each with its length.
    pub fn derive(&self, purpose: Purpose, info: &[&[u8]]) -> Secret32 {
        #[expect(
            clippy::unwrap_used,
            reason = "HKDF fails only for outputs over 255 hashes long; this is one"
        )]
        self.key_of(purpose).1.derive(info).unwrap()
    }

    fn key_of(&self, purpose: Purpose) -> (&KeyId, &DataKey) {
        let id = &self.0.by_purpose[&purpose];
        (id, &self.0.by_id[id])
    }

    fn associated_data(&self, id: &KeyId, place: &Place<'_>) -> Vec<u8> {
        length_prefixed([
            [FORMAT].as_slice(),
            self.0.installation.as_bytes(),
            id,
            place.collection.as_bytes(),
            place.key,
            place.field.as_bytes(),
        ])
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLACE: Place<'_> = Place { collection: "iam.access_key", key: b"AKIA", field: "secret" };

    #[test]
    fn a_secret_opens_at_its_place_alone() {
        let vault = Vault::for_tests();
        let sealed = vault.seal(Purpose::Iam, &PLACE, b"hunter2").unwrap();
        assert_eq!(vault.open(&PLACE, &sealed).unwrap().expose(), b"hunter2");
        let elsewhere = [
            Place { collection: "iam.access_keys", ..PLACE },
            Place { key: b"AKIB", ..PLACE },
            Place { field: "secret2", ..PLACE },
            // The same bytes, cut differently.
            Place { collection: "iam.access_keyA", key: b"KIA", field: "secret" },
        ];
        for place in elsewhere {
            assert!(matches!(vault.open(&place, &sealed), Err(VaultError::Refused)), "{place:?}");
        }
    }

    #[test]
    fn another_installation_cannot_open_it() {
        let sealed = Vault::for_tests().seal(Purpose::Iam, &PLACE, b"hunter2").unwrap();
        let randomness = SeededRandomness::new(4);
        let master = MasterKey::generate(&randomness);
        let ring = KeyRing::new(&master, &randomness).unwrap();
        let other = ring.unlock(&master, Arc::new(randomness)).unwrap();
        assert!(matches!(other.open(&PLACE, &sealed), Err(VaultError::UnknownKey)));
    }

    #[test]
    fn another_purpose_cannot_open_it() {
        let vault = Vault::for_tests();
        let sealed = vault.seal(Purpose::Iam, &PLACE, b"hunter2").unwrap();
        assert!(vault.open_as(Purpose::Iam, &PLACE, &sealed).is_ok());
        assert!(matches!(vault.open_as(Purpose::Session, &PLACE, &sealed), Err(VaultError::UnknownKey)));
    }

    #[test]
    fn every_altered_byte_is_noticed() {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD;
        let vault = Vault::for_tests();
        let sealed = vault.seal(Purpose::Iam, &PLACE, b"hunter2").unwrap();
        let bytes = STANDARD.decode(sealed.to_text()).unwrap();
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            let opened =
                Sealed::parse(&STANDARD.encode(altered)).and_then(|sealed| vault.open(&PLACE, &sealed));
            assert!(opened.is_err(), "byte {at}");
        }
    }

    #[test]
    fn the_same_secret_is_never_sealed_alike() {
        let vault = Vault::for_tests();
        let first = vault.seal(Purpose::Iam, &PLACE, b"hunter2").unwrap();
        assert_ne!(vault.seal(Purpose::Iam, &PLACE, b"hunter2").unwrap(), first);
    }

    #[test]
    fn nothing_secret_is_printed() {
        let vault = Vault::for_tests();
        let sealed = vault.seal(Purpose::Iam, &PLACE, b"hunter2").unwrap();
        let master = MasterKey::generate(&SeededRandomness::new(1));
        let ring = KeyRing::new(&master, &SeededRandomness::new(2)).unwrap();
        let opened = vault.open(&PLACE, &sealed).unwrap();
        let printed = format!(
            "{vault:?} {sealed:?} {master:?} {ring:?} {opened:?} {:?}",
            vault.derive(Purpose::Iam, &[])
        );
        assert_eq!(printed, "Vault(..) Sealed(..) MasterKey(..) KeyRing(12 keys) Secret(..) Secret32(..)");
    }

    #[test]
    fn purposes_and_uses_share_no_key() {
        let vault = Vault::for_tests();
        let hashes: Vec<_> = Purpose::ALL.iter().map(|purpose| vault.keyed_hash(*purpose, &[b"a"])).collect();
        let derived: Vec<_> =
            Purpose::ALL.iter().map(|purpose| *vault.derive(*purpose, &[b"a"]).expose()).collect();
        let mut all: Vec<_> = hashes.into_iter().chain(derived).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 2 * Purpose::ALL.len());
    }

    proptest! {
        #[test]
        fn what_was_sealed_is_what_is_opened(secret: Vec<u8>, key: Vec<u8>, field: String) {
            let vault = Vault::for_tests();
            let place = Place { collection: "c", key: &key, field: &field };
            let sealed = vault.seal(Purpose::Tokens, &place, &secret).unwrap();
            let stored = Sealed::parse(&sealed.to_text()).unwrap();
            let opened = vault.open(&place, &stored).unwrap();
            prop_assert_eq!(opened.expose(), secret.as_slice());
        }

        #[test]
        fn parts_never_spill_into_each_other(left: Vec<Vec<u8>>, right: Vec<Vec<u8>>) {
            let vault = Vault::for_tests();
            let hash = |parts: &[Vec<u8>]| {
                vault.keyed_hash(Purpose::Tokens, &parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
            };
            prop_assert_eq!(hash(&left) == hash(&right), left == right);
            prop_assert!(Vault::same_hash(&hash(&left), &hash(&left)));
        }
    }
}
