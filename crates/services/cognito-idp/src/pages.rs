//! A pool's public pages: its keys and its OpenID Connect discovery document.

use homeport_core::BoxFuture;
use homeport_service::{Body, Peer, Plane, full};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use serde_json::json;

use crate::CognitoIdp;
use crate::error::IdpError;
use crate::issuer::{issuer, region_of};
use crate::pool_ref::PoolRef;
use crate::records::POOLS;

/// How long these pages may be kept, in seconds.
const MAX_AGE: u32 = 300;

/// Which page of which pool.
#[derive(Debug, PartialEq, Eq)]
enum Page<'a> {
    Keys(&'a str),
    Discovery(&'a str),
}

impl<'a> Page<'a> {
    fn at(path: &'a str) -> Option<Self> {
        let (pool, page) = path.strip_prefix('/')?.split_once('/')?;
        region_of(pool)?;
        match page {
            ".well-known/jwks.json" => Some(Self::Keys(pool)),
            ".well-known/openid-configuration" => Some(Self::Discovery(pool)),
            _ => None,
        }
    }
}

impl Plane for CognitoIdp {
    fn claims(&self, head: &Parts, _host: &str) -> bool {
        Page::at(head.uri.path()).is_some()
    }

    fn handle<'a>(&'a self, head: Parts, _body: Body, _peer: Peer) -> BoxFuture<'a, Response<Body>> {
        Box::pin(async move {
            if !matches!(head.method, Method::GET | Method::HEAD) {
                return answer(StatusCode::METHOD_NOT_ALLOWED, &json!({"message": "Method Not Allowed"}));
            }
            let page = match Page::at(head.uri.path()) {
                Some(Page::Keys(pool)) => self.key_set(pool).await,
                Some(Page::Discovery(pool)) => self.discovery(pool).await,
                None => Ok(None),
            };
            match page {
                Ok(Some(page)) => answer(StatusCode::OK, &page),
                Ok(None) => answer(StatusCode::NOT_FOUND, &json!({"message": "User pool does not exist."})),
                Err(_) => answer(StatusCode::INTERNAL_SERVER_ERROR, &json!({"message": "Internal error"})),
            }
        })
    }
}

impl CognitoIdp {
    async fn key_set(&self, pool_id: &str) -> Result<Option<serde_json::Value>, IdpError> {
        let pool = PoolRef::new(self.parts.installation.account, pool_id);
        let now = self.parts.clock.now();
        self.tidy(now);
        let keys = self.keys.of(&self.parts.store, &self.parts.vault, &pool, now).await?;
        Ok(keys.map(|keys| json!(keys.set.jwks())))
    }

    async fn discovery(&self, pool_id: &str) -> Result<Option<serde_json::Value>, IdpError> {
        let pool = &PoolRef::new(self.parts.installation.account, pool_id);
        let found = self.parts.store.read(|tx| async move { POOLS.get(&tx, pool.parts()).await }).await?;
        let Some(pool) = found else {
            return Ok(None);
        };
        let installation = &self.parts.installation;
        Ok(Some(json!({
            "issuer": issuer(installation, &pool),
            "jwks_uri": format!("{}/{pool_id}/.well-known/jwks.json", installation.public_url()),
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "token"],
            "scopes_supported": ["openid", "email", "phone", "profile"],
            "subject_types_supported": ["public"],
        })))
    }
}

fn answer(status: StatusCode, page: &serde_json::Value) -> Response<Body> {
    let mut response = Response::new(full(page.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert("content-type", http::HeaderValue::from_static("application/json"));
    headers.insert("access-control-allow-origin", http::HeaderValue::from_static("*"));
    headers.insert("x-content-type-options", http::HeaderValue::from_static("nosniff"));
    if status == StatusCode::OK {
        let kept = format!("public, max-age={MAX_AGE}");
        if let Ok(kept) = http::HeaderValue::from_str(&kept) {
            headers.insert("cache-control", kept);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn a_pools_pages_are_known_by_their_path() {
        let pool = "us-east-1_AbCdEfGhI";
        assert_eq!(Page::at(&format!("/{pool}/.well-known/jwks.json")), Some(Page::Keys(pool)));
        assert_eq!(
            Page::at(&format!("/{pool}/.well-known/openid-configuration")),
            Some(Page::Discovery(pool))
        );
        for path in
            ["/", "/bucket/.well-known/jwks.json", "/us-east-1_AbCdEfGhI/x", "/a_b/.well-known/jwks.json"]
        {
            assert_eq!(Page::at(path), None, "{path}");
        }
    }
}
