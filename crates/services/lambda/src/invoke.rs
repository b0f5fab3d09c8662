//! The way of an event: the function and its version, a turn, an environment, the answer.

use bytes::Bytes;
use homeport_blobs::BlobError;
use homeport_core::{Scope, draw};
use homeport_service::needs::{Assume, AssumedBy, Credentials, MAX_INVOCATION_DEPTH, met};

use crate::environment::{Environment, Invocation, Outcome, Start};
use crate::find::{self, Found};
use crate::interpreters::{Asked, Interpreter, asked};
use crate::names::Named;
use crate::pool::{Lease, Turn};
use crate::{Lambda, LambdaError};

/// Bytes of an event whose answer is awaited.
pub(crate) const LARGEST_EVENT: usize = 6 * 1_024 * 1_024;
/// Bytes of a queued event.
pub(crate) const LARGEST_QUEUED_EVENT: usize = 256 * 1_024;
/// How often a function is looked up anew that was updated while an event waited for its turn.
const ATTEMPTS: usize = 3;
/// How long a role's credentials live, in seconds: what every role allows.
const CREDENTIALS_SECONDS: i64 = 3_600;

/// One event for a function.
#[derive(Clone, Debug)]
pub(crate) struct Asking {
    pub(crate) request_id: String,
    pub(crate) payload: Bytes,
    pub(crate) trace_id: Option<String>,
    pub(crate) client_context: Option<String>,
    pub(crate) cognito_identity: Option<String>,
    pub(crate) tail: bool,
    pub(crate) depth: u8,
    /// The function's id, where only the one that was found before will do: one made again under its name is another.
    pub(crate) function_id: Option<String>,
}

/// What came of it.
pub(crate) struct Done {
    pub(crate) outcome: Outcome,
    pub(crate) version: String,
}

impl Lambda {
    /// Runs an event to its end. Should whoever asked stop to wait, the function still finishes, as on AWS.
    pub(crate) async fn run(
        &self,
        scope: &Scope,
        named: &Named,
        asking: Asking,
    ) -> Result<Done, LambdaError> {
        if asking.depth >= MAX_INVOCATION_DEPTH {
            return Err(LambdaError::TooDeep(MAX_INVOCATION_DEPTH));
        }
        let stopping = || LambdaError::CannotRun("the service is stopping".to_owned());
        let lambda = self.me.upgrade().ok_or_else(stopping)?;
        let (scope, named) = (scope.clone(), named.clone());
        let running = tokio::spawn(async move {
            let (version, mut lease) =
                lambda.environment_of(&scope, &named, asking.function_id.as_deref()).await?;
            let invocation = lambda.invocation(&scope, &named, asking);
            let outcome = lease.environment().invoke(invocation).await;
            lease.give_back();
            Ok(Done { outcome, version })
        });
        running.await.map_err(|error| LambdaError::CannotRun(error.to_string()))?
    }

    pub(crate) async fn find(&self, scope: &Scope, named: &Named) -> Result<Found, LambdaError> {
        self.parts.store.read(|tx| async move { find::version(&tx, scope, named).await }).await
    }

    fn invocation(&self, scope: &Scope, named: &Named, asking: Asking) -> Invocation {
        let Asking { request_id, payload, trace_id, client_context, cognito_identity, tail, depth, .. } =
            asking;
        Invocation {
            request_id,
            function_arn: named.arn(scope).to_string(),
            payload: if payload.is_empty() { Bytes::from_static(b"{}") } else { payload },
            trace_id: trace_id.unwrap_or_else(|| self.new_trace()),
            client_context,
            cognito_identity,
            tail,
            depth,
        }
    }

    /// A trace of its own, not sampled.
    fn new_trace(&self) -> String {
        let digits = |count| draw(&*self.parts.randomness, b"0123456789abcdef", count);
        let now = self.parts.clock.now().seconds();
        format!("Root=1-{now:08x}-{};Parent={};Sampled=0", digits(24), digits(16))
    }

    /// An environment of the version that the name means, and which that is. A package that is gone by the time of its
    /// turn is one that was replaced, or deleted, since the function was found.
    async fn environment_of(
        &self,
        scope: &Scope,
        named: &Named,
        function_id: Option<&str>,
    ) -> Result<(String, Lease), LambdaError> {
        for _ in 0..ATTEMPTS {
            let found = self.find(scope, named).await?;
            if function_id.is_some_and(|id| id != found.function.id) {
                return Err(named.not_found(scope));
            }
            let version = found.configuration.version.clone();
            match self.environment(scope, found).await {
                Err(LambdaError::Blob(BlobError::NotFound)) => {}
                other => return Ok((version, other?)),
            }
        }
        Err(BlobError::NotFound.into())
    }

    async fn environment(&self, scope: &Scope, found: Found) -> Result<Lease, LambdaError> {
        let revision = format!("{} {}", found.configuration.version, found.configuration.revision_id);
        let turn: Turn = self.pool.turn(&found.function.id).await?;
        match turn.warm(&revision) {
            Ok(lease) => Ok(lease),
            // Boxed, so that the warm way's future stays small.
            Err(turn) => Box::pin(turn.cold(&revision, self.start_environment(scope, found))).await,
        }
    }

    async fn start_environment(&self, scope: &Scope, found: Found) -> Result<Environment, LambdaError> {
        let interpreter = self.interpreter_for(&found.configuration.runtime).await?;
        let credentials = self.credentials(&found).await?;
        let start = Start {
            prepared: self.prepared.clone(),
            installation: self.parts.installation.clone(),
            scope: scope.clone(),
            variables: self.variables.open(&found.function.id, &found.configuration)?,
            code: self.code.unpacked(&found.configuration.code).await?,
            interpreter,
            credentials,
            put_log: self.parts.needs.put_log.get().cloned(),
            fetch: self.parts.needs.fetch.get().cloned(),
            clock: self.parts.clock.clone(),
            randomness: self.parts.randomness.clone(),
            found,
        };
        start.start().await
    }

    /// The interpreter that stands in for a runtime; none for `provided.*`.
    pub(crate) async fn interpreter_for(&self, runtime: &str) -> Result<Option<Interpreter>, LambdaError> {
        let Asked::Interpreter(family, major, minor) = asked(runtime)? else { return Ok(None) };
        let nearest = self.prepared.interpreters().await.nearest(family, major, minor).cloned();
        match nearest {
            Some(interpreter) => Ok(Some(interpreter)),
            None => Err(LambdaError::invalid(format!(
                "The runtime {runtime} can't be run here: no {family:?} interpreter is installed on this machine."
            ))),
        }
    }

    async fn credentials(&self, found: &Found) -> Result<Credentials, LambdaError> {
        let name = &found.function.name;
        let assume = Assume {
            role_arn: found.configuration.role.clone(),
            by: AssumedBy::Service("lambda.amazonaws.com"),
            // Session names have at least two characters.
            session_name: if name.len() < 2 { format!("{name}-") } else { name.clone() },
            session_policies: Vec::new(),
            tags: std::collections::BTreeMap::new(),
            seconds: CREDENTIALS_SECONDS,
            context: std::collections::BTreeMap::new(),
            cognito: None,
        };
        Ok(met(&self.parts.needs.assume, "AssumeForService")?.assume(assume).await?)
    }
}
