//! homeport-dynamodb.
