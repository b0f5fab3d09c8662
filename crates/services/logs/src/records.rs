//! What is kept of groups and streams. Events are rows of their own: `events.rs`.

use std::collections::BTreeMap;

use homeport_core::{Arn, Scope};
use homeport_store::{Collection, Index, Key, KeyParts, Record};
use serde::{Deserialize, Serialize};

/// Groups, by account, region and name.
pub(crate) const GROUPS: Collection<Group> = Collection::new();
/// Streams, by their group's id and name.
pub(crate) const STREAMS: Collection<Stream> = Collection::new();
/// What was deleted and isn't swept yet.
pub(crate) const UNLINKED: Collection<Unlinked> = Collection::new();
/// The index of streams by their last event.
pub(crate) const BY_LAST_EVENT: &str = "last-event";

/// A log group. Times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) name: String,
    /// Never used again: what a deleted group held is not in one that is made anew.
    pub(crate) id: String,
    pub(crate) created: i64,
    /// Days; none: for ever.
    pub(crate) retention: Option<i64>,
    pub(crate) tags: BTreeMap<String, String>,
}

/// A log stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stream {
    pub(crate) group_id: String,
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) first_event: Option<i64>,
    pub(crate) last_event: Option<i64>,
    pub(crate) last_ingestion: Option<i64>,
}

/// A group, or a stream of a group that stays, whose rows are to be removed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Unlinked {
    pub(crate) group_id: String,
    pub(crate) stream_id: Option<String>,
}

impl Record for Group {
    const COLLECTION: &'static str = "logs.group";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        KeyParts::new().str(&self.account).str(&self.region).str(&self.name)
    }
}

impl Record for Stream {
    const COLLECTION: &'static str = "logs.stream";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        KeyParts::new().str(&self.group_id).str(&self.name)
    }

    fn indexes() -> &'static [Index<Self>] {
        &[Index {
            name: BY_LAST_EVENT,
            unique: false,
            key: |stream| {
                let last = stream.last_event.unwrap_or(stream.created);
                vec![KeyParts::new().str(&stream.group_id).i64(last)]
            },
        }]
    }
}

impl Record for Unlinked {
    const COLLECTION: &'static str = "logs.unlinked";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        KeyParts::new().str(&self.group_id).str(self.stream_id.as_deref().unwrap_or_default())
    }
}

/// The beginning of the keys of a region's groups.
pub(crate) fn all_groups(scope: &Scope) -> KeyParts {
    KeyParts::new().str(scope.account.to_string()).str(scope.region.as_str())
}

/// A group's key.
pub(crate) fn group_key(scope: &Scope, name: &str) -> KeyParts {
    all_groups(scope).str(name)
}

/// A stream's key.
pub(crate) fn stream_key(group_id: &str, name: &str) -> KeyParts {
    KeyParts::new().str(group_id).str(name)
}

/// The counter of a group's bytes.
pub(crate) fn bytes_key(group_id: &str) -> Key {
    Key::of("logs.bytes").str(group_id)
}

/// `arn:aws:logs:REGION:ACCOUNT:log-group:NAME`
pub(crate) fn group_arn(scope: &Scope, name: &str) -> Arn {
    scope.arn("logs", &format!("log-group:{name}"))
}

/// What permissions are asked on: the stream, or the group with no stream named, as AWS asks.
pub(crate) fn asked_arn(scope: &Scope, group: &str, stream: &str) -> Arn {
    scope.arn("logs", &format!("log-group:{group}:log-stream:{stream}"))
}

/// A group's name, given by name or by ARN (with or without `:*`).
pub(crate) fn group_name<'a>(name: Option<&'a str>, identifier: Option<&'a str>) -> Option<&'a str> {
    let named = |text: &'a str| match text.split_once(":log-group:") {
        Some((_, name)) => name.strip_suffix(":*").unwrap_or(name),
        None => text,
    };
    name.or(identifier.map(named))
}
