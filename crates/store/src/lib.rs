//! One transactional ordered keyspace, as in FoundationDB: byte keys, byte values, serializable transactions.
//!
//! Start with [`Store`]: `read` gives a consistent snapshot, `write` reads, decides and writes, runs again on
//! conflict and returns once it is durable. On top lie [`Collection`]s of typed, versioned [`Record`]s with
//! indexes; for hot keys there are merges ([`Tx::add`]) and counters ([`Store::count`]), for logs
//! versionstamps ([`Tx::put_stamped`]), for caches [`Store::changes`] and [`Store::watch`], for work that runs once
//! a [`Lease`].
//!
//! ```
//! use homeport_store::{Collection, Index, KeyParts, Record, Store, StoreError};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
//! struct User { pool: String, name: String, email: String }
//!
//! impl Record for User {
//!     const COLLECTION: &'static str = "users";
//!     const VERSION: u16 = 1;
//!     fn key(&self) -> KeyParts { KeyParts::from((&self.pool, &self.name)) }
//!     fn indexes() -> &'static [Index<Self>] {
//!         &[Index { name: "email", unique: true, key: |user| vec![(&user.pool, &user.email).into()] }]
//!     }
//! }
//!
//! const USERS: Collection<User> = Collection::new();
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let store = Store::testkit(7);
//! let ann = User { pool: "p".into(), name: "ann".into(), email: "ann@example.com".into() };
//!
//! // The closure may run again, so it takes what it needs by clone.
//! store.write(|tx| {
//!     let ann = ann.clone();
//!     async move { USERS.put(&tx, &ann).await }
//! }).await?;
//!
//! let found = store.read(|tx| async move { USERS.by(&tx, "email", ("p", "ann@example.com")).await }).await?;
//! assert_eq!(found, Some(ann.clone()));
//!
//! let bob = User { name: "bob".into(), ..ann };
//! let refused = store.write(|tx| { let bob = bob.clone(); async move { USERS.put(&tx, &bob).await } }).await;
//! assert!(matches!(refused, Err(StoreError::Taken { index: "email", .. })));
//! # Ok::<(), StoreError>(()) }).unwrap();
//! ```

#[cfg(test)]
extern crate self as homeport_store;

#[cfg(test)]
#[path = "../tests/store/cluster.rs"]
#[expect(dead_code, reason = "the tests beside the crate use the rest")]
mod cluster;
mod collection;
mod commit;
mod conflicts;
mod engine;
mod error;
mod export;
mod freshness;
mod key;
mod lease;
mod merge;
mod range;
mod stamp;
mod store;
mod sweep;
mod tx;
mod watch;

pub use collection::{Collection, Index, Record, Records, UpgradeError};
pub use commit::Counted;
pub use engine::embedded::EmbeddedOptions;
pub use engine::postgres::{PostgresOptions, PostgresUrl, PostgresUrlError};
pub use error::{OpenError, StoreError};
pub use export::Export;
pub use key::{Key, KeyParts, MAX_KEY_BYTES, Part};
pub use lease::Lease;
pub use range::{Direction, MAX_PAGE_BYTES, MAX_PAGE_ROWS, Page, Range, Row};
pub use stamp::{StampPlaceholder, Versionstamp};
pub use store::Store;
pub use tx::{MAX_TRANSACTION_BYTES, MAX_TRANSACTION_TIME, Tx};
pub use watch::{Changes, OnChange, Watch};
