use std::sync::Arc;

use homeport_core::{Fault, Scope};
use homeport_service::{Allowed, Authorizer, CallContext, Caller, Lookup, Permission, Prepared};

use crate::TestApp;

/// A call that was decided on: what may change before it runs is up to the test.
pub struct Decided {
    /// Who calls.
    pub caller: Arc<Caller>,
    /// Account and region.
    pub scope: Scope,
    /// What was asked and is allowed.
    pub permissions: Vec<Permission>,
    /// How that was looked up, if it was.
    pub lookup: Option<Lookup>,
    /// The authorization epoch of the decision.
    pub epoch: i64,
}

impl Decided {
    /// Runs the operation as the pipeline does once a call is allowed: what came of it, and whether it was refused inside
    /// its transaction after all.
    pub async fn run(self, app: &TestApp, prepared: Box<dyn Prepared>) -> (Result<(), Fault>, bool) {
        let Self { caller, scope, permissions, lookup, epoch } = self;
        let parts = &app.parts;
        let authorizer = Authorizer::new(parts.needs.clone(), parts.epoch.clone(), scope.account);
        let allowed = Allowed {
            permissions,
            lookup,
            refused: Default::default(),
            epoch,
            authorizer: Arc::new(authorizer),
            late_refusal: Default::default(),
        };
        let call = Arc::new(CallContext {
            store: parts.store.clone(),
            caller,
            scope,
            now: parts.clock.now(),
            clock: parts.clock.clone(),
            randomness: parts.randomness.clone(),
            request_id: "r".to_owned(),
            token_user: None,
            depth: 0,
            allowed,
            audit: None,
        });
        let done = prepared.run(call.clone()).await.map(|_| ());
        (done, call.allowed.take_late_refusal().is_some())
    }
}
