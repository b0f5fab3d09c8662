//! The need that others have of this service: lines of functions and access logs.

use std::collections::BTreeMap;

use homeport_core::{BoxFuture, Region, Scope, uuid_v4};
use homeport_service::needs::{LogLine, PutLog};
use homeport_store::{StoreError, Tx};

use crate::Logs;
use crate::put::put;
use crate::records::{GROUPS, Group, STREAMS, Stream, group_key, stream_key};

/// Bytes of a line; longer ones are cut.
const LONGEST_LINE: usize = 1 << 20;
/// Lines in one transaction.
const MOST_LINES: usize = 1_000;

impl PutLog for Logs {
    fn put_log<'a>(
        &'a self,
        region: &'a Region,
        group: &'a str,
        stream: &'a str,
        lines: Vec<LogLine>,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let scope = Scope { account: self.parts.installation.account, region: region.clone() };
            let mut lines: Vec<(i64, String)> =
                lines.into_iter().map(|line| (line.at.millis(), cut(line.text))).collect();
            lines.sort_by_key(|(at, _)| *at);
            for batch in lines.chunks(MOST_LINES) {
                self.put_batch(&scope, group, stream, batch).await?;
            }
            Ok(())
        })
    }
}

impl Logs {
    async fn put_batch(
        &self,
        scope: &Scope,
        group: &str,
        stream: &str,
        batch: &[(i64, String)],
    ) -> Result<(), StoreError> {
        let now = self.parts.clock.now().millis();
        let ids = [uuid_v4(&*self.parts.randomness), uuid_v4(&*self.parts.randomness)];
        let ids = &ids;
        self.parts
            .store
            .write(|tx| async move {
                let group = group_or_new(&tx, scope, group, &ids[0], now).await?;
                let stream = stream_or_new(&tx, &group, stream, &ids[1], now).await?;
                put(&tx, stream, now, batch).await
            })
            .await
    }
}

async fn group_or_new(tx: &Tx, scope: &Scope, name: &str, id: &str, now: i64) -> Result<Group, StoreError> {
    if let Some(group) = GROUPS.get(tx, group_key(scope, name)).await? {
        return Ok(group);
    }
    let group = Group {
        account: scope.account.to_string(),
        region: scope.region.as_str().to_owned(),
        name: name.to_owned(),
        id: id.to_owned(),
        created: now,
        retention: None,
        tags: BTreeMap::new(),
    };
    GROUPS.put(tx, &group).await?;
    Ok(group)
}

async fn stream_or_new(tx: &Tx, group: &Group, name: &str, id: &str, now: i64) -> Result<Stream, StoreError> {
    match STREAMS.get(tx, stream_key(&group.id, name)).await? {
        Some(stream) => Ok(stream),
        None => Ok(Stream {
            group_id: group.id.clone(),
            name: name.to_owned(),
            id: id.to_owned(),
            created: now,
            first_event: None,
            last_event: None,
            last_ingestion: None,
        }),
    }
}

fn cut(mut text: String) -> String {
    if text.len() > LONGEST_LINE {
        text.truncate(text.floor_char_boundary(LONGEST_LINE));
    }
    text
}
