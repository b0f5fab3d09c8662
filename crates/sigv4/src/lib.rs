//! AWS request signatures: read, verified to the letter, and made. No IO and no store.
//!
//! A request arrives as a [`Head`]. [`Presented::read`] says who claims to have signed it, before any secret is
//! known; the caller looks the access key up and hands its secret to [`verify`], which answers with how the body
//! is bound to the signature ([`BodyForm`]). Signed and trailing chunks are taken apart by [`ChunkedBody`].
//! Paths and queries are read once, by [`Query`] and [`decode_path`], for verifying and for routing alike.
//! [`Signer`] makes what `verify` accepts.
//!
//! Sources: "Signature Version 4 for API requests" of the IAM user guide; "Authenticating Requests (AWS Signature
//! Version 4)" of the Amazon S3 API reference; "Signing and authenticating REST requests" of the S3 user guide
//! for the query form of version 2, of which only presigned objects are accepted.

mod canonical;
mod chunked;
mod credential;
mod date;
mod encode;
mod faults;
mod head;
mod payload;
mod presented;
mod query;
mod refusal;
mod signed_headers;
mod signer;
mod signing_key;
mod sigv2;
mod text;
mod verify;

pub use chunked::{CHUNK_HEADER_MAX, ChunkRefusal, ChunkSigner, ChunkedBody, TRAILERS_MAX, Trailers};
pub use credential::Credential;
pub use encode::{MalformedTarget, decode_path, uri_encode};
pub use faults::Dialect;
pub use head::Head;
pub use payload::DeclaredPayload;
pub use presented::{Presented, SigV4};
pub use query::Query;
pub use refusal::Refusal;
pub use signer::{Credentials, SignedPayload, Signer};
pub use signing_key::{SigningKey, SigningKeys};
pub use sigv2::SigV2;
pub use verify::{BodyForm, PRESIGNED_MAX_SECONDS, Rules, verify};
