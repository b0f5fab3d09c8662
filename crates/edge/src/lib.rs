//! One call's way: listen, limit, route, authenticate, authorize, audit, encode.
//!
//! Start with [`pipeline`]: every AWS call passes through its one function, step by step. The front door
//! sorts what isn't an AWS call to the planes (deployed APIs, pools' pages, the program's own).

mod audit_log;
mod authenticate;
mod aws_host;
mod body_form;
mod bucket_cors;
mod budget;
mod coding;
pub mod cors;
pub mod dev_keys;
mod dynamodb;
pub mod egress;
mod encode;
mod expected_owner;
mod front;
mod host;
pub mod listener;
mod pipeline;
mod recording;
mod refused;
mod request_id;
mod route;
mod scope_check;
pub mod tls;
mod whole;

pub use front::FrontDoor;
pub use homeport_service::{Peer, Via};
pub use host::{Hosts, host_of};
pub use pipeline::{Pipeline, PipelineOptions};
