use serde_json::{Value, json};

use crate::house::{Api, Failure, House, function_uri, house};

const JUDGE: &str = "arn:aws:lambda:us-east-1:123456789012:function:judge";

/// An API whose root and `/other` share one TOKEN authorizer.
async fn guarded<'h>(house: &'h House, more: Value) -> Api<'h> {
    let api = house.api().await;
    let mut input = json!({"name": "judge", "type": "TOKEN", "authorizerUri": function_uri(JUDGE),
        "identitySource": "method.request.header.Authorization"});
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let authorizer = api.authorizer(input).await;
    let method = json!({"authorizationType": "CUSTOM", "authorizerId": authorizer});
    api.mock(&api.root, "GET", method.clone(), "{}").await;
    let other = api.resource(&api.root, "other").await;
    api.mock(&other, "GET", method, "{}").await;
    api.deploy("prod").await;
    api
}

fn policy(effect: &str, resource: &str) -> Value {
    json!({"principalId": "user-1", "policyDocument": {"Version": "2012-10-17", "Statement": [
        {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}]}, "context": {"level": 3, "admin": false}})
}

#[tokio::test]
async fn the_function_sees_the_token_and_the_methods_arn() {
    let house = house();
    let api = guarded(&house, json!({})).await;
    house.functions.put(JUDGE, |_, event| Ok(policy("Allow", event["methodArn"].as_str().unwrap())));
    house.call(&api.id, "GET", "/prod/", &[("authorization", "secret")], b"").await.ok();
    let invocations = house.functions.invocations.lock().unwrap();
    let (on, event) = &invocations[0];
    let execute = format!("arn:aws:execute-api:us-east-1:123456789012:{}", api.id);
    assert_eq!(
        *event,
        json!({"type": "TOKEN", "authorizationToken": "secret", "methodArn": format!("{execute}/prod/GET/")})
    );
    assert_eq!(on.service, "apigateway.amazonaws.com");
    assert!(on.source_arn.as_str().starts_with(&format!("{execute}/authorizers/")));
}

#[tokio::test]
async fn what_it_said_is_remembered_for_all_methods_that_share_it() {
    let house = house();
    let api = guarded(&house, json!({})).await;
    house.functions.put(JUDGE, |_, event| Ok(policy("Allow", event["methodArn"].as_str().unwrap())));
    let status = async |target: &str, token: &str| {
        house.call(&api.id, "GET", target, &[("authorization", token)], b"").await.status
    };
    assert_eq!(status("/prod/", "a").await, 200);
    assert_eq!(status("/prod/", "a").await, 200);
    // The policy names the first method only.
    assert_eq!(status("/prod/other", "a").await, 403);
    assert_eq!(house.functions.count(), 1);
    assert_eq!(status("/prod/other", "b").await, 200);
    assert_eq!(house.functions.count(), 2);
    house.admin("FlushStageAuthorizersCache", json!({"restApiId": api.id, "stageName": "prod"})).await.ok();
    assert_eq!(status("/prod/other", "a").await, 200);
    assert_eq!(house.functions.count(), 3);
    house.app.clock.advance_seconds(300);
    assert_eq!(status("/prod/", "a").await, 200);
    assert_eq!(house.functions.count(), 4);
}

#[tokio::test]
async fn a_wildcard_opens_all_and_a_deny_closes() {
    let house = house();
    let api = guarded(&house, json!({})).await;
    house.functions.put(JUDGE, |_, event| match event["authorizationToken"].as_str().unwrap() {
        "good" => Ok(policy("Allow", "*")),
        _ => Ok(policy("Deny", "*")),
    });
    let reply =
        async |token: &str| house.call(&api.id, "GET", "/prod/other", &[("authorization", token)], b"").await;
    assert_eq!(reply("good").await.status, 200);
    let denied = reply("bad").await;
    assert_eq!(denied.status, 403);
    assert_eq!(denied.message(), "User is not authorized to access this resource with an explicit deny");
    house
        .functions
        .put(JUDGE, |_, _| Ok(policy("Allow", "arn:aws:execute-api:us-east-1:123456789012:else/*")));
    let denied = reply("third").await;
    assert_eq!(denied.message(), "User is not authorized to access this resource");
}

