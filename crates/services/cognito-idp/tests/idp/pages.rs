use homeport_core::Timestamp;
use homeport_jwt::{Expected, Jwks, KeySet, PublicKey, verify};
use serde_json::json;

use crate::world::{World, text};

#[tokio::test]
async fn anybody_verifies_tokens_with_the_published_keys() {
    let world = World::new().await;
    world.user("ann").await;
    let token = text(&world.tokens("ann").await["IdToken"]);
    let path = format!("/{}/.well-known/jwks.json", world.pool);
    let page = world.app.anonymous().send("", "GET", &path, &[], b"").await.ok();
    let published: Jwks = serde_json::from_value(page.json()).unwrap();
    let keys = KeySet::new(published.keys.iter().map(|jwk| PublicKey::from_jwk(jwk).unwrap()).collect());
    let path = format!("/{}/.well-known/openid-configuration", world.pool);
    let discovery = world.app.anonymous().send("", "GET", &path, &[], b"").await.ok().json();
    let issuers = [text(&discovery["issuer"])];
    assert_eq!(issuers[0], format!("http://127.0.0.1:4566/{}", world.pool));
    assert_eq!(discovery["jwks_uri"], format!("{}/.well-known/jwks.json", issuers[0]));
    let now: Timestamp = homeport_core::Clock::now(&*world.app.clock);
    assert!(verify(&token, &Expected { issuers: &issuers, keys: &keys, now }).is_ok());
}

#[tokio::test]
async fn the_discovered_issuer_is_the_tokens() {
    let world = World::with(json!({"IssuerConfiguration": {"Type": "UPDATED"}}), json!({})).await;
    world.user("ann").await;
    let tokens = world.tokens("ann").await;
    let path = format!("/{}/.well-known/openid-configuration", world.pool);
    let discovery = world.app.anonymous().send("", "GET", &path, &[], b"").await.ok().json();
    assert_eq!(discovery["issuer"], crate::world::claims(&tokens["IdToken"])["iss"]);
    assert!(text(&discovery["issuer"]).starts_with("https://issuer-cognito-idp.us-east-1.amazonaws.com/"));
}

#[tokio::test]
async fn a_pool_that_is_not_there_has_no_pages() {
    let world = World::new().await;
    for page in ["jwks.json", "openid-configuration"] {
        let path = format!("/us-east-1_Unheard00/.well-known/{page}");
        let reply = world.app.anonymous().send("", "GET", &path, &[], b"").await;
        assert_eq!(reply.status, 404);
    }
    let path = format!("/{}/.well-known/jwks.json", world.pool);
    assert_eq!(world.app.anonymous().send("", "POST", &path, &[], b"").await.status, 405);
}
