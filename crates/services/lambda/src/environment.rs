//! One execution environment: a confined process that polls its own Runtime API, answers one event at a time, and is
//! never anything but one revision of one function.

mod log;
mod outcome;
mod process;
mod proxy;
mod relay;
mod runtime_api;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use homeport_core::SharedClock;
use homeport_sandbox::{Exit, Handle};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use self::log::Log;
use self::runtime_api::{Answered, Event, RuntimeApi};
pub(crate) use outcome::Outcome;
pub(crate) use process::{Plan, Start};

/// What one invocation brings.
#[derive(Clone, Debug)]
pub(crate) struct Invocation {
    pub(crate) request_id: String,
    pub(crate) function_arn: String,
    pub(crate) payload: Bytes,
    pub(crate) trace_id: String,
    /// The client's context, as JSON.
    pub(crate) client_context: Option<String>,
    /// Whose identity of an identity pool calls, as JSON.
    pub(crate) cognito_identity: Option<String>,
    /// Whether the end of the log is wanted with the answer.
    pub(crate) tail: bool,
    /// How many invocations led to this one.
    pub(crate) depth: u8,
}

/// A process tree that stands, with the tasks that serve it. Dropped, all of it ends.
pub(crate) struct Environment {
    api: Arc<RuntimeApi>,
    log: Log,
    handle: Handle,
    exit: watch::Receiver<Option<Exit>>,
    depth: Arc<AtomicU8>,
    plan: Plan,
    clock: SharedClock,
    begun: Instant,
    init: Option<Duration>,
    spent: bool,
    _tasks: JoinSet<()>,
}

impl Environment {
    /// Whether it can take another event: it lives, and its role's credentials last long enough.
    pub(crate) fn is_fit(&self) -> bool {
        !self.spent && self.exit.borrow().is_none() && self.begun.elapsed() < self.plan.longest_life
    }

    /// Gives it an event and waits for the answer, the end of its time or its own.
    pub(crate) async fn invoke(&mut self, invocation: Invocation) -> Outcome {
        let id = invocation.request_id.clone();
        let tail = invocation.tail;
        self.depth.store(invocation.depth + 1, Ordering::Relaxed);
        self.log.say(format!("START RequestId: {id} Version: {}", self.plan.version), true).await;
        let cold = self.init.is_none();
        if let Some(failed) = self.wait_for_init(&id).await {
            return self.close(&id, failed, Duration::ZERO, tail).await;
        }
        let begun = Instant::now();
        let outcome = self.answer_to(invocation).await;
        let took = begun.elapsed();
        let outcome = self.close(&id, outcome, took, tail).await;
        if cold {
            tracing::debug!(function = self.plan.function, init = ?self.init, "a function's environment was started");
        }
        outcome
    }

    /// Waits until the code is loaded; what went wrong otherwise.
    async fn wait_for_init(&mut self, id: &str) -> Option<Outcome> {
        if self.init.is_some() {
            return None;
        }
        let longest = self.plan.longest_init;
        let ended = tokio::select! {
            biased;
            () = self.api.ready() => {
                self.init = Some(self.begun.elapsed());
                return None;
            }
            error = self.api.init_failed() => Outcome::failed(error),
            exit = ended(&mut self.exit) => match self.api.take_init_error() {
                Some(error) => Outcome::failed(error),
                None => Outcome::exited(id, &exit),
            },
            () = tokio::time::sleep(longest) => Outcome::timed_out(id, longest),
        };
        self.spent = true;
        Some(ended)
    }

    async fn answer_to(&mut self, invocation: Invocation) -> Outcome {
        let id = invocation.request_id.clone();
        let (reply, answered) = oneshot::channel();
        let deadline =
            self.clock.now().millis() + i64::try_from(self.plan.timeout.as_millis()).unwrap_or(i64::MAX);
        if !self.api.give(Event { invocation, deadline, reply }).await {
            self.spent = true;
            let exit = ended(&mut self.exit).await;
            return Outcome::exited(&id, &exit);
        }
        tokio::select! {
            biased;
            answered = answered => match answered {
                Ok(Answered::Response(payload)) => Outcome::answered(payload),
                Ok(Answered::Error(payload)) => Outcome::failed(payload),
                // It asked for the next event without answering this one, or its connection ended: it is ending.
                Err(_) => {
                    self.spent = true;
                    self.handle.kill();
                    let exit = ended(&mut self.exit).await;
                    Outcome::exited(&id, &exit)
                }
            },
            exit = ended(&mut self.exit) => {
                self.spent = true;
                Outcome::exited(&id, &exit)
            }
            () = tokio::time::sleep(self.plan.timeout) => {
                self.spent = true;
                self.handle.kill();
                Outcome::timed_out(&id, self.plan.timeout)
            }
        }
    }

    /// END and REPORT, as CloudWatch Logs shows them on AWS.
    async fn close(&mut self, id: &str, mut outcome: Outcome, took: Duration, tail: bool) -> Outcome {
        if !self.handle_is_alive() && outcome.ends_environment() {
            self.spent = true;
        }
        let mut lines = outcome.log_lines(id, self.clock.now());
        lines.push(format!("END RequestId: {id}"));
        lines.push(self.report(id, &outcome, took));
        outcome.tail = self.log.finish(lines, tail).await;
        outcome
    }

    fn handle_is_alive(&self) -> bool {
        self.exit.borrow().is_none()
    }

    fn report(&mut self, id: &str, outcome: &Outcome, took: Duration) -> String {
        let milliseconds = took.as_secs_f64() * 1_000.0;
        let megabytes = self.handle.peak_memory().div_ceil(1 << 20).max(1);
        let mut line = format!(
            "REPORT RequestId: {id}\tDuration: {milliseconds:.2} ms\tBilled Duration: {} ms\tMemory Size: {} MB\tMax Memory Used: {megabytes} MB\t",
            milliseconds.ceil(),
            self.plan.memory_mb,
        );
        if let Some(init) = self.init.filter(|_| !std::mem::replace(&mut self.plan.init_reported, true)) {
            line.push_str(&format!("Init Duration: {:.2} ms\t", init.as_secs_f64() * 1_000.0));
        }
        line.push_str(&outcome.status());
        line
    }
}

/// Waits for the end of the process.
async fn ended(exit: &mut watch::Receiver<Option<Exit>>) -> Exit {
    let seen = exit.wait_for(Option::is_some).await;
    // The sender gives the end before it goes.
    seen.ok().and_then(|exit| exit.clone()).unwrap_or(Exit {
        status: 137,
        out_of_memory: false,
        failed: None,
    })
}
