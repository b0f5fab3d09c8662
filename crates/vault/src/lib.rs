//! Sealing of secrets at rest.
//!
//! A [`MasterKey`], which is never in the store, wraps the data keys of a [`KeyRing`], which is. Unlocked, the
//! ring is a [`Vault`]: it seals a secret to the one [`Place`] it stands at, hashes what is only ever compared,
//! and derives what need not be kept at all. Everything cryptographic comes from aws-lc-rs.

mod data_key;
mod error;
mod key_file;
mod key_ring;
mod master_key;
mod place;
mod purpose;
mod sealed;
mod secret;
mod vault;

pub use error::VaultError;
pub use key_file::KeyFile;
pub use key_ring::KeyRing;
pub use master_key::MasterKey;
pub use place::Place;
pub use purpose::Purpose;
pub use sealed::Sealed;
pub use secret::{Secret, Secret32};
pub use vault::Vault;
