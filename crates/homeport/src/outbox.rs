//! The outbox: messages that no mail server took away, sealed, for the administrator's eyes alone.

use std::fmt;

use homeport_core::{SharedClock, SharedRandomness, Timestamp};
use homeport_service::Parts;
use homeport_service::needs::{Channel, GoneUser, Message};
use homeport_store::{
    Collection, Counted, Direction, Index, Key, KeyParts, MAX_PAGE_ROWS, Record, Store, StoreError, Tx,
};
use homeport_vault::{Place, Purpose, Sealed, Vault, VaultError};
use serde::{Deserialize, Serialize};

const MESSAGES: Collection<Kept> = Collection::new();
/// The most messages that are kept; with one more the oldest go.
const MOST_MESSAGES: i64 = 10_000;
/// How many go at once.
const SWEPT: usize = 100;
/// The most messages that one question goes through.
const MOST_READ: usize = 10_000;
const PAGE: usize = 200;

/// A message as it lies in the store. Who it is for is no secret; what it says is.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    at: Timestamp,
    id: u64,
    to: String,
    user_pool_id: Option<String>,
    username: Option<String>,
    content: Sealed,
}

impl Record for Kept {
    const COLLECTION: &'static str = "outbox";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        KeyParts::new().i64(self.at.millis()).u64(self.id)
    }

    fn indexes() -> &'static [Index<Self>] {
        &[Index {
            name: "user",
            unique: false,
            key: |kept| {
                let user = kept.user_pool_id.as_ref().zip(kept.username.as_ref());
                user.map(|(pool, name)| KeyParts::new().str(pool).str(name)).into_iter().collect()
            },
        }]
    }
}

#[derive(Serialize, Deserialize)]
struct Content {
    sms: bool,
    subject: String,
    body: String,
    html: bool,
    code: Option<String>,
}

/// A message that was opened for the administrator. It serializes, for the answer to a command, but has no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Opened {
    pub(crate) at: String,
    pub(crate) to: String,
    pub(crate) channel: String,
    pub(crate) user_pool_id: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) subject: String,
    pub(crate) body: String,
    pub(crate) html: bool,
    pub(crate) code: Option<String>,
}

/// Which messages are asked for.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// An address, phone number or user name.
    pub(crate) to: Option<String>,
    /// A user pool's id.
    pub(crate) pool: Option<String>,
    /// At most so many, the newest.
    pub(crate) most: usize,
}

/// Why the outbox can't be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutboxError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("a message in the outbox can't be read")]
    Unreadable,
}

/// The outbox.
pub(crate) struct Outbox {
    store: Store,
    vault: Vault,
    clock: SharedClock,
    randomness: SharedRandomness,
}

impl Outbox {
    pub(crate) fn new(parts: &Parts) -> Self {
        Self {
            store: parts.store.clone(),
            vault: parts.vault.clone(),
            clock: parts.clock.clone(),
            randomness: parts.randomness.clone(),
        }
    }

    /// Keeps a message; it is durable when this returns.
    pub(crate) async fn keep(&self, message: Message) -> Result<(), OutboxError> {
        let kept = &self.seal(message)?;
        if matches!(self.store.count(&counter(), 1, MOST_MESSAGES).await?, Counted::Full(_)) {
            self.sweep().await?;
            self.store.count(&counter(), 1, MOST_MESSAGES).await?;
        }
        self.store.write(|tx| async move { MESSAGES.put(&tx, kept).await }).await?;
        Ok(())
    }

    /// Does what keeping a message takes, and leaves nothing that is ever shown: time doesn't tell the two apart,
    /// neither here nor with a mail server, whose queue takes a commit too.
    pub(crate) async fn pretend(&self) -> Result<(), OutboxError> {
        let nobody = Message {
            channel: Channel::Email,
            to: "nobody@example.com".to_owned(),
            subject: "Your verification code".to_owned(),
            body: "Your verification code is 000000".to_owned(),
            html: false,
            code: Some("000000".to_owned()),
            user_pool_id: None,
            username: None,
            good_until: None,
        };
        let sealed = self.seal(nobody)?.content.to_text();
        // A number that changes: for one that doesn't, the store would have nothing to write.
        self.store.count(&Key::of("outbox-nobody-count"), 1, i64::MAX).await?;
        let (key, sealed) = (&Key::of("outbox-nobody"), sealed.as_bytes());
        self.store.write(|tx| async move { tx.put(key, sealed.to_vec()) }).await?;
        Ok(())
    }

