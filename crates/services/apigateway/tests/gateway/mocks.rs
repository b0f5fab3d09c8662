use serde_json::json;

use crate::house::{header, house};

#[tokio::test]
async fn a_mock_answers_at_both_addresses() {
    let house = house();
    let api = house.api().await;
    let notes = api.resource(&api.root, "notes").await;
    api.mock(&notes, "GET", json!({}), "{\"notes\":[]}").await;
    api.deploy("prod").await;
    let reply = house.call(&api.id, "GET", "/prod/notes", &[], b"").await;
    assert_eq!((reply.status, reply.text().as_str()), (200, "{\"notes\":[]}"));
    assert_eq!(header(&reply.headers, "content-type"), "application/json");
    assert_eq!(header(&reply.headers, "x-amzn-requestid").len(), 36);
    let host = format!("{}.execute-api.localhost:4566", api.id);
    let mut headers = http::HeaderMap::new();
    headers.insert("host", host.parse().unwrap());
    let reply = house.app.anonymous().send_raw("GET", "/prod/notes", headers, b"").await;
    assert_eq!((reply.status, reply.text().as_str()), (200, "{\"notes\":[]}"));
}

#[tokio::test]
async fn what_is_not_there_is_forbidden_as_on_aws() {
    let house = house();
    let api = house.api().await;
    let notes = api.resource(&api.root, "notes").await;
    api.mock(&notes, "GET", json!({}), "{}").await;
    api.deploy("prod").await;
    for (id, target, message) in [
        ("nonexisten", "/prod/notes", "Forbidden"),
        (api.id.as_str(), "/other/notes", "Forbidden"),
        (&api.id, "", "Forbidden"),
        (&api.id, "/prod/other", "Missing Authentication Token"),
        (&api.id, "/prod", "Missing Authentication Token"),
        (&api.id, "/prod/notes/1", "Missing Authentication Token"),
    ] {
        let reply = house.call(id, "GET", target, &[], b"").await;
        assert_eq!((reply.status, reply.message().as_str()), (403, message), "{target}");
    }
    let reply = house.call(&api.id, "DELETE", "/prod/notes", &[], b"").await;
    assert_eq!((reply.status, reply.message().as_str()), (403, "Missing Authentication Token"));
}

#[tokio::test]
async fn a_deployment_does_not_change_with_the_api() {
    let house = house();
    let api = house.api().await;
    let notes = api.resource(&api.root, "notes").await;
    api.mock(&notes, "GET", json!({}), "1").await;
    let first = api.deploy("prod").await;
    let place = json!({"restApiId": api.id, "resourceId": notes, "httpMethod": "GET", "statusCode": "200",
        "patchOperations": [{"op": "replace", "path": "/responseTemplates/application~1json", "value": "2"}]});
    house.admin("UpdateIntegrationResponse", place).await.ok();
    let text = async || house.call(&api.id, "GET", "/prod/notes", &[], b"").await.text();
    assert_eq!(text().await, "1");
    api.deploy("prod").await;
    assert_eq!(text().await, "2");
    api.patch_stage("prod", json!([{"op": "replace", "path": "/deploymentId", "value": first}])).await.ok();
    assert_eq!(text().await, "1");
    house.admin("DeleteStage", json!({"restApiId": api.id, "stageName": "prod"})).await.ok();
    assert_eq!(house.call(&api.id, "GET", "/prod/notes", &[], b"").await.status, 403);
}

