//! What descriptions of tables tell.

use serde_json::{Value, json};

use super::app::{app, done, put};

/// A table with a local index `by-s` and a global one `by-g`, its names given in no order.
fn indexed() -> Value {
    let attribute = |name: &str| json!({"AttributeName": name, "AttributeType": "S"});
    let key = |range: &str| json!([{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": range, "KeyType": "RANGE"}]);
    let definitions = ["s", "r", "p", "g"].map(attribute);
    let some = json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": ["z", "y", "a"]});
    json!({
        "TableName": "notes", "KeySchema": key("r"), "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": definitions,
        "LocalSecondaryIndexes": [{"IndexName": "by-s", "KeySchema": key("s"), "Projection": {"ProjectionType": "ALL"}}],
        "GlobalSecondaryIndexes": [{
            "IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}], "Projection": some,
        }],
    })
}

#[tokio::test]
async fn indexes_say_how_much_they_hold() {
    let app = app();
    let admin = app.admin();
    let counts = |table: &Value, kind: &str| {
        let index = &table[kind][0];
        (index["ItemCount"].as_i64().unwrap(), index["IndexSizeBytes"].as_i64().unwrap())
    };
    let made = done(&admin, "CreateTable", indexed()).await["TableDescription"].clone();
    assert_eq!(counts(&made, "LocalSecondaryIndexes"), (0, 0));
    assert_eq!(counts(&made, "GlobalSecondaryIndexes"), (0, 0));
    let described =
        || async { done(&admin, "DescribeTable", json!({"TableName": "notes"})).await["Table"].clone() };
    let item = |r: &str, x: &str| json!({"p": {"S": "a"}, "r": {"S": r}, "s": {"S": "c"}, "g": {"S": "d"}, "x": {"S": x}});
    put(&admin, "notes", item("b", "ten bytes.")).await;
    put(&admin, "notes", json!({"p": {"S": "a"}, "r": {"S": "none"}})).await;
    let table = described().await;
    assert_eq!(counts(&table, "LocalSecondaryIndexes"), (1, 19));
    assert_eq!(counts(&table, "GlobalSecondaryIndexes"), (1, 6), "the keys alone");
    put(&admin, "notes", item("b", "five.")).await;
    put(&admin, "notes", item("e", "five.")).await;
    assert_eq!(counts(&described().await, "LocalSecondaryIndexes"), (2, 28));
    for r in ["b", "e"] {
        let key = json!({"TableName": "notes", "Key": {"p": {"S": "a"}, "r": {"S": r}}});
        done(&admin, "DeleteItem", key).await;
    }
    let table = described().await;
    assert_eq!(counts(&table, "LocalSecondaryIndexes"), (0, 0));
    assert_eq!(counts(&table, "GlobalSecondaryIndexes"), (0, 0));
    assert_eq!(table["ItemCount"], 1);
}

#[tokio::test]
async fn attributes_are_described_in_the_order_of_their_names() {
    let app = app();
    let admin = app.admin();
    let made = done(&admin, "CreateTable", indexed()).await["TableDescription"].clone();
    let definitions = made["AttributeDefinitions"].as_array().unwrap();
    let names: Vec<&str> = definitions.iter().filter_map(|it| it["AttributeName"].as_str()).collect();
    assert_eq!(names, ["g", "p", "r", "s"]);
    let included = &made["GlobalSecondaryIndexes"][0]["Projection"]["NonKeyAttributes"];
    assert_eq!(*included, json!(["a", "y", "z"]));
}
