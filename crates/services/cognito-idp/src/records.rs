//! What is stored: the only place that knows keys and indexes. Everything of a pool has keys that begin with its
//! account, region and id.

mod client;
mod code;
mod group;
mod keys;
mod pool;
mod revocation;
mod session;
mod sign_in;
mod user;

use homeport_core::{Account, Timestamp};
use homeport_store::{Key, Store, StoreError};

pub(crate) use client::{Client, ClientSettings};
pub(crate) use code::{CodeOwner, CodeRecord};
pub(crate) use group::{Group, Membership};
pub(crate) use keys::{PoolKeys, StoredKey};
pub(crate) use pool::{Pool, PoolSettings, UsernameConfiguration};
pub(crate) use revocation::Revocation;
pub(crate) use session::Session;
pub(crate) use sign_in::{SignIns, StrangerFailures};
pub(crate) use user::{User, UserStatus, alias};

use homeport_store::Collection;

use crate::pool_ref::PoolRef;

pub(crate) const POOLS: Collection<Pool> = Collection::new();
pub(crate) const KEYS: Collection<PoolKeys> = Collection::new();
pub(crate) const CLIENTS: Collection<Client> = Collection::new();
pub(crate) const USERS: Collection<User> = Collection::new();
pub(crate) const GROUPS: Collection<Group> = Collection::new();
pub(crate) const MEMBERSHIPS: Collection<Membership> = Collection::new();
pub(crate) const SESSIONS: Collection<Session> = Collection::new();
pub(crate) const REVOCATIONS: Collection<Revocation> = Collection::new();
pub(crate) const CODES: Collection<CodeRecord> = Collection::new();
pub(crate) const SIGN_INS: Collection<SignIns> = Collection::new();
pub(crate) const STRANGER_FAILURES: Collection<StrangerFailures> = Collection::new();

/// The counter of a pool's users.
pub(crate) fn user_count(pool: &PoolRef) -> Key {
    Key::of("cognito-idp.user-count").parts(&pool.parts())
}

/// The mark of a user who was deleted: their `sub` is never used again.
pub(crate) fn gone(pool: &PoolRef, sub: &str) -> Key {
    Key::of("cognito-idp.gone").parts(&pool.parts()).str(sub)
}

/// The mark of a pool that was deleted and whose rows a job still removes.
pub(crate) fn grave(pool: &PoolRef) -> Key {
    graves(pool.account).str(&pool.id)
}

/// All such marks.
pub(crate) fn graves(account: Account) -> Key {
    Key::of("cognito-idp.graves").str(account.to_string())
}

/// The mark of a sealed block or session that was used; swept by the minute in which it would have ended.
pub(crate) fn spent(nonce: &[u8], ends: Timestamp) -> Key {
    spent_in(ends.seconds() / 60).bytes(nonce)
}

/// The marks of one minute.
pub(crate) fn spent_in(minute: i64) -> Key {
    Key::of("cognito-idp.spent").i64(minute)
}

/// The counter of failures from one client address in one window of time.
pub(crate) fn address_failures(window: i64, address: &[u8]) -> Key {
    address_failures_in(window).bytes(address)
}

/// The counters of one window.
pub(crate) fn address_failures_in(window: i64) -> Key {
    Key::of("cognito-idp.address-failures").i64(window)
}

/// Removes every row of a deleted pool but the mark in [`graves`].
pub(crate) async fn sweep_pool(store: &Store, pool: &PoolRef) -> Result<(), StoreError> {
    let collections = [
        "cognito-idp.users",
        "cognito-idp.users#sub",
        "cognito-idp.users#alias",
        "cognito-idp.groups",
        "cognito-idp.memberships",
        "cognito-idp.memberships#group",
        "cognito-idp.sessions",
        "cognito-idp.sessions#refresh",
        "cognito-idp.revocations",
        "cognito-idp.codes",
        "cognito-idp.sign-ins",
        "cognito-idp.gone",
        "cognito-idp.user-count",
    ];
    for name in collections {
        store.sweep(&Key::of(name).parts(&pool.parts())).await?;
    }
    Ok(())
}
