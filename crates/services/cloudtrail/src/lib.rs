#![doc = include_str!("../README.md")]

pub mod chain;
mod error;
mod event;
mod operations;

use std::sync::Arc;

use homeport_service::{Host, Hosted, Parts, ServiceSpec};

pub use error::TrailError;

/// CloudTrail: what its operations work with.
pub struct CloudTrail;

const SPEC: ServiceSpec =
    ServiceSpec { name: "cloudtrail", event_source: "cloudtrail", max_body: 256 * 1024 };

/// Makes the service and its table.
pub fn host(_parts: &Parts) -> (Arc<CloudTrail>, Arc<dyn Hosted>) {
    let service = Arc::new(CloudTrail);
    let host = Host::new(SPEC, service.clone(), operations::OPERATIONS);
    (service, Arc::new(host))
}
