//! `ClientToken` of exports and imports: what is asked for again within eight hours is not begun again.

use aws_lc_rs::digest;
use homeport_core::{Scope, Timestamp};
use homeport_store::Tx;
use serde::Serialize;

use crate::error::DynamoError;
use crate::records::{TOKENS, Token, TransferRef};

/// How long a token stands for its request.
const TOKEN_SECONDS: i64 = 8 * 60 * 60;

/// A request's token.
pub(super) struct TransferToken {
    /// Whose: tokens of exports and of imports are apart.
    scope: String,
    /// A hash of it: it may be longer than a key.
    token: String,
    /// A hash of what is asked.
    request: String,
}

/// What a token stands for already.
pub(super) struct Begun {
    pub(super) made: TransferRef,
    /// Whether the same was asked for.
    pub(super) is_same: bool,
}

impl TransferToken {
    pub(super) fn of(
        what: &str,
        scope: &Scope,
        token: &str,
        asked: &impl Serialize,
    ) -> Result<Self, DynamoError> {
        let asked = serde_json::to_vec(asked)
            .map_err(|error| DynamoError::Fault(homeport_core::Fault::internal(error)))?;
        Ok(Self {
            scope: format!("{}/{}/{what}", scope.account, scope.region),
            token: hex::encode(digest::digest(&digest::SHA256, token.as_bytes())),
            request: hex::encode(digest::digest(&digest::SHA256, &asked)),
        })
    }

    /// What was begun with the token, if it still stands.
    pub(super) async fn begun(&self, tx: &Tx, now: Timestamp) -> Result<Option<Begun>, DynamoError> {
        let known = TOKENS.get(tx, (self.scope.as_str(), self.token.as_str())).await?;
        let known = known.filter(|known| Timestamp::from_millis(known.expires_ms) > now);
        Ok(known.and_then(|known| {
            let is_same = known.request == self.request;
            known.made.map(|made| Begun { made, is_same })
        }))
    }

    /// Notes what was begun with it.
    pub(super) async fn note(&self, tx: &Tx, made: &TransferRef, now: Timestamp) -> Result<(), DynamoError> {
        let token = Token {
            scope: self.scope.clone(),
            token: self.token.clone(),
            request: self.request.clone(),
            expires_ms: now.plus_seconds(TOKEN_SECONDS).millis(),
            made: Some(made.clone()),
        };
        Ok(TOKENS.put(tx, &token).await?)
    }
}
