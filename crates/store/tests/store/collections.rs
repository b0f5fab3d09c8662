use homeport_store::{Collection, Direction, Index, KeyParts, Record, Store, StoreError, UpgradeError};
use serde::{Deserialize, Serialize};

use crate::Clause;

pub(crate) const CLAUSES: &[Clause] = &[
    ("a record is kept, replaced, removed", |s| Box::pin(a_records_life(s))),
    ("a unique index holds each entry once", |s| Box::pin(unique_entries(s))),
    ("indexes follow every change of a record", |s| Box::pin(indexes_follow(s))),
    ("pages by key and by index make up the whole", |s| Box::pin(pages(s))),
    ("a cursor of another query is refused", |s| Box::pin(foreign_cursor(s))),
    ("an old record opens, a newer one is refused", |s| Box::pin(versions(s))),
    ("an index declared later is refused until it is built", |s| Box::pin(building(s))),
];

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct User {
    pool: String,
    name: String,
    email: Option<String>,
    groups: Vec<String>,
}

impl Record for User {
    const COLLECTION: &'static str = "users";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        KeyParts::from((&self.pool, &self.name))
    }

    fn indexes() -> &'static [Index<Self>] {
        &[
            Index {
                name: "email",
                unique: true,
                key: |user| user.email.iter().map(|email| (&user.pool, email).into()).collect(),
            },
            Index {
                name: "group",
                unique: false,
                key: |user| user.groups.iter().map(|group| (&user.pool, group).into()).collect(),
            },
        ]
    }
}

const USERS: Collection<User> = Collection::new();

fn user(name: &str, email: Option<&str>, groups: &[&str]) -> User {
    User {
        pool: "p".into(),
        name: name.into(),
        email: email.map(Into::into),
        groups: groups.iter().map(|&group| group.into()).collect(),
    }
}

async fn put(store: &Store, user: &User) -> Result<(), StoreError> {
    store.write(|tx| async move { USERS.put(&tx, user).await }).await
}

async fn get(store: &Store, name: &str) -> Result<Option<User>, StoreError> {
    store.read(|tx| async move { USERS.get(&tx, ("p", name)).await }).await
}

async fn by_email(store: &Store, email: &str) -> Result<Option<String>, StoreError> {
    let found = store.read(|tx| async move { USERS.by(&tx, "email", ("p", email)).await }).await?;
    Ok(found.map(|user| user.name))
}

async fn in_group(store: &Store, group: &str) -> Result<Vec<String>, StoreError> {
    let page =
        store.read(|tx| async move { USERS.page_by(&tx, "group", ("p", group), None, 100).await }).await?;
    Ok(page.records.into_iter().map(|user| user.name).collect())
}

async fn a_records_life(store: Store) -> Result<(), StoreError> {
    let ann = &user("ann", None, &[]);
    let insert = || store.write(|tx| async move { USERS.insert(&tx, ann).await });
    assert!(insert().await?);
    assert!(!insert().await?);
    assert_eq!(get(&store, "ann").await?.as_ref(), Some(ann));
    let changed = user("ann", Some("a@x"), &[]);
    put(&store, &changed).await?;
    assert_eq!(get(&store, "ann").await?, Some(changed.clone()));
    let removed = store.write(|tx| async move { USERS.delete(&tx, ("p", "ann")).await }).await?;
    assert_eq!(removed, Some(changed));
    assert_eq!(get(&store, "ann").await?, None);
    assert_eq!(by_email(&store, "a@x").await?, None);
    Ok(())
}

async fn unique_entries(store: Store) -> Result<(), StoreError> {
    put(&store, &user("ann", Some("a@x"), &[])).await?;
    let clash = put(&store, &user("bob", Some("a@x"), &[])).await;
    assert!(matches!(clash, Err(StoreError::Taken { collection: "users", index: "email" })));
    assert_eq!(get(&store, "bob").await?, None);
    put(&store, &user("ann", Some("a@x"), &["again"])).await?;
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(
                async move { put(&store, &user(&format!("u{n}"), Some("one@x"), &[])).await.is_ok() },
            )
        })
        .collect();
    let mut won = 0;
    for task in tasks {
        won += u32::from(task.await.unwrap());
    }
    assert_eq!(won, 1);
    Ok(())
}

async fn indexes_follow(store: Store) -> Result<(), StoreError> {
    put(&store, &user("ann", Some("a@x"), &["red", "blue"])).await?;
    put(&store, &user("bob", Some("b@x"), &["red"])).await?;
    assert_eq!(in_group(&store, "red").await?, ["ann", "bob"]);
    put(&store, &user("ann", Some("new@x"), &["blue", "green"])).await?;
    assert_eq!(in_group(&store, "red").await?, ["bob"]);
    assert_eq!(in_group(&store, "green").await?, ["ann"]);
    assert_eq!(by_email(&store, "a@x").await?, None);
    assert_eq!(by_email(&store, "new@x").await?.as_deref(), Some("ann"));
    put(&store, &user("bob", Some("a@x"), &[])).await?;
    assert_eq!(by_email(&store, "a@x").await?.as_deref(), Some("bob"));
    let unknown = store.read(|tx| async move { USERS.by(&tx, "group", "x").await }).await;
    assert!(matches!(unknown, Err(StoreError::NoSuchIndex { .. })));
    Ok(())
}

