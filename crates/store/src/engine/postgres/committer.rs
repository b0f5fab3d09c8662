//! The task that commits what this node's transactions wrote.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};

use super::connect::{Database, Session};
use super::own_news::OwnNews;
use super::trouble::{away, broken, failed, if_supported, is_of_others, is_refusal};
use super::{NoClock, packed, schema};
use crate::StoreError;
use crate::commit::Refused;
use crate::conflicts::Window;
use crate::engine::requests::{Answer, Decided, MAX_GROUP, Request};
use crate::tx::Op;

/// The most requests that wait for their turn; further ones are refused at once.
const MAX_WAITING: usize = 10_000;
/// The most groups of other nodes that are caught up with; behind more, every reader runs again.
const MAX_NEWS: i64 = 1_000;
/// Bytes of their keys.
const MAX_NEWS_BYTES: i64 = 256 << 10;
/// A turn that was waited for so long is not tried again: who waits is better told.
const LONG: Duration = Duration::from_secs(2);
/// How often a group is tried that the database refuses because of another session.
const ATTEMPTS: u32 = 5;
/// How long it is asked whether a group took effect whose answer was lost.
const UNKNOWN_FOR: Duration = Duration::from_secs(30);
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(200);
/// After a failure to connect, how long further requests fail at once.
const AWAY_FOR: Duration = Duration::from_millis(500);

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
const LOCK: &str = "SELECT last, format FROM homeport.clock FOR UPDATE";
/// No more than so many bytes are sent while the clock's row is held: a reader that stalls would hold up everyone.
const NEWS: &str = "SELECT last, previous, changed FROM (
       SELECT last, previous, changed, sum(octet_length(changed)) OVER
           (ORDER BY last ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS bytes
       FROM homeport.groups WHERE last > $1 ORDER BY last LIMIT $2) news
     WHERE bytes <= $3 ORDER BY last";
const VALUES: &str = "SELECT key, value FROM homeport.rows WHERE key = ANY($1)";
const PUT: &str = "INSERT INTO homeport.rows (key, value) SELECT * FROM unnest($1::bytea[], $2::bytea[])
    ON CONFLICT (key) DO UPDATE SET value = excluded.value";
const DELETE: &str = "DELETE FROM homeport.rows WHERE key = ANY($1)";
const NOTE: &str = "INSERT INTO homeport.groups (last, previous, id, node, changed, touched)
    VALUES ($1, $2, $3, $4, $5, $6)";
const TICK: &str = "UPDATE homeport.clock SET last = $1";
const TELL: &str = "SELECT pg_notify('homeport', '')";
/// The first group behind a commit.
const NEXT: &str = "SELECT previous, id FROM homeport.groups WHERE last > $1 ORDER BY last LIMIT 1";
/// A commit of its own, which is answered once whatever came before it is on the standby, too.
const SECURE: &str = "UPDATE homeport.clock SET last = last";

/// A session that stalls with the clock's row in its hands holds up all nodes: the database ends it soon.
const SOON: &str = "SET idle_in_transaction_session_timeout = 3000";
/// The same for one that doesn't take what it is sent. PostgreSQL's own, left out elsewhere.
const SENT_SOON: &str = "SET tcp_user_timeout = 8000";

pub(super) struct Committer {
    requests: mpsc::Sender<Request>,
    database: Database,
}

impl Committer {
    pub(super) fn start(database: Database, own: Arc<OwnNews>) -> Self {
        let (sender, requests) = mpsc::channel(MAX_WAITING);
        let ours = database.clone();
        let task = Task {
            requests,
            waiting: VecDeque::new(),
            session: None,
            away_until: Instant::now(),
            window: Window::default(),
            seen: None,
            groups: 0,
            database,
            own,
        };
        tokio::spawn(task.run());
        Self { requests: sender, database: ours }
    }

    pub(super) fn queue(&self, request: Request) -> Result<(), StoreError> {
        if self.database.is_away() {
            return Err(away("it did not answer just now"));
        }
        self.requests.try_send(request).map_err(|_| away("too much waits for it"))
    }
}

struct Task {
    requests: mpsc::Receiver<Request>,
    waiting: VecDeque<Request>,
    session: Option<Prepared>,
    away_until: Instant,
    window: Window,
    /// The last commit that the window knows; none when it must begin anew.
    seen: Option<u64>,
    /// Groups so far: with the node's number a group's id.
    groups: u64,
    database: Database,
    own: Arc<OwnNews>,
}

