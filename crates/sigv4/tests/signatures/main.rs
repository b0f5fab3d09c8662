//! Signatures as they are met in the world: AWS's vectors and documented examples, botocore's signer, and every
//! way of tampering.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod chunks;
mod given;
mod mutations;
mod oracle;
mod refusals;
mod sigv2;
mod vectors;
