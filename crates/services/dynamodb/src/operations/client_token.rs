//! `ClientRequestToken`: a transaction that is sent again with the same token is done once.

use aws_lc_rs::digest;
use homeport_core::Timestamp;
use homeport_service::{Call, CallBody, Cx};
use homeport_store::Tx;

use crate::DynamoDb;
use crate::error::DynamoError;
use crate::records::{TOKENS, Token};
use crate::request::Violations;

/// How long a client token stands for its request.
const TOKEN_SECONDS: i64 = 600;

/// A request's client token, if it has one.
pub(super) struct ClientToken {
    token: Option<String>,
    /// A hash of the whole request.
    request: String,
}

impl ClientToken {
    /// The call's token; notes one that is too short or too long.
    pub(super) fn of(call: &Call, token: Option<String>, violations: &mut Violations) -> Self {
        if let Some(token) = &token {
            let shown = || format!("'{token}'");
            let at_least = "Member must have length greater than or equal to 1";
            violations.check(!token.is_empty(), shown, "clientRequestToken", at_least);
            let at_most = "Member must have length less than or equal to 36";
            violations.check(token.chars().count() <= 36, shown, "clientRequestToken", at_most);
        }
        let request = match &call.body {
            CallBody::Whole(bytes) => hex::encode(digest::digest(&digest::SHA256, bytes)),
            CallBody::Stream(_) => String::new(),
        };
        Self { token, request }
    }

    /// Whether the token stands for this very request already; notes it if it is new.
    pub(super) async fn was_used(&self, cx: &Cx<DynamoDb>, tx: &Tx) -> Result<bool, DynamoError> {
        let Some(token) = &self.token else { return Ok(false) };
        let scope = format!("{}/{}", cx.scope().account, cx.scope().region);
        let known = TOKENS.get(tx, (scope.as_str(), token.as_str())).await?;
        if let Some(known) = known.filter(|known| Timestamp::from_millis(known.expires_ms) > cx.now()) {
            return if known.request == self.request { Ok(true) } else { Err(DynamoError::TokenReused) };
        }
        let expires_ms = cx.now().plus_seconds(TOKEN_SECONDS).millis();
        let (token, request) = (token.clone(), self.request.clone());
        TOKENS.put(tx, &Token { scope, token, request, expires_ms, made: None }).await?;
        Ok(false)
    }
}
