use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use homeport_core::BoxFuture;
use homeport_service::needs::{Message, NotSent, SendMessage, TokenRefused, TokenUse, Verified, VerifyToken};
use homeport_store::StoreError;

/// A mailer that keeps what it is handed.
#[derive(Default)]
pub struct CaughtMessages {
    messages: Mutex<Vec<Message>>,
    pretended: AtomicUsize,
}

impl CaughtMessages {
    /// Everything caught so far, oldest first.
    pub fn all(&self) -> Vec<Message> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many messages to nobody were pretended.
    pub fn pretended(&self) -> usize {
        self.pretended.load(Ordering::Relaxed)
    }

    /// The code in the newest message to `to`.
    pub fn last_code(&self, to: &str) -> Option<String> {
        self.all().into_iter().rev().find(|message| message.to == to)?.code
    }
}

impl SendMessage for CaughtMessages {
    fn send<'a>(&'a self, message: Message) -> BoxFuture<'a, Result<(), NotSent>> {
        Box::pin(async move {
            self.messages.lock().unwrap_or_else(PoisonError::into_inner).push(message);
            Ok(())
        })
    }

    fn pretend<'a>(&'a self) -> BoxFuture<'a, Result<(), NotSent>> {
        self.pretended.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Ok(()) })
    }
}

/// Tokens that a test made up, for services that ask who a token belongs to.
#[derive(Default)]
pub struct FixedTokens {
    known: Mutex<BTreeMap<String, (TokenUse, Verified)>>,
    deleted_clients: Mutex<BTreeSet<String>>,
    epoch: AtomicU64,
}

impl FixedTokens {
    /// Makes a token known.
    pub fn put(&self, token: &str, token_use: TokenUse, verified: Verified) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(token.to_owned(), (token_use, verified));
    }

    /// Deletes an app client: its tokens are refused from now on.
    pub fn delete_client(&self, client_id: &str) {
        let mut deleted = self.deleted_clients.lock().unwrap_or_else(PoisonError::into_inner);
        deleted.insert(client_id.to_owned());
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }

    fn has_client(&self, client_id: &str) -> bool {
        !self.deleted_clients.lock().unwrap_or_else(PoisonError::into_inner).contains(client_id)
    }
}

impl VerifyToken for FixedTokens {
    fn verify_token<'a>(
        &'a self,
        token: &'a str,
        token_use: TokenUse,
        user_pool_ids: &'a [String],
        _check_revocation: bool,
    ) -> BoxFuture<'a, Result<Verified, TokenRefused>> {
        Box::pin(async move {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(token).cloned();
            let accepted = |verified: &Verified| {
                let of_pool = |pool: &String| pool.ends_with(&verified.user_pool_id);
                self.has_client(&verified.client_id)
                    && (user_pool_ids.is_empty() || user_pool_ids.iter().any(of_pool))
            };
            match known {
                Some((of, verified)) if of == token_use && accepted(&verified) => Ok(verified),
                _ => Err(TokenRefused::Invalid),
            }
        })
    }

    fn sign_in_stands<'a>(
        &'a self,
        _user_pool_id: &'a str,
        _sub: &'a str,
        _origin_jti: &'a str,
        _issued: homeport_core::Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async { Ok(true) })
    }

    fn pools_epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    fn revokes_at_gateways<'a>(&'a self, _user_pool_id: &'a str) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async { Ok(false) })
    }

    fn pool_of_issuer(&self, issuer: &str) -> Option<String> {
        issuer.rsplit('/').next().map(str::to_owned)
    }
}
