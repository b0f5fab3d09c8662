//! Hears what other nodes changed, for those that watch here.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::{Row, Statement};

use super::connect::{Database, Session};
use super::own_news::OwnNews;
use super::trouble::{broken, if_supported, said};
use super::{NoClock, packed, schema};
use crate::watch::Watchers;
use crate::{StoreError, Versionstamp};

/// How long news waits at most where no notification came.
const EVERY: Duration = Duration::from_millis(250);
/// Between tries to reach the database.
const AFTER_TROUBLE: Duration = Duration::from_millis(250);
/// The most groups of one look.
const MAX_GROUPS: usize = 1_000;

/// How often groups are forgotten that nobody asks for any more.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// What is forgotten needs no standby, and whoever else is forgetting isn't waited for.
const IN_PASSING: &str = "SET synchronous_commit = off; SET lock_timeout = 500";
const LISTEN: &str = "LISTEN homeport";
/// The clock, and behind it what came since, of this node only what it may not have told itself.
const NEWS: &str =
    "SELECT c.last, c.format, g.last, g.previous, g.id, g.touched FROM homeport.clock c LEFT JOIN (
       SELECT last, previous, CASE WHEN node = $2 THEN id END AS id, touched
       FROM homeport.groups WHERE last > $1 ORDER BY last LIMIT 1000) g ON true ORDER BY g.last";
/// A node that was away for longer begins anew, and whether so old a commit took effect is asked no more.
const FORGET: &str = "DELETE FROM homeport.groups WHERE at < now() - interval '10 minutes'";

/// Ends with this.
pub(super) struct Follower(JoinHandle<()>);

impl Follower {
    /// Follows from what `told` names, which was the last commit at `began`.
    pub(super) fn start(
        database: Database,
        own: Arc<OwnNews>,
        watchers: Arc<Watchers>,
        told: u64,
        began: Instant,
    ) -> Self {
        watchers.all_was_told(began, Versionstamp::new(told, 0));
        let mut following = Following { database, own, watchers, told, forgot: None, trouble: String::new() };
        Self(tokio::spawn(async move {
            loop {
                following.try_to_follow().await;
                sleep(AFTER_TROUBLE).await;
            }
        }))
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Following {
    database: Database,
    own: Arc<OwnNews>,
    watchers: Arc<Watchers>,
    told: u64,
    /// When old groups were last forgotten, or that was tried.
    forgot: Option<Instant>,
    /// What was in the way last, so that it is said once.
    trouble: String,
}

impl Following {
    /// Follows until the connection fails. Whether the database is there at all is found here, for everyone.
    async fn try_to_follow(&mut self) {
        let notified = Arc::new(Notify::new());
        let heard = Arc::clone(&notified);
        let error = match self.database.listening(move || heard.notify_one()).await {
            Ok(session) => match self.follow(&session, &notified).await {
                Ok(never) => match never {},
                Err(error) => error,
            },
            Err(error) => {
                self.database.went_away();
                error
            }
        };
        let trouble = error.to_string();
        if self.trouble != trouble {
            tracing::warn!("other nodes' changes can't be followed: {trouble}");
            self.trouble = trouble;
        }
    }

    async fn follow(&mut self, session: &Session, notified: &Notify) -> Result<Infallible, StoreError> {
        let prepared = async {
            tokio::try_join!(
                if_supported(session.batch_execute(IN_PASSING)),
                if_supported(session.batch_execute(LISTEN)),
                session.prepare(NEWS)
            )
        };
        let (_, _, news) = self.database.answer(session, prepared).await?;
        loop {
            let began = Instant::now();
            while self.look(session, &news).await? {}
            self.watchers.all_was_told(began, Versionstamp::new(self.told, 0));
            if !self.trouble.is_empty() {
                tracing::info!("other nodes' changes are followed again");
                self.trouble.clear();
            }
            if self.forgot.is_none_or(|forgot| forgot.elapsed() > FORGET_EVERY) {
                self.forgot = Some(Instant::now());
                let forgotten = self.database.in_time(session, session.execute(FORGET, &[])).await?;
                if let Err(error) = forgotten {
                    tracing::debug!("old groups can't be forgotten yet: {}", said(&error));
                }
            }
            // Time running out is a reason to look, too.
            let _ = timeout(EVERY, notified.notified()).await;
        }
    }

    /// Tells the next changes; whether more may follow.
    async fn look(&mut self, session: &Session, news: &Statement) -> Result<bool, StoreError> {
        let (told, node) = (self.told.cast_signed(), &self.own.node()[..]);
        let rows = self.database.answer(session, session.query(news, &[&told, &node])).await?;
        self.database.came_back();
        let clock = rows.first().ok_or_else(|| broken(NoClock))?;
        schema::check(clock.get(1))?;
        let clock = clock.get::<_, i64>(0).unsigned_abs();
        let (more, mut missed) = (rows.len() == MAX_GROUPS, false);
        for row in &rows {
            let Some(last) = row.get::<_, Option<i64>>(2) else { continue };
            missed |= row.get::<_, i64>(3).unsigned_abs() != self.told;
            self.tell(row);
            self.told = last.unsigned_abs();
        }
        if !more {
            missed |= self.told != clock;
            self.told = clock;
        }
        if missed {
            tracing::info!("other nodes' changes were missed: caches begin anew");
            self.watchers.tell_everyone(Versionstamp::new(self.told, 0));
        }
        Ok(more)
    }

    fn tell(&self, row: &Row) {
        let Some(touched) = row.get::<_, Option<&[u8]>>(5) else { return };
        let touched = packed::unpacked_touched(touched);
        match row.get::<_, Option<&[u8]>>(4) {
            Some(id) => self.own.tell(id, &touched),
            None => self.watchers.tell(&touched),
        }
    }
}
