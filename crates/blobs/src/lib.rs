//! Blobs: the bytes of objects and packages, beside the store, which holds what they are.
//!
//! A blob is written once, under a random id, and never changed. [`Blobs::create`] gives a writer; what it wrote is
//! there, durably and whole, once [`BlobWriter::finish`] has answered, and nothing of it before. The record that
//! names a blob is committed after that; so a crash in between leaves a blob that no record names, and
//! [`Blobs::sweep`] removes those when they are old enough.
//!
//! They lie in a folder of one process ([`Blobs::folder`]), in one that several nodes share
//! ([`Blobs::shared_folder`]), or in a bucket of an S3 cluster ([`Blobs::s3`]).

mod blob_id;
mod blobs;
mod check;
mod claim;
mod error;
mod hold;
mod place;
mod raw;
mod reader;
mod s3;
mod staged;
mod sweep;
mod writer;

pub use blob_id::BlobId;
pub use blobs::Blobs;
pub use error::BlobError;
pub use hold::Hold;
pub use place::BlobPlace;
pub use raw::Listed;
pub use reader::{BlobReader, READ_CHUNK};
pub use s3::S3Options;
pub use sweep::SWEEP_AGE_SECONDS;
pub use writer::{BlobWriter, WRITE_PART};
