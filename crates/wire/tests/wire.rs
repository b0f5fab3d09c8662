//! The codecs from outside: snapshots per protocol, constraints, routing, mutations, and botocore as an oracle.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

#[path = "wire/botocore.rs"]
mod botocore;
#[path = "wire/constraints.rs"]
mod constraints;
#[path = "wire/json.rs"]
mod json;
#[path = "wire/models.rs"]
mod models;
#[path = "wire/mutations.rs"]
mod mutations;
#[path = "wire/properties.rs"]
mod properties;
#[path = "wire/query.rs"]
mod query;
#[path = "wire/requests.rs"]
mod requests;
#[path = "wire/rest.rs"]
mod rest;
