//! What other services ask of this one.

use std::sync::Arc;

use homeport_core::{Account, Arn, BoxFuture, Region, Scope, uuid_v4};
use homeport_policy::Policy;
use homeport_service::needs::{Invocation, Invoke, InvokeKind, InvokeRefused, Invoked, On, ResourcePolicy};
use homeport_store::{StoreError, Tx};

use crate::invoke::{Asking, LARGEST_EVENT, LARGEST_QUEUED_EVENT};
use crate::names::Named;
use crate::policy::Acting;
use crate::queue::By;
use crate::{Lambda, LambdaError, find, policy};

impl Invoke for Lambda {
    fn invoke<'a>(&'a self, on: On, invocation: Invocation) -> BoxFuture<'a, Result<Invoked, InvokeRefused>> {
        Box::pin(async move {
            let (scope, named) = read(&invocation.function_arn).ok_or(InvokeRefused::NotFound)?;
            let acting = Acting::from(&on);
            self.check_permitted(&acting, &scope, &named).await?;
            let largest =
                if invocation.kind == InvokeKind::Event { LARGEST_QUEUED_EVENT } else { LARGEST_EVENT };
            if invocation.payload.len() > largest {
                return Err(InvokeRefused::TooLarge);
            }
            let asking = Asking {
                request_id: uuid_v4(&*self.parts.randomness),
                payload: invocation.payload,
                trace_id: invocation.trace_id,
                client_context: None,
                cognito_identity: None,
                tail: false,
                depth: on.depth,
                function_id: None,
            };
            match invocation.kind {
                InvokeKind::Event => {
                    self.enqueue_for(acting, &scope, &named, &asking).await?;
                    Ok(Invoked { payload: bytes::Bytes::new(), function_error: None })
                }
                InvokeKind::RequestResponse => {
                    let done = self.run(&scope, &named, asking).await?;
                    let function_error = done.outcome.failed.then_some("Unhandled");
                    Ok(Invoked { payload: done.outcome.payload, function_error })
                }
            }
        })
    }
}

impl Lambda {
    /// The function's resource policy, against who acts. A function that isn't there is told from one that may not
    /// be invoked only to the services of this installation.
    async fn check_permitted(
        &self,
        acting: &Acting,
        scope: &Scope,
        named: &Named,
    ) -> Result<(), InvokeRefused> {
        let asked = |tx| async move { permitted_in(&tx, acting, scope, named).await };
        if self.parts.store.read(asked).await? { Ok(()) } else { Err(InvokeRefused::NotPermitted) }
    }

    /// Asks the function's resource policy in the transaction that queues the event.
    async fn enqueue_for(
        &self,
        acting: Acting,
        scope: &Scope,
        named: &Named,
        asking: &Asking,
    ) -> Result<(), InvokeRefused> {
        let by = &By::Service(acting.clone());
        let acting = &acting;
        let queued = self.parts.store.write(|tx| async move {
            let permitted = permitted_in(&tx, acting, scope, named).await?;
            if permitted {
                self.enqueue(&tx, scope, named, asking, by).await?;
            }
            Ok::<_, LambdaError>(permitted)
        });
        if !queued.await? {
            return Err(InvokeRefused::NotPermitted);
        }
        self.look_at_queue();
        Ok(())
    }
}

async fn permitted_in(tx: &Tx, acting: &Acting, scope: &Scope, named: &Named) -> Result<bool, LambdaError> {
    let function = find::function(tx, scope, named).await?;
    policy::permitted(scope, &function, named, acting)
}

impl ResourcePolicy for Lambda {
    fn resource_policy<'a>(
        &'a self,
        tx: &'a Tx,
        arn: &'a str,
    ) -> BoxFuture<'a, Result<Option<Arc<Policy>>, StoreError>> {
        Box::pin(async move {
            let Some((scope, named)) = read(arn) else { return Ok(None) };
            let qualifier = named.qualifier.as_deref().unwrap_or_default();
            match find::function(tx, &scope, &named).await {
                // It was parsed when it was put together; one that can't be any more grants nothing.
                Ok(function) => Ok(policy::parsed(&scope, &function, qualifier).unwrap_or_default()),
                Err(LambdaError::Store(error)) => Err(error),
                Err(_) => Ok(None),
            }
        })
    }
}

/// A function's ARN, with or without qualifier; whatever stands in it is only looked up here.
fn read(arn: &str) -> Option<(Scope, Named)> {
    let parsed = Arn::parse(arn).ok()?;
    let scope =
        Scope { account: Account::parse(parsed.account()).ok()?, region: Region::parse(parsed.region())? };
    let named = Named::read(&scope, arn, None).ok()?;
    Some((scope, named))
}

impl From<LambdaError> for InvokeRefused {
    fn from(error: LambdaError) -> Self {
        match error {
            LambdaError::FunctionNotFound(_) => Self::NotFound,
            LambdaError::TooManyRequests => Self::Throttled,
            LambdaError::TooDeep(_) => Self::TooDeep,
            LambdaError::RequestTooLarge(..) => Self::TooLarge,
            other => Self::Internal(other.to_string()),
        }
    }
}
