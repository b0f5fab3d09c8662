//! homeport-cloudtrail.
