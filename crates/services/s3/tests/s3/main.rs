//! S3 through the whole pipeline.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod buckets;
mod conditions;
mod given;
mod listings;
mod objects;
mod policies;
mod refusals;
mod uploads;
