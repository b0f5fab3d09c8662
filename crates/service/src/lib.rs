//! homeport-service.
