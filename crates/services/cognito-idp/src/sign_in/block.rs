//! What goes to the client between two steps of a sign-in and comes back: sealed, bound to pool and client, short-lived,
//! and good once. Nothing is stored for a step that is never taken.

use homeport_core::{Randomness, Timestamp};
use homeport_vault::{Place, Purpose, Sealed, Vault};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::attempt::Single;
use crate::error::IdpError;
use crate::records::Client;

/// The longest block that is looked at, in characters.
const MAX_BLOCK: usize = 8_192;

/// A block with what it holds.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct Block<T> {
    nonce: [u8; 16],
    ends: Timestamp,
    pub(crate) content: T,
}

impl<T: Serialize + DeserializeOwned> Block<T> {
    /// A block that ends after so many seconds.
    pub(crate) fn new(content: T, randomness: &dyn Randomness, now: Timestamp, seconds: i64) -> Self {
        let mut nonce = [0; 16];
        randomness.fill(&mut nonce);
        Self { nonce, ends: now.plus_seconds(seconds), content }
    }

    /// Seals it for a client; `step` says what it is for.
    pub(crate) fn seal(&self, vault: &Vault, client: &Client, step: &str) -> Result<String, IdpError> {
        let bytes = serde_json::to_vec(self).map_err(|error| IdpError::Internal(error.to_string()))?;
        let bytes = Zeroizing::new(bytes);
        let key = client.pool.parts().str(&client.id);
        Ok(vault.seal(Purpose::UserPool, &place(key.as_bytes(), step), &bytes)?.to_text())
    }

    /// Opens what the client sent back; none when it is not ours, not for this client and step, or too old.
    pub(crate) fn open(
        vault: &Vault,
        client: &Client,
        step: &str,
        text: &str,
        now: Timestamp,
    ) -> Option<Self> {
        if text.len() > MAX_BLOCK {
            return None;
        }
        let sealed = Sealed::parse(text).ok()?;
        let key = client.pool.parts().str(&client.id);
        let opened = vault.open_as(Purpose::UserPool, &place(key.as_bytes(), step), &sealed).ok()?;
        let block: Self = serde_json::from_slice(opened.expose()).ok()?;
        (now < block.ends).then_some(block)
    }

    /// What marks it as used.
    pub(crate) fn single(&self) -> Single<'_> {
        Single { nonce: &self.nonce, ends: self.ends }
    }
}

fn place<'a>(key: &'a [u8], step: &'a str) -> Place<'a> {
    Place { collection: "cognito-idp.block", key, field: step }
}
