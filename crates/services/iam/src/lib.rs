#![doc = include_str!("../README.md")]

mod access_keys;
mod administrator;
mod aws_managed;
mod documents;
mod entities;
mod error;
mod limits;
mod listing;
mod managed;
mod oidc;
mod operations;
mod permissions;
mod policies_of;
mod records;
mod views;

use std::sync::Arc;

use homeport_core::{Account, SharedClock, SharedRandomness};
use homeport_service::{AuthorizationEpoch, Host, Hosted, Needs, Parts, ServiceSpec};
use homeport_store::Store;
use homeport_vault::Vault;

pub use administrator::{ADMINISTRATOR, AdministratorKeys};
pub use error::IamError;

/// IAM's state: nothing but where its records lie, and a cache of identified keys.
pub struct Iam {
    store: Store,
    vault: Vault,
    clock: SharedClock,
    randomness: SharedRandomness,
    account: Account,
    needs: Arc<Needs>,
    epoch: Arc<AuthorizationEpoch>,
    identified: access_keys::Cache,
}

/// The largest request: a policy document of 131,072 characters, each percent-encoded.
const MAX_BODY: usize = 1 << 20;

/// Makes the service. IAM meets `Identify` for long-term keys, `PoliciesOf`, `ResourcePolicy` of `iam`, and
/// `VerifyWebIdentity` for user pools that are OIDC providers.
pub fn host(parts: &Parts) -> (Arc<Iam>, Arc<dyn Hosted>) {
    let iam = Arc::new(Iam {
        store: parts.store.clone(),
        vault: parts.vault.clone(),
        clock: parts.clock.clone(),
        randomness: parts.randomness.clone(),
        account: parts.installation.account,
        needs: parts.needs.clone(),
        epoch: parts.epoch.clone(),
        identified: access_keys::Cache::default(),
    });
    let spec = ServiceSpec { name: "iam", event_source: "iam", max_body: MAX_BODY };
    let hosted = Arc::new(Host::new(spec, iam.clone(), operations::OPERATIONS));
    (iam, hosted)
}
