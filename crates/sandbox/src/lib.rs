//! homeport-sandbox.
