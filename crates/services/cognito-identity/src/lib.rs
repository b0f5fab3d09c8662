//! homeport-cognito-identity.
