//! JSON Web Tokens as user pools issue them: RS256 (RFC 7515, RFC 7518 section 3.3, RFC 7519), and nothing else.
//!
//! [`SigningKey`] makes tokens, [`KeySet`] publishes what verifies them (RFC 7517), and [`verify`] accepts a
//! token of an issuer that the caller expects. The caller says which issuer and hands that issuer's keys in:
//! of a token's own words only `kid` is heard, and only to choose within that set. Pure: no IO, no clock of
//! its own.

mod bounds;
mod claims;
mod key_set;
mod refusal;
mod signing_key;
mod verify;

pub use bounds::{MAX_DEPTH, MAX_TOKEN_BYTES};
pub use claims::{Claims, claimed_issuer};
pub use key_set::{Jwk, Jwks, KeySet, PublicKey};
pub use refusal::Refusal;
pub use signing_key::{KeyFault, Pkcs8, SigningKey};
pub use verify::{Expected, verify};
