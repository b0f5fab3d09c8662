use serde_json::{Value, json};

use super::app::{app, done, put, refusal};
use super::partiql::{execute, refused};
use homeport_testkit::{TestApp, TestCaller};

async fn indexed() -> (TestApp, TestCaller) {
    let app = app();
    let admin = app.admin();
    let hash = |name: &str| json!({"AttributeName": name, "KeyType": "HASH"});
    let range = |name: &str| json!({"AttributeName": name, "KeyType": "RANGE"});
    let attributes = ["p", "r", "g", "s"].map(|name| json!({"AttributeName": name, "AttributeType": "S"}));
    let table = json!({
        "TableName": "notes",
        "AttributeDefinitions": attributes,
        "KeySchema": [hash("p"), range("r")],
        "GlobalSecondaryIndexes": [
            {"IndexName": "by-g", "KeySchema": [hash("g"), range("s")], "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["kept"]}},
        ],
        "LocalSecondaryIndexes": [{"IndexName": "by-s", "KeySchema": [hash("p"), range("s")], "Projection": {"ProjectionType": "KEYS_ONLY"}}],
        "BillingMode": "PAY_PER_REQUEST",
    });
    done(&admin, "CreateTable", table).await;
    for (p, r, g, s) in [("a", "1", "x", "9"), ("a", "2", "y", "8"), ("b", "3", "x", "7")] {
        put(&admin, "notes", json!({"p": {"S": p}, "r": {"S": r}, "g": {"S": g}, "s": {"S": s}, "kept": {"S": r}, "left": {"S": r}})).await;
    }
    put(&admin, "notes", json!({"p": {"S": "a"}, "r": {"S": "4"}, "left": {"S": "4"}})).await;
    (app, admin)
}

async fn found(caller: &TestCaller, statement: &str) -> String {
    let page = execute(caller, statement).await;
    let items = page["Items"].as_array().cloned().unwrap_or_default();
    let sorts: Vec<String> =
        items.iter().map(|item| item["r"]["S"].as_str().unwrap_or_default().to_owned()).collect();
    sorts.join(" ")
}

#[tokio::test]
async fn an_index_shows_what_it_holds() {
    let (_app, admin) = indexed().await;
    for (statement, wanted) in [
        ("SELECT r FROM notes.\"by-g\" WHERE g = 'x'", "3 1"),
        ("SELECT r FROM notes.\"by-g\" WHERE g = 'x' ORDER BY s DESC", "1 3"),
        ("SELECT r FROM notes.\"by-g\" WHERE g = 'x' AND s > '7'", "1"),
        ("SELECT r FROM notes.\"by-g\" WHERE g = 'x' AND kept = '3'", "3"),
        ("SELECT r FROM notes.\"by-g\" WHERE (g = 'x' AND \"left\" = '1') OR g = 'y'", "2"),
        ("SELECT r FROM notes.\"by-s\" WHERE p = 'a'", "2 1"),
        ("SELECT r FROM notes.\"by-s\" WHERE p = 'a' AND s BETWEEN '9' AND '9'", "1"),
        ("SELECT r FROM notes.\"by-s\" WHERE \"left\" = '1'", ""),
    ] {
        assert_eq!(found(&admin, statement).await, wanted, "{statement}");
    }
    let scanned = execute(&admin, "SELECT * FROM notes.\"by-g\" WHERE NOT \"left\" = '1'").await;
    assert_eq!(scanned["Items"].as_array().map(Vec::len), Some(3));
    let entry = execute(&admin, "SELECT * FROM notes.\"by-s\" WHERE p = 'b'").await;
    assert_eq!(entry["Items"], json!([{"p": {"S": "b"}, "r": {"S": "3"}, "s": {"S": "7"}}]));
    // A local index reaches what it doesn't hold; a global one does not.
    let reached = execute(&admin, "SELECT \"left\" FROM notes.\"by-s\" WHERE p = 'b'").await;
    assert_eq!(reached["Items"], json!([{"left": {"S": "3"}}]));
}

#[tokio::test]
async fn what_an_index_cannot_show_is_refused_in_awss_words() {
    let (_app, admin) = indexed().await;
    let filtered = |index: &str| {
        format!(
            "One or more parameter values were invalid: Secondary index {index} does not project one or more filter attributes: [left]"
        )
    };
    for (statement, said) in [
        (
            "SELECT \"left\" FROM notes.\"by-g\" WHERE g = 'x'",
            "One or more parameter values were invalid: Global secondary index by-g does not project [left]"
                .to_owned(),
        ),
        (
            "SELECT \"left\" FROM notes.\"by-g\"",
            "One or more parameter values were invalid: Global secondary index by-g does not project [left]"
                .to_owned(),
        ),
        ("SELECT p FROM notes.\"by-g\" WHERE g = 'x' AND \"left\" = '1'", filtered("by-g")),
        ("SELECT p FROM notes.\"by-g\" WHERE g = 'x' AND \"left\" IS MISSING", filtered("by-g")),
        ("SELECT p FROM notes.\"by-g\" WHERE g IN ['x', 'y'] AND NOT \"left\" = '1'", filtered("by-g")),
        ("SELECT p FROM notes.\"by-s\" WHERE p = 'a' AND \"left\" = '1'", filtered("by-s")),
        (
            "SELECT * FROM notes.absent WHERE p = 'a'",
            "The table does not have the specified index".to_owned(),
        ),
        ("SELECT * FROM notes.notes WHERE p = 'a'", "The table does not have the specified index".to_owned()),
        (
            "SELECT * FROM notes.\"by-g\" WHERE g = 'x' ORDER BY r",
            "Attribute r in ORDER BY clause must be part of the primary key".to_owned(),
        ),
    ] {
        assert_eq!(refused(&admin, statement).await, ("ValidationException".to_owned(), said), "{statement}");
    }
    let consistent =
        json!({"Statement": "SELECT * FROM notes.\"by-g\" WHERE g = 'x'", "ConsistentRead": true});
    let (_, said) = refusal(&admin, "ExecuteStatement", consistent).await;
    assert_eq!(said, "Strongly consistent read is not supported on Global Secondary Indexes");
}

#[tokio::test]
async fn the_pages_of_an_index_make_up_the_whole() {
    let (_app, admin) = indexed().await;
    for statement in [
        "SELECT r FROM notes.\"by-g\" WHERE g IN ['y', 'x']",
        "SELECT r FROM notes.\"by-s\"",
        "SELECT r FROM notes.\"by-g\" WHERE g = 'x' ORDER BY s DESC",
    ] {
        let whole = execute(&admin, statement).await["Items"].clone();
        let (mut items, mut token) = (Vec::new(), Value::Null);
        loop {
            let input = json!({"Statement": statement, "Limit": 1, "NextToken": token});
            let page = done(&admin, "ExecuteStatement", input).await;
            items.extend(page["Items"].as_array().cloned().unwrap_or_default());
            token = page["NextToken"].clone();
            if token.is_null() {
                break;
            }
        }
        assert_eq!(json!(items), whole, "{statement}");
    }
}

#[tokio::test]
async fn reading_an_index_is_charged_to_it() {
    let (_app, admin) = indexed().await;
    let select = |statement: &str| json!({"Statement": statement, "ReturnConsumedCapacity": "INDEXES"});
    let page = done(&admin, "ExecuteStatement", select("SELECT p FROM notes.\"by-g\" WHERE g = 'x'")).await;
    let consumed = &page["ConsumedCapacity"];
    assert_eq!(consumed["GlobalSecondaryIndexes"]["by-g"]["CapacityUnits"], 0.5);
    assert_eq!(consumed["Table"]["CapacityUnits"], 0.0);
    let page =
        done(&admin, "ExecuteStatement", select("SELECT \"left\" FROM notes.\"by-s\" WHERE p = 'a'")).await;
    let consumed = &page["ConsumedCapacity"];
    assert_eq!(consumed["LocalSecondaryIndexes"]["by-s"]["CapacityUnits"], 0.5);
    assert_eq!(consumed["Table"]["CapacityUnits"], 1.0);
}
