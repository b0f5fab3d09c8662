use std::collections::HashMap;
use std::sync::Arc;

use homeport_core::{BoxFuture, Fault, Scope, Timestamp};
use serde_json::Value;

use crate::operation::{Answer, Effect, Entry, Incoming, Streams};
use crate::{CallContext, Caller, HandedRole, Permissions};

/// What the edge must know of a service that its model doesn't say.
#[derive(Clone, Copy, Debug)]
pub struct ServiceSpec {
    /// The model's name, such as `cognito-idp`.
    pub name: &'static str,
    /// The service in CloudTrail and in IAM actions, such as `cognito-idp` of `cognito-idp.amazonaws.com`.
    pub event_source: &'static str,
    /// The largest body that is read whole, in bytes.
    pub max_body: usize,
}

/// Where a call takes place, before it is allowed.
pub struct AskedOn<'a> {
    /// The caller.
    pub caller: &'a Caller,
    /// Account and region.
    pub scope: &'a Scope,
    /// Now.
    pub now: Timestamp,
}

/// A decoded call that knows what it needs and can run: an operation with its types erased.
pub trait Prepared: Send {
    /// What the caller must be allowed.
    fn permissions(&self, on: &AskedOn<'_>) -> Permissions;
    /// The refusal when a handed role doesn't admit its service.
    fn role_refused(&self, role: &HandedRole) -> Fault;
    /// What CloudTrail may show, for operations that read by hand.
    fn audited(&mut self) -> Value;
    /// Runs it.
    fn run(self: Box<Self>, call: Arc<CallContext>) -> BoxFuture<'static, Result<Answer, Fault>>;
}

/// What the table says of an operation.
#[derive(Clone, Copy, Debug)]
pub struct OperationInfo {
    /// AWS's name.
    pub name: &'static str,
    /// What it does to the world.
    pub effect: Effect,
    /// Whether it reads the call by hand, and then whether the body streams.
    pub by_hand: Option<Streams>,
}

/// A service as the edge sees it.
pub trait Hosted: Send + Sync {
    /// What the edge must know of it.
    fn spec(&self) -> &ServiceSpec;
    /// Looks an operation up.
    fn find(&self, operation: &str) -> Option<OperationInfo>;
    /// All its operations.
    fn operations(&self) -> Vec<OperationInfo>;
    /// Decodes a call of an operation that `find` found.
    fn prepare(&self, operation: &str, incoming: Incoming) -> Result<Box<dyn Prepared>, Fault>;
}

/// A service's state with its table of operations.
pub struct Host<S: 'static> {
    spec: ServiceSpec,
    service: Arc<S>,
    entries: HashMap<&'static str, &'static Entry<S>>,
}

impl<S: Send + Sync> Host<S> {
    /// Hosts a service; the table is a static slice, so "find usages" works.
    pub fn new(spec: ServiceSpec, service: Arc<S>, table: &'static [Entry<S>]) -> Self {
        let entries = table.iter().map(|entry| (entry.name, entry)).collect();
        Self { spec, service, entries }
    }
}

fn info<S>(entry: &Entry<S>) -> OperationInfo {
    OperationInfo { name: entry.name, effect: entry.effect, by_hand: entry.by_hand }
}

impl<S: Send + Sync> Hosted for Host<S> {
    fn spec(&self) -> &ServiceSpec {
        &self.spec
    }

    fn find(&self, operation: &str) -> Option<OperationInfo> {
        self.entries.get(operation).map(|entry| info(entry))
    }

    fn operations(&self) -> Vec<OperationInfo> {
        let mut all: Vec<_> = self.entries.values().map(|entry| info(entry)).collect();
        all.sort_by_key(|operation| operation.name);
        all
    }

    fn prepare(&self, operation: &str, incoming: Incoming) -> Result<Box<dyn Prepared>, Fault> {
        let entry = self.entries.get(operation).ok_or_else(|| Fault::internal("no such operation"))?;
        (entry.prepare)(self.service.clone(), incoming)
    }
}