#[tokio::test]
async fn preflights_are_the_apis_own() {
    let house = house();
    let api = house.api().await;
    let integration =
        json!({"type": "MOCK", "requestTemplates": {"application/json": "{\"statusCode\": 200}"}});
    api.method(&api.root, "OPTIONS", json!({}), integration).await;
    let name = "method.response.header.Access-Control-Allow-Origin";
    let place =
        json!({"restApiId": api.id, "resourceId": api.root, "httpMethod": "OPTIONS", "statusCode": "204"});
    let mut response = place.clone();
    response["responseParameters"] = json!({name: false});
    house.admin("PutMethodResponse", response.clone()).await.ok();
    response["responseParameters"] = json!({name: "'https://app.example'"});
    house.admin("PutIntegrationResponse", response).await.ok();
    api.deploy("prod").await;
    let headers = [("origin", "https://app.example"), ("access-control-request-method", "GET")];
    let reply = house.call(&api.id, "OPTIONS", "/prod/", &headers, b"").await;
    assert_eq!(reply.status, 204);
    assert_eq!(header(&reply.headers, "access-control-allow-origin"), "https://app.example");
}

#[tokio::test]
async fn a_mock_chooses_its_answer_by_pattern() {
    let house = house();
    let api = house.api().await;
    api.mock(&api.root, "POST", json!({}), "fine").await;
    let place =
        json!({"restApiId": api.id, "resourceId": api.root, "httpMethod": "POST", "statusCode": "404"});
    house.admin("PutMethodResponse", place.clone()).await.ok();
    let mut response = place;
    response["selectionPattern"] = json!("4\\d\\d");
    response["responseTemplates"] = json!({"text/plain": "gone"});
    house.admin("PutIntegrationResponse", response).await.ok();
    let patch = json!({"restApiId": api.id, "resourceId": api.root, "httpMethod": "POST",
        "patchOperations": [{"op": "remove", "path": "/requestTemplates/application~1json"}]});
    house.admin("UpdateIntegration", patch).await.ok();
    api.deploy("prod").await;
    for (body, status, text) in [("{\"statusCode\":200}", 200, "fine"), ("{\"statusCode\":410}", 404, "gone")]
    {
        let reply = house.call(&api.id, "POST", "/prod/", &[], body.as_bytes()).await;
        assert_eq!((reply.status, reply.text().as_str()), (status, text));
    }
    assert_eq!(house.call(&api.id, "POST", "/prod/", &[], b"{}").await.status, 500);
}

#[tokio::test]
async fn answers_on_a_shared_host_are_confined() {
    let house = house();
    let api = house.api().await;
    api.mock(&api.root, "GET", json!({}), "<script>alert(1)</script>").await;
    api.deploy("prod").await;
    for target in ["/prod/", "/prod/none"] {
        let reply = house.call(&api.id, "GET", target, &[], b"").await;
        assert_eq!(header(&reply.headers, "content-security-policy"), "sandbox");
        assert_eq!(header(&reply.headers, "x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn a_closed_endpoint_and_a_key_that_nobody_has_are_forbidden() {
    let house = house();
    let api = house.api().await;
    api.mock(&api.root, "GET", json!({"apiKeyRequired": true}), "{}").await;
    api.mock(&api.root, "POST", json!({}), "{}").await;
    api.deploy("prod").await;
    let reply = house.call(&api.id, "GET", "/prod/", &[("x-api-key", "guess")], b"").await;
    assert_eq!((reply.status, reply.message().as_str()), (403, "Forbidden"));
    assert_eq!(house.call(&api.id, "POST", "/prod/", &[], b"").await.status, 200);
    let patch = json!([{"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "true"}]);
    house.admin("UpdateRestApi", json!({"restApiId": api.id, "patchOperations": patch})).await.ok();
    api.deploy("prod").await;
    assert_eq!(house.call(&api.id, "POST", "/prod/", &[], b"").await.status, 403);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let house = house();
    let api = house.api().await;
    api.mock(&api.root, "POST", json!({}), "{}").await;
    api.deploy("prod").await;
    let body = vec![b' '; 10 * 1024 * 1024 + 1];
    let reply = house.call(&api.id, "POST", "/prod/", &[], &body).await;
    assert_eq!(
        (reply.status, reply.message().as_str()),
        (413, "HTTP content length exceeded 10485760 bytes.")
    );
}
