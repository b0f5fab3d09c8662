//! homeport-sigv4.
