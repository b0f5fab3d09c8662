//! Mail on its way to the mail server: sealed in the store from the call that caused it until the server has it.

use std::time::Duration;

use futures_util::future::join_all;
use homeport_core::{SharedClock, SharedRandomness, Timestamp};
use homeport_service::Parts;
use homeport_service::needs::GoneUser;
use homeport_store::{Collection, Index, Key, KeyParts, MAX_PAGE_ROWS, Record, Store, StoreError, Tx};
use homeport_vault::{Place, Purpose, Sealed, Vault};
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

use super::server::{MailServer, Undelivered};
use crate::duty::Held;
use crate::outbox::OutboxError;

const WAITING: Collection<Waiting> = Collection::new();
/// The most mails that wait; further ones are refused.
const MOST_WAITING: i64 = 10_000;
/// Mails that are sent at the same time.
const AT_ONCE: usize = 8;
/// How long a mail is tried for, unless its code ends before: the life of the codes that live longest.
const KEPT_SECONDS: i64 = 24 * 3_600;
/// Seconds until the next try, by how many there were; the last for all further.
const PAUSES: [i64; 5] = [5, 30, 120, 600, 1_800];
/// How long the queue rests at most when nothing is due, and after the store could not be read.
const REST: Duration = Duration::from_secs(60);
const AFTER_TROUBLE: Duration = Duration::from_secs(5);

/// A mail as it lies in the store.
#[derive(Clone, Serialize, Deserialize)]
struct Waiting {
    due: Timestamp,
    id: u64,
    /// When it is given up.
    until: Timestamp,
    tries: u32,
    content: Sealed,
    /// The user pool's id and the user's name there, if it is for a user.
    #[serde(default)]
    user: Option<(String, String)>,
}

impl Record for Waiting {
    const COLLECTION: &'static str = "mail-queue";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        KeyParts::new().i64(self.due.millis()).u64(self.id)
    }

    fn indexes() -> &'static [Index<Self>] {
        &[Index {
            name: "user",
            unique: false,
            key: |waiting| {
                let key = |(pool, name): &(String, String)| KeyParts::new().str(pool).str(name);
                waiting.user.iter().map(key).collect()
            },
        }]
    }
}

/// What is sent. It has no `Debug`: it may hold a code.
#[derive(Serialize, Deserialize)]
pub(super) struct Mail {
    pub(super) to: String,
    pub(super) subject: String,
    pub(super) body: String,
    pub(super) html: bool,
}

/// What the queue has to know of a mail.
#[derive(Default)]
pub(super) struct Envelope {
    /// When its code ends.
    pub(super) good_until: Option<Timestamp>,
    /// The user pool's id and the user's name there.
    pub(super) user: Option<(String, String)>,
}

/// What the queue does next.
enum Next {
    Send(Vec<Waiting>),
    Rest(Duration),
}

/// The queue.
pub(super) struct Queue {
    store: Store,
    vault: Vault,
    clock: SharedClock,
    randomness: SharedRandomness,
}

impl Queue {
    pub(super) fn new(parts: &Parts) -> Self {
        Self {
            store: parts.store.clone(),
            vault: parts.vault.clone(),
            clock: parts.clock.clone(),
            randomness: parts.randomness.clone(),
        }
    }

    /// Takes a mail; it is durable when this returns. `None` when too many wait.
    pub(super) async fn take(&self, mail: &Mail, envelope: Envelope) -> Result<Option<()>, OutboxError> {
        if self.is_full().await? {
            return Ok(None);
        }
        self.keep(mail, envelope).await.map(Some)
    }

    async fn is_full(&self) -> Result<bool, StoreError> {
        let waiting = self.store.read(|tx| async move { tx.get_i64(&count_key()).await });
        let waiting: Result<_, StoreError> = waiting.await;
        Ok(waiting?.is_some_and(|count| count >= MOST_WAITING))
    }

    async fn keep(&self, mail: &Mail, envelope: Envelope) -> Result<(), OutboxError> {
        let waiting = &self.seal(mail, envelope)?;
        self.store
            .write(|tx| async move {
                WAITING.put(&tx, waiting).await?;
                tx.add(&count_key(), 1)?;
                tx.touch(&came_key())
            })
            .await?;
        Ok(())
    }

