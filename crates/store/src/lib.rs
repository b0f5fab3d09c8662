//! homeport-store.