    /// Removes what was sent to a user who is being deleted, in the transaction that does so.
    pub(crate) async fn forget(tx: &Tx, user: &GoneUser) -> Result<(), StoreError> {
        loop {
            let key = KeyParts::new().str(&user.user_pool_id).str(&user.username);
            let found = MESSAGES.page_by(tx, "user", key, None, MAX_PAGE_ROWS).await?.records;
            for kept in &found {
                MESSAGES.delete(tx, kept.key()).await?;
                tx.add(&counter(), -1)?;
            }
            if found.is_empty() {
                return Ok(());
            }
        }
    }

    /// Fills indexes that an earlier program did not have yet.
    pub(crate) async fn build_indexes(&self) -> Result<(), StoreError> {
        MESSAGES.build_indexes(&self.store).await
    }

    fn seal(&self, message: Message) -> Result<Kept, OutboxError> {
        let content = Content {
            sms: message.channel == Channel::Sms,
            subject: message.subject,
            body: message.body,
            html: message.html,
            code: message.code,
        };
        let (at, mut id) = (self.clock.now(), [0; 8]);
        self.randomness.fill(&mut id);
        let id = u64::from_be_bytes(id);
        let plain = serde_json::to_vec(&content).map_err(|_| OutboxError::Unreadable)?;
        let content = self.vault.seal(Purpose::Outbox, &place(&key_of(at, id)), &plain)?;
        let (to, user_pool_id, username) = (message.to, message.user_pool_id, message.username);
        Ok(Kept { at, id, to, user_pool_id, username, content })
    }

    /// Removes the oldest.
    async fn sweep(&self) -> Result<(), OutboxError> {
        let gone = self.store.write(|tx| async move {
            let oldest = MESSAGES.page(&tx, KeyParts::new(), None, SWEPT).await?.records;
            for kept in &oldest {
                MESSAGES.delete(&tx, kept.key()).await?;
            }
            Ok::<_, StoreError>(oldest.len())
        });
        let gone = i64::try_from(gone.await?).unwrap_or_default();
        self.store.count(&counter(), -gone, MOST_MESSAGES).await?;
        Ok(())
    }

    /// The messages that are asked for, the newest first.
    pub(crate) async fn read(&self, asked: &Asked) -> Result<Vec<Opened>, OutboxError> {
        let (mut found, mut read, mut after) = (Vec::new(), 0, None);
        while found.len() < asked.most && read < MOST_READ {
            let (from, all) = (&after, &KeyParts::new());
            let page = self.store.read(|tx| async move {
                MESSAGES.page_in(&tx, all, from.as_deref(), Direction::Backward, PAGE).await
            });
            let page = page.await?;
            read += page.records.len();
            for kept in page.records.iter().filter(|kept| asked.matches(kept)).take(asked.most - found.len())
            {
                found.push(self.open(kept)?);
            }
            match page.cursor {
                Some(cursor) => after = Some(cursor),
                None => break,
            }
        }
        Ok(found)
    }

    fn open(&self, kept: &Kept) -> Result<Opened, OutboxError> {
        let plain = self.vault.open(&place(&key_of(kept.at, kept.id)), &kept.content)?;
        let content: Content = serde_json::from_slice(plain.expose()).map_err(|_| OutboxError::Unreadable)?;
        Ok(Opened {
            at: kept.at.rfc3339_seconds(),
            to: kept.to.clone(),
            channel: if content.sms { "sms" } else { "email" }.to_owned(),
            user_pool_id: kept.user_pool_id.clone(),
            username: kept.username.clone(),
            subject: content.subject,
            body: content.body,
            html: content.html,
            code: content.code,
        })
    }
}

impl Asked {
    fn matches(&self, kept: &Kept) -> bool {
        let named = |to: &String| {
            kept.to.eq_ignore_ascii_case(to)
                || kept.username.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(to))
        };
        self.to.as_ref().is_none_or(named)
            && self.pool.as_ref().is_none_or(|pool| kept.user_pool_id.as_ref() == Some(pool))
    }
}

impl fmt::Display for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}  {} to {}", self.at, self.channel, self.to)?;
        if !self.subject.is_empty() {
            writeln!(f, "Subject: {}", self.subject)?;
        }
        writeln!(f, "\n{}", self.body.trim_end())
    }
}

fn counter() -> Key {
    Key::of("outbox-count")
}

