//! homeport-policy.
