use homeport_testkit::{Reply, TestCaller};

use super::app::app;

const UNKNOWN: &str = r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#;
const LIST_TABLES: &str = "DynamoDB_20120810.ListTables";

async fn post(caller: &TestCaller, target: &str, content_type: &str, body: &str) -> Reply {
    let headers = [("x-amz-target", target), ("content-type", content_type)];
    let given: Vec<(&str, &str)> = headers.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    caller.send("dynamodb", "POST", "/", &given, body.as_bytes()).await
}

fn header<'r>(reply: &'r Reply, name: &str) -> &'r str {
    reply.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn an_answer_has_dynamodbs_own_headers() {
    let app = app();
    for caller in [app.admin(), app.stranger(), app.anonymous()] {
        let reply = post(&caller, LIST_TABLES, "application/x-amz-json-1.0; charset=utf-8", "{}").await;
        assert_eq!(header(&reply, "server"), "Server");
        let id = header(&reply, "x-amzn-requestid");
        assert!(id.len() == 52 && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()), "{id}");
        assert!(header(&reply, "x-amz-crc32").parse::<u32>().is_ok());
        assert_eq!(header(&reply, "content-type"), "application/x-amz-json-1.0");
    }
}

#[tokio::test]
async fn json_is_called_what_the_client_called_it() {
    let admin = app().admin();
    for target in [LIST_TABLES, "DynamoDB_20120810.Nope"] {
        let reply = post(&admin, target, "application/json", "{}").await;
        assert_eq!(header(&reply, "content-type"), "application/json", "{target}");
    }
}

#[tokio::test]
async fn an_unknown_target_is_an_unknown_operation() {
    let app = app();
    for target in ["", "ListTables", "DynamoDB_20990101.ListTables", "DynamoDB_20120810.ListTables.x", "A.B"]
    {
        let reply = post(&app.admin(), target, "application/x-amz-json-1.0", "{}").await;
        assert_eq!((reply.status, reply.text().as_str()), (400, UNKNOWN), "{target}");
    }
    for target in ["DynamoDB_20990101.ListTables", "DynamoDB_20111205.ListTables", "DynamoDB_20120810.Nope"] {
        let reply = post(&app.anonymous(), target, "application/x-amz-json-1.0", "{}").await;
        assert_eq!((reply.status, reply.text().as_str()), (400, UNKNOWN), "{target}");
    }
}

#[tokio::test]
async fn a_get_is_told_that_the_service_is_healthy() {
    let app = app();
    let by_name = [("host", "dynamodb.eu-west-1.amazonaws.com")];
    let unsigned = app.anonymous().send("dynamodb", "GET", "/", &by_name, b"").await;
    assert_eq!(
        (unsigned.status, unsigned.text().as_str()),
        (200, "healthy: dynamodb.eu-west-1.amazonaws.com ")
    );
    let signed = app.stranger().send("dynamodb", "GET", "/", &[], b"").await;
    assert_eq!((signed.status, signed.text().as_str()), (200, "healthy: dynamodb.us-east-1.amazonaws.com "));
    assert_eq!(header(&signed, "x-amz-crc32"), "3128867991");
}

#[tokio::test]
async fn what_is_no_json_by_its_method_or_type_is_no_call() {
    let admin = app().admin();
    for content_type in ["", "text/plain", "application/x-amz-json-1.1"] {
        let reply = post(&admin, LIST_TABLES, content_type, "{}").await;
        assert_eq!((reply.status, reply.text().as_str()), (404, "<UnknownOperationException/>\n"));
        assert_eq!(header(&reply, "x-amz-crc32"), "3552371480");
    }
    let headers = [("x-amz-target", LIST_TABLES), ("content-type", "application/x-amz-json-1.0")];
    for method in ["PUT", "DELETE"] {
        assert_eq!(admin.send("dynamodb", method, "/", &headers, b"{}").await.status, 404, "{method}");
    }
}

#[tokio::test]
async fn only_pages_are_told_what_they_may_read() {
    let admin = app().admin();
    let plain = post(&admin, LIST_TABLES, "application/x-amz-json-1.0", "{}").await;
    assert_eq!(header(&plain, "access-control-allow-origin"), "");
    let from_page = [
        ("x-amz-target", LIST_TABLES),
        ("content-type", "application/x-amz-json-1.0"),
        ("origin", "https://a.example"),
    ];
    let reply = admin.send("dynamodb", "POST", "/", &from_page, b"{}").await;
    assert_eq!(header(&reply, "access-control-allow-origin"), "*");
}
