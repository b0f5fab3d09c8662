#![doc = include_str!("../README.md")]
//!
//! Start with [`operations`](operations::OPERATIONS) for what clients can ask, with `invoke.rs` for the way of an
//! event, and with `environment.rs` for the process it ends in. What confines that process is `homeport-sandbox`'s.

mod code;
mod configuration;
mod environment;
mod error;
mod find;
mod interpreters;
mod invoke;
mod listing;
mod machine;
mod names;
mod needs;
mod operations;
mod package;
mod policy;
mod pool;
mod queue;
mod records;
pub mod runtimes;
mod sweep;
mod variables;

use std::net::SocketAddr;
use std::sync::{Arc, Weak};

use homeport_service::needs::{PoliciesOf, Unmet, met};
use homeport_service::{Authorizer, Host, Hosted, Parts, ServiceSpec};
use tokio::sync::Notify;

use crate::code::CodeStore;
use crate::machine::Prepared;
use crate::pool::Pool;
use crate::variables::Variables;

pub use error::LambdaError;
pub use interpreters::{Family, Interpreter, Interpreters};
pub use machine::{Limits, Machine, Outbound};

/// Bytes of a request: a package of 50 MB as Base64, and its frame. AWS's own bound.
const MAX_BODY: usize = 70_167_211;

/// The service's state.
pub struct Lambda {
    /// Itself, for what outlives a call.
    me: Weak<Lambda>,
    parts: Parts,
    /// Decides anew whether queued events may run.
    authorizer: Authorizer,
    variables: Variables,
    code: CodeStore,
    prepared: Arc<Prepared>,
    pool: Arc<Pool>,
    queued: Notify,
}

/// Makes the service. Must be called within a runtime. Queued events are worked on once [`Lambda::start`] was called.
pub fn host(parts: &Parts, machine: Machine) -> Result<(Arc<Lambda>, Arc<dyn Hosted>), LambdaError> {
    let code = CodeStore::new(machine.blobs.clone(), Prepared::code_folder(&machine.folder))?;
    let pool = Pool::new(machine.limits);
    let prepared = Arc::new(Prepared::new(machine, parts.installation.functions_url.as_deref())?);
    let lambda = Arc::new_cyclic(|me| Lambda {
        me: me.clone(),
        parts: parts.clone(),
        authorizer: Authorizer::new(parts.needs.clone(), parts.epoch.clone(), parts.installation.account),
        variables: Variables::new(parts.vault.clone()),
        code,
        prepared,
        pool,
        queued: Notify::new(),
    });
    let spec = ServiceSpec { name: "lambda", event_source: "lambda", max_body: MAX_BODY };
    let hosted = Host::new(spec, lambda.clone(), operations::OPERATIONS);
    Ok((lambda, Arc::new(hosted)))
}

impl Lambda {
    /// Who knows users and roles.
    pub(crate) fn policies_of(&self) -> Result<&dyn PoliciesOf, Unmet> {
        Ok(&**met(&self.parts.needs.policies_of, "PoliciesOf")?)
    }

    /// Tells where the functions' listener is, if that wasn't known when the service was made.
    pub fn set_endpoint(&self, address: SocketAddr) {
        self.prepared.set_endpoint(address);
    }

    /// Says how functions reach the network, and begins to work on queued events, those of an earlier run too, and to
    /// remove packages that nothing needs any more, for as long as the service lives.
    pub fn start(self: &Arc<Self>) {
        tracing::info!("{}", self.prepared.way_out());
        tokio::spawn(queue::work(Arc::downgrade(self)));
        tokio::spawn(sweep::now_and_then(Arc::downgrade(self)));
    }

    /// The machine's interpreters.
    pub async fn interpreters(&self) -> &Interpreters {
        self.prepared.interpreters().await
    }
}
