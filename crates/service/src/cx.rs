use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use homeport_core::{Account, Fault, Scope, SharedClock, SharedRandomness, Timestamp};
use homeport_store::{Store, StoreError, Tx};

use crate::{AuditTrail, Authorizer, Caller, Lookup, Permission, Principal, Refusal, TokenUser};

/// What an operation is given: its service, who calls, and the only ways to the store.
pub struct Cx<S> {
    /// The operation's service.
    pub service: Arc<S>,
    call: Arc<CallContext>,
}

impl<S> Clone for Cx<S> {
    fn clone(&self) -> Self {
        Self { service: self.service.clone(), call: self.call.clone() }
    }
}

/// One allowed call, as the pipeline made it.
pub struct CallContext {
    /// The store.
    pub store: Store,
    /// Who calls.
    pub caller: Arc<Caller>,
    /// Account and region.
    pub scope: Scope,
    /// When the call arrived.
    pub now: Timestamp,
    /// The time, for operations that wait.
    pub clock: SharedClock,
    /// Chance.
    pub randomness: SharedRandomness,
    /// `x-amzn-RequestId`
    pub request_id: String,
    /// The user behind an access token, for operations that asked for one.
    pub token_user: Option<Arc<TokenUser>>,
    /// How many invocations of functions led to this call.
    pub depth: u8,
    /// By what this call was allowed.
    pub allowed: Allowed,
    /// The audit row that rides with the first write; none for data events and reads.
    pub audit: Option<AuditTrail>,
}

/// A decision and the state it was made in.
pub struct Allowed {
    /// What was asked and is allowed.
    pub permissions: Vec<Permission>,
    /// How what is asked was found out, where that took a look at the store.
    pub lookup: Option<Lookup>,
    /// Where each is decided for itself: the refusals, by their places in the list that was stated.
    pub refused: BTreeMap<usize, Refusal>,
    /// The authorization epoch that the decision holds for, and what was looked up for it.
    pub epoch: i64,
    /// Who decides anew when the epoch has moved.
    pub authorizer: Arc<Authorizer>,
    /// The refusal, if the call was refused inside its transaction after all.
    pub late_refusal: Mutex<Option<Refusal>>,
}

impl Allowed {
    /// Of permissions as they were stated, those that were not refused.
    pub fn kept(permissions: Vec<Permission>, refused: &BTreeMap<usize, Refusal>) -> Vec<Permission> {
        let places = permissions.into_iter().enumerate();
        places.filter(|(place, _)| !refused.contains_key(place)).map(|(_, permission)| permission).collect()
    }

    /// Takes the refusal made inside a transaction; the pipeline answers it in place of the aborted write's error.
    pub fn take_late_refusal(&self) -> Option<Refusal> {
        self.late_refusal.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl CallContext {
    /// Makes the decision part of the transaction: a policy that changed in between is decided anew, here.
    async fn hold_decision(&self, tx: &Tx) -> Result<(), StoreError> {
        let allowed = &self.allowed;
        if allowed.permissions.is_empty() {
            return Ok(());
        }
        if crate::AuthorizationEpoch::in_transaction(tx).await? == allowed.epoch {
            return Ok(());
        }
        let looked_up = match &allowed.lookup {
            Some(lookup) => Some(Allowed::kept(lookup(tx.clone()).await?, &allowed.refused)),
            None => None,
        };
        let permissions = looked_up.as_deref().unwrap_or(&allowed.permissions);
        let again =
            allowed.authorizer.decide_in(tx, &self.caller, &self.scope, self.now, permissions).await?;
        match again {
            Ok(()) => Ok(()),
            Err(refusal) => {
                *allowed.late_refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(refusal);
                Err(StoreError::Aborted("no longer authorized"))
            }
        }
    }
}

impl<S> Cx<S> {
    /// The context of an allowed call.
    pub fn new(service: Arc<S>, call: Arc<CallContext>) -> Self {
        Self { service, call }
    }

    /// Who calls.
    pub fn caller(&self) -> &Caller {
        &self.call.caller
    }

    /// Who calls, without where from.
    pub fn principal(&self) -> &Principal {
        &self.call.caller.principal
    }

    /// Account and region.
    pub fn scope(&self) -> &Scope {
        &self.call.scope
    }

    /// The installation's account.
    pub fn account(&self) -> Account {
        self.call.scope.account
    }

    /// For operations that state [`crate::Permissions::Each`]: what the caller may not do, by its place in that list.
    pub fn refused(&self) -> &BTreeMap<usize, Refusal> {
        &self.call.allowed.refused
    }

    /// When the call arrived.
    pub fn now(&self) -> Timestamp {
        self.call.now
    }

    /// The time, for operations that wait.
    pub fn clock(&self) -> &SharedClock {
        &self.call.clock
    }

    /// Chance.
    pub fn randomness(&self) -> &SharedRandomness {
        &self.call.randomness
    }

    /// `x-amzn-RequestId`
    pub fn request_id(&self) -> &str {
        &self.call.request_id
    }

    /// How many invocations of functions led to this call.
    pub fn depth(&self) -> u8 {
        self.call.depth
    }

    /// The user behind the access token; an operation that did not ask for one in its permissions has none.
    pub fn token_user(&self) -> Result<&Arc<TokenUser>, Fault> {
        self.call
            .token_user
            .as_ref()
            .ok_or_else(|| Fault::internal("the operation did not ask for an access token"))
    }

    /// The store itself: for counters, and for what must not ride in the call's own transaction.
    pub fn store(&self) -> &Store {
        &self.call.store
    }

    /// Reads a consistent snapshot.
    pub async fn read<T, E, F, Fut>(&self, read: F) -> Result<T, E>
    where
        F: Fn(Tx) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, E>> + Send,
        T: Send,
        E: From<StoreError> + Send,
    {
        self.call.store.read(read).await
    }

    /// Reads, decides and writes in one transaction, which holds the authorization's decision and the audit
    /// row too. The closure may run many times; an error from it writes nothing. Durable when this returns.
    pub async fn write<T, E, F, Fut>(&self, write: F) -> Result<T, E>
    where
        F: Fn(Tx) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, E>> + Send,
        T: Send,
        E: From<StoreError> + Send,
    {
        let (call, write) = (&self.call, &write);
        let done = call
            .store
            .write(move |tx| async move {
                call.hold_decision(&tx).await?;
                let out = write(tx.clone()).await?;
                if let Some(trail) = &call.audit {
                    trail.ride_in(&tx)?;
                }
                Ok(out)
            })
            .await;
        if let (Ok(_), Some(trail)) = (&done, &call.audit) {
            trail.committed();
        }
        done
    }
}
