//! Finding pools, app clients and users by what requests name them.

use homeport_service::Cx;
use homeport_store::{StoreError, Tx};
use homeport_vault::{Purpose, Vault};

use crate::CognitoIdp;
use crate::error::IdpError;
use crate::issuer::region_of;
use crate::pool_ref::PoolRef;
use crate::records::{CLIENTS, Client, POOLS, Pool, USERS, User, alias};
use crate::secret_hash;

/// Names that no user has fall into so many slots, where failures and codes are counted.
const SLOTS: u64 = 1 << 20;

/// The pool of this id.
pub(crate) async fn pool(tx: &Tx, pool: &PoolRef) -> Result<Pool, IdpError> {
    POOLS.get(tx, pool.parts()).await?.ok_or_else(|| IdpError::no_pool(&pool.id))
}

/// The pool that a signed call names: it must be of the call's region.
pub(crate) fn named(cx: &Cx<CognitoIdp>, pool_id: &str) -> Result<PoolRef, IdpError> {
    if region_of(pool_id) != Some(cx.scope().region.as_str()) {
        return Err(IdpError::no_pool(pool_id));
    }
    Ok(PoolRef::new(cx.account(), pool_id))
}

/// An app client of a pool.
pub(crate) async fn client(tx: &Tx, pool: &PoolRef, id: &str) -> Result<Client, IdpError> {
    CLIENTS.get(tx, pool.parts().str(id)).await?.ok_or_else(|| IdpError::no_client(id))
}

/// An app client and its pool, by the client's id alone: how unsigned calls come.
pub(crate) async fn app(cx: &Cx<CognitoIdp>, client_id: &str) -> Result<(Pool, Client), IdpError> {
    let account = cx.account();
    cx.read(|tx| async move {
        let client = CLIENTS.by(&tx, "id", Client::by_id(account, client_id)).await?;
        let client = client.ok_or_else(|| IdpError::no_client(client_id))?;
        let pool = pool(&tx, &client.pool).await?;
        Ok((pool, client))
    })
    .await
}

/// An app client of the pool that a signed call names, and the pool.
pub(crate) async fn app_of(
    cx: &Cx<CognitoIdp>,
    pool_id: &str,
    client_id: &str,
) -> Result<(Pool, Client), IdpError> {
    let reference = &named(cx, pool_id)?;
    cx.read(|tx| async move {
        let pool = pool(&tx, reference).await?;
        let client = client(&tx, reference, client_id).await?;
        Ok((pool, client))
    })
    .await
}

/// The user that signs in or is administered under this name: the user name itself, what the pool's users sign up
/// or sign in with, or the `sub`.
pub(crate) async fn user(tx: &Tx, pool: &Pool, name: &str) -> Result<Option<User>, StoreError> {
    if let Some(user) = USERS.get(tx, pool.pool.parts().str(pool.fold(name))).await? {
        return Ok(Some(user));
    }
    for attribute in ["email", "phone_number", "preferred_username"] {
        let shaped = match attribute {
            "email" => name.contains('@'),
            "phone_number" => name.starts_with('+'),
            _ => true,
        };
        if !shaped || !pool.signs_in_with(attribute) {
            continue;
        }
        let entry = pool.pool.parts().str(alias(pool, attribute, name));
        if let Some(user) = USERS.by(tx, "alias", entry).await? {
            return Ok(Some(user));
        }
    }
    USERS.by(tx, "sub", pool.pool.parts().str(name)).await
}

/// As [`user`], for callers who may know that there is none.
pub(crate) async fn known_user(tx: &Tx, pool: &Pool, name: &str) -> Result<User, IdpError> {
    user(tx, pool, name).await?.ok_or(IdpError::NoSuchUser)
}

/// The user of this `sub`.
pub(crate) async fn user_by_sub(tx: &Tx, pool: &PoolRef, sub: &str) -> Result<User, IdpError> {
    USERS.by(tx, "sub", pool.parts().str(sub)).await?.ok_or(IdpError::NoSuchUser)
}

/// The slot of a name that no user has.
pub(crate) fn stranger_slot(vault: &Vault, pool: &Pool, name: &str) -> u64 {
    let parts: [&[u8]; 3] = [b"stranger", pool.pool.id.as_bytes(), &folded(pool, name)];
    let hash = vault.keyed_hash(Purpose::UserPool, &parts);
    u64::from_be_bytes([0, 0, 0, 0, hash[0], hash[1], hash[2], hash[3]]) % SLOTS
}

/// A name as it is hashed where no user has it: as it would be looked up.
pub(crate) fn folded(pool: &Pool, name: &str) -> Vec<u8> {
    let is_email = name.contains('@') && pool.signs_in_with("email");
    let folded = if is_email { name.to_lowercase() } else { pool.fold(name) };
    folded.into_bytes()
}

/// Checks `SECRET_HASH` (security decision 14: first of all, and in constant time).
pub(crate) fn check_secret_hash(
    vault: &Vault,
    client: &Client,
    names: &[&str],
    given: Option<&str>,
) -> Result<(), IdpError> {
    let Some(sealed) = &client.secret else {
        return match given {
            None => Ok(()),
            Some(_) => Err(unverified(client)),
        };
    };
    let given = given.ok_or_else(|| {
        let id = &client.id;
        IdpError::not_authorized(format!(
            "Client {id} is configured with secret but SECRET_HASH was not received"
        ))
    })?;
    let secret = open_client_secret(vault, client, sealed)?;
    let right = names
        .iter()
        .fold(false, |right, name| right | secret_hash::is_right(secret.expose(), name, &client.id, given));
    if right { Ok(()) } else { Err(unverified(client)) }
}

