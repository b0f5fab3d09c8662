//! Events that nobody waits for: durable rows, run as soon as may be, twice more after failures, as on AWS. Each time
//! it is decided anew whether whoever queued it may.

mod decision;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use homeport_core::{Scope, Timestamp};
use homeport_service::KeptCaller;
use homeport_store::{Collection, KeyParts, Record, StoreError, Tx, UpgradeError};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::invoke::Asking;
use crate::names::Named;
use crate::policy::Acting;
use crate::{Lambda, LambdaError, find};

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
/// How long an event is one node's without a further word, in seconds: then that node is gone, and another runs it.
const CLAIM: i64 = 120;
/// How often a node says that it is still at it.
const SAYS_SO: Duration = Duration::from_secs(30);

/// Who queued an event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum By {
    /// A caller of `Invoke`.
    Caller(Box<KeptCaller>),
    /// A service that the function's policy let in.
    Service(Acting),
    /// It wasn't kept when this event was queued.
    Unknown,
}

/// An event in the queue. Its key is when it is due, so that due ones are the first.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct QueuedEvent {
    due: Timestamp,
    request_id: String,
    account: String,
    region: String,
    name: String,
    /// The function's own id: one that was made again under its name isn't meant.
    function_id: String,
    /// On whose behalf it runs.
    by: By,
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
    const VERSION: u16 = 2;

    fn key(&self) -> KeyParts {
        KeyParts::new().i64(self.due.millis()).str(&self.request_id)
    }

    /// The first form told neither who queued an event nor which function was meant: such a one is given up.
    fn upgrade(version: u16, mut json: serde_json::Value) -> Result<Self, UpgradeError> {
        match (version, json.as_object_mut()) {
            (1, Some(members)) => {
                members.insert("by".to_owned(), serde_json::to_value(By::Unknown)?);
                members.insert("function_id".to_owned(), "".into());
                Ok(serde_json::from_value(json)?)
            }
            _ => Err(UpgradeError(format!("version {version} is unknown"))),
        }
    }
}

impl Lambda {
    /// Keeps an event, to be run by and by: in the transaction in which it was decided that it may be. The function
    /// must be there. Once that is committed, [`Lambda::look_at_queue`].
    pub(crate) async fn enqueue(
        &self,
        tx: &Tx,
        scope: &Scope,
        named: &Named,
        asking: &Asking,
        by: &By,
    ) -> Result<(), LambdaError> {
        let found = find::version(tx, scope, named).await?;
        let now = self.parts.clock.now();
        let event = QueuedEvent {
            due: now,
            request_id: asking.request_id.clone(),
            account: scope.account.to_string(),
            region: scope.region.as_str().to_owned(),
            name: named.name.clone(),
            function_id: found.function.id,
            by: by.clone(),
            qualifier: named.qualifier.clone(),
            payload: STANDARD.encode(&asking.payload),
            trace_id: asking.trace_id.clone(),
            client_context: asking.client_context.clone(),
            depth: asking.depth,
            queued: now,
            failures: 0,
        };
        Ok(EVENTS.put(tx, &event).await?)
    }

    /// Tells whoever works on the queue that there is something new in it.
    pub(crate) fn look_at_queue(&self) {
        self.queued.notify_one();
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

    /// Moves the event out of other nodes' way for a while; none if another has it.
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
        let (claimed, again) = self.attempt_claimed(claimed).await;
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

    /// Keeps the claim while the event runs: the claim at the end, and what [`Self::attempt`] says. A claim that was lost
    /// meanwhile stays lost: what is put in its place then is put nowhere.
    async fn attempt_claimed(&self, event: QueuedEvent) -> (QueuedEvent, Option<(i64, usize)>) {
        let mut claimed = event.clone();
        let mut attempt = std::pin::pin!(self.attempt(&event));
        loop {
            tokio::select! {
                again = &mut attempt => return (claimed, again),
                () = tokio::time::sleep(SAYS_SO) => {
                    if let Ok(Some(longer)) = self.claim(&claimed).await {
                        claimed = longer;
                    }
                }
            }
        }
    }

    /// Runs it once, if it may still; when to try again, and after how many failures.
    async fn attempt(&self, event: &QueuedEvent) -> Option<(i64, usize)> {
        let (scope, named, asking) = event.asking()?;
        match self.refusal(event, &scope, &named).await {
            Ok(None) => self.run_once(event, &scope, &named, asking).await,
            Ok(Some(reason)) => {
                let (function, request) = (&event.name, &event.request_id);
                tracing::warn!(
                    function,
                    request,
                    reason,
                    "a queued event is dropped: it may not run any more"
                );
                None
            }
            Err(error) => event.wait(&error),
        }
    }

    async fn run_once(
        &self,
        event: &QueuedEvent,
        scope: &Scope,
        named: &Named,
        asking: Asking,
    ) -> Option<(i64, usize)> {
        match self.run(scope, named, asking).await {
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
            Err(error) => event.wait(&error),
        }
    }
}

impl QueuedEvent {
    /// Nothing that the function did: it is tried again before long.
    fn wait(&self, error: &LambdaError) -> Option<(i64, usize)> {
        tracing::warn!(function = self.name, %error, "a queued event waits");
        Some((AFTER_REFUSAL, self.failures))
    }

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
            function_id: Some(self.function_id.clone()),
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
