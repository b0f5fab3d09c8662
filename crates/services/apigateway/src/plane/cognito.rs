//! `COGNITO_USER_POOLS`: a user pool's token in a header, bare or after `Bearer `.

use std::sync::Arc;

use homeport_core::Timestamp;
use homeport_service::Needs;
use homeport_service::needs::{TokenRefused, TokenUse, Verified, VerifyToken, met};
use serde_json::{Map, Value, json};

use super::exchange::Exchange;
use super::refusal::Refusal;
use super::results::{Results, Shown, shown};
use super::served::{Served, ServedAuthorizer};
use crate::limits::AUTHORIZER_TTL;

/// What a token said.
pub(super) struct Claims {
    scopes: Vec<String>,
    /// `{"claims": {…}}`
    authorizer: Arc<Value>,
}

/// Verifies the call's token and gives what the event says of it. Without scopes it is an ID token; with scopes an
/// access token that has one of them.
pub(super) async fn authorize(
    needs: &Needs,
    results: &Results<Claims>,
    exchange: &Exchange,
    served: &Served,
    authorizer: &ServedAuthorizer,
    scopes: &[String],
    now: Timestamp,
) -> Result<Arc<Value>, Refusal> {
    let header = exchange.header(&authorizer.header).ok_or_else(Refusal::unauthorized)?;
    let token = header.strip_prefix("Bearer ").unwrap_or(header).trim();
    let token_use = if scopes.is_empty() { TokenUse::Id } else { TokenUse::Access };
    let verifier = &**met(&needs.verify_token, "VerifyToken").map_err(Refusal::authorizer)?;
    // Taken before the token is verified: what a change of pools or clients overtakes is not remembered beyond it.
    let epoch = verifier.pools_epoch();
    let key = key(served, authorizer, epoch, token, token_use);
    let claims = match results.get(&key, now) {
        Some(claims) => claims,
        None => {
            let (verified, keep) = verify(verifier, authorizer, token, token_use).await?;
            let ttl = authorizer.authorizer.authorizer_result_ttl_in_seconds.unwrap_or(AUTHORIZER_TTL);
            let until = now.plus_seconds(ttl).min(Timestamp::from_seconds(verified.expires));
            let claims = Arc::new(claims(verified));
            if keep && ttl > 0 {
                results.put(key, until, now, claims.clone());
            }
            claims
        }
    };
    let in_scope = scopes.is_empty() || scopes.iter().any(|scope| claims.scopes.contains(scope));
    if in_scope { Ok(claims.authorizer.clone()) } else { Err(Refusal::unauthorized()) }
}

/// What the authorizer is shown, with all that ends what is remembered of it.
fn key(
    served: &Served,
    authorizer: &ServedAuthorizer,
    epoch: u64,
    token: &str,
    token_use: TokenUse,
) -> Shown {
    let kind: &[u8] = match token_use {
        TokenUse::Id => b"id",
        TokenUse::Access => b"access",
    };
    shown(&[
        served.home.api.as_bytes(),
        served.stage.as_bytes(),
        served.deployment_id.as_bytes(),
        &served.flushes.to_be_bytes(),
        &epoch.to_be_bytes(),
        authorizer.authorizer.id.as_bytes(),
        kind,
        token.as_bytes(),
    ])
}

/// The token's claims, and whether they may be kept: not where the pool wants revoked tokens refused at once.
async fn verify(
    verifier: &dyn VerifyToken,
    authorizer: &ServedAuthorizer,
    token: &str,
    token_use: TokenUse,
) -> Result<(Verified, bool), Refusal> {
    let pools = &authorizer.authorizer.provider_arns;
    let verified = ask(verifier, token, token_use, pools, false).await?;
    if let Some(expression) = &authorizer.expression
        && !expression.is_match(&verified.client_id)
    {
        return Err(Refusal::unauthorized());
    }
    let revokes = verifier.revokes_at_gateways(&verified.user_pool_id).await.map_err(Refusal::unavailable)?;
    if revokes {
        return ask(verifier, token, token_use, pools, true).await.map(|verified| (verified, false));
    }
    Ok((verified, true))
}

async fn ask(
    verifier: &dyn VerifyToken,
    token: &str,
    token_use: TokenUse,
    pools: &[String],
    check_revocation: bool,
) -> Result<Verified, Refusal> {
    let verified = verifier.verify_token(token, token_use, pools, check_revocation).await;
    verified.map_err(|refused| match refused {
        TokenRefused::Expired => Refusal::expired(),
        TokenRefused::Store(error) => Refusal::unavailable(error),
        refused @ (TokenRefused::Invalid | TokenRefused::Revoked) => Refusal::unauthorized().because(refused),
    })
}

fn claims(verified: Verified) -> Claims {
    let claims: Map<String, Value> = verified
        .claims
        .iter()
        .map(|(name, value)| (name.clone(), Value::from(as_text(name, value))))
        .collect();
    Claims { scopes: verified.scopes, authorizer: Arc::new(json!({ "claims": claims })) }
}

/// Claims reach functions as text: times of issue and end as dates, lists joined by commas.
fn as_text(name: &str, value: &Value) -> String {
    match (name, value) {
        ("exp" | "iat", Value::Number(seconds)) => seconds
            .as_i64()
            .map_or_else(|| seconds.to_string(), |seconds| date(Timestamp::from_seconds(seconds))),
        (_, Value::String(text)) => text.clone(),
        (_, Value::Array(items)) => {
            let text = |item: &Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
            items.iter().map(text).collect::<Vec<_>>().join(",")
        }
        (_, other) => other.to_string(),
    }
}

/// `Thu Sep 20 17:36:15 UTC 2018`
fn date(at: Timestamp) -> String {
    let at = at.date_time();
    let (weekday, month) = (at.weekday().to_string(), at.month().to_string());
    format!(
        "{} {} {:02} {:02}:{:02}:{:02} UTC {}",
        &weekday[..3],
        &month[..3],
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        at.year()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_text() {
        assert_eq!(as_text("exp", &json!(1_537_464_975)), "Thu Sep 20 17:36:15 UTC 2018");
        assert_eq!(as_text("auth_time", &json!(1_537_464_975)), "1537464975");
        assert_eq!(as_text("email_verified", &json!(true)), "true");
        assert_eq!(as_text("cognito:groups", &json!(["a", "b"])), "a,b");
    }
}
