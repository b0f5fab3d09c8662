use serde_json::{Value, json};

use crate::house::{Api, FUNCTION, Failure, House, function, header, house};

async fn deployed<'h>(house: &'h House) -> Api<'h> {
    let api = house.api().await;
    let notes = api.resource(&api.root, "notes").await;
    let proxy = api.resource(&notes, "{proxy+}").await;
    api.method(&proxy, "ANY", json!({}), function()).await;
    api.deploy("prod").await;
    api
}

#[tokio::test]
async fn a_function_gets_the_whole_request() {
    let house = house();
    let api = deployed(&house).await;
    house.functions.put(FUNCTION, |_, _| Ok(json!({"statusCode": 201, "body": "made"})));
    let headers = [
        ("content-type", "application/json"),
        ("x-trace", "1"),
        ("x-amzn-trace-id", "Root=1-a-b"),
        ("x-forwarded-port", "6"),
        ("x-forwarded-proto", "gopher"),
    ];
    let reply =
        house.call(&api.id, "PUT", "/prod/notes/a/b%20c?x=1&y=2&x=3%2F4", &headers, b"{\"a\":1}").await;
    assert_eq!((reply.status, reply.text().as_str()), (201, "made"));
    let invocations = house.functions.invocations.lock().unwrap();
    let (on, event) = &invocations[0];
    let source = format!("arn:aws:execute-api:us-east-1:123456789012:{}/prod/PUT/notes/{{proxy+}}", api.id);
    assert_eq!(on.source_arn.as_str(), source);
    let mut event = event.clone();
    for drawn in ["requestId", "extendedRequestId", "apiId", "deploymentId", "resourceId"] {
        assert!(event["requestContext"][drawn].is_string());
        event["requestContext"][drawn] = json!("drawn");
    }
    insta::assert_json_snapshot!(event);
}

#[tokio::test]
async fn any_means_the_seven_methods_as_they_are_written() {
    let house = house();
    let api = deployed(&house).await;
    house.functions.put(FUNCTION, |_, event| Ok(json!({"statusCode": 200, "body": event["httpMethod"]})));
    for method in ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"] {
        assert_eq!(house.call(&api.id, method, "/prod/notes/a", &[], b"").await.status, 200, "{method}");
    }
    for method in ["delete", "Delete", "PURGE"] {
        let reply = house.call(&api.id, method, "/prod/notes/a", &[], b"").await;
        assert_eq!(
            (reply.status, header(&reply.headers, "x-amzn-errortype")),
            (403, "MissingAuthenticationTokenException"),
            "{method}"
        );
    }
}

#[tokio::test]
async fn an_answer_has_headers_once_or_many_times() {
    let house = house();
    let api = deployed(&house).await;
    house.functions.put(FUNCTION, |_, _| {
        Ok(json!({"statusCode": "200", "headers": {"X-One": 1, "Set-Cookie": "a=1", "Date": "never", "X-Bad": "a\r\nb: c"},
            "multiValueHeaders": {"X-Many": ["1", "2"]}, "body": null}))
    });
    let reply = house.call(&api.id, "GET", "/prod/notes/1", &[], b"").await;
    assert_eq!(header(&reply.headers, "x-one"), "1");
    assert_eq!(reply.headers.get_all("x-many").iter().count(), 2);
    assert_eq!(header(&reply.headers, "x-amzn-remapped-date"), "never");
    assert!(reply.headers.get("set-cookie").is_none(), "the host is shared");
    assert!(reply.headers.get("b").is_none() && reply.headers.get("x-bad").is_none());
}

#[tokio::test]
async fn a_malformed_answer_is_a_bad_gateway() {
    let house = house();
    let api = deployed(&house).await;
    let answers = [
        json!("text"),
        json!({"body": "no status"}),
        json!({"statusCode": 200, "body": {"an": "object"}}),
        json!({"statusCode": 99}),
        json!({"statusCode": 200, "headers": {"a": ["b"]}}),
        json!({"statusCode": 200, "surprise": 1}),
        Value::Null,
    ];
    for answer in answers {
        let copy = answer.clone();
        house.functions.put(FUNCTION, move |_, _| Ok(copy.clone()));
        let reply = house.call(&api.id, "GET", "/prod/notes/1", &[], b"").await;
        assert_eq!(
            (reply.status, reply.text().as_str()),
            (502, "{\"message\": \"Internal server error\"}".replace(": ", ":").as_str()),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn failures_say_nothing_of_the_inside() {
    let house = house();
    let api = deployed(&house).await;
    let cases: [(fn() -> Failure, u16); 2] =
        [(|| Failure::Raises("password is hunter2"), 502), (|| Failure::NotPermitted, 500)];
    for (failure, status) in cases {
        house.functions.put(FUNCTION, move |_, _| Err(failure()));
        let reply = house.call(&api.id, "GET", "/prod/notes/1", &[], b"").await;
        assert_eq!(
            (reply.status, reply.text().as_str()),
            (status, "{\"message\":\"Internal server error\"}")
        );
    }
}

#[tokio::test]
async fn a_function_that_hangs_is_timed_out() {
    let house = house();
    let api = house.api().await;
    let mut integration = function();
    integration["timeoutInMillis"] = json!(50);
    api.method(&api.root, "GET", json!({}), integration).await;
    api.deploy("prod").await;
    house.functions.put(FUNCTION, |_, _| Err(Failure::Hangs));
    let reply = house.call(&api.id, "GET", "/prod/", &[], b"").await;
    assert_eq!((reply.status, reply.message().as_str()), (504, "Endpoint request timed out"));
}

#[tokio::test]
async fn binary_bodies_go_in_and_out_as_bytes() {
    let house = house();
    let api = house.api().await;
    let patch = json!([{"op": "add", "path": "/binaryMediaTypes/image~1png"}]);
    house.admin("UpdateRestApi", json!({"restApiId": api.id, "patchOperations": patch})).await.ok();
    api.method(&api.root, "POST", json!({}), function()).await;
    api.deploy("prod").await;
    house.functions.put(FUNCTION, |_, event| {
        assert_eq!(event["isBase64Encoded"], event["headers"]["Content-Type"] == "image/png");
        Ok(json!({"statusCode": 200, "body": event["body"], "isBase64Encoded": true}))
    });
    let png = [("content-type", "image/png"), ("accept", "image/png")];
    let reply = house.call(&api.id, "POST", "/prod/", &png, &[0, 159, 255]).await;
    assert_eq!(&reply.body[..], [0, 159, 255]);
    let text = [("content-type", "text/plain")];
    let reply = house.call(&api.id, "POST", "/prod/", &text, b"aGk=").await;
    assert_eq!(reply.text(), "aGk=");
}

#[tokio::test]
async fn stage_variables_choose_the_function() {
    let house = house();
    let api = house.api().await;
    let mut integration = function();
    integration["uri"] = json!(crate::house::function_uri(
        "arn:aws:lambda:us-east-1:123456789012:function:${stageVariables.fn}"
    ));
    api.method(&api.root, "GET", json!({}), integration).await;
    api.deploy("prod").await;
    let call = async || house.call(&api.id, "GET", "/prod/", &[], b"").await.status;
    house.functions.put(FUNCTION, |_, event| {
        assert_eq!(event["stageVariables"], json!({"fn": "notes"}));
        Ok(json!({"statusCode": 200}))
    });
    assert_eq!(call().await, 500);
    api.patch_stage("prod", json!([{"op": "replace", "path": "/variables/fn", "value": "notes"}])).await.ok();
    assert_eq!(call().await, 200);
}
