//! homeport-s3.