/// A connection with its statements prepared, so that they can be sent behind each other.
struct Prepared {
    session: Session,
    lock: Statement,
    news: Statement,
    values: Statement,
    put: Statement,
    delete: Statement,
    note: Statement,
    tick: Statement,
    /// None where the database has no notifications: the other nodes look often enough.
    tell: Option<Statement>,
}

type Parameters<'p> = &'p [&'p (dyn ToSql + Sync)];

impl Prepared {
    async fn open(database: &Database) -> Result<Self, StoreError> {
        let session = database.connected().await?;
        let prepared = async {
            tokio::try_join!(
                biased;
                session.batch_execute(SOON),
                if_supported(session.batch_execute(SENT_SOON)),
                session.batch_execute(schema::DURABLE),
                session.prepare(LOCK),
                session.prepare(NEWS),
                session.prepare(VALUES),
                session.prepare(PUT),
                session.prepare(DELETE),
                session.prepare(NOTE),
                session.prepare(TICK),
                if_supported(session.prepare(TELL)),
            )
        };
        let ((), _, (), lock, news, values, put, delete, note, tick, tell) =
            database.answer(&session, prepared).await?;
        Ok(Self { session, lock, news, values, put, delete, note, tick, tell })
    }
}

/// How a group's transaction in the database ended.
enum Ended {
    Durable,
    /// Nothing of it took effect, for the database said so.
    Refused(tokio_postgres::Error),
    /// The answer was lost.
    Unknown,
}

/// The clock's row is had: what it said, and what is there.
struct Turn {
    last: u64,
    below: HashMap<Bytes, Bytes>,
}

impl Task {
    async fn run(mut self) {
        while let Some(first) = self.requests.recv().await {
            self.waiting.push_back(first);
            while !self.waiting.is_empty() {
                while self.waiting.len() < MAX_GROUP
                    && let Ok(next) = self.requests.try_recv()
                {
                    self.waiting.push_back(next);
                }
                self.serve().await;
            }
        }
    }

    /// Commits a group of what waits; where the database is away, all of it fails.
    async fn serve(&mut self) {
        let mut why = away("it was not tried");
        for attempt in 0..ATTEMPTS {
            let began = Instant::now();
            match self.take_turn().await {
                Ok(turn) => return self.commit(turn).await,
                Err(error) => why = error,
            }
            let had_one = self.session.take().is_some();
            if is_of_others(&why) {
                why = away("its sessions are in each other's way");
                sleep(self.pause(attempt)).await;
                continue;
            }
            // A connection that was had may have broken since: another one may be had.
            let is_lasting = self.database.is_away() || began.elapsed() > LONG;
            if !had_one || is_lasting || matches!(why, StoreError::OtherFormat { .. }) {
                break;
            }
        }
        self.fail_all(&why);
    }

    /// Longer after each attempt, and for each node another time: two that met don't meet again.
    fn pause(&self, attempt: u32) -> Duration {
        let drawn = self.own.node()[attempt as usize % self.own.node().len()];
        Duration::from_millis(5 << attempt).mul_f64(0.5 + f64::from(drawn) / 255.0)
    }

    /// Nothing waits for a database that is away.
    fn fail_all(&mut self, why: &StoreError) {
        self.waiting.drain(..).for_each(|request| request.fail(why.clone()));
        while let Ok(request) = self.requests.try_recv() {
            request.fail(why.clone());
        }
    }

    /// Has the clock's row, learns what other nodes did, and reads what merges and counters begin with.
    async fn take_turn(&mut self) -> Result<Turn, StoreError> {
        // What the network dropped silently while the database was away isn't waited for.
        self.session = self.session.take().filter(|prepared| !self.database.is_stale(&prepared.session));
        if self.session.is_none() {
            if Instant::now() < self.away_until {
                return Err(away("it was just tried"));
            }
            let session = Prepared::open(&self.database).await;
            // Counted from the last real try: what fails meanwhile doesn't put off the next one.
            let session = session.inspect_err(|_| self.away_until = Instant::now() + AWAY_FOR)?;
            self.session = Some(session);
            self.seen = None;
        }
        let Some(prepared) = &self.session else { return Err(broken(NoClock)) };
        let keys: Vec<Bytes> = self.waiting.iter().take(MAX_GROUP).flat_map(numbers).collect();
        let keys: Vec<&[u8]> = keys.iter().map(Bytes::as_ref).collect();
        let seen = self.seen.map_or(i64::MAX, u64::cast_signed);
        let session = &prepared.session;
        let (since, wanted): (Parameters<'_>, Parameters<'_>) =
            (&[&seen, &MAX_NEWS, &MAX_NEWS_BYTES], &[&keys]);
        let values = async {
            if keys.is_empty() { Ok(Vec::new()) } else { session.query(&prepared.values, wanted).await }
        };
        // One trip: each is sent before the answer to the one before has come.
        let asked = async {
            // The first that fails is why: the others fail for it.
            tokio::try_join!(
                biased;
                session.batch_execute(BEGIN),
                session.query_one(&prepared.lock, &[]),
                session.query(&prepared.news, since),
                values,
            )
        };
        let ((), clock, news, values) = self.database.answer(session, asked).await?;
        schema::check(clock.get(1))?;
        let last = clock.get::<_, i64>(0).unsigned_abs();
        let below = values.iter().map(|row| (bytes(row, 0), bytes(row, 1))).collect();
        self.catch_up(last, &news);
        Ok(Turn { last, below })
    }

    /// Notes what other nodes' groups changed. Where some are missing, whoever read before now runs again.
    fn catch_up(&mut self, last: u64, news: &[Row]) {
        let mut seen = self.seen;
        for row in news {
            if seen != Some(row.get::<_, i64>(1).unsigned_abs()) {
                break;
            }
            let version = row.get::<_, i64>(0).unsigned_abs();
            self.window.record(version, packed::unpacked_keys(row.get(2)));
            seen = Some(version);
        }
        if seen != Some(last) {
            self.window = Window::starting_at(last);
        }
        self.seen = Some(last);
    }

    async fn commit(&mut self, turn: Turn) {
        let Self { waiting, window, .. } = self;
        let below = |key: &[u8]| Ok(turn.below.get(key).cloned());
        let decided = Decided::behind(turn.last, window, || waiting.pop_front(), below);
        let Some(session) = self.session.take() else { return };
        if decided.changes_nothing() {
            if self.database.answer(&session.session, session.session.batch_execute("ROLLBACK")).await.is_ok()
            {
                self.session = Some(session);
            }
            return decided.answers.into_iter().for_each(Answer::give);
        }
        self.groups += 1;
        let id = self.own.id(self.groups);
        match self.write(&session, &id, &decided).await {
            Ended::Durable => {
                self.session = Some(session);
                self.made(&id, decided);
            }
            Ended::Refused(error) => self.refused(decided, &failed(error)),
            Ended::Unknown => {
                drop(session);
                self.settle(&id, decided).await;
            }
        }
    }

    async fn write(&self, prepared: &Prepared, id: &[u8], decided: &Decided) -> Ended {
        let (mut keys, mut values, mut gone) = (Vec::new(), Vec::new(), Vec::new());
        for (key, value) in &decided.changes {
            match value {
                Some(value) => {
                    keys.push(key.as_ref());
                    values.push(value.as_ref());
                }
                None => gone.push(key.as_ref()),
            }
        }
        let (last, previous) = (decided.last.cast_signed(), decided.previous.cast_signed());
        let (node, changed) = (&self.own.node()[..], packed::keys(decided.changes.keys()));
        let touched = packed::touched(&decided.touched);
        let session = &prepared.session;
        let (put, delete): (Parameters<'_>, Parameters<'_>) = (&[&keys, &values], &[&gone]);
        // What has nothing to do isn't asked.
        let put = async { if keys.is_empty() { Ok(0) } else { session.execute(&prepared.put, put).await } };
        let delete =
            async { if gone.is_empty() { Ok(0) } else { session.execute(&prepared.delete, delete).await } };
        let tell = async {
            match (&touched, &prepared.tell) {
                (Some(_), Some(tell)) => session.query(tell, &[]).await.map(|_| ()),
                _ => Ok(()),
            }
        };
        let tick: Parameters<'_> = &[&last];
        let note: Parameters<'_> = &[&last, &previous, &id, &node, &changed, &touched];
        // One trip, in this order.
        let asked = async {
            tokio::join!(
                put,
                delete,
                session.execute(&prepared.note, note),
                session.execute(&prepared.tick, tick),
                tell,
                session.batch_execute("COMMIT"),
            )
        };
        let Ok((put, deleted, noted, ticked, told, committed)) = self.database.in_time(session, asked).await
        else {
            return Ended::Unknown;
        };
        let steps = [put.err(), deleted.err(), noted.err(), ticked.err(), told.err(), committed.err()];
        let failures: Vec<_> = steps.into_iter().flatten().collect();
        if failures.is_empty() {
            return Ended::Durable;
        }
        // What the database itself refused ended the transaction; whatever else failed says nothing about it.
        let is_refused = failures.iter().any(|error| error.as_db_error().is_some_and(is_refusal));
        match failures.into_iter().find(|error| error.as_db_error().is_some()) {
            Some(first) if is_refused => Ended::Refused(first),
            _ => Ended::Unknown,
        }
    }

    fn made(&mut self, id: &[u8], decided: Decided) {
        self.seen = Some(decided.last);
        self.own.tell(id, &decided.touched);
        decided.answers.into_iter().for_each(Answer::give);
    }

    /// The database would not have it. What is in its way for long isn't tried again and again.
    fn refused(&mut self, decided: Decided, error: &StoreError) {
        if is_of_others(error) {
            return self.not_made(decided, error);
        }
        self.seen = None;
        fail(decided, error);
    }

    /// Nothing took effect: transactions run again, and counts fail.
    fn not_made(&mut self, decided: Decided, error: &StoreError) {
        self.seen = None;
        for answer in decided.answers {
            match answer {
                Answer::Commit(reply, Ok(_)) => drop(reply.send(Err(Refused::Conflict))),
                Answer::Count(reply, Ok(_)) => drop(reply.send(Err(error.clone()))),
                refused => refused.give(),
            }
        }
    }

    /// Whether the group took effect is told by its id. Whoever has the clock's row knows that the session which had it
    /// before has ended.
    async fn settle(&mut self, id: &[u8], decided: Decided) {
        let began = Instant::now();
        while began.elapsed() < UNKNOWN_FOR {
            match self.is_there(id, decided.previous).await {
                Ok(Some(true)) => return self.made(id, decided),
                Ok(Some(false)) => return self.not_made(decided, &away("it was cut off")),
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(%error, "whether a group of commits took effect can't be asked yet");
                    self.fail_all(&error);
                    sleep(BETWEEN_QUESTIONS).await;
                }
            }
        }
        self.seen = None;
        self.own.gave_up(id);
        fail(decided, &away("it did not answer whether a group of commits took effect"));
    }

    /// Whether this group came behind `previous`, for good; none when that is forgotten.
    async fn is_there(&mut self, id: &[u8], previous: u64) -> Result<Option<bool>, StoreError> {
        let session = self.database.connected().await?;
        let previous = previous.cast_signed();
        let asked = async {
            session.batch_execute(schema::DURABLE).await?;
            session.batch_execute(BEGIN).await?;
            let last: i64 = session.query_one(LOCK, &[]).await?.get(0);
            let next = session.query_opt(NEXT, &[&previous]).await?;
            let found = match next {
                Some(next) if next.get::<_, &[u8]>(1) == id => Some(true),
                Some(next) if next.get::<_, i64>(0) == previous => Some(false),
                None if last == previous => Some(false),
                _ => None,
            };
            if found == Some(true) {
                // It may be there and not on the standby yet, where nobody was left to wait for that.
                session.batch_execute(SECURE).await?;
            }
            session.batch_execute("COMMIT").await?;
            Ok(found)
        };
        self.database.answer(&session, asked).await
    }
}

fn fail(decided: Decided, error: &StoreError) {
    for answer in decided.answers {
        match answer {
            Answer::Commit(reply, Ok(_)) => drop(reply.send(Err(Refused::Failed(error.clone())))),
            Answer::Count(reply, Ok(_)) => drop(reply.send(Err(error.clone()))),
            refused => refused.give(),
        }
    }
}

/// The keys whose values a request's merges begin with.
fn numbers(request: &Request) -> Vec<Bytes> {
    match request {
        Request::Count(count, _) => vec![count.key.clone()],
        Request::Commit(commit, _) => {
            let merges = commit.writes.ops.iter().filter(|(_, op)| matches!(op, Op::Merge(_)));
            merges.map(|(key, _)| key.clone()).collect()
        }
    }
}

fn bytes(row: &Row, column: usize) -> Bytes {
    Bytes::copy_from_slice(row.get::<_, &[u8]>(column))
}
