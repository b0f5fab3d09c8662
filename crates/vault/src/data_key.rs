use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac};
use zeroize::Zeroizing;

use crate::place::length_prefixed;
use crate::sealed::NONCE_LENGTH;
use crate::{Secret, Secret32, VaultError};

/// Thirty-two bytes by HKDF-SHA-256 from `secret`, for the use that `info` names.
pub(crate) fn hkdf_32(secret: &[u8; 32], info: &[&[u8]]) -> Result<Secret32, VaultError> {
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, b"homeport").extract(secret);
    let mut derived = Zeroizing::new([0; 32]);
    let expanded = prk.expand(info, hkdf::HKDF_SHA256).map_err(|_| VaultError::Library)?;
    expanded.fill(derived.as_mut_slice()).map_err(|_| VaultError::Library)?;
    Ok(Secret32::new(*derived))
}

/// The three keys that come from one purpose's key: to seal, to hash and to derive. None is used for two things.
pub(crate) struct DataKey {
    seal: LessSafeKey,
    hash: hmac::Key,
    derive: Secret32,
}

impl DataKey {
    pub(crate) fn new(key: &Secret32) -> Result<Self, VaultError> {
        let seal = hkdf_32(key.expose(), &[b"seal"])?;
        let hash = hkdf_32(key.expose(), &[b"hash"])?;
        Ok(Self {
            seal: aead_key(&seal)?,
            hash: hmac::Key::new(hmac::HMAC_SHA256, hash.expose()),
            derive: hkdf_32(key.expose(), &[b"derive"])?,
        })
    }

    pub(crate) fn seal(
        &self,
        nonce: [u8; NONCE_LENGTH],
        aad: &[u8],
        secret: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        seal(&self.seal, nonce, aad, secret)
    }

    pub(crate) fn open(
        &self,
        nonce: [u8; NONCE_LENGTH],
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Secret, VaultError> {
        open(&self.seal, nonce, aad, sealed)
    }

    pub(crate) fn hash(&self, parts: &[&[u8]]) -> [u8; 32] {
        let tag = hmac::sign(&self.hash, &length_prefixed(parts.iter().copied()));
        let mut hash = [0; 32];
        hash.copy_from_slice(tag.as_ref());
        hash
    }

    pub(crate) fn derive(&self, info: &[&[u8]]) -> Result<Secret32, VaultError> {
        hkdf_32(self.derive.expose(), &[&length_prefixed(info.iter().copied())])
    }
}

pub(crate) fn aead_key(key: &Secret32) -> Result<LessSafeKey, VaultError> {
    let unbound = UnboundKey::new(&AES_256_GCM_SIV, key.expose()).map_err(|_| VaultError::Library)?;
    Ok(LessSafeKey::new(unbound))
}

pub(crate) fn seal(
    key: &LessSafeKey,
    nonce: [u8; NONCE_LENGTH],
    aad: &[u8],
    secret: &[u8],
) -> Result<Vec<u8>, VaultError> {
    // Room for the tag from the start: a buffer that grew would leave the plain text behind in freed memory.
    let mut buffer = Zeroizing::new(Vec::with_capacity(secret.len() + 16));
    buffer.extend_from_slice(secret);
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut *buffer)
        .map_err(|_| VaultError::Library)?;
    Ok(std::mem::take(&mut *buffer))
}

pub(crate) fn open(
    key: &LessSafeKey,
    nonce: [u8; NONCE_LENGTH],
    aad: &[u8],
    sealed: &[u8],
) -> Result<Secret, VaultError> {
    let mut buffer = Zeroizing::new(sealed.to_vec());
    let opened = key.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut buffer);
    let length = opened.map_err(|_| VaultError::Refused)?.len();
    buffer.truncate(length);
    Ok(Secret::new(std::mem::take(&mut *buffer)))
}
