#![doc = include_str!("../README.md")]

mod assume_for_service;
mod error;
mod identify;
mod operations;
mod session;
mod session_policies;
mod token;
mod trust;

use std::sync::Arc;

use homeport_core::{Account, SharedClock, SharedRandomness};
use homeport_policy::Policy;
use homeport_service::{AuthorizationEpoch, Host, Hosted, Needs, Parts, ServiceSpec};
use homeport_store::Store;
use homeport_vault::Vault;

pub use error::StsError;

/// STS's state: no records at all, and a cache of identified tokens.
pub struct Sts {
    store: Store,
    vault: Vault,
    clock: SharedClock,
    randomness: SharedRandomness,
    account: Account,
    epoch: Arc<AuthorizationEpoch>,
    needs: Arc<Needs>,
    user_session_policy: Arc<Policy>,
    identified: identify::Cache,
}

/// The largest request: a web identity's token of 20,000 characters with its policies.
const MAX_BODY: usize = 256 * 1024;

/// Makes the service. STS meets `Identify` for temporary keys and `AssumeForService`.
pub fn host(parts: &Parts) -> (Arc<Sts>, Arc<dyn Hosted>) {
    let sts = Arc::new(Sts {
        store: parts.store.clone(),
        vault: parts.vault.clone(),
        clock: parts.clock.clone(),
        randomness: parts.randomness.clone(),
        account: parts.installation.account,
        epoch: parts.epoch.clone(),
        needs: parts.needs.clone(),
        user_session_policy: session_policies::of_user_sessions(),
        identified: identify::Cache::default(),
    });
    let spec = ServiceSpec { name: "sts", event_source: "sts", max_body: MAX_BODY };
    let hosted = Arc::new(Host::new(spec, sts.clone(), operations::OPERATIONS));
    (sts, hosted)
}
