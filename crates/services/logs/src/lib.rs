#![doc = include_str!("../README.md")]

mod error;
mod events;
mod find;
mod operations;
mod pattern;
mod put;
mod put_log;
mod records;
mod sweep;
mod token;

use std::sync::{Arc, Weak};

use homeport_service::{Host, Hosted, Parts, ServiceSpec};
use tokio::sync::Notify;

pub use error::LogsError;

/// Bytes of a request: a batch of 1 MiB as JSON, escaped.
const MAX_BODY: usize = 8 << 20;

/// The service's state.
pub struct Logs {
    /// Itself, for the sweeper.
    me: Weak<Logs>,
    parts: Parts,
    /// Something was unlinked, for the sweeper.
    unlinked: Notify,
}

/// Makes the service. What was deleted or has outlived its retention is swept once [`Logs::start`] was called.
pub fn host(parts: &Parts) -> (Arc<Logs>, Arc<dyn Hosted>) {
    let logs = Arc::new_cyclic(|me| Logs { me: me.clone(), parts: parts.clone(), unlinked: Notify::new() });
    let spec = ServiceSpec { name: "logs", event_source: "logs", max_body: MAX_BODY };
    let hosted = Host::new(spec, logs.clone(), operations::OPERATIONS);
    (logs, Arc::new(hosted))
}

impl Logs {
    /// Begins to sweep, for as long as the service lives. Must be called within a runtime.
    pub fn start(&self) {
        tokio::spawn(sweep::keep_sweeping(self.me.clone()));
    }
}
