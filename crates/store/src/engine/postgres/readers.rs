//! The connections that transactions read by, each for itself.

use std::ops::Deref;
use std::sync::Arc;

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use tokio_postgres::Statement;

use super::connect::{Hosts, Session};
use super::snapshot::{BACKWARD, FORWARD, GET, GET_MANY};
use super::trouble::failed;
use crate::{Direction, StoreError};

pub(super) type Pool = managed::Pool<Readers>;
/// A reader of the pool's, which goes back when it is dropped.
pub(super) type Reader = managed::Object<Readers>;

/// What a reader may be asked.
#[derive(Clone, Copy)]
pub(super) enum Asked {
    Get,
    GetMany,
    Scan(Direction),
}

/// Makes them.
pub(super) struct Readers(pub(super) Arc<Hosts>);

/// A connection with its statements prepared.
pub(super) struct Prepared {
    session: Session,
    get: Statement,
    get_many: Statement,
    forward: Statement,
    backward: Statement,
}

impl Prepared {
    pub(super) async fn connect(hosts: &Hosts) -> Result<Self, StoreError> {
        let session = hosts.connect(|| {}).await?;
        let (get, get_many, forward, backward) = tokio::try_join!(
            session.prepare(GET),
            session.prepare(GET_MANY),
            session.prepare(FORWARD),
            session.prepare(BACKWARD),
        )
        .map_err(failed)?;
        Ok(Self { session, get, get_many, forward, backward })
    }

    pub(super) fn statement(&self, asked: Asked) -> &Statement {
        match asked {
            Asked::Get => &self.get,
            Asked::GetMany => &self.get_many,
            Asked::Scan(Direction::Forward) => &self.forward,
            Asked::Scan(Direction::Backward) => &self.backward,
        }
    }
}

impl Deref for Prepared {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl managed::Manager for Readers {
    type Type = Prepared;
    type Error = StoreError;

    async fn create(&self) -> Result<Prepared, StoreError> {
        Prepared::connect(&self.0).await
    }

    async fn recycle(&self, reader: &mut Prepared, _: &Metrics) -> RecycleResult<StoreError> {
        if reader.is_closed() || self.0.is_stale(reader) {
            Err(RecycleError::message("it is closed, or may be"))
        } else {
            Ok(())
        }
    }
}
