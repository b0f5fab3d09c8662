//! Connections: how they are made, and how long their answers are waited for.

use std::net::IpAddr;
use std::ops::{Deref, RangeInclusive};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Socket};

use super::PostgresOptions;
use super::lanes::{Lanes, Place};
use super::readers::{Pool, Reader, Readers};
use super::tls::{Encrypted, Tls};
use super::trouble::{away, failed, said};
use super::url::PostgresHost;
use crate::{OpenError, StoreError};

/// The committer's and the follower's, beside those that read.
const OWN_CONNECTIONS: usize = 2;
const ALLOWED_CONNECTIONS: RangeInclusive<usize> = 4..=1_000;
/// How long a reader waits for a connection.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);
/// How long one of several hosts is waited for.
const HOST_PATIENCE: Duration = Duration::from_secs(2);
/// How long an answer is waited for: a little longer than the database itself takes for one.
const ANSWER_WITHIN: Duration = Duration::from_secs(6);
const TOLD_LATELY_MILLIS: u64 = 1_000;
/// A name's addresses that are tried, each for as long as a host.
const MOST_ADDRESSES: u32 = 4;
/// When the kernel gives up a connection on which nothing is heard.
const TCP_PATIENCE: Duration = Duration::from_secs(8);
/// What every session is held to: the database ends what a node that stalls has begun.
const SESSION: &str = "-c statement_timeout=5000 -c idle_in_transaction_session_timeout=8000";

/// The database, and the connections for reading.
#[derive(Clone)]
pub(super) struct Database {
    hosts: Arc<Hosts>,
    pool: Pool,
    lanes: Arc<Lanes>,
    /// It did not answer when it was last tried. Who follows tries it again and again.
    away: Arc<AtomicBool>,
    /// When somebody was last told that it is away, in milliseconds from when this was made; 0 for never.
    told: Arc<AtomicU64>,
    made: Instant,
}

impl Database {
    pub(super) fn new(options: &PostgresOptions) -> Result<Self, OpenError> {
        if !ALLOWED_CONNECTIONS.contains(&options.connections) {
            return Err(OpenError::Options(format!(
                "{} connections; {} to {} are possible",
                options.connections,
                ALLOWED_CONNECTIONS.start(),
                ALLOWED_CONNECTIONS.end()
            )));
        }
        let hosts = Arc::new(Hosts::new(options).map_err(OpenError::Options)?);
        let reading = options.connections.saturating_sub(OWN_CONNECTIONS);
        let lanes = Arc::new(Lanes::new(Arc::clone(&hosts), reading / 2));
        let pool = Pool::builder(Readers(Arc::clone(&hosts)))
            .max_size(reading.div_ceil(2))
            .build()
            .map_err(|error| OpenError::Engine(Box::new(error)))?;
        let (away, told, made) = (Arc::default(), Arc::default(), Instant::now());
        Ok(Self { hosts, pool, lanes, away, told, made })
    }

    pub(super) fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    /// Whether it is away, or somebody was told so within the last second: a group may be stuck while all else goes on.
    pub(super) fn seems_away(&self) -> bool {
        let told = self.told.load(Ordering::Relaxed);
        self.is_away() || (told > 0 && self.millis().saturating_sub(told) < TOLD_LATELY_MILLIS)
    }

    /// Notes what a caller is about to be told.
    pub(super) fn note<T>(&self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        answer.inspect_err(|error| {
            if error.is_away() {
                self.told.store(self.millis().max(1), Ordering::Relaxed);
            }
        })
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.made.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// It can't be reached.
    pub(super) fn went_away(&self) {
        self.hosts.outages.fetch_add(1, Ordering::Relaxed);
        self.away.store(true, Ordering::Relaxed);
    }

    /// It was reached.
    pub(super) fn came_back(&self) {
        self.away.store(false, Ordering::Relaxed);
    }

    /// A connection for reading; it goes back when it is dropped. None while the database is away.
    pub(super) async fn reader(&self) -> Result<Reader, StoreError> {
        if self.is_away() {
            return Err(away("it did not answer just now"));
        }
        let reader = timeout(PATIENCE, self.pool.get()).await;
        let reader = reader.map_err(|_| away("no connection came free"))?;
        reader.map_err(|error| match error {
            deadpool::managed::PoolError::Backend(error) => error,
            other => away(other),
        })
    }

    /// A place behind others that read single keys. None while the database is away.
    pub(super) async fn place(&self) -> Result<Place<'_>, StoreError> {
        if self.is_away() {
            return Err(away("it did not answer just now"));
        }
        self.lanes.place().await
    }

    /// A connection of one's own.
    pub(super) async fn connected(&self) -> Result<Session, StoreError> {
        self.hosts.connect(|| {}).await
    }

    /// The same, which calls when the database has news.
    pub(super) async fn listening(&self, news: impl Fn() + Send + 'static) -> Result<Session, StoreError> {
        self.hosts.connect(news).await
    }