fn key_of(at: Timestamp, id: u64) -> Vec<u8> {
    [at.millis().to_be_bytes(), id.to_be_bytes()].concat()
}

fn place(key: &[u8]) -> Place<'_> {
    Place { collection: Kept::COLLECTION, key, field: "content" }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use homeport_core::{ManualClock, SeededRandomness};

    fn outbox() -> (Outbox, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(Timestamp::from_seconds(1_795_000_000)));
        let outbox = Outbox {
            store: Store::testkit(1),
            vault: Vault::for_tests(),
            clock: clock.clone(),
            randomness: Arc::new(SeededRandomness::new(1)),
        };
        (outbox, clock)
    }

    fn message(to: &str, pool: &str, code: &str) -> Message {
        Message {
            channel: Channel::Email,
            to: to.into(),
            subject: "Your code".into(),
            body: format!("It is {code}."),
            html: false,
            code: Some(code.into()),
            user_pool_id: Some(pool.into()),
            username: Some(format!("user-{to}")),
            good_until: None,
        }
    }

    async fn codes(outbox: &Outbox, to: Option<&str>, pool: Option<&str>, most: usize) -> Vec<String> {
        let asked = Asked { to: to.map(str::to_owned), pool: pool.map(str::to_owned), most };
        outbox.read(&asked).await.unwrap().into_iter().filter_map(|opened| opened.code).collect()
    }

    #[tokio::test]
    async fn messages_are_found_by_who_they_are_for_the_newest_first() {
        let (outbox, clock) = outbox();
        for (to, pool, code) in [("a@x", "p", "1"), ("b@x", "p", "2"), ("a@x", "q", "3"), ("a@x", "p", "4")] {
            outbox.keep(message(to, pool, code)).await.unwrap();
            clock.advance_seconds(1);
        }
        assert_eq!(codes(&outbox, None, None, 100).await, ["4", "3", "2", "1"]);
        assert_eq!(codes(&outbox, Some("A@X"), None, 100).await, ["4", "3", "1"]);
        assert_eq!(codes(&outbox, Some("user-a@x"), Some("p"), 1).await, ["4"]);
        assert!(codes(&outbox, Some("c@x"), None, 100).await.is_empty());
    }

    #[tokio::test]
    async fn a_users_messages_go_with_the_user() {
        let (outbox, _clock) = outbox();
        for (to, pool, code) in [("a@x", "p", "1"), ("b@x", "p", "2"), ("a@x", "q", "3"), ("a@x", "p", "4")] {
            outbox.keep(message(to, pool, code)).await.unwrap();
        }
        let gone = &GoneUser { user_pool_id: "p".into(), sub: "s".into(), username: "user-a@x".into() };
        outbox.store.write(|tx| async move { Outbox::forget(&tx, gone).await }).await.unwrap();
        let mut left = codes(&outbox, None, None, 100).await;
        left.sort_unstable();
        assert_eq!(left, ["2", "3"]);
        let counted = outbox.store.read(|tx| async move { tx.get_i64(&counter()).await }).await.unwrap();
        assert_eq!(counted, Some(2));
    }

    #[tokio::test]
    async fn what_a_message_says_is_not_in_the_store() {
        let (outbox, _clock) = outbox();
        outbox.keep(message("a@x", "p", "987654")).await.unwrap();
        let rows = outbox
            .store
            .read(|tx| async move { tx.scan(homeport_store::Range::all(), Direction::Forward, 100).await });
        let rows: Result<_, StoreError> = rows.await;
        for row in rows.unwrap().rows {
            assert!(!row.value.windows(6).any(|bytes| bytes == b"987654"));
        }
    }

    #[tokio::test]
    async fn a_message_to_nobody_is_never_shown() {
        let (outbox, _clock) = outbox();
        outbox.keep(message("a@x", "p", "1")).await.unwrap();
        outbox.pretend().await.unwrap();
        outbox.pretend().await.unwrap();
        assert_eq!(codes(&outbox, None, None, 100).await, ["1"]);
    }

    #[tokio::test]
    async fn the_oldest_go_when_it_is_full() {
        let (outbox, _clock) = outbox();
        outbox.keep(message("old@x", "p", "1")).await.unwrap();
        outbox.store.count(&counter(), MOST_MESSAGES - 1, MOST_MESSAGES).await.unwrap();
        outbox.keep(message("new@x", "p", "2")).await.unwrap();
        assert_eq!(codes(&outbox, None, None, 100).await, ["2"]);
    }
}
