use serde_json::{Value, json};

use crate::house::{Api, House, header, house};

async fn deployed<'h>(house: &'h House, uri: &str) -> Api<'h> {
    let api = house.api().await;
    let proxy = api.resource(&api.root, "{proxy+}").await;
    let integration: Value = json!({"type": "HTTP_PROXY", "integrationHttpMethod": "ANY", "uri": uri, "requestParameters": {
        "integration.request.path.proxy": "method.request.path.proxy",
        "integration.request.header.X-Stage": "context.stage",
        "integration.request.querystring.from": "'gateway'"}});
    api.method(&proxy, "ANY", json!({}), integration).await;
    api.deploy("prod").await;
    api
}

#[tokio::test]
async fn a_request_goes_on_to_the_backend() {
    let house = house();
    let api = deployed(&house, "https://backend.example/v1/{proxy}").await;
    let headers = [("x-own", "yes"), ("connection", "keep-alive"), ("x-forwarded-for", "6.6.6.6")];
    let reply = house.call(&api.id, "POST", "/prod/a/b%20c?q=1", &headers, b"hello").await;
    assert_eq!((reply.status, reply.text().as_str()), (418, "short and stout"));
    assert_eq!(header(&reply.headers, "x-own"), "1");
    assert_eq!(header(&reply.headers, "x-amzn-remapped-server"), "teapot");
    let requests = house.web.0.lock().unwrap();
    let request = &requests[0];
    assert_eq!(request.uri().to_string(), "https://backend.example/v1/a/b%20c?q=1&from=gateway");
    assert_eq!((request.method().as_str(), &request.body()[..]), ("POST", &b"hello"[..]));
    assert_eq!(header(request.headers(), "x-own"), "yes");
    assert_eq!(header(request.headers(), "x-stage"), "prod");
    assert_eq!(header(request.headers(), "x-forwarded-for"), "127.0.0.1");
    assert!(request.headers().get("host").is_none() && request.headers().get("connection").is_none());
}

#[tokio::test]
async fn nobody_climbs_out_of_the_backends_path() {
    let house = house();
    let api = deployed(&house, "https://backend.example/public/{proxy}").await;
    for target in ["/prod/..%2Fadmin", "/prod/a/%2e%2e/admin"] {
        assert_eq!(house.call(&api.id, "GET", target, &[], b"").await.status, 400, "{target}");
    }
    assert!(house.web.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_target_that_is_refused_or_slow_is_a_failed_integration() {
    let house = house();
    for (uri, message) in [
        ("http://169.254.169.254/{proxy}", "Internal server error"),
        ("http://slow.example/{proxy}", "Endpoint request timed out"),
    ] {
        let api = deployed(&house, uri).await;
        let reply = house.call(&api.id, "GET", "/prod/latest", &[], b"").await;
        assert_eq!((reply.status, reply.message().as_str()), (504, message), "{uri}");
    }
}