    /// What the database answers a session. When it doesn't in time, it counts as away, and all connections made before as
    /// dead: the network may have dropped them without a word.
    pub(super) async fn answer<T>(
        &self,
        session: &Session,
        asked: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        self.in_time(session, asked).await?.map_err(failed)
    }

    pub(super) async fn in_time<T>(
        &self,
        session: &Session,
        asked: impl Future<Output = T>,
    ) -> Result<T, StoreError> {
        timeout(ANSWER_WITHIN, asked).await.map_err(|_| {
            // What hung on since an outage that is known says nothing new.
            if !self.is_stale(session) {
                self.went_away();
            }
            away("it did not answer in time")
        })
    }

    /// Whether the database was away since the connection was made.
    pub(super) fn is_stale(&self, session: &Session) -> bool {
        self.hosts.is_stale(session)
    }
}

/// A connection; it ends with this.
pub(super) struct Session {
    client: Client,
    driver: JoinHandle<()>,
    /// How many outages there were before.
    outages: u64,
}

impl Deref for Session {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Where the database may be: the one that takes writes is used.
pub(super) struct Hosts {
    each: Vec<Config>,
    /// Their names and ports.
    names: Vec<(String, u16)>,
    tls: Tls,
    /// How long each is waited for.
    patience: Duration,
    /// The one that was it last.
    last: AtomicUsize,
    /// How often the database was found to be away.
    outages: AtomicU64,
}

impl Hosts {
    fn new(options: &PostgresOptions) -> Result<Self, String> {
        let url = &options.url;
        let encrypts = url.hosts.iter().any(|host| host.encrypted);
        let tls = if encrypts { Tls::trusting(url.roots.as_deref())? } else { Tls::none()? };
        let patience = url.connect_timeout.unwrap_or(HOST_PATIENCE);
        let each = url.hosts.iter().map(|host| config(options, host, patience)).collect();
        let names = url.hosts.iter().map(|host| (host.name.clone(), host.port)).collect();
        Ok(Self { each, names, tls, patience, last: AtomicUsize::default(), outages: AtomicU64::default() })
    }

    pub(super) fn is_stale(&self, session: &Session) -> bool {
        session.outages != self.outages.load(Ordering::Relaxed)
    }

    pub(super) async fn connect(&self, news: impl Fn() + Send + 'static) -> Result<Session, StoreError> {
        let mut why = "no host is named".to_owned();
        let (first, outages) = (self.last.load(Ordering::Relaxed), self.outages.load(Ordering::Relaxed));
        for turn in 0..self.each.len() {
            let host = (first + turn) % self.each.len();
            let patience = self.patience * self.addresses(host).await;
            match timeout(patience, self.each[host].connect(self.tls.clone())).await {
                Ok(Ok((client, connection))) => {
                    self.last.store(host, Ordering::Relaxed);
                    let driver = tokio::spawn(drive(connection, news));
                    return Ok(Session { client, driver, outages });
                }
                Ok(Err(error)) => why = said(&error),
                Err(_) => why = "no answer".to_owned(),
            }
        }
        Err(away(why))
    }

    /// How many addresses a host's name stands for: the driver tries one after another.
    async fn addresses(&self, host: usize) -> u32 {
        let (name, port) = &self.names[host];
        if name.starts_with('/') || name.parse::<IpAddr>().is_ok() {
            return 1;
        }
        match timeout(self.patience, lookup_host((name.as_str(), *port))).await {
            Ok(Ok(found)) => u32::try_from(found.count()).unwrap_or(MOST_ADDRESSES).clamp(1, MOST_ADDRESSES),
            _ => 1,
        }
    }
}

/// How one of the hosts is connected to.
fn config(options: &PostgresOptions, host: &PostgresHost, patience: Duration) -> Config {
    let url = &options.url;
    let mut config = Config::new();
    if let Some(password) = &host.password {
        config.password(password);
    }
    config
        // A folder is taken for a socket's.
        .host(&host.name)
        .port(host.port)
        .user(&url.user)
        .dbname(&url.database)
        .options(SESSION)
        // By this name the sessions of other processes are told apart.
        .application_name(format!("homeport {:032x}", u128::from_be_bytes(options.node)))
        .ssl_mode(if host.encrypted { SslMode::Require } else { SslMode::Disable })
        .connect_timeout(patience)
        .tcp_user_timeout(TCP_PATIENCE)
        .keepalives_idle(TCP_PATIENCE / 2)
        .keepalives_interval(TCP_PATIENCE / 4)
        .keepalives_retries(2)
        .target_session_attrs(TargetSessionAttrs::ReadWrite);
    config
}

/// Drives a connection until it ends.
async fn drive(mut connection: Connection<Socket, Encrypted>, news: impl Fn()) {
    loop {
        match std::future::poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notification(_))) => news(),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return,
        }
    }
}
