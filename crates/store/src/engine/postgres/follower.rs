//! Hears what other nodes changed, for those that watch here.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::connect::{Database, drive};
use super::{failed, packed};
use crate::StoreError;
use crate::watch::Watchers;

/// How long news waits at most where no notification came.
const EVERY: Duration = Duration::from_millis(250);
/// Between tries to reach the database.
const AFTER_TROUBLE: Duration = Duration::from_millis(250);

/// How often groups are forgotten that nobody asks for any more.
const FORGET_EVERY: Duration = Duration::from_secs(60);

const LISTEN: &str = "LISTEN homeport";
const NEWS: &str = "SELECT last, CASE WHEN node = $2 THEN NULL ELSE touched END FROM homeport.groups
    WHERE last > $1 ORDER BY last LIMIT 1000";
/// A node that was away for longer begins anew, and whether so old a commit took effect is asked no more.
const FORGET: &str = "DELETE FROM homeport.groups WHERE at < now() - interval '10 minutes'";

/// Ends with this.
pub(super) struct Follower(JoinHandle<()>);

impl Follower {
    pub(super) fn start(database: Database, node: [u8; 16], told: u64, watchers: Arc<Watchers>) -> Self {
        let mut following = Following { database, node, told, watchers };
        Self(tokio::spawn(async move {
            loop {
                if let Err(error) = following.follow().await {
                    tracing::warn!(%error, "other nodes' changes can't be followed");
                }
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
    node: [u8; 16],
    told: u64,
    watchers: Arc<Watchers>,
}

impl Following {
    /// Follows until the connection fails.
    async fn follow(&mut self) -> Result<(), StoreError> {
        let (session, connection) = self.database.connect().await?;
        let news = Arc::new(Notify::new());
        let heard = Arc::clone(&news);
        tokio::spawn(drive(connection, move || heard.notify_one()));
        session.batch_execute(LISTEN).await.map_err(failed)?;
        let mut forgot: Option<Instant> = None;
        loop {
            while self.tell(&session).await? {}
            if forgot.is_none_or(|forgot| forgot.elapsed() > FORGET_EVERY) {
                session.execute(FORGET, &[]).await.map_err(failed)?;
                forgot = Some(Instant::now());
            }
            // Time running out is a reason to look, too.
            let _ = timeout(EVERY, news.notified()).await;
        }
    }

    /// Tells the next changes; whether more may follow.
    async fn tell(&mut self, session: &tokio_postgres::Client) -> Result<bool, StoreError> {
        let (told, node) = (self.told.cast_signed(), &self.node[..]);
        let rows = session.query(NEWS, &[&told, &node]).await.map_err(failed)?;
        for row in &rows {
            if let Some(touched) = row.get::<_, Option<&[u8]>>(1) {
                self.watchers.tell(&packed::unpacked_touched(touched));
            }
            self.told = row.get::<_, i64>(0).unsigned_abs();
        }
        Ok(rows.len() == 1_000)
    }
}
