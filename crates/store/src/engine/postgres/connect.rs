use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls, Socket, tls::NoTlsStream};

use super::{Away, PostgresOptions, failed};
use crate::StoreError;

/// The committer's and the follower's, beside those that read.
const OWN_CONNECTIONS: usize = 2;
/// How long one may take to be made, and a reader waits for a free one.
const PATIENCE: Duration = Duration::from_secs(3);
/// What every session is held to: a node that stalls with the clock's row in its hands is ended by the database.
const SESSION: &str = "-c statement_timeout=5000 -c idle_in_transaction_session_timeout=8000";

/// The database, and the connections for reading.
#[derive(Clone)]
pub(super) struct Database {
    config: Config,
    pool: Pool,
}

impl Database {
    pub(super) fn new(options: &PostgresOptions) -> Result<Self, deadpool_postgres::BuildError> {
        let mut config = options.config.clone();
        let given = config.get_options().map(str::to_owned).unwrap_or_default();
        config.options(format!("{SESSION} {given}").trim());
        config.connect_timeout(PATIENCE);
        config.target_session_attrs(tokio_postgres::config::TargetSessionAttrs::ReadWrite);
        let manager = Manager::from_config(
            config.clone(),
            NoTls,
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let pool = Pool::builder(manager)
            .max_size(options.connections.saturating_sub(OWN_CONNECTIONS).max(1))
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            .build()?;
        Ok(Self { config, pool })
    }

    /// A connection for reading; it goes back when it is dropped.
    pub(super) async fn reader(&self) -> Result<Object, StoreError> {
        self.pool.get().await.map_err(failed)
    }

    /// A connection of one's own, and what drives it.
    pub(super) async fn connect(&self) -> Result<(Client, Connection<Socket, NoTlsStream>), StoreError> {
        let connecting = tokio::time::timeout(PATIENCE, self.config.connect(NoTls)).await;
        let connected = connecting.map_err(|_| failed(Away::Unreachable("no answer".to_owned())))?;
        connected.map_err(failed)
    }

    /// A connection that drives itself.
    pub(super) async fn connected(&self) -> Result<Client, StoreError> {
        let (client, connection) = self.connect().await?;
        tokio::spawn(connection);
        Ok(client)
    }
}

/// Drives a connection, and calls when the database has news; it ends with the connection.
pub(super) async fn drive(mut connection: Connection<Socket, NoTlsStream>, news: impl Fn()) {
    loop {
        match std::future::poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notification(_))) => news(),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return,
        }
    }
}
