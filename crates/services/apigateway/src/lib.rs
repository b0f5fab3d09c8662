//! homeport-apigateway.
