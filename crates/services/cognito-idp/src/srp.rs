//! The server's side of Cognito's SRP: SRP-6a (RFC 5054) over the 3,072-bit group with SHA-256, and what the
//! clients (Amplify, amazon-cognito-identity-js, pycognito) add to it: numbers are hashed as Java's
//! `BigInteger.toByteArray` writes them, the session key is drawn by HKDF with "Caldera Derived Key", and the
//! proof is an HMAC over pool, user, secret block and timestamp.
//!
//! A sign-in: [`Verifier`] was made when the password was set; [`Exchange::open`] answers the client's `SRP_A`;
//! [`Exchange::key`] gives the session key, under which [`proof::check`] judges the client's signature. All
//! arithmetic on secrets takes constant time, by `crypto-bigint`.

mod exchange;
mod group;
mod integer;
pub(crate) mod proof;
#[cfg(test)]
mod tests;
mod verifier;

pub(crate) use exchange::{Exchange, SessionKey};
pub(crate) use verifier::{SALT_BYTES, Verifier};

/// What a client sent is not a value of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("SRP_A is not valid")]
pub(crate) struct InvalidPublicValue;
