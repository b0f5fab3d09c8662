use std::time::Duration;

use homeport_service::needs::TokenUse;
use serde_json::json;

use crate::house::{POOL, house};

#[tokio::test]
async fn every_call_of_a_logged_stage_is_a_line() {
    let house = house();
    let api = house.api().await;
    let authorizer = api
        .authorizer(json!({"name": "users", "type": "COGNITO_USER_POOLS", "providerARNs": [POOL],
            "identitySource": "method.request.header.Authorization"}))
        .await;
    let method = json!({"authorizationType": "COGNITO_USER_POOLS", "authorizerId": authorizer});
    api.mock(&api.root, "GET", method, "{}").await;
    api.deploy("prod").await;
    let format = "$context.httpMethod $context.path $context.status $context.identity.sourceIp \
                  $context.authorizer.claims.sub $context.error.responseType $context.responseLength $context.nonsense";
    let patches = json!([
        {"op": "replace", "path": "/accessLogSettings/destinationArn",
            "value": "arn:aws:logs:us-east-1:123456789012:log-group:/notes/access:*"},
        {"op": "replace", "path": "/accessLogSettings/format", "value": format},
    ]);
    api.patch_stage("prod", patches).await.ok();
    house.put_token("good", TokenUse::Id, &[], 3_600);
    house.call(&api.id, "GET", "/prod/", &[("authorization", "good")], b"").await.ok();
    house.call(&api.id, "GET", "/prod/", &[("authorization", "bad")], b"").await;
    for _ in 0..50 {
        if house.logs.0.lock().unwrap().len() >= 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut lines = house.logs.0.lock().unwrap().clone();
    lines.sort();
    let stream = format!("{}/prod", api.id);
    let line = |text: &str| ("/notes/access".to_owned(), stream.clone(), text.to_owned());
    assert_eq!(
        lines,
        [line("GET /prod/ 200 127.0.0.1 user-1 - 2 -"), line("GET /prod/ 401 127.0.0.1 - UNAUTHORIZED 26 -"),]
    );
}

#[tokio::test]
async fn logs_go_to_groups_of_this_account_only() {
    let house = house();
    let api = house.api().await;
    api.mock(&api.root, "GET", json!({}), "{}").await;
    api.deploy("prod").await;
    for arn in [
        "arn:aws:logs:us-east-1:999999999999:log-group:x",
        "arn:aws:firehose:us-east-1:123456789012:x/y",
        "x",
    ] {
        let patches = json!([{"op": "replace", "path": "/accessLogSettings/destinationArn", "value": arn}]);
        api.patch_stage("prod", patches).await.refused("BadRequestException", 400);
    }
}
