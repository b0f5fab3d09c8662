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
async fn indexes_say_how_much_they_hold_as_far_as_it_was_counted() {
    let app = app();
    let admin = app.admin();
    let made = done(&admin, "CreateTable", indexed()).await["TableDescription"].clone();
    put(&admin, "notes", json!({"p": {"S": "a"}, "r": {"S": "b"}, "s": {"S": "c"}, "g": {"S": "d"}})).await;
    let described = done(&admin, "DescribeTable", json!({"TableName": "notes"})).await["Table"].clone();
    assert_eq!((&made["ItemCount"], &described["ItemCount"]), (&json!(0), &json!(1)));
    for table in [made, described] {
        for kind in ["LocalSecondaryIndexes", "GlobalSecondaryIndexes"] {
            let index = &table[kind][0];
            assert_eq!((&index["ItemCount"], &index["IndexSizeBytes"]), (&json!(0), &json!(0)));
        }
    }
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
