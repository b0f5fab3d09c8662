//! homeport-sts.
