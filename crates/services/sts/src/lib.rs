//! AWS Security Token Service: who a caller is, and temporary credentials.
//!
//! Start with [`operations`]' table.

mod error;
mod operations;

use std::sync::Arc;

use homeport_service::{Host, Hosted, Parts, ServiceSpec};

pub use error::StsError;

/// STS: what its operations work with.
pub struct Sts;

const SPEC: ServiceSpec = ServiceSpec { name: "sts", event_source: "sts", max_body: 256 * 1024 };

/// Makes the service and its table.
pub fn host(_parts: &Parts) -> (Arc<Sts>, Arc<dyn Hosted>) {
    let service = Arc::new(Sts);
    let host = Host::new(SPEC, service.clone(), operations::OPERATIONS);
    (service, Arc::new(host))
}
