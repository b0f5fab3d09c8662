//! Whether a queued event may still run: decided anew each time it is about to (security decision 4).

use homeport_core::Scope;
use homeport_service::needs::met;
use homeport_service::{KeptCaller, Permission};
use homeport_store::Tx;

use super::{By, QueuedEvent};
use crate::names::Named;
use crate::{Lambda, LambdaError, find, policy};

/// Why a queued event isn't run any more, for the log.
type Reason = String;

impl Lambda {
    /// Why the event must not run: its function is gone or another by now, or who queued it may not invoke it any
    /// more. None where it may.
    pub(super) async fn refusal(
        &self,
        event: &QueuedEvent,
        scope: &Scope,
        named: &Named,
    ) -> Result<Option<Reason>, LambdaError> {
        // That the session's time has run out ends nothing that was queued before.
        if let By::Caller(caller) = &event.by
            && let Some((ends_with, issued)) = caller.ends_with()
            && !ends_with.stands(&self.parts.needs, issued).await?
        {
            return Ok(Some("the session of whoever queued it was ended".to_owned()));
        }
        let decided = |tx| async move { self.refusal_in(&tx, event, scope, named).await };
        self.parts.store.read(decided).await
    }

    async fn refusal_in(
        &self,
        tx: &Tx,
        event: &QueuedEvent,
        scope: &Scope,
        named: &Named,
    ) -> Result<Option<Reason>, LambdaError> {
        let function = match find::version(tx, scope, named).await {
            Ok(found) => found.function,
            Err(LambdaError::FunctionNotFound(_)) => return Ok(Some("the function is gone".to_owned())),
            Err(error) => return Err(error),
        };
        match &event.by {
            By::Unknown => Ok(Some("it doesn't say who queued it".to_owned())),
            _ if function.id != event.function_id => {
                Ok(Some("the function was deleted, and made again".to_owned()))
            }
            By::Service(acting) => {
                let permitted = policy::permitted(scope, &function, named, acting)?;
                Ok((!permitted).then(|| format!("the function's policy doesn't let in {}", acting.service)))
            }
            By::Caller(caller) => self.caller_refused(tx, caller, scope, named).await,
        }
    }

    async fn caller_refused(
        &self,
        tx: &Tx,
        caller: &KeptCaller,
        scope: &Scope,
        named: &Named,
    ) -> Result<Option<Reason>, LambdaError> {
        let policies_of = met(&self.parts.needs.policies_of, "PoliciesOf")?;
        let Some(caller) = caller.today(tx, &**policies_of).await? else {
            return Ok(Some("whoever queued it is gone".to_owned()));
        };
        let asked = [Permission::new("lambda:InvokeFunction", named.arn(scope))];
        let now = self.parts.clock.now();
        let decided = self.authorizer.decide_in(tx, &caller, scope, now, &asked).await?;
        Ok(decided.err().map(|refusal| refusal.reason))
    }
}
