//! Refresh tokens: opaque, found by their keyed hash, revocable, rotated where the client asks.

use homeport_core::Timestamp;
use homeport_service::Cx;
use homeport_store::Tx;

use crate::CognitoIdp;
use crate::error::IdpError;
use crate::lookup::check_secret_hash;
use crate::records::{Client, Pool, SESSIONS, SIGN_INS, Session, USERS, User};
use crate::revocations;
use crate::tokens::{AuthenticationResult, Grant, groups_of, issue, new_refresh_token, refresh_hash};

/// The longest refresh token that is looked at, in characters.
const MAX_TOKEN: usize = 4_096;

/// How a client that has a secret proves it.
#[derive(Clone, Copy)]
pub(crate) enum RefreshedBy<'a> {
    /// By `SECRET_HASH` over the user's name.
    SecretHash(Option<&'a str>),
    /// It did already, by the secret itself.
    Proved,
}

/// New ID and access tokens for a refresh token.
pub(crate) async fn refresh(
    cx: &Cx<CognitoIdp>,
    pool: &Pool,
    client: &Client,
    token: &str,
    by: RefreshedBy<'_>,
) -> Result<AuthenticationResult, IdpError> {
    let hash = hash_of(cx, token)?;
    let (session, user) = cx.read(|tx| async move { owner(&tx, client, &hash, cx.now()).await }).await?;
    if let RefreshedBy::SecretHash(given) = by {
        let names = [user.username.as_str(), user.sub.as_str()];
        check_secret_hash(&cx.service.parts.vault, client, &names, given)?;
    }
    check(cx, client, &session, &user, &hash)?;
    let Some(grace) = client.rotation_grace_seconds() else {
        let groups = cx
            .read(|tx| {
                let user = &user;
                async move { groups_of(&tx, user).await }
            })
            .await?;
        return issue(cx, pool, client, Grant { user, session, groups, refresh_token: None }).await;
    };
    let refresh_token = new_refresh_token(&**cx.randomness());
    let next = refresh_hash(&cx.service.parts.vault, &refresh_token);
    let (user, groups, session) = cx
        .write(|tx| async move {
            let (mut session, user) = owner(&tx, client, &hash, cx.now()).await?;
            check(cx, client, &session, &user, &hash)?;
            session.previous = (grace > 0).then(|| (session.refresh, cx.now().plus_seconds(grace)));
            session.refresh = next;
            SESSIONS.put(&tx, &session).await?;
            let groups = groups_of(&tx, &user).await?;
            Ok::<_, IdpError>((user, groups, session))
        })
        .await?;
    issue(cx, pool, client, Grant { user, session, groups, refresh_token: Some(refresh_token) }).await
}

/// Ends the sign-in of a refresh token, with all its tokens. A token that is none of ours ends nothing; one of another
/// client is an error.
pub(crate) async fn revoke(cx: &Cx<CognitoIdp>, client: &Client, token: &str) -> Result<bool, IdpError> {
    let Ok(hash) = hash_of(cx, token) else {
        return Ok(true);
    };
    let pool = &client.pool;
    cx.write(|tx| async move {
        let Some(session) = SESSIONS.by(&tx, "refresh", pool.parts().bytes(hash)).await? else {
            return Ok(true);
        };
        if session.client_id != client.id {
            return Ok(false);
        }
        revocations::remember(&tx, &session).await?;
        SESSIONS.delete(&tx, pool.parts().str(&session.sub).str(&session.origin_jti)).await?;
        if let Some(mut sign_ins) = SIGN_INS.get(&tx, pool.parts().str(&session.username)).await? {
            sign_ins.sessions = sign_ins.sessions.saturating_sub(1);
            SIGN_INS.put(&tx, &sign_ins).await?;
        }
        Ok::<_, IdpError>(true)
    })
    .await
}

async fn owner(
    tx: &Tx,
    client: &Client,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<(Session, User), IdpError> {
    let pool = &client.pool;
    let Some(session) = SESSIONS.by(tx, "refresh", pool.parts().bytes(hash)).await? else {
        let is_revoked = revocations::is_revoked(tx, client, hash, now).await?;
        return Err(if is_revoked { revoked() } else { invalid() });
    };
    let user = USERS.get(tx, pool.parts().str(&session.username)).await?;
    let user = user.filter(|user| user.sub == session.sub).ok_or_else(invalid)?;
    Ok((session, user))
}

fn check(
    cx: &Cx<CognitoIdp>,
    client: &Client,
    session: &Session,
    user: &User,
    hash: &[u8; 32],
) -> Result<(), IdpError> {
    if session.client_id != client.id {
        return Err(invalid());
    }
    let replaced = session.refresh != *hash
        && !session.previous.as_ref().is_some_and(|(previous, until)| previous == hash && cx.now() < *until);
    if replaced {
        return Err(revoked());
    }
    if session.expires <= cx.now() {
        return Err(IdpError::not_authorized("Refresh Token has expired"));
    }
    if !user.enabled {
        return Err(IdpError::not_authorized("User is disabled."));
    }
    Ok(())
}

fn hash_of(cx: &Cx<CognitoIdp>, token: &str) -> Result<[u8; 32], IdpError> {
    if token.len() > MAX_TOKEN {
        return Err(invalid());
    }
    Ok(refresh_hash(&cx.service.parts.vault, token))
}

fn invalid() -> IdpError {
    IdpError::not_authorized("Invalid Refresh Token.")
}

fn revoked() -> IdpError {
    IdpError::not_authorized("Refresh Token has been revoked")
}
