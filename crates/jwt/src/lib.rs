//! homeport-jwt.