fn unverified(client: &Client) -> IdpError {
    IdpError::not_authorized(format!("Unable to verify secret hash for client {}", client.id))
}

/// Seals a client's secret to its record.
pub(crate) fn seal_client_secret(
    vault: &Vault,
    pool: &PoolRef,
    client_id: &str,
    secret: &str,
) -> Result<homeport_vault::Sealed, IdpError> {
    let key = pool.parts().str(client_id);
    Ok(vault.seal(Purpose::UserPool, &secret_place(key.as_bytes()), secret.as_bytes())?)
}

/// Opens a client's secret.
pub(crate) fn open_client_secret(
    vault: &Vault,
    client: &Client,
    sealed: &homeport_vault::Sealed,
) -> Result<homeport_vault::Secret, IdpError> {
    let key = client.pool.parts().str(&client.id);
    Ok(vault.open(&secret_place(key.as_bytes()), sealed)?)
}

fn secret_place(key: &[u8]) -> homeport_vault::Place<'_> {
    homeport_vault::Place { collection: "cognito-idp.clients", key, field: "secret" }
}

/// An app client that an unsigned call names, its pool, and the client's proof that it knows its secret.
pub(crate) async fn proved_app(
    cx: &Cx<CognitoIdp>,
    client_id: &str,
    name: &str,
    secret_hash: Option<&str>,
) -> Result<(Pool, Client), IdpError> {
    let (pool, client) = app(cx, client_id).await?;
    check_secret_hash(&cx.service.parts.vault, &client, &[name], secret_hash)?;
    Ok((pool, client))
}

/// The user behind the access token of the call, and their pool.
pub(crate) async fn own(cx: &Cx<CognitoIdp>, tx: &Tx) -> Result<(Pool, User), IdpError> {
    let token = cx.token_user()?;
    let reference = PoolRef::new(cx.account(), &token.user_pool_id);
    let pool = pool(tx, &reference).await?;
    let user = user_by_sub(tx, &reference, &token.sub).await?;
    Ok((pool, user))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use homeport_store::Key;
    use homeport_testkit::{Reply, TestApp};
    use serde_json::json;

    use super::*;

    async fn fails(app: &TestApp, client: &str, name: &str) -> Reply {
        let parameters = json!({"USERNAME": name, "PASSWORD": "Wrong-horse7"});
        let input =
            json!({"ClientId": client, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters});
        let reply = app.anonymous().call("cognito-idp", "InitiateAuth", input).await;
        reply.refused("NotAuthorizedException", 400)
    }

    /// The rows that failures under names of nobody have left.
    async fn rows(app: &TestApp) -> usize {
        let table = Key::of("cognito-idp.stranger-failures");
        app.rows().await.iter().filter(|(key, _)| key.starts_with(table.as_bytes())).count()
    }

    /// The first two names of the form `nobody-N` that share a slot.
    fn two_of_one_slot(vault: &Vault, pool: &Pool) -> [String; 2] {
        let mut seen = HashMap::new();
        for n in 0..100_000 {
            let name = format!("nobody-{n}");
            let slot = stranger_slot(vault, pool, &name);
            assert!(slot < SLOTS, "{name}");
            if let Some(before) = seen.insert(slot, name.clone()) {
                return [before, name];
            }
        }
        panic!("no two of so many names share a slot");
    }

    #[tokio::test]
    async fn names_of_nobody_have_a_bounded_table_where_new_failures_replace_old_ones() {
        let app = TestApp::new(|parts| vec![crate::host(parts).1]);
        let made = app.admin().call("cognito-idp", "CreateUserPool", json!({"PoolName": "notes"})).await;
        let made = made.ok().json();
        let id = made["UserPool"]["Id"].as_str().expect("a pool's id");
        let client = json!({"UserPoolId": id, "ClientName": "app",
            "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"]});
        let client = app.admin().call("cognito-idp", "CreateUserPoolClient", client).await.ok().json();
        let client = client["UserPoolClient"]["ClientId"].as_str().expect("a client's id");
        let reference = &PoolRef::new(app.parts.installation.account, id);
        let read: Result<_, IdpError> =
            app.parts.store.read(|tx| async move { pool(&tx, reference).await }).await;
        let [one, other] = two_of_one_slot(&app.parts.vault, &read.expect("the pool is there"));

        for name in [&one, &other, &one, &other, &one] {
            assert_eq!(fails(&app, client, name).await.message(), "Incorrect username or password.");
        }
        assert_eq!(fails(&app, client, &other).await.message(), "Password attempts exceeded");
        assert_eq!(rows(&app).await, 1, "two names of one slot");
        fails(&app, client, "somebody-else").await;
        assert_eq!(rows(&app).await, 2, "a name of another slot");
        app.clock.advance_seconds(900);
        assert_eq!(fails(&app, client, &other).await.message(), "Incorrect username or password.");
        assert_eq!(rows(&app).await, 2, "what is new stands where the old stood");
    }
}
