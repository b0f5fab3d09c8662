//! Cognito user pools: sign-up, sign-in, users, groups and their tokens.
//!
//! Start with [`operations`](crate::operations), the table of what can be asked; `records` says what is stored,
//! `sign_in` how somebody proves to be a user, `tokens` what they get for it, and [`CognitoIdp`] meets the need
//! [`VerifyToken`](homeport_service::needs::VerifyToken) of gateways, identity pools and self-service.
//! Not here yet: Lambda triggers, MFA, hosted pages.

mod administered;
mod aliases;
mod attributes;
mod claims;
mod client_shape;

mod code_owner;
mod codes;
mod confirmation;
mod epoch;
mod error;
mod filter;
mod import;
mod issuer;
mod lockout;
mod lookup;
mod messages;
mod new_user;
mod operations;
mod pages;
mod paging;
mod password;
mod pool_ref;
mod pool_shape;
mod records;
mod removal;
mod revocations;
mod search;
mod secret_hash;
mod shapes;
mod sign_in;
mod signing_keys;
mod srp;
mod sweeps;
mod throttle;
mod tokens;
mod verify;

use std::sync::Arc;

use homeport_service::{Host, Hosted, Parts, PerAddress, ServiceSpec, SharedRates};

use crate::epoch::PoolsEpoch;
use crate::password::Permits;
use crate::signing_keys::KeyCache;
use crate::sweeps::Sweeps;

/// The largest request, in bytes.
const MAX_BODY: usize = 1 << 20;

pub use crate::import::{ImportedUser, import_users};
pub use crate::lockout::SignInLimits;

/// The user pools of an installation.
pub struct CognitoIdp {
    parts: Parts,
    keys: KeyCache,
    epoch: PoolsEpoch,
    permits: Permits,
    limits: SignInLimits,
    throttle: PerAddress,
    sweeps: Sweeps,
}

impl CognitoIdp {
    fn new(parts: &Parts, limits: SignInLimits) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            keys: KeyCache::follow(&parts.store),
            epoch: PoolsEpoch::follow(&parts.store),
            permits: Permits::new(cores),
            limits,
            throttle: throttle::of_open_operations(SharedRates::start(parts, "cognito-idp")),
            sweeps: Sweeps::default(),
            parts: parts.clone(),
        }
    }
}

/// The service with its table of operations. The first of the pair meets
/// [`VerifyToken`](homeport_service::needs::VerifyToken) and answers pools' pages as a
/// [`Plane`](homeport_service::Plane); [`CognitoIdp::resume`] goes on with what an earlier run left undone.
pub fn host(parts: &Parts) -> (Arc<CognitoIdp>, Arc<dyn Hosted>) {
    host_with(parts, SignInLimits::default())
}

/// As [`host`], with limits of its own for wrong passwords.
pub fn host_with(parts: &Parts, limits: SignInLimits) -> (Arc<CognitoIdp>, Arc<dyn Hosted>) {
    let service = Arc::new(CognitoIdp::new(parts, limits));
    let spec = ServiceSpec { name: "cognito-idp", event_source: "cognito-idp", max_body: MAX_BODY };
    let hosted = Host::new(spec, service.clone(), operations::OPERATIONS);
    (service, Arc::new(hosted))
}
