use homeport_core::{Account, Timestamp};

use super::*;
use crate::attributes::Schema;
use crate::pool_ref::PoolRef;
use crate::records::UserStatus;

/// More than anybody may look at in one transaction, and less than a call looks at.
const USERS_THERE: usize = 6_000;

/// A pool whose users sign in with these beside their names, or sign up with those in place of names.
fn pool(alias_attributes: &[&str], username_attributes: &[&str]) -> Pool {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Pool {
        pool: PoolRef::new(Account::from_number(42), "eu-west-1_AbCdEfGhI"),
        name: "notes".to_owned(),
        created: Timestamp::default(),
        modified: Timestamp::default(),
        schema: Schema::new(Vec::new()).expect("the standard attributes"),
        alias_attributes: owned(alias_attributes),
        username_attributes: owned(username_attributes),
        username_configuration: None,
        settings: crate::records::PoolSettings::default(),
    }
}

/// The n-th user, whose address nobody proved. Every thousandth has another given name than the rest.
fn user(pool: &Pool, n: usize) -> User {
    let given = if n % 1_000 == 999 { "Rare" } else { "Usual" };
    let attributes = [
        ("email", format!("u{n:05}@example.com")),
        ("email_verified", "false".to_owned()),
        ("preferred_username", format!("p{n:05}")),
        ("given_name", given.to_owned()),
    ];
    let mut user = User {
        pool: pool.pool.clone(),
        username: format!("u{n:05}"),
        sub: format!("sub-{n:05}"),
        status: UserStatus::Confirmed,
        enabled: true,
        created: Timestamp::default(),
        modified: Timestamp::default(),
        attributes: attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        pending: Default::default(),
        aliases: Vec::new(),
        credential: None,
        credential_version: 0,
        temporary_until: None,
        signed_out: None,
    };
    user.refresh_aliases(pool);
    user
}

async fn filled(pool: &Pool, users: usize) -> Store {
    let store = Store::testkit(11);
    let all: Vec<User> = (0..users).map(|n| user(pool, n)).collect();
    for some in all.chunks(250) {
        let put: Result<(), StoreError> = store
            .write(|tx| async move {
                for user in some {
                    USERS.put(&tx, user).await?;
                }
                Ok(())
            })
            .await;
        put.expect("the testkit's store writes");
    }
    store
}

async fn page(store: &Store, pool: &Pool, filter: &str, after: Option<Vec<u8>>, limit: usize) -> Found {
    let filter = Filter::parse(filter).expect(filter);
    search(store, pool, Some(&filter), after, limit).await.expect("the testkit's store reads")
}

fn names(found: &Found) -> Vec<&str> {
    found.users.iter().map(|user| user.username.as_str()).collect()
}

#[tokio::test]
async fn the_first_page_finds_who_is_behind_thousands() {
    let pool = pool(&["email", "preferred_username"], &[]);
    let store = filled(&pool, USERS_THERE).await;
    for filter in [
        r#"username = "u05999""#,
        r#"username ^= "u05999""#,
        r#"sub = "sub-05999""#,
        r#"sub ^= "sub-05999""#,
        // Nobody proved it, so the index of names to sign in with does not hold it.
        r#"email = "u05999@example.com""#,
        r#"preferred_username = "p05999""#,
    ] {
        let found = page(&store, &pool, filter, None, 60).await;
        assert_eq!(names(&found), ["u05999"], "{filter}");
        assert_eq!(found.cursor, None, "{filter}");
    }
    for filter in [r#"sub = "sub-5999""#, r#"preferred_username = "P05999""#, r#"email = "u05999""#] {
        let found = page(&store, &pool, filter, None, 60).await;
        assert!(names(&found).is_empty() && found.cursor.is_none(), "{filter}");
    }
}

#[tokio::test]
async fn pages_of_a_filter_are_full_and_make_up_the_whole() {
    let pool = pool(&[], &[]);
    let store = filled(&pool, USERS_THERE).await;
    let (mut after, mut all) = (None, Vec::new());
    for _ in 0..3 {
        let found = page(&store, &pool, r#"given_name = "Rare""#, after, 2).await;
        assert_eq!(found.users.len(), 2);
        all.extend(found.users.iter().map(|user| user.username.clone()));
        after = found.cursor;
    }
    assert_eq!(all, ["u00999", "u01999", "u02999", "u03999", "u04999", "u05999"]);
    assert_eq!(after, None, "the last page ends with the pool");
}

#[tokio::test]
async fn what_users_sign_up_with_is_found_by_index_and_case() {
    let pool = pool(&[], &["email"]);
    let store = filled(&pool, 3).await;
    let found = |filter: &'static str| {
        let (store, pool) = (&store, &pool);
        async move {
            let filter = &Filter::parse(filter).expect(filter);
            let read: Result<_, StoreError> =
                store.read(|tx| async move { by_index(&tx, pool, filter).await }).await;
            read.expect("the testkit's store reads").map(|users| users.len())
        }
    };
    assert_eq!(found(r#"email = "u00001@example.com""#).await, Some(1));
    assert_eq!(found(r#"email = "U00001@example.com""#).await, Some(0));
    assert_eq!(found(r#"email ^= "u00001@example.com""#).await, None);
    assert_eq!(found(r#"preferred_username = "p00001""#).await, None);
}

#[tokio::test]
async fn a_call_looks_at_so_many_and_says_where_to_go_on() {
    let pool = pool(&[], &[]);
    let store = filled(&pool, 2_500).await;
    let filter = Filter::parse(r#"username = "u02499""#).expect("well formed");
    let scan = |pages| Scan { store: &store, pool: &pool, filter: Some(&filter), limit: 60, pages };
    let short = scan(2).run(None).await.expect("the testkit's store reads");
    assert!(short.users.is_empty());
    assert!(short.cursor.is_some());
    let rest = scan(1).run(short.cursor).await.expect("the testkit's store reads");
    assert_eq!((names(&rest), rest.cursor.is_none()), (vec!["u02499"], true));
}
