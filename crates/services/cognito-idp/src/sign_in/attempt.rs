//! Attempts at a password: counted durably before the password is looked at (security decision 13).

use homeport_core::Timestamp;
use homeport_service::Cx;
use homeport_store::{Key, StoreError, Tx};

use super::subject::Subject;
use crate::CognitoIdp;
use crate::error::IdpError;
use crate::lockout::{Failures, Locked};
use crate::records::{Pool, SIGN_INS, STRANGER_FAILURES, SignIns, StrangerFailures, address_failures, spent};
use crate::sweeps::window;
use crate::throttle::counted_as;

/// Something that can be used once, and when it would end anyway.
#[derive(Clone, Copy)]
pub(crate) struct Single<'a> {
    pub(crate) nonce: &'a [u8],
    pub(crate) ends: Timestamp,
}

/// An attempt that was counted as a failure; a success gives it back.
pub(crate) struct Attempt {
    address: Key,
}

/// How the counting ended.
enum Taken {
    Counted,
    Locked,
    /// What can be used once was used before.
    Used,
}

/// Counts an attempt at the subject's password, by user and by client address, and marks what it uses up. It is
/// durable before this returns.
pub(crate) async fn take(
    cx: &Cx<CognitoIdp>,
    pool: &Pool,
    subject: &Subject,
    uses: Option<Single<'_>>,
) -> Result<Attempt, IdpError> {
    cx.service.tidy(cx.now());
    let attempt = Attempt { address: address_failures(window(cx.now()), &counted_as(cx.caller().source.ip)) };
    let (now, limits) = (cx.now(), &cx.service.limits);
    let counted = cx.store().count(&attempt.address, 1, limits.address_failures);
    let taken = cx.store().write(|tx| async move {
        if let Some(single) = uses
            && !use_once(&tx, single).await?
        {
            return Ok::<_, StoreError>(Taken::Used);
        }
        change(&tx, cx, pool, subject, |failures| failures.take(now, limits)).await
    });
    let (counted, taken) = tokio::join!(counted, taken);
    match (counted?.is_counted(), taken?) {
        (true, Taken::Counted) => Ok(attempt),
        (true, Taken::Locked) => {
            attempt.give_back_address(cx).await?;
            Err(IdpError::not_authorized("Password attempts exceeded"))
        }
        (false, Taken::Counted) => {
            attempt.give_back_failure(cx, pool, subject).await?;
            Err(IdpError::TooManyRequests)
        }
        (false, Taken::Locked) => Err(IdpError::TooManyRequests),
        (_, Taken::Used) => Err(IdpError::wrong_password()),
    }
}

impl Attempt {
    /// The attempt succeeded. The subject's failures are forgotten by the transaction that follows a success.
    pub(crate) async fn give_back_address(&self, cx: &Cx<CognitoIdp>) -> Result<(), IdpError> {
        cx.store().count(&self.address, -1, cx.service.limits.address_failures).await?;
        Ok(())
    }

    /// The attempt came to nothing for reasons of ours: it doesn't count.
    pub(crate) async fn give_back(
        &self,
        cx: &Cx<CognitoIdp>,
        pool: &Pool,
        subject: &Subject,
    ) -> Result<(), IdpError> {
        self.give_back_address(cx).await?;
        self.give_back_failure(cx, pool, subject).await
    }

    async fn give_back_failure(
        &self,
        cx: &Cx<CognitoIdp>,
        pool: &Pool,
        subject: &Subject,
    ) -> Result<(), IdpError> {
        let limits = &cx.service.limits;
        let given: Result<Taken, StoreError> = cx
            .store()
            .write(|tx| async move {
                change(&tx, cx, pool, subject, |failures| Ok(failures.given_back(limits))).await
            })
            .await;
        given?;
        Ok(())
    }
}

/// Marks something as used; false when it was before.
pub(crate) async fn use_once(tx: &Tx, single: Single<'_>) -> Result<bool, StoreError> {
    let mark = spent(single.nonce, single.ends);
    if tx.get(&mark).await?.is_some() {
        return Ok(false);
    }
    tx.put(&mark, Vec::new())?;
    Ok(true)
}

/// Reads, changes and writes the subject's failures: one read and one write, whoever it is.
async fn change(
    tx: &Tx,
    cx: &Cx<CognitoIdp>,
    pool: &Pool,
    subject: &Subject,
    change: impl FnOnce(&Failures) -> Result<Failures, Locked>,
) -> Result<Taken, StoreError> {
    match subject {
        Subject::Known(user) => {
            let key = pool.pool.parts().str(&user.username);
            let before = SIGN_INS.get(tx, key).await?;
            let mut sign_ins = before.unwrap_or_else(|| SignIns::none(&pool.pool, &user.username));
            let Ok(failures) = change(&sign_ins.failures) else {
                return Ok(Taken::Locked);
            };
            sign_ins.failures = failures;
            SIGN_INS.put(tx, &sign_ins).await?;
        }
        Subject::Stranger(slot) => {
            let account = cx.account();
            let before = STRANGER_FAILURES.get(tx, StrangerFailures::at(account, *slot)).await?;
            let failures = before.map(|stranger| stranger.failures).unwrap_or_default();
            let Ok(failures) = change(&failures) else {
                return Ok(Taken::Locked);
            };
            STRANGER_FAILURES.put(tx, &StrangerFailures { account, slot: *slot, failures }).await?;
        }
    }
    Ok(Taken::Counted)
}
