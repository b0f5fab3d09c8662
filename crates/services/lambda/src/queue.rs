//! Events that nobody waits for: durable rows, run as soon as may be, twice more after failures, as on AWS.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use homeport_core::{Scope, Timestamp};
use homeport_store::{Collection, KeyParts, Record, StoreError, Tx};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::invoke::Asking;
use crate::names::Named;
use crate::{Lambda, LambdaError};

const EVENTS: Collection<QueuedEvent> = Collection::new();

/// Events of this process that run at a time.
const RUNNING: usize = 16;
/// Between looks at what has become due.
const EVERY: Duration = Duration::from_secs(1);
/// After a failure of the function, in seconds: the first, the second.
const AFTER_FAILURE: [i64; 2] = [60, 120];
/// After a refusal that isn't the function's fault (throttled, nothing free), in seconds.
const AFTER_REFUSAL: i64 = 5;
/// How long an event is tried, in seconds: six hours.
const LONGEST_LIFE: i64 = 6 * 3_600;
/// What one runner has an event for, beyond the longest timeout, in seconds.
const CLAIM: i64 = 900 + 60;

/// An event in the queue. Its key is when it is due, so that due ones are the first.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct QueuedEvent {
    due: Timestamp,
    request_id: String,
    account: String,
    region: String,
    name: String,
    qualifier: Option<String>,
    /// As Base64.
    payload: String,
    trace_id: Option<String>,
    client_context: Option<String>,
    depth: u8,
    queued: Timestamp,
    failures: usize,
}

impl Record for QueuedEvent {
    const COLLECTION: &'static str = "lambda.event";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        KeyParts::new().i64(self.due.millis()).str(&self.request_id)
    }
}

impl Lambda {
    /// Keeps an event, durably, to be run by and by. The function must be there.
    pub(crate) async fn enqueue(
        &self,
        scope: &Scope,
        named: &Named,
        asking: Asking,
    ) -> Result<(), LambdaError> {
        self.find(scope, named).await?;
        let now = self.parts.clock.now();
        let event = QueuedEvent {
            due: now,
            request_id: asking.request_id,
            account: scope.account.to_string(),
            region: scope.region.as_str().to_owned(),
            name: named.name.clone(),
            qualifier: named.qualifier.clone(),
            payload: STANDARD.encode(&asking.payload),
            trace_id: asking.trace_id,
            client_context: asking.client_context,
            depth: asking.depth,
            queued: now,
            failures: 0,
        };
        let put = |tx: Tx| {
            let event = event.clone();
            async move { EVENTS.put(&tx, &event).await }
        };
        self.parts.store.write(put).await?;
        self.queued.notify_one();
        Ok(())
    }

    async fn due(&self) -> Result<Vec<QueuedEvent>, StoreError> {
        let now = self.parts.clock.now();
        let page = self
            .parts
            .store
            .read(|tx| async move { EVENTS.page(&tx, KeyParts::new(), None, RUNNING).await })
            .await?;
        Ok(page.records.into_iter().filter(|event| event.due <= now).collect())
    }

    /// Moves the event out of others' way for as long as it may run; none if another has it.
    async fn claim(&self, event: &QueuedEvent) -> Result<Option<QueuedEvent>, StoreError> {
        let later = QueuedEvent { due: self.parts.clock.now().plus_seconds(CLAIM), ..event.clone() };
        self.replace(event, Some(later)).await
    }

    /// Puts `with` in the place of `event`, if that is still there.
    async fn replace(
        &self,
        event: &QueuedEvent,
        with: Option<QueuedEvent>,
    ) -> Result<Option<QueuedEvent>, StoreError> {
        self.parts
            .store
            .write(|tx| {
                let (key, with) = (event.key(), with.clone());
                async move {
                    if EVENTS.delete(&tx, key).await?.is_none() {
                        return Ok(None);
                    }
                    if let Some(with) = &with {
                        EVENTS.put(&tx, with).await?;
                    }
                    Ok(with)
                }
            })
            .await
    }

    async fn try_event(&self, event: &QueuedEvent) -> Result<(), StoreError> {
        let Some(claimed) = self.claim(event).await? else { return Ok(()) };
        let again = self.attempt(&claimed).await;
        let now = self.parts.clock.now();
        let again = again.filter(|_| now.seconds_since(claimed.queued) < LONGEST_LIFE);
        if again.is_none() {
            tracing::debug!(function = claimed.name, "a queued event is done with");
        }
        let next = again.map(|(after, failures)| QueuedEvent {
            due: now.plus_seconds(after),
            failures,
            ..claimed.clone()
        });
        self.replace(&claimed, next).await.map(|_| ())
    }

    /// Runs it once; when to try again, and after how many failures.
    async fn attempt(&self, event: &QueuedEvent) -> Option<(i64, usize)> {
        let (scope, named, asking) = event.asking()?;
        match self.run(&scope, &named, asking).await {
            Ok(done) if !done.outcome.failed => None,
            Ok(_) => {
                let after = AFTER_FAILURE.get(event.failures).copied();
                if after.is_none() {
                    tracing::warn!(
                        function = event.name,
                        request = event.request_id,
                        "a queued event failed for good"
                    );
                }
                after.map(|after| (after, event.failures + 1))
            }
            Err(LambdaError::FunctionNotFound(_) | LambdaError::TooDeep(_)) => None,
            Err(error) => {
                tracing::warn!(function = event.name, %error, "a queued event waits");
                Some((AFTER_REFUSAL, event.failures))
            }
        }
    }
}

impl QueuedEvent {
    fn asking(&self) -> Option<(Scope, Named, Asking)> {
        let scope = Scope {
            account: homeport_core::Account::parse(&self.account).ok()?,
            region: homeport_core::Region::parse(&self.region)?,
        };
        let named = Named { name: self.name.clone(), qualifier: self.qualifier.clone() };
        let asking = Asking {
            request_id: self.request_id.clone(),
            payload: STANDARD.decode(&self.payload).ok()?.into(),
            trace_id: self.trace_id.clone(),
            client_context: self.client_context.clone(),
            cognito_identity: None,
            tail: false,
            depth: self.depth,
        };
        Some((scope, named, asking))
    }
}

/// Works on due events until the service is gone.
pub(crate) async fn work(lambda: Weak<Lambda>) {
    let room = Arc::new(Semaphore::new(RUNNING));
    let running: Arc<Mutex<HashSet<String>>> = Arc::default();
    loop {
        let Some(lambda) = lambda.upgrade() else { return };
        let due = lambda.due().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "queued events could not be read");
            Vec::new()
        });
        for event in due {
            if !lock(&running).insert(event.request_id.clone()) {
                continue;
            }
            let Ok(permit) = room.clone().acquire_owned().await else { return };
            let (lambda, running) = (lambda.clone(), running.clone());
            tokio::spawn(async move {
                if let Err(error) = lambda.try_event(&event).await {
                    tracing::warn!(%error, "a queued event could not be worked on");
                }
                lock(&running).remove(&event.request_id);
                drop(permit);
                // What stood behind the first page may be due too.
                lambda.queued.notify_one();
            });
        }
        tokio::select! {
            () = lambda.queued.notified() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

fn lock(running: &Mutex<HashSet<String>>) -> std::sync::MutexGuard<'_, HashSet<String>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}