async fn pages(store: Store) -> Result<(), StoreError> {
    store
        .write(|tx| async move {
            for n in 0..25 {
                USERS.put(&tx, &user(&format!("u{n:02}"), None, &["all"])).await?;
            }
            USERS.put(&tx, &User { pool: "q".into(), ..user("other", None, &["all"]) }).await
        })
        .await?;
    for direction in [Direction::Forward, Direction::Backward] {
        let (mut by_key, mut by_index) = (Vec::new(), Vec::new());
        let (mut key_cursor, mut index_cursor) = (None::<bytes::Bytes>, None::<bytes::Bytes>);
        for _ in 0..4 {
            let (a, b) = (key_cursor.as_deref(), index_cursor.as_deref());
            let (keys, entries) = store
                .read(|tx| async move {
                    let keys = USERS.page_in(&tx, "p", a, direction, 7).await?;
                    let entries = USERS.page_by_in(&tx, "group", ("p", "all"), b, direction, 7).await?;
                    Ok::<_, StoreError>((keys, entries))
                })
                .await?;
            by_key.extend(keys.records.into_iter().map(|user| user.name));
            by_index.extend(entries.records.into_iter().map(|user| user.name));
            (key_cursor, index_cursor) = (keys.cursor, entries.cursor);
        }
        let mut expected: Vec<_> = (0..25).map(|n| format!("u{n:02}")).collect();
        if direction == Direction::Backward {
            expected.reverse();
        }
        assert_eq!((by_key, key_cursor), (expected.clone(), None));
        assert_eq!((by_index, index_cursor), (expected, None));
    }
    Ok(())
}

async fn foreign_cursor(store: Store) -> Result<(), StoreError> {
    let foreign = &KeyParts::from(("q", "x"));
    let refused = store
        .read(|tx| async move { USERS.page(&tx, "p", Some(foreign.as_bytes()), 5).await.map(drop) })
        .await;
    assert!(matches!(refused, Err(StoreError::BadCursor)));
    Ok(())
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct NoteV1 {
    id: u64,
    text: String,
}

impl Record for NoteV1 {
    const COLLECTION: &'static str = "notes";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        self.id.into()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct NoteV2 {
    id: u64,
    title: String,
}

impl Record for NoteV2 {
    const COLLECTION: &'static str = "notes";
    const VERSION: u16 = 2;

    fn key(&self) -> KeyParts {
        self.id.into()
    }

    fn indexes() -> &'static [Index<Self>] {
        &[Index { name: "title", unique: false, key: |note| vec![note.title.as_str().into()] }]
    }

    fn upgrade(_version: u16, json: serde_json::Value) -> Result<Self, UpgradeError> {
        let NoteV1 { id, text } = serde_json::from_value(json)?;
        Ok(Self { id, title: text })
    }
}

const OLD: Collection<NoteV1> = Collection::new();
const NEW: Collection<NoteV2> = Collection::new();

async fn versions(store: Store) -> Result<(), StoreError> {
    store.write(|tx| async move { OLD.put(&tx, &NoteV1 { id: 1, text: "one".into() }).await }).await?;
    let read = store.read(|tx| async move { NEW.get(&tx, 1).await }).await?;
    assert_eq!(read, Some(NoteV2 { id: 1, title: "one".into() }));
    store.write(|tx| async move { NEW.put(&tx, &NoteV2 { id: 1, title: "two".into() }).await }).await?;
    let newer = store.read(|tx| async move { OLD.get(&tx, 1).await }).await;
    assert!(matches!(newer, Err(StoreError::NewerRecord { collection: "notes", version: 2 })));
    Ok(())
}

async fn building(store: Store) -> Result<(), StoreError> {
    store
        .write(|tx| async move {
            for id in 0..450 {
                OLD.put(&tx, &NoteV1 { id, text: format!("t{}", id % 3) }).await?;
            }
            Ok::<_, StoreError>(())
        })
        .await?;
    let titled = |title: &'static str| {
        store.read(move |tx| async move { NEW.page_by(&tx, "title", title, None, 1_000).await })
    };
    let refused = titled("t1").await;
    assert!(matches!(refused, Err(StoreError::IndexBuilding { collection: "notes", index: "title" })));
    store.write(|tx| async move { NEW.put(&tx, &NoteV2 { id: 7, title: "changed".into() }).await }).await?;
    assert!(titled("changed").await.is_err());
    NEW.build_indexes(&store).await?;
    assert_eq!(titled("t1").await?.records.len(), 149);
    assert_eq!(titled("changed").await?.records.len(), 1);
    assert!(store.read(|tx| async move { NEW.indexes_are_ready(&tx).await }).await?);
    Ok(())
}