    /// Does what taking a mail takes, and sends nothing: neither time nor a full queue tells the two apart.
    pub(super) async fn pretend(&self) -> Result<Option<()>, OutboxError> {
        if self.is_full().await? {
            return Ok(None);
        }
        let nobody = Mail {
            to: "nobody@example.com".to_owned(),
            subject: "Your verification code".to_owned(),
            body: "Your verification code is 000000".to_owned(),
            html: false,
        };
        let sealed = self.seal(&nobody, Envelope::default())?.content.to_text();
        let (key, sealed) = (&Key::of("mail-nobody"), sealed.as_bytes());
        self.store.write(|tx| async move { tx.put(key, sealed.to_vec()) }).await?;
        Ok(Some(()))
    }

    fn seal(&self, mail: &Mail, Envelope { good_until, user }: Envelope) -> Result<Waiting, OutboxError> {
        let (now, mut id) = (self.clock.now(), [0; 8]);
        self.randomness.fill(&mut id);
        let plain = serde_json::to_vec(mail).map_err(|_| OutboxError::Unreadable)?;
        let content = self.vault.seal(Purpose::Outbox, &place(&id), &plain)?;
        let last = now.plus_seconds(KEPT_SECONDS);
        let until = good_until.map_or(last, |end| end.min(last));
        Ok(Waiting { due: now, id: u64::from_be_bytes(id), until, tries: 0, content, user })
    }

    /// Gives up what waits for a user who is being deleted, in the transaction that does so: whoever sends finds it
    /// over, removes it and counts it.
    pub(super) async fn forget(&self, tx: &Tx, user: &GoneUser) -> Result<(), StoreError> {
        let now = self.clock.now();
        loop {
            let key = KeyParts::new().str(&user.user_pool_id).str(&user.username);
            let found = WAITING.page_by(tx, "user", key, None, MAX_PAGE_ROWS).await?.records;
            for waiting in &found {
                WAITING.delete(tx, waiting.key()).await?;
                let over = Waiting { due: now, until: now, user: None, ..waiting.clone() };
                WAITING.put(tx, &over).await?;
            }
            if found.is_empty() {
                return Ok(());
            }
        }
    }

    /// Fills indexes that an earlier program did not have yet.
    pub(super) async fn build_indexes(&self) -> Result<(), StoreError> {
        WAITING.build_indexes(&self.store).await
    }

    /// Sends what waits, as long as this node may. What was sent in the moment of a crash is sent again.
    pub(super) async fn deliver(&self, server: &MailServer, held: &Held) {
        let mut came = self.store.watch(&came_key());
        if let Err(error) = self.recount().await {
            tracing::error!(%error, "waiting mail can't be counted");
        }
        while held.holds() {
            match self.next().await {
                Ok(Next::Send(due)) => {
                    join_all(due.iter().map(|waiting| self.attempt(server, waiting))).await;
                }
                Ok(Next::Rest(time)) => _ = timeout(time, came.changed()).await,
                Err(error) => {
                    tracing::error!(%error, "waiting mail can't be read");
                    sleep(AFTER_TROUBLE).await;
                }
            }
        }
    }

    /// Counts what waits: an earlier program counted in its memory alone.
    async fn recount(&self) -> Result<(), StoreError> {
        self.store
            .write(|tx| async move {
                let counted = tx.get_i64(&count_key()).await?.unwrap_or_default();
                let (mut found, mut after) = (0, None);
                loop {
                    let from = after.as_deref();
                    let page = WAITING.page(&tx, KeyParts::new(), from, MAX_PAGE_ROWS).await?;
                    found += i64::try_from(page.records.len()).unwrap_or(MOST_WAITING);
                    match page.cursor {
                        Some(cursor) => after = Some(cursor),
                        None => break,
                    }
                }
                if found == counted { Ok(()) } else { tx.add(&count_key(), found - counted) }
            })
            .await
    }

