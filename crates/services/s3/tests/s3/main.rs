//! S3 through the whole pipeline.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod blobs;
mod browsers;
mod buckets;
mod conditions;
mod digests;
mod for_services;
mod given;
mod listings;
mod multipart;
mod objects;
mod owners;
mod pinned;
mod policies;
mod refusals;
mod uploads;
