//! Users who come from elsewhere, many at a time.

use homeport_core::{Account, Randomness, Timestamp, uuid_v4};
use homeport_store::{Store, StoreError};

use crate::attributes::Attributes;
use crate::pool_ref::PoolRef;
use crate::records::{POOLS, Pool, USERS, User, UserStatus, user_count};

/// Somebody who is to become a user of a pool.
#[derive(Clone, Debug)]
pub struct ImportedUser {
    /// The name to sign in with: an address, where the pool's users have those in place of names.
    pub username: String,
    /// Values by name, with the `…_verified` of addresses that were proved; those of `sub` don't count.
    pub attributes: std::collections::BTreeMap<String, String>,
}

/// Puts users into a pool, in one transaction, and says how many; who has the name of a user already is left out. As
/// behind AWS's import jobs nobody has a password yet, but sets one by `ForgotPassword`. Nothing is checked against the
/// pool's schema. None where there is no such pool.
///
/// # Errors
/// [`StoreError::Taken`] when another user signs in with the same address; as [`Store::write`].
pub async fn import_users(
    store: &Store,
    randomness: &dyn Randomness,
    now: Timestamp,
    account: Account,
    pool_id: &str,
    users: &[ImportedUser],
) -> Result<Option<usize>, StoreError> {
    let reference = &PoolRef::new(account, pool_id);
    let found = store.read(|tx| async move { POOLS.get(&tx, reference.parts()).await });
    let pool: Option<Pool> = found.await?;
    let Some(pool) = pool else { return Ok(None) };
    let users: &Vec<User> = &users.iter().map(|user| new_user(randomness, now, &pool, user)).collect();
    let put = store.write(|tx| async move {
        let mut count = 0;
        for user in users {
            count += usize::from(USERS.insert(&tx, user).await?);
        }
        tx.add(&user_count(reference), i64::try_from(count).unwrap_or(i64::MAX))?;
        Ok::<_, StoreError>(count)
    });
    put.await.map(Some)
}

fn new_user(randomness: &dyn Randomness, now: Timestamp, pool: &Pool, imported: &ImportedUser) -> User {
    let sub = uuid_v4(randomness);
    let by_name = pool.username_attributes.is_empty();
    let mut attributes = imported.attributes.clone();
    attributes.remove("sub");
    let mut user = User {
        pool: pool.pool.clone(),
        username: if by_name { pool.fold(&imported.username) } else { sub.clone() },
        sub,
        status: UserStatus::ResetRequired,
        enabled: true,
        created: now,
        modified: now,
        attributes,
        pending: Attributes::new(),
        aliases: Vec::new(),
        credential: None,
        credential_version: 0,
        temporary_until: None,
        signed_out: None,
    };
    user.refresh_aliases(pool);
    user
}

#[cfg(test)]
mod tests {
    use homeport_testkit::TestApp;
    use serde_json::{Value, json};

    use super::*;

    async fn call(app: &TestApp, operation: &str, input: Value) -> Value {
        app.admin().call("cognito-idp", operation, input).await.ok().json()
    }

    async fn import(app: &TestApp, pool: &str, names: &[&str]) -> Result<Option<usize>, StoreError> {
        let user = |name: &&str| ImportedUser {
            username: (*name).to_owned(),
            attributes: [("email".to_owned(), (*name).to_owned())].into(),
        };
        let users: Vec<_> = names.iter().map(user).collect();
        let (parts, now) = (&app.parts, app.parts.clock.now());
        let account = parts.installation.account;
        import_users(&parts.store, &*parts.randomness, now, account, pool, &users).await
    }

    #[tokio::test]
    async fn imported_users_are_found_by_their_addresses_and_must_set_a_password() {
        let app = TestApp::new(|parts| vec![crate::host(parts).1]);
        let made = json!({"PoolName": "notes", "UsernameAttributes": ["email"]});
        let made = call(&app, "CreateUserPool", made).await;
        let pool = made["UserPool"]["Id"].as_str().expect("a pool's id");

        assert!(matches!(import(&app, pool, &["ann@example.com", "bob@example.com"]).await, Ok(Some(2))));
        let ann = json!({"UserPoolId": pool, "Username": "ann@example.com"});
        let ann = call(&app, "AdminGetUser", ann).await;
        assert_eq!(ann["UserStatus"], "RESET_REQUIRED");
        assert_eq!(ann["UserAttributes"][1], json!({"Name": "email", "Value": "ann@example.com"}));
        let again = import(&app, pool, &["ann@example.com"]).await;
        assert!(matches!(again, Err(StoreError::Taken { index: "alias", .. })), "{again:?}");
        let described = call(&app, "DescribeUserPool", json!({"UserPoolId": pool})).await;
        assert_eq!(described["UserPool"]["EstimatedNumberOfUsers"], 2);
        assert!(matches!(import(&app, "us-east-1_Nowhere00", &["ann@example.com"]).await, Ok(None)));
    }

    #[tokio::test]
    async fn who_has_the_name_already_is_left_out() {
        let app = TestApp::new(|parts| vec![crate::host(parts).1]);
        let made = call(&app, "CreateUserPool", json!({"PoolName": "notes"})).await;
        let pool = made["UserPool"]["Id"].as_str().expect("a pool's id");
        assert!(matches!(import(&app, pool, &["ann"]).await, Ok(Some(1))));
        assert!(matches!(import(&app, pool, &["ann", "bob"]).await, Ok(Some(1))));
        assert!(matches!(import(&app, pool, &["ann", "bob", "cyd"]).await, Ok(Some(1))));
    }
}
