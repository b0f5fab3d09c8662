//! Policies of tables and streams, as the authorizer asks for them. Most installations have none, and items are read and
//! written all the time: so whether there is any is kept in mind.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use homeport_core::BoxFuture;
use homeport_policy::{Policy, PolicyKind};
use homeport_service::needs::ResourcePolicy;
use homeport_store::{Changes, Direction, Range, Store, StoreError, Tx};

use crate::DynamoDb;
use crate::records::{POLICIES, PolicyRecord};

/// Parsed policies that are kept; when full, the cache starts anew.
const KEPT: usize = 1_000;
/// No state has this number.
const UNKNOWN: u64 = u64::MAX;

/// What is known of policies without a look at the store.
pub(crate) struct KnownPolicies {
    changes: Changes,
    /// The state in which there was none.
    none_in: AtomicU64,
    /// By revision, which never changes its meaning.
    parsed: Mutex<HashMap<String, Arc<Policy>>>,
}

impl KnownPolicies {
    pub(crate) fn follow(store: &Store) -> Self {
        let changes = store.changes(&POLICIES.root());
        Self { changes, none_in: AtomicU64::new(UNKNOWN), parsed: Mutex::default() }
    }

    /// The parsed form. A text that was put is a policy; if it can't be read (any more), the call fails: nobody is let
    /// in on the strength of a Deny that was lost.
    fn parsed(&self, record: &PolicyRecord) -> Result<Arc<Policy>, StoreError> {
        let mut kept = self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(parsed) = kept.get(&record.revision) {
            return Ok(parsed.clone());
        }
        let broken = |reason: String| StoreError::BadRecord { collection: "dynamodb-policies", reason };
        let pinned = record.principals.apply(&record.text, PolicyKind::Resource);
        let pinned = pinned.map_err(|error| broken(error.to_string()))?;
        let parsed =
            Policy::parse(&pinned, PolicyKind::Resource).map_err(|fault| broken(fault.to_string()))?;
        if kept.len() >= KEPT {
            kept.clear();
        }
        let parsed = Arc::new(parsed);
        kept.insert(record.revision.clone(), parsed.clone());
        Ok(parsed)
    }

    /// Looks whether there is any, and keeps in mind if there is none.
    async fn look(&self, tx: &Tx, state: u64) -> Result<(), StoreError> {
        let any = tx.scan(Range::prefix(&POLICIES.root()), Direction::Forward, 1).await?;
        if any.rows.is_empty() {
            self.none_in.store(state, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// The ARN whose policy holds for this one: a stream's own, and a table's for the table and its indexes.
pub(crate) fn owner_of(arn: &str) -> Option<&str> {
    let (before, resource) = arn.split_at_checked(arn.find(":table/")?)?;
    let mut parts = resource.split('/');
    let (table, name, what, rest) = (parts.next()?, parts.next()?, parts.next(), parts.next());
    let length = match (what, rest) {
        (None, _) | (Some("index"), Some(_)) => table.len() + 1 + name.len(),
        (Some("stream"), Some(_)) => resource.len(),
        _ => return None,
    };
    arn.get(..before.len() + length)
}

impl ResourcePolicy for DynamoDb {
    fn may_have_policy(&self, _: &str) -> bool {
        self.policies.none_in.load(Ordering::Relaxed) != self.policies.changes.current()
    }

    fn resource_policy<'a>(
        &'a self,
        tx: &'a Tx,
        arn: &'a str,
    ) -> BoxFuture<'a, Result<Option<Arc<Policy>>, StoreError>> {
        Box::pin(async move {
            let state = self.policies.changes.current();
            let Some(owner) = owner_of(arn) else { return Ok(None) };
            match POLICIES.get(tx, owner).await? {
                Some(record) => self.policies.parsed(&record).map(Some),
                None => self.policies.look(tx, state).await.map(|()| None),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_its_tables_or_its_streams() {
        let table = "arn:aws:dynamodb:us-east-1:123456789012:table/notes";
        let stream = format!("{table}/stream/2026-11-21T00:00:00.000");
        assert_eq!(owner_of(table), Some(table));
        assert_eq!(owner_of(&format!("{table}/index/by-g")), Some(table));
        assert_eq!(owner_of(&stream), Some(stream.as_str()));
        for other in ["*", "arn:aws:dynamodb:us-east-1:123456789012:*", &format!("{table}/backup/1")] {
            assert_eq!(owner_of(other), None);
        }
    }
}
