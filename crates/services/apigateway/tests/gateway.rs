//! API Gateway through the whole pipeline: its control plane, and calls of deployed APIs.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

#[path = "gateway/access_logs.rs"]
mod access_logs;
#[path = "gateway/authorizers.rs"]
mod authorizers;
#[path = "gateway/cognito.rs"]
mod cognito;
#[path = "gateway/control.rs"]
mod control;
#[path = "gateway/house.rs"]
mod house;
#[path = "gateway/iam.rs"]
mod iam;
#[path = "gateway/lambda.rs"]
mod lambda;
#[path = "gateway/mocks.rs"]
mod mocks;
#[path = "gateway/nodes.rs"]
mod nodes;
#[path = "gateway/proxy.rs"]
mod proxy;
#[path = "gateway/strangers.rs"]
mod strangers;
#[path = "gateway/throttles.rs"]
mod throttles;
