//! What a committer is asked, and what it answers once a group is durable.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::StoreError;
use crate::commit::{Commit, Count, Counted, Group, Refused, Touched};
use crate::conflicts::Window;

/// The most requests that become durable together.
pub(super) const MAX_GROUP: usize = 1_024;
/// A group that has come to so many bytes takes no further request.
const MAX_GROUP_BYTES: usize = 16 << 20;

/// What the committer is asked.
pub(super) enum Request {
    Commit(Box<Commit>, oneshot::Sender<Result<u64, Refused>>),
    Count(Count, oneshot::Sender<Result<Counted, StoreError>>),
}

impl Request {
    /// Answers what could not even be tried.
    pub(super) fn fail(self, error: StoreError) {
        match self {
            Self::Commit(_, reply) => drop(reply.send(Err(Refused::Failed(error)))),
            Self::Count(_, reply) => drop(reply.send(Err(error))),
        }
    }
}

/// An answer that waits until the group is durable.
pub(super) enum Answer {
    Commit(oneshot::Sender<Result<u64, Refused>>, Result<u64, Refused>),
    Count(oneshot::Sender<Result<Counted, StoreError>>, Result<Counted, StoreError>),
}

impl Answer {
    /// Who asked may have gone meanwhile: then nobody is told.
    pub(super) fn give(self) {
        match self {
            Self::Commit(reply, outcome) => drop(reply.send(outcome)),
            Self::Count(reply, outcome) => drop(reply.send(outcome)),
        }
    }
}

/// Requests that become durable together: what they change, and what they are answered once that is done.
pub(super) struct Decided {
    /// The commit before the group, and its last; the same if it changes nothing.
    pub(super) previous: u64,
    pub(super) last: u64,
    pub(super) changes: HashMap<Bytes, Option<Bytes>>,
    pub(super) touched: Vec<Touched>,
    pub(super) answers: Vec<Answer>,
}

impl Decided {
    /// As many of the next requests as fit into one group, each decided behind the ones before. `below` reads what was
    /// there before the group.
    pub(super) fn behind(
        previous: u64,
        window: &mut Window,
        mut next: impl FnMut() -> Option<Request>,
        below: impl Fn(&[u8]) -> Result<Option<Bytes>, StoreError>,
    ) -> Self {
        let mut group = Group::behind(previous, window);
        let mut answers = Vec::new();
        while answers.len() < MAX_GROUP && group.size() < MAX_GROUP_BYTES {
            let Some(request) = next() else { break };
            answers.push(match request {
                Request::Commit(commit, reply) => {
                    let stamp = Arc::clone(&commit.writes.commit);
                    let outcome = group.take(*commit, &below);
                    if let Ok(version) = &outcome {
                        let _ = stamp.set(*version);
                    }
                    Answer::Commit(reply, outcome)
                }
                Request::Count(count, reply) => Answer::Count(reply, group.count(count, &below)),
            });
        }
        let (last, changes, touched) = group.into_parts();
        Self { previous, last, changes, touched, answers }
    }

    pub(super) fn changes_nothing(&self) -> bool {
        self.last == self.previous
    }
}
