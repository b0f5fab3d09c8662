//! homeport-cognito-idp.
