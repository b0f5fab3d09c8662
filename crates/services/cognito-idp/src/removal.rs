//! What ends with a user, or with a user's sign-ins.

use homeport_core::Timestamp;
use homeport_service::Needs;
use homeport_service::needs::GoneUser;
use homeport_store::{MAX_PAGE_ROWS, StoreError, Tx};

use crate::pool_ref::PoolRef;
use crate::records::{
    CODES, CodeOwner, CodeRecord, MEMBERSHIPS, SESSIONS, SIGN_INS, USERS, User, gone, user_count,
};

/// Deletes a user and everything about them in one transaction (security decision 31); their `sub` stays marked and
/// is never used again.
pub(crate) async fn delete_user(
    tx: &Tx,
    user: &User,
    now: Timestamp,
    needs: &Needs,
) -> Result<(), StoreError> {
    let pool = &user.pool;
    forget(tx, user, needs).await?;
    end_sessions(tx, pool, &user.sub).await?;
    loop {
        let prefix = pool.parts().str(&user.username);
        let page = MEMBERSHIPS.page(tx, prefix, None, MAX_PAGE_ROWS).await?;
        for membership in &page.records {
            let key = pool.parts().str(&membership.username).str(&membership.group);
            MEMBERSHIPS.delete(tx, key).await?;
        }
        if page.records.is_empty() {
            break;
        }
    }
    let owner = CodeOwner::User(user.sub.clone());
    let codes = CODES.page(tx, CodeRecord::of(pool, &owner), None, MAX_PAGE_ROWS).await?;
    for code in &codes.records {
        CODES.delete(tx, CodeRecord::of(pool, &owner).str(code.purpose.name())).await?;
    }
    SIGN_INS.delete(tx, pool.parts().str(&user.username)).await?;
    USERS.delete(tx, pool.parts().str(&user.username)).await?;
    tx.put(&gone(pool, &user.sub), now.millis().to_be_bytes().to_vec())?;
    tx.add(&user_count(pool), -1)
}

/// Has others remove what they keep of a user.
pub(crate) async fn forget(tx: &Tx, user: &User, needs: &Needs) -> Result<(), StoreError> {
    let (user_pool_id, sub) = (user.pool.id.clone(), user.sub.clone());
    let gone_user = GoneUser { user_pool_id, sub, username: user.username.clone() };
    for other in needs.users_gone.get().into_iter().flatten() {
        other.user_gone(tx, &gone_user).await?;
    }
    Ok(())
}

/// Signs a user out everywhere: every token and temporary credential they have ends.
pub(crate) async fn sign_out(tx: &Tx, user: &User, now: Timestamp) -> Result<(), StoreError> {
    end_sessions(tx, &user.pool, &user.sub).await?;
    if let Some(mut sign_ins) = SIGN_INS.get(tx, user.pool.parts().str(&user.username)).await? {
        sign_ins.sessions = 0;
        SIGN_INS.put(tx, &sign_ins).await?;
    }
    let signed_out = User { signed_out: Some(now), ..user.clone() };
    USERS.put(tx, &signed_out).await
}

async fn end_sessions(tx: &Tx, pool: &PoolRef, sub: &str) -> Result<(), StoreError> {
    loop {
        let page = SESSIONS.page(tx, pool.parts().str(sub), None, MAX_PAGE_ROWS).await?;
        for session in &page.records {
            SESSIONS.delete(tx, pool.parts().str(sub).str(&session.origin_jti)).await?;
        }
        if page.records.is_empty() {
            return Ok(());
        }
    }
}
