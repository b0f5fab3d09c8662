//! After a right password: the states a user can be in, then a session and its tokens.

use homeport_service::Cx;
use homeport_store::{StoreError, Tx};

use super::Progress;
use super::attempt::{Attempt, Single, use_once};
use super::challenge::ask_new_password;
use crate::CognitoIdp;
use crate::claims::Membership;
use crate::error::IdpError;
use crate::lockout::Failures;
use crate::records::{Client, Pool, SIGN_INS, Session, USERS, User, UserStatus};
use crate::tokens::{
    Grant, NewSession, groups_of, issue, new_origin_jti, new_refresh_token, open_session, refresh_hash,
};

/// A password that was right.
pub(crate) struct Proof<'a> {
    /// The user as they were when it was looked at.
    pub(crate) user: User,
    /// What it cost.
    pub(crate) attempt: Attempt,
    /// A challenge that the answer uses up.
    pub(crate) uses: Option<Single<'a>>,
}

/// What comes of a right password. What the attempt cost its address is given back beside it.
pub(crate) async fn after_password(
    cx: &Cx<CognitoIdp>,
    pool: &Pool,
    client: &Client,
    proof: Proof<'_>,
) -> Result<Progress, IdpError> {
    let (given_back, progress) =
        tokio::join!(proof.attempt.give_back_address(cx), proceed(cx, pool, client, &proof));
    given_back?;
    progress
}

async fn proceed(
    cx: &Cx<CognitoIdp>,
    pool: &Pool,
    client: &Client,
    proof: &Proof<'_>,
) -> Result<Progress, IdpError> {
    let user = &proof.user;
    match user.status {
        _ if !user.enabled => fail_with(cx, user, IdpError::not_authorized("User is disabled.")).await,
        UserStatus::Unconfirmed => fail_with(cx, user, IdpError::NotConfirmed).await,
        UserStatus::ResetRequired => fail_with(cx, user, IdpError::ResetRequired).await,
        UserStatus::ForceChangePassword if user.temporary_until.is_some_and(|until| until <= cx.now()) => {
            let message = "Temporary password has expired and must be reset by an administrator.";
            fail_with(cx, user, IdpError::not_authorized(message)).await
        }
        UserStatus::ForceChangePassword => {
            forget_failures(cx, user).await?;
            ask_new_password(cx, pool, client, user)
        }
        UserStatus::Confirmed => {
            let prepared = Prepared::new(cx);
            let (user, groups, session) = cx
                .write(|tx| {
                    let prepared = &prepared;
                    async move {
                        if let Some(single) = proof.uses
                            && !use_once(&tx, single).await?
                        {
                            return Err(IdpError::wrong_password());
                        }
                        let user = current(&tx, &proof.user).await?;
                        prepared.open(&tx, cx, client, user).await
                    }
                })
                .await?;
            let grant = Grant { user, session, groups, refresh_token: Some(prepared.refresh_token) };
            Ok(Progress::done(issue(cx, pool, client, grant).await?))
        }
    }
}

/// What a session needs that is drawn outside its transaction.
pub(super) struct Prepared {
    pub(super) refresh_token: String,
    new: NewSession,
}

impl Prepared {
    pub(super) fn new(cx: &Cx<CognitoIdp>) -> Self {
        let refresh_token = new_refresh_token(&**cx.randomness());
        let new = NewSession {
            origin_jti: new_origin_jti(&**cx.randomness(), cx.now()),
            refresh: refresh_hash(&cx.service.parts.vault, &refresh_token),
            signed_in: cx.now(),
        };
        Self { refresh_token, new }
    }

    pub(super) async fn open(
        &self,
        tx: &Tx,
        cx: &Cx<CognitoIdp>,
        client: &Client,
        user: User,
    ) -> Result<(User, Vec<Membership>, Session), IdpError> {
        let groups = groups_of(tx, &user).await?;
        let session = open_session(tx, client, &user, &self.new, cx.now()).await?;
        Ok((user, groups, session))
    }
}

/// The user as they are now: still there and enabled, with the password that was looked at.
async fn current(tx: &Tx, seen: &User) -> Result<User, IdpError> {
    let user = USERS.get(tx, seen.pool.parts().str(&seen.username)).await?;
    let unchanged = |user: &User| {
        user.sub == seen.sub
            && user.enabled
            && user.status == seen.status
            && user.credential_version == seen.credential_version
    };
    user.filter(unchanged).ok_or_else(IdpError::wrong_password)
}

async fn fail_with<T>(cx: &Cx<CognitoIdp>, user: &User, error: IdpError) -> Result<T, IdpError> {
    forget_failures(cx, user).await?;
    Err(error)
}

/// A right password forgets the wrong ones before it, also where it opens no session.
pub(crate) async fn forget_failures(cx: &Cx<CognitoIdp>, user: &User) -> Result<(), StoreError> {
    cx.store()
        .write(|tx| async move {
            if let Some(mut sign_ins) = SIGN_INS.get(&tx, user.pool.parts().str(&user.username)).await? {
                sign_ins.failures = Failures::default();
                SIGN_INS.put(&tx, &sign_ins).await?;
            }
            Ok(())
        })
        .await
}
