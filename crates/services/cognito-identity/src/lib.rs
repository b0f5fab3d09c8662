#![doc = include_str!("../README.md")]

mod arns;
mod error;
mod find;
mod guest_policy;
mod logins;
mod open_id;
mod operations;
mod records;
mod role;
mod stands;
mod user_gone;

use std::sync::Arc;

use homeport_core::{SharedClock, SharedRandomness};
use homeport_service::{Host, Hosted, Needs, Parts, PerAddress, ServiceSpec, SharedRates};
use homeport_store::{Store, StoreError};
use homeport_vault::Vault;

pub use error::IdentityError;

/// Guests that one address may make in a second, and at once: each leaves a row.
const GUESTS_PER_SECOND: f64 = 50.0;
const GUESTS_AT_ONCE: f64 = 200.0;

/// Identity pools: what their operations work with.
pub struct CognitoIdentity {
    store: Store,
    vault: Vault,
    needs: Arc<Needs>,
    clock: SharedClock,
    randomness: SharedRandomness,
    guests: PerAddress,
    keys: open_id::Keys,
}

const SPEC: ServiceSpec =
    ServiceSpec { name: "cognito-identity", event_source: "cognito-identity", max_body: 1 << 20 };

/// Makes the service and its table. It meets the needs `VerifyWebIdentity`, `IdentityStands` and
/// `UserGone`.
pub fn host(parts: &Parts) -> (Arc<CognitoIdentity>, Arc<dyn Hosted>) {
    let service = Arc::new(CognitoIdentity {
        store: parts.store.clone(),
        vault: parts.vault.clone(),
        needs: parts.needs.clone(),
        clock: parts.clock.clone(),
        randomness: parts.randomness.clone(),
        guests: PerAddress::new(
            SharedRates::start(parts, "cognito-identity"),
            GUESTS_PER_SECOND,
            GUESTS_AT_ONCE,
        ),
        keys: open_id::Keys::default(),
    });
    let host = Host::new(SPEC, service.clone(), operations::OPERATIONS);
    (service, Arc::new(host))
}

impl CognitoIdentity {
    /// Fills indexes that an earlier program did not have yet.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn build_indexes(&self) -> Result<(), StoreError> {
        records::IDENTITIES.build_indexes(&self.store).await
    }
}
