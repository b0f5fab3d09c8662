use std::sync::{Arc, OnceLock};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use homeport_iam::Iam;
use homeport_service::needs::{TokenRefused, TokenUse, Verified, VerifyWebIdentity};
use homeport_testkit::{FixedTokens, TestApp};
use serde_json::json;

use crate::app::{admin, wire};

const URL: &str = "https://auth.example/us-east-1_pool";
const ARN: &str = "arn:aws:iam::123456789012:oidc-provider/auth.example/us-east-1_pool";

/// A token as long as its issuer is read; the pools say what it is worth.
fn token(pool: &str) -> String {
    let claims = json!({"iss": format!("https://auth.example/{pool}")}).to_string();
    format!("e30.{}.signature", URL_SAFE_NO_PAD.encode(claims))
}

fn verified(pool: &str) -> Verified {
    Verified {
        user_pool_id: pool.to_owned(),
        client_id: "client".to_owned(),
        sub: "ada".to_owned(),
        username: "ada".to_owned(),
        origin_jti: "jti".to_owned(),
        scopes: Vec::new(),
        issuer: URL.to_owned(),
        issued: 0,
        expires: i64::MAX,
        claims: Default::default(),
    }
}

pub(crate) fn app() -> (TestApp, Arc<Iam>, Arc<FixedTokens>) {
    let (made, tokens) = (OnceLock::new(), Arc::new(FixedTokens::default()));
    let app = TestApp::new(|parts| {
        let (iam, hosted) = homeport_iam::host(parts);
        wire(parts, &iam);
        parts.needs.verify_token.set(tokens.clone()).ok();
        made.set(iam).ok();
        vec![hosted]
    });
    let iam = made.get().unwrap().clone();
    (app, iam, tokens)
}

#[tokio::test]
async fn a_pools_id_token_counts_where_the_pool_is_a_provider_for_its_client() {
    let (app, iam, tokens) = app();
    let token = token("us-east-1_pool");
    tokens.put(&token, TokenUse::Id, verified("us-east-1_pool"));
    assert!(iam.verify_web_identity(&token).await.unwrap().is_none());
    let made =
        admin(&app, "CreateOpenIDConnectProvider", json!({"Url": URL, "ClientIDList": ["other"]})).await.ok();
    assert_eq!(made.element("OpenIDConnectProviderArn").as_deref(), Some(ARN));
    assert!(matches!(iam.verify_web_identity(&token).await, Err(TokenRefused::Invalid)));
    let client = json!({"OpenIDConnectProviderArn": ARN, "ClientID": "client"});
    admin(&app, "AddClientIDToOpenIDConnectProvider", client.clone()).await.ok();
    let identity = iam.verify_web_identity(&token).await.unwrap().unwrap();
    assert_eq!((identity.provider.as_str(), identity.subject.as_str()), (ARN, "ada"));
    assert_eq!(identity.context["auth.example/us-east-1_pool:aud"], ["client"]);
    admin(&app, "RemoveClientIDFromOpenIDConnectProvider", client).await.ok();
    assert!(matches!(iam.verify_web_identity(&token).await, Err(TokenRefused::Invalid)));
    admin(&app, "DeleteOpenIDConnectProvider", json!({"OpenIDConnectProviderArn": ARN})).await.ok();
    assert!(iam.verify_web_identity(&token).await.unwrap().is_none());
}

#[tokio::test]
async fn an_access_token_and_one_that_the_pool_does_not_know_count_for_nothing() {
    let (app, iam, tokens) = app();
    admin(&app, "CreateOpenIDConnectProvider", json!({"Url": URL, "ClientIDList": ["client"]})).await.ok();
    let token = token("us-east-1_pool");
    assert!(matches!(iam.verify_web_identity(&token).await, Err(TokenRefused::Invalid)));
    tokens.put(&token, TokenUse::Access, verified("us-east-1_pool"));
    assert!(matches!(iam.verify_web_identity(&token).await, Err(TokenRefused::Invalid)));
    assert!(iam.verify_web_identity("nonsense").await.unwrap().is_none());
}

#[tokio::test]
async fn a_provider_is_made_once_shown_and_bounded() {
    let (app, _, _) = app();
    let create = json!({"Url": URL, "ClientIDList": ["a"], "ThumbprintList": ["f".repeat(40)]});
    admin(&app, "CreateOpenIDConnectProvider", create.clone()).await.ok();
    admin(&app, "CreateOpenIDConnectProvider", create).await.refused("EntityAlreadyExists", 409);
    let shown = admin(&app, "GetOpenIDConnectProvider", json!({"OpenIDConnectProviderArn": ARN})).await.ok();
    assert_eq!(shown.element("Url").as_deref(), Some("auth.example/us-east-1_pool"));
    let listed = admin(&app, "ListOpenIDConnectProviders", json!({})).await.ok();
    assert_eq!(listed.element("Arn").as_deref(), Some(ARN));
    let many: Vec<_> = (0..101).map(|n| n.to_string()).collect();
    let bounded = json!({"Url": "https://auth.example/us-east-1_b", "ClientIDList": many});
    admin(&app, "CreateOpenIDConnectProvider", bounded).await.refused("LimitExceeded", 409);
    let missing = json!({"OpenIDConnectProviderArn": ARN.replace("pool", "none")});
    admin(&app, "GetOpenIDConnectProvider", missing).await.refused("NoSuchEntity", 404);
}

#[tokio::test]
async fn an_issuer_that_is_no_pool_of_ours_is_refused() {
    let app = crate::app::app();
    let foreign = json!({"Url": "https://accounts.example.com", "ClientIDList": ["a"]});
    admin(&app, "CreateOpenIDConnectProvider", foreign).await.refused("InvalidInput", 400);
}