#[tokio::test]
async fn no_way_of_writing_a_path_leads_past_a_deny() {
    let house = house();
    let api = guarded(&house, json!({})).await;
    let other = format!("arn:aws:execute-api:us-east-1:123456789012:{}/prod/GET/other", api.id);
    let mut judged = policy("Allow", "*");
    let deny = json!({"Action": "execute-api:Invoke", "Effect": "Deny", "Resource": other});
    judged["policyDocument"]["Statement"].as_array_mut().unwrap().push(deny);
    house.functions.put(JUDGE, move |_, _| Ok(judged.clone()));
    let status =
        async |target: &str| house.call(&api.id, "GET", target, &[("authorization", "a")], b"").await.status;
    assert_eq!(status("/prod/").await, 200);
    for target in
        ["/prod/other", "/prod/other/", "/prod/%6fther", "/prod/other?a=b", "/prod//other", "/prod/./other"]
    {
        assert_eq!(status(target).await, 403, "{target}");
    }
}

#[tokio::test]
async fn a_missing_or_malformed_token_never_reaches_the_function() {
    let house = house();
    let api = guarded(&house, json!({"identityValidationExpression": "Bearer [a-z]+"})).await;
    for headers in [
        &[][..],
        &[("authorization", "")],
        &[("authorization", "Bearer 12")],
        &[("authorization", "xBearer ab")],
    ] {
        let reply = house.call(&api.id, "GET", "/prod/", headers, b"").await;
        assert_eq!((reply.status, reply.message().as_str()), (401, "Unauthorized"));
    }
    assert_eq!(house.functions.count(), 0);
}

#[tokio::test]
async fn unauthorized_is_said_by_raising_it_and_all_else_is_an_error() {
    let house = house();
    let api = guarded(&house, json!({"authorizerResultTtlInSeconds": 0})).await;
    house.functions.put(JUDGE, |_, event| match event["authorizationToken"].as_str().unwrap() {
        "no" => Err(Failure::Raises("Unauthorized")),
        "crash" => Err(Failure::Raises("division by zero")),
        "closed" => Err(Failure::NotPermitted),
        "text" => Ok(json!("yes")),
        "nested" => Ok(json!({"principalId": "u", "policyDocument": policy("Allow", "*")["policyDocument"], "context": {"a": []}})),
        _ => Ok(json!({"principalId": "u", "policyDocument": {"Statement": "all"}})),
    });
    let reply =
        async |token: &str| house.call(&api.id, "GET", "/prod/", &[("authorization", token)], b"").await;
    let refused = reply("no").await;
    assert_eq!((refused.status, refused.text().as_str()), (401, "{\"message\":\"Unauthorized\"}"));
    for token in ["crash", "closed", "text", "nested", "broken"] {
        let failed = reply(token).await;
        assert_eq!((failed.status, failed.text().as_str()), (500, "{\"message\":null}"), "{token}");
    }
}

#[tokio::test]
async fn a_request_authorizer_needs_all_its_sources() {
    let house = house();
    let api = house.api().await;
    let authorizer = api
        .authorizer(json!({"name": "judge", "type": "REQUEST", "authorizerUri": function_uri(JUDGE),
            "identitySource": "method.request.header.X-Key, method.request.querystring.who"}))
        .await;
    api.mock(&api.root, "GET", json!({"authorizationType": "CUSTOM", "authorizerId": authorizer}), "{}")
        .await;
    api.deploy("prod").await;
    house.functions.put(JUDGE, |_, event| {
        assert_eq!(event["type"], "REQUEST");
        assert_eq!(event["headers"]["X-Key"], "k");
        Ok(policy("Allow", "*"))
    });
    assert_eq!(house.call(&api.id, "GET", "/prod/?who=ann", &[], b"").await.status, 401);
    assert_eq!(house.call(&api.id, "GET", "/prod/", &[("x-key", "k")], b"").await.status, 401);
    assert_eq!(house.functions.count(), 0);
    assert_eq!(house.call(&api.id, "GET", "/prod/?who=ann", &[("x-key", "k")], b"").await.status, 200);
}
