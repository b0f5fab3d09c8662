//! Blobs: the bytes of objects and packages, beside the store, which holds what they are.
//!
//! A blob is written once, under a random id, and never changed. [`Blobs::create`] gives a writer; what it wrote is
//! there, durably and whole, once [`BlobWriter::finish`] has answered, and nothing of it before. The record that
//! names a blob is committed after that; so a crash in between leaves a blob that no record names, and
//! [`Blobs::sweep`] removes those when they are old enough.

mod blob_id;
mod blobs;
mod reader;
mod staged;
mod writer;

pub use blob_id::BlobId;
pub use blobs::{BlobError, Blobs, SWEEP_AGE_SECONDS};
pub use reader::{BlobReader, READ_CHUNK};
pub use writer::{BlobWriter, WRITE_PART};
