//! homeport-logs.