    async fn next(&self) -> Result<Next, StoreError> {
        let first = self
            .store
            .read(|tx| async move { WAITING.page(&tx, KeyParts::new(), None, AT_ONCE).await })
            .await?
            .records;
        let now = self.clock.now();
        let (due, later): (Vec<Waiting>, Vec<Waiting>) =
            first.into_iter().partition(|waiting| waiting.due <= now);
        if !due.is_empty() {
            return Ok(Next::Send(due));
        }
        let until = later.first().map(|waiting| waiting.due.seconds_since(now) + 1);
        let until = until.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs);
        Ok(Next::Rest(until.unwrap_or(REST).min(REST)))
    }

    /// One try, and what follows from it.
    async fn attempt(&self, server: &MailServer, waiting: &Waiting) {
        let again = match self.is_late(waiting) {
            true => None,
            false => self.send(server, waiting).await,
        };
        let (done, next) = (waiting.key(), &again);
        let settled = self.store.write(|tx| {
            let done = done.clone();
            async move {
                // One that was given up meanwhile lies elsewhere, and counts there.
                let there = WAITING.delete(&tx, done).await?.is_some();
                match next {
                    Some(next) if there => WAITING.put(&tx, next).await,
                    None if there => tx.add(&count_key(), -1),
                    _ => Ok(()),
                }
            }
        });
        let settled: Result<(), StoreError> = settled.await;
        if let Err(error) = settled {
            tracing::error!(%error, "what became of a mail can't be written");
        }
    }

    /// Whether it lay until nobody needed it: while no server ran, or the mail server was not there.
    fn is_late(&self, waiting: &Waiting) -> bool {
        let late = waiting.until <= self.clock.now();
        if late {
            tracing::error!("a mail could not be sent in time and is given up");
        }
        late
    }

    /// Sends it, or says when it is tried again.
    async fn send(&self, server: &MailServer, waiting: &Waiting) -> Option<Waiting> {
        let outcome = match self.open(waiting) {
            Ok(mail) => server.send(&mail).await,
            Err(error) => Err(Undelivered::ForGood(error.to_string())),
        };
        match outcome {
            Ok(()) => None,
            Err(Undelivered::ForGood(why)) => {
                tracing::warn!(%why, "a mail was refused for good and is given up");
                None
            }
            Err(Undelivered::ForNow(why)) => {
                let again = retry(waiting, self.clock.now());
                match &again {
                    Some(next) => {
                        tracing::warn!(%why, tries = next.tries, "a mail was not taken; it is tried again")
                    }
                    None => tracing::error!(%why, "a mail was not taken in time and is given up"),
                }
                again
            }
        }
    }

    fn open(&self, waiting: &Waiting) -> Result<Mail, OutboxError> {
        let plain = self.vault.open(&place(&waiting.id.to_be_bytes()), &waiting.content)?;
        serde_json::from_slice(plain.expose()).map_err(|_| OutboxError::Unreadable)
    }
}

/// The same mail at its next time; none when that would be too late.
fn retry(waiting: &Waiting, now: Timestamp) -> Option<Waiting> {
    let index = usize::try_from(waiting.tries).unwrap_or(usize::MAX).min(PAUSES.len() - 1);
    let due = now.plus_seconds(PAUSES[index]);
    let next = Waiting { due, tries: waiting.tries.saturating_add(1), ..waiting.clone() };
    Some(next).filter(|next| next.due < next.until)
}

/// How many wait.
fn count_key() -> Key {
    Key::of("mail-waiting")
}

/// What is touched when one came.
fn came_key() -> Key {
    Key::of("mail-came")
}

