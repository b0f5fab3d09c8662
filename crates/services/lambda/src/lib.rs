//! homeport-lambda.
