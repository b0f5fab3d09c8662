//! homeport-iam.
