//! homeport-wire.
