//! What a committer is asked, and what it answers once a group is durable.

use tokio::sync::oneshot;

use crate::StoreError;
use crate::commit::{Commit, Count, Counted, Refused};

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
