//! `NextToken`: where a `SELECT` goes on, for the very statement and parameters that it was given for. What it says is
//! signed with the table's secret, so that nobody else can say where to go on.

use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::error::DynamoError;
use crate::partiql::StatementError;
use crate::table::Table;
use crate::value::{AttributeValue, Item, decode_stored, encode_stored, write_value};

const HASH: usize = 32;
/// What is signed begins with this; nothing else that the secret signs does.
const PURPOSE: &[u8] = b"PartiQL NextToken";

/// What a token is good for: a hash of statement and parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Binding([u8; HASH]);

impl Binding {
    pub(super) fn of(statement: &str, parameters: &[AttributeValue]) -> Self {
        let mut bytes = (statement.len() as u64).to_be_bytes().to_vec();
        bytes.extend_from_slice(statement.as_bytes());
        parameters.iter().for_each(|parameter| write_value(parameter, &mut bytes));
        let hash = digest::digest(&digest::SHA256, &bytes);
        Self(hash.as_ref().first_chunk().copied().unwrap_or_default())
    }
}

/// How far a `SELECT` came.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Position {
    /// The stretch, of those that the statement falls into.
    pub(super) stretch: u32,
    /// The key of the last item that was looked at in it.
    pub(super) after: Option<Item>,
}

impl Position {
    /// The token that says so.
    pub(super) fn token(&self, binding: Binding, table: &Table) -> String {
        let mut bytes = binding.0.to_vec();
        bytes.extend_from_slice(&self.stretch.to_be_bytes());
        bytes.extend(self.after.iter().flat_map(encode_stored));
        let tag = hmac::sign(&secret(table), &signed(&bytes));
        bytes.extend_from_slice(tag.as_ref());
        STANDARD.encode(bytes)
    }

    /// What a token says.
    pub(super) fn of(token: &str, binding: Binding, table: &Table) -> Result<Self, DynamoError> {
        let invalid = || DynamoError::from(StatementError::NextToken);
        let bytes = STANDARD.decode(token).map_err(|_| invalid())?;
        let (said, tag) = bytes.split_last_chunk::<HASH>().ok_or_else(invalid)?;
        let (bound, place) = said.split_first_chunk::<HASH>().ok_or_else(invalid)?;
        if *bound != binding.0 {
            return Err(StatementError::NextTokenOfAnother.into());
        }
        hmac::verify(&secret(table), &signed(said), tag).map_err(|_| invalid())?;
        let (stretch, after) = place.split_first_chunk::<4>().ok_or_else(invalid)?;
        let after = if after.is_empty() { None } else { Some(decode_stored(after)?) };
        Ok(Self { stretch: u32::from_be_bytes(*stretch), after })
    }
}

fn secret(table: &Table) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &hex::decode(&table.hash_seed).unwrap_or_default())
}

fn signed(bytes: &[u8]) -> Vec<u8> {
    [PURPOSE, bytes].concat()
}
