//! Amazon API Gateway, REST APIs: the control plane's operations and the data plane that serves deployments.
//!
//! Start with [`operations`]' table for the one and with [`plane`] for the other. A deployment is a picture of an API
//! that never changes; a stage serves one, and the data plane compiles it once.

mod error;
mod integration;
pub mod limits;
mod mapping;
mod method;
mod operations;
mod patch;
mod plane;
mod records;
mod resource_policy;

use std::sync::Arc;

use homeport_service::{Host, Hosted, Parts, Plane, ServiceSpec};

pub use error::GatewayError;

/// API Gateway's control plane: it works on records alone.
pub struct ApiGateway;

const SPEC: ServiceSpec =
    ServiceSpec { name: "apigateway", event_source: "apigateway", max_body: 6 * 1024 * 1024 };

/// Makes the service and its table.
pub fn host(_parts: &Parts) -> (Arc<ApiGateway>, Arc<dyn Hosted>) {
    let service = Arc::new(ApiGateway);
    let host = Host::new(SPEC, service.clone(), operations::OPERATIONS);
    (service, Arc::new(host))
}

/// Makes the plane that answers calls of deployed APIs. It must be made within a runtime, as access logs are written
/// by a task of their own.
pub fn plane(parts: &Parts) -> Arc<dyn Plane> {
    Arc::new(plane::DataPlane::new(parts))
}
