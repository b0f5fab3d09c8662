use homeport_service::needs::TokenUse;
use serde_json::{Value, json};

use crate::house::{Api, FUNCTION, House, POOL, function, house};

async fn guarded<'h>(house: &'h House, more: Value) -> Api<'h> {
    let api = house.api().await;
    let authorizer = api
        .authorizer(json!({"name": "users", "type": "COGNITO_USER_POOLS", "providerARNs": [POOL],
            "identitySource": "method.request.header.Authorization"}))
        .await;
    let mut method = json!({"authorizationType": "COGNITO_USER_POOLS", "authorizerId": authorizer});
    method.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    api.method(&api.root, "GET", method, function()).await;
    api.deploy("prod").await;
    house.functions.put(FUNCTION, |_, event| {
        Ok(json!({"statusCode": 200, "body": event["requestContext"]["authorizer"].to_string()}))
    });
    api
}

#[tokio::test]
async fn an_id_token_passes_bare_or_as_bearer() {
    let house = house();
    let api = guarded(&house, json!({})).await;
    house.put_token("id-token", TokenUse::Id, &[], 3_600);
    for value in ["id-token", "Bearer id-token"] {
        let reply = house.call(&api.id, "GET", "/prod/", &[("authorization", value)], b"").await.ok();
        let claims = &reply.json()["claims"];
        assert_eq!(claims["sub"], "user-1");
        assert_eq!(claims["email_verified"], "true");
        assert_eq!(claims["cognito:groups"], "readers,writers");
    }
}

#[tokio::test]
async fn every_other_token_is_unauthorized() {
    let house = house();
    let api = guarded(&house, json!({})).await;
    house.put_token("access-token", TokenUse::Access, &["notes/read"], 3_600);
    for headers in [
        &[][..],
        &[("authorization", "")],
        &[("authorization", "Bearer ")],
        &[("authorization", "nobodys")],
        &[("authorization", "access-token")],
    ] {
        let reply = house.call(&api.id, "GET", "/prod/", headers, b"").await;
        assert_eq!((reply.status, reply.message().as_str()), (401, "Unauthorized"), "{headers:?}");
        assert_eq!(reply.headers["x-amzn-errortype"], "UnauthorizedException");
    }
    assert_eq!(house.functions.count(), 0);
}

#[tokio::test]
async fn with_scopes_an_access_token_needs_one_of_them() {
    let house = house();
    let api = guarded(&house, json!({"authorizationScopes": ["notes/read", "notes/write"]})).await;
    house.put_token("reader", TokenUse::Access, &["notes/read"], 3_600);
    house.put_token("other", TokenUse::Access, &["photos/read"], 3_600);
    house.put_token("id-token", TokenUse::Id, &["notes/read"], 3_600);
    let status = async |token: &str| {
        house.call(&api.id, "GET", "/prod/", &[("authorization", token)], b"").await.status
    };
    assert_eq!(status("reader").await, 200);
    assert_eq!(status("other").await, 401);
    assert_eq!(status("id-token").await, 401);
}

#[tokio::test]
async fn a_remembered_token_ends_with_its_time() {
    let house = house();
    let api = guarded(&house, json!({})).await;
    house.put_token("short", TokenUse::Id, &[], 60);
    let call = async || house.call(&api.id, "GET", "/prod/", &[("authorization", "short")], b"").await.status;
    assert_eq!(call().await, 200);
    // What verifies tokens would now refuse it; what is remembered still stands.
    house.put_token("short", TokenUse::Access, &[], 60);
    assert_eq!(call().await, 200);
    house.app.clock.advance_seconds(60);
    assert_eq!(call().await, 401);
}

#[tokio::test]
async fn a_remembered_token_ends_with_its_client() {
    let house = house();
    let api = guarded(&house, json!({})).await;
    house.put_token_of("client-1", "first", TokenUse::Id, &[], 3_600);
    house.put_token_of("client-2", "second", TokenUse::Id, &[], 3_600);
    let status = async |token: &str| {
        house.call(&api.id, "GET", "/prod/", &[("authorization", token)], b"").await.status
    };
    for token in ["first", "second"] {
        assert_eq!(status(token).await, 200, "{token}");
    }
    house.tokens.delete_client("client-1");
    assert_eq!(status("first").await, 401);
    assert_eq!(status("second").await, 200);
}

#[tokio::test]
async fn a_token_of_one_method_kind_is_not_remembered_for_the_other() {
    let house = house();
    let api = house.api().await;
    let authorizer = api
        .authorizer(json!({"name": "users", "type": "COGNITO_USER_POOLS", "providerARNs": [POOL],
            "identitySource": "method.request.header.Authorization"}))
        .await;
    let method = json!({"authorizationType": "COGNITO_USER_POOLS", "authorizerId": authorizer});
    api.mock(&api.root, "GET", method.clone(), "{}").await;
    let mut scoped = method;
    scoped["authorizationScopes"] = json!(["notes/read"]);
    api.mock(&api.root, "POST", scoped, "{}").await;
    api.deploy("prod").await;
    house.put_token("access", TokenUse::Access, &["notes/read"], 3_600);
    let status = async |verb: &str| {
        house.call(&api.id, verb, "/prod/", &[("authorization", "access")], b"").await.status
    };
    assert_eq!(status("POST").await, 200);
    assert_eq!(status("GET").await, 401);
}
