//! homeport-blobs.