fn place(id: &[u8; 8]) -> Place<'_> {
    Place { collection: Waiting::COLLECTION, key: id, field: "content" }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use homeport_core::{ManualClock, SeededRandomness};
    use homeport_store::{Direction, Range};

    use super::*;

    const START: Timestamp = Timestamp::from_seconds(1_795_000_000);

    fn queue() -> (Queue, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(START));
        let queue = Queue {
            store: Store::testkit(1),
            vault: Vault::for_tests(),
            clock: clock.clone(),
            randomness: Arc::new(SeededRandomness::new(1)),
        };
        (queue, clock)
    }

    fn mail(to: &str) -> Mail {
        Mail { to: to.into(), subject: "Your code".into(), body: "It is 987654.".into(), html: false }
    }

    async fn count(queue: &Queue) -> Option<i64> {
        let count = queue.store.read(|tx| async move { tx.get_i64(&count_key()).await });
        let count: Result<_, StoreError> = count.await;
        count.unwrap()
    }

    async fn set_count(queue: &Queue, count: i64) {
        let by = count - self::count(queue).await.unwrap_or_default();
        queue.store.write(|tx| async move { tx.add(&count_key(), by) }).await.unwrap();
    }

    async fn due(queue: &Queue) -> Vec<Waiting> {
        match queue.next().await.unwrap() {
            Next::Send(due) => due,
            Next::Rest(_) => Vec::new(),
        }
    }

    #[tokio::test]
    async fn what_a_mail_says_is_not_in_the_store_and_comes_out_as_it_was() {
        let (queue, _clock) = queue();
        queue.take(&mail("a@x"), Envelope::default()).await.unwrap().unwrap();
        let rows = queue.store.read(|tx| async move { tx.scan(Range::all(), Direction::Forward, 100).await });
        let rows: Result<_, StoreError> = rows.await;
        for row in rows.unwrap().rows {
            assert!(!row.value.windows(6).any(|bytes| bytes == b"987654"));
        }
        let due = due(&queue).await;
        let opened = queue.open(&due[0]).unwrap();
        assert_eq!((opened.to.as_str(), opened.body.as_str()), ("a@x", "It is 987654."));
    }

    #[tokio::test]
    async fn a_mail_is_tried_ever_less_often_and_given_up_after_a_day() {
        let (queue, _clock) = queue();
        queue.take(&mail("a@x"), Envelope::default()).await.unwrap().unwrap();
        let mut waiting = due(&queue).await.remove(0);
        let mut tries = 0;
        let mut last = 0;
        while let Some(next) = retry(&waiting, waiting.due) {
            let pause = next.due.seconds_since(waiting.due);
            assert!(pause >= last);
            (last, tries, waiting) = (pause, tries + 1, next);
        }
        assert_eq!(last, 1_800);
        let kept = waiting.due.seconds_since(START);
        assert!((KEPT_SECONDS - 1_800..KEPT_SECONDS).contains(&kept) && tries < 60, "{kept} {tries}");
    }

    #[tokio::test]
    async fn a_mail_whose_code_has_ended_is_not_tried_again() {
        let (queue, clock) = queue();
        let ends = Envelope { good_until: Some(START.plus_seconds(600)), user: None };
        queue.take(&mail("a@x"), ends).await.unwrap().unwrap();
        let mut waiting = due(&queue).await.remove(0);
        assert!(!queue.is_late(&waiting));
        while let Some(next) = retry(&waiting, waiting.due) {
            waiting = next;
        }
        assert_eq!(waiting.due.seconds_since(START), 5 + 30 + 120);
        clock.advance_seconds(600);
        assert!(queue.is_late(&waiting), "no server ran meanwhile");
    }

    #[tokio::test]
    async fn a_users_mail_is_given_up_with_the_user() {
        let (queue, clock) = queue();
        let of = |name: &str| Envelope { good_until: None, user: Some(("p".to_owned(), name.to_owned())) };
        for (to, name) in [("a@x", "a"), ("b@x", "b"), ("a2@x", "a")] {
            queue.take(&mail(to), of(name)).await.unwrap().unwrap();
        }
        let before = due(&queue).await;
        clock.advance_seconds(1);
        let gone = &GoneUser { user_pool_id: "p".into(), sub: "s".into(), username: "a".into() };
        let queue_ref = &queue;
        queue.store.write(|tx| async move { queue_ref.forget(&tx, gone).await }).await.unwrap();
        let late = |waiting: &&Waiting| queue.is_late(waiting);
        let after = due(&queue).await;
        assert_eq!((after.len(), after.iter().filter(late).count()), (3, 2));
        // One that was just being sent doesn't come back.
        let server = MailServer::nowhere();
        for waiting in before.iter().chain(&after) {
            queue.attempt(&server, waiting).await;
        }
        assert_eq!(count(&queue).await, Some(1));
        clock.advance_seconds(10);
        let left: Vec<String> = due(&queue).await.iter().map(|left| queue.open(left).unwrap().to).collect();
        assert_eq!(left, ["b@x"]);
    }

    #[tokio::test]
    async fn no_more_wait_than_may_also_after_a_new_start() {
        let (queue, _clock) = queue();
        queue.take(&mail("a@x"), Envelope::default()).await.unwrap().unwrap();
        set_count(&queue, MOST_WAITING).await;
        assert!(queue.take(&mail("b@x"), Envelope::default()).await.unwrap().is_none());
        assert!(queue.pretend().await.unwrap().is_none(), "it would tell who is nobody");
        queue.recount().await.unwrap();
        assert_eq!(count(&queue).await, Some(1));
        set_count(&queue, 0).await;
        queue.recount().await.unwrap();
        assert_eq!(count(&queue).await, Some(1));
    }
}
