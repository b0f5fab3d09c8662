use serde_json::json;

use crate::house::{FUNCTION, function, house};

#[tokio::test]
async fn a_signed_call_passes_by_its_callers_policy() {
    let house = house();
    let api = house.api().await;
    api.method(&api.root, "GET", json!({"authorizationType": "AWS_IAM"}), function()).await;
    let other = api.resource(&api.root, "other").await;
    api.method(&other, "GET", json!({"authorizationType": "AWS_IAM"}), function()).await;
    api.deploy("prod").await;
    house.functions.put(FUNCTION, |_, event| {
        Ok(json!({"statusCode": 200, "body": event["requestContext"]["identity"].to_string()}))
    });
    let allow = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke",
        "Resource": format!("arn:aws:execute-api:us-east-1:123456789012:{}/prod/GET/", api.id)}]});
    let ann = house.app.user("ann", &[&allow.to_string()]);
    let target = format!("/_aws/execute-api/{}/prod/", api.id);
    let reply = ann.send("execute-api", "GET", &target, &[], b"").await.ok();
    let identity = reply.json();
    assert!(identity["userArn"].as_str().unwrap().starts_with("arn:aws:iam::123456789012:user/ann"));
    assert_eq!(identity["accountId"], "123456789012");
    let refused = ann.send("execute-api", "GET", &format!("{target}other"), &[], b"").await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.headers["x-amzn-errortype"], "AccessDeniedException");
    assert_eq!(house.app.stranger().send("execute-api", "GET", &target, &[], b"").await.status, 403);
    let unsigned = house.call(&api.id, "GET", "/prod/", &[], b"").await;
    assert_eq!((unsigned.status, unsigned.message().as_str()), (403, "Missing Authentication Token"));
    let wrong = ann.send("lambda", "GET", &target, &[], b"").await;
    assert_eq!(wrong.status, 403);
    assert_eq!(house.functions.count(), 1);
}

#[tokio::test]
async fn a_resource_policy_denies_before_anybody_is_asked() {
    let house = house();
    let api = house.api().await;
    api.method(&api.root, "GET", json!({}), function()).await;
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"},
        {"Effect": "Deny", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*",
            "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}]});
    let patch = json!([{"op": "replace", "path": "/policy", "value": policy.to_string()}]);
    house.admin("UpdateRestApi", json!({"restApiId": api.id, "patchOperations": patch})).await.ok();
    api.deploy("prod").await;
    house.functions.put(FUNCTION, |_, _| Ok(json!({"statusCode": 200})));
    assert_eq!(house.call(&api.id, "GET", "/prod/", &[], b"").await.status, 200);
    let target = format!("/_aws/execute-api/{}/prod/", api.id);
    let refused = house.app.anonymous().from("10.1.2.3").send("execute-api", "GET", &target, &[], b"").await;
    assert_eq!(refused.status, 403);
    let expected = format!(
        "User: anonymous is not authorized to perform: execute-api:Invoke on resource: \
         arn:aws:execute-api:us-east-1:********9012:{}/prod/GET/ with an explicit deny",
        api.id
    );
    assert_eq!(refused.message(), expected);
}

#[tokio::test]
async fn a_policy_that_says_nothing_of_the_call_forbids_it() {
    let house = house();
    let api = house.api().await;
    api.method(&api.root, "GET", json!({}), function()).await;
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/prod/POST/*"}]});
    let patch = json!([{"op": "replace", "path": "/policy", "value": policy.to_string()}]);
    house.admin("UpdateRestApi", json!({"restApiId": api.id, "patchOperations": patch})).await.ok();
    api.deploy("prod").await;
    assert_eq!(house.call(&api.id, "GET", "/prod/", &[], b"").await.status, 403);
    assert_eq!(house.functions.count(), 0);
}
