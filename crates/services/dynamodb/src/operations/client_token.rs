//! `ClientRequestToken`: a transaction that is sent again with the same token is done once.

use aws_lc_rs::digest;
use homeport_core::Timestamp;
use homeport_service::{Call, CallBody, Cx};
use homeport_store::Tx;
use serde_json::Value;

use crate::DynamoDb;
use crate::error::DynamoError;
use crate::records::{TOKENS, Token};
use crate::request::Violations;

/// How long a client token stands for its request.
const TOKEN_SECONDS: i64 = 600;

/// A request's client token, if it has one.
pub(super) struct ClientToken {
    token: Option<String>,
    /// A hash of what the whole request asks for, if there is a token.
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
            CallBody::Whole(bytes) if token.is_some() => {
                let asked = canonical(bytes);
                hex::encode(digest::digest(&digest::SHA256, asked.as_deref().unwrap_or(bytes)))
            }
            _ => String::new(),
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

/// What a request asks for, in the one way to write it: clients write the same members, and elements of sets, in any
/// order.
fn canonical(body: &[u8]) -> Option<Vec<u8>> {
    let mut asked: Value = serde_json::from_slice(body).ok()?;
    order_sets(&mut asked);
    serde_json::to_vec(&asked).ok()
}

fn order_sets(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(order_sets),
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::Array(set) if matches!(name.as_str(), "SS" | "NS" | "BS") => {
                        set.sort_unstable_by(|one, other| one.as_str().cmp(&other.as_str()));
                    }
                    other => order_sets(other),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_request_is_the_same_in_whatever_order_it_is_written() {
        let one = br#"{"A": {"b": 1, "c": {"SS": ["x", "y"]}}, "L": ["p", "q"]}"#;
        let same = br#"{ "L":["p","q"],"A":{"c":{"SS":["y","x"]},"b":1}}"#;
        let other = br#"{"A": {"b": 1, "c": {"SS": ["x", "y"]}}, "L": ["q", "p"]}"#;
        assert!(canonical(one).is_some());
        assert_eq!(canonical(one), canonical(same));
        assert_ne!(canonical(one), canonical(other));
    }
}
