use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use zeroize::Zeroizing;

use crate::Credential;

/// The key that a secret, a day, a region and a service give; good for that scope alone.
#[derive(Clone)]
pub struct SigningKey(Arc<hmac::Key>);

impl SigningKey {
    /// Derives it by four HMACs, as SigV4 says.
    pub fn derive(secret: &[u8], credential: &Credential) -> Self {
        let first = Zeroizing::new([b"AWS4", secret].concat());
        let mut key = hmac::Key::new(HMAC_SHA256, &first);
        let steps = [credential.date(), credential.region(), credential.service(), "aws4_request"];
        for step in steps {
            key = hmac::Key::new(HMAC_SHA256, hmac::sign(&key, step.as_bytes()).as_ref());
        }
        Self(Arc::new(key))
    }

    pub(crate) fn sign(&self, text: &str) -> [u8; 32] {
        let mut signature = [0; 32];
        signature.copy_from_slice(hmac::sign(&self.0, text.as_bytes()).as_ref());
        signature
    }

    /// In constant time.
    pub(crate) fn verifies(&self, text: &str, signature: &[u8; 32]) -> bool {
        hmac::verify(&self.0, text.as_bytes(), signature).is_ok()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

/// Signing keys that were derived lately, by credential. An entry answers only the secret it was derived from, so
/// a changed secret needs no invalidation.
///
/// Two generations of at most `capacity / 2` entries each: the older one is dropped when the younger is full, so
/// what is used stays and looking up costs the same however many there are.
pub struct SigningKeys {
    generation: usize,
    maps: Mutex<[HashMap<String, Entry>; 2]>,
}

#[derive(Clone)]
struct Entry {
    secret: Arc<Zeroizing<Vec<u8>>>,
    key: SigningKey,
}

impl SigningKeys {
    /// A cache of at most `capacity` keys, of about 600 bytes each.
    pub fn new(capacity: usize) -> Self {
        Self { generation: (capacity / 2).max(1), maps: Mutex::default() }
    }

    /// The key for this credential and secret, derived if it is not there.
    pub fn get(&self, secret: &[u8], credential: &Credential) -> SigningKey {
        if let Some(key) = self.find(secret, credential) {
            return key;
        }
        let key = SigningKey::derive(secret, credential);
        let secret = Arc::new(Zeroizing::new(secret.to_vec()));
        self.insert(credential.as_str().to_owned(), Entry { secret, key: key.clone() });
        key
    }

    fn find(&self, secret: &[u8], credential: &Credential) -> Option<SigningKey> {
        let right = |entry: &&Entry| verify_slices_are_equal(&entry.secret, secret).is_ok();
        let maps = self.maps.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = maps[0].get(credential.as_str()) {
            return Some(entry).filter(right).map(|entry| entry.key.clone());
        }
        let entry = maps[1].get(credential.as_str()).filter(right)?.clone();
        drop(maps);
        self.insert(credential.as_str().to_owned(), entry.clone());
        Some(entry.key)
    }

    fn insert(&self, credential: String, entry: Entry) {
        let mut maps = self.maps.lock().unwrap_or_else(PoisonError::into_inner);
        if maps[0].len() >= self.generation {
            maps[1] = std::mem::take(&mut maps[0]);
        }
        maps[0].insert(credential, entry);
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeys").field("generation", &self.generation).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(keys: &SigningKeys) -> usize {
        keys.maps.lock().unwrap().iter().map(HashMap::len).sum()
    }

    #[test]
    fn the_cache_stays_within_its_bound_and_keeps_what_is_used() {
        let keys = SigningKeys::new(8);
        let used = Credential::new("AKIDUSED", "20150830", "us-east-1", "s3");
        for n in 0..1_000 {
            keys.get(b"secret", &Credential::new(&format!("AKID{n}"), "20150830", "us-east-1", "s3"));
            keys.get(b"used", &used);
            assert!(held(&keys) <= 8);
            assert!(keys.find(b"used", &used).is_some());
        }
    }

    #[test]
    fn another_secret_of_the_same_key_gets_another_signing_key() {
        let keys = SigningKeys::new(8);
        let credential = Credential::new("AKID", "20150830", "us-east-1", "s3");
        let old = keys.get(b"old", &credential).sign("text");
        assert_ne!(keys.get(b"new", &credential).sign("text"), old);
        assert_eq!(keys.get(b"old", &credential).sign("text"), old);
    }
}
