//! homeport-testkit.
