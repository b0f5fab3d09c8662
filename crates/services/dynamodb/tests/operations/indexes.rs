use serde_json::{Value, json};

use super::app::{app, done, put, refusal, sorts};
use homeport_testkit::{TestApp, TestCaller};

async fn indexed() -> (TestApp, TestCaller) {
    let app = app();
    let admin = app.admin();
    let key = |hash: &str, range: &str| json!([{"AttributeName": hash, "KeyType": "HASH"}, {"AttributeName": range, "KeyType": "RANGE"}]);
    let attributes = ["p", "r", "g", "s"].map(|name| json!({"AttributeName": name, "AttributeType": "S"}));
    let table = json!({
        "TableName": "notes",
        "AttributeDefinitions": attributes,
        "KeySchema": key("p", "r"),
        "GlobalSecondaryIndexes": [
            {"IndexName": "by-g", "KeySchema": key("g", "s"), "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["kept"]}},
            {"IndexName": "all-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}], "Projection": {"ProjectionType": "ALL"}},
        ],
        "LocalSecondaryIndexes": [{"IndexName": "by-s", "KeySchema": key("p", "s"), "Projection": {"ProjectionType": "KEYS_ONLY"}}],
        "BillingMode": "PAY_PER_REQUEST",
    });
    done(&admin, "CreateTable", table).await;
    for (r, g, s) in [("1", "red", "c"), ("2", "red", "a"), ("3", "blue", "b")] {
        let item = json!({"p": {"S": "x"}, "r": {"S": r}, "g": {"S": g}, "s": {"S": s}, "kept": {"S": "k"}, "rest": {"S": "l"}});
        put(&admin, "notes", item).await;
    }
    put(&admin, "notes", json!({"p": {"S": "x"}, "r": {"S": "4"}, "rest": {"S": "not indexed"}})).await;
    (app, admin)
}

fn by(index: &str, key: &str, value: &str) -> Value {
    json!({
        "TableName": "notes", "IndexName": index, "KeyConditionExpression": format!("{key} = :v"),
        "ExpressionAttributeValues": {":v": {"S": value}},
    })
}

#[tokio::test]
async fn a_global_index_has_its_own_partitions_order_and_attributes() {
    let (_app, admin) = indexed().await;
    let red = done(&admin, "Query", by("by-g", "g", "red")).await;
    assert_eq!(sorts(&red), ["2", "1"]);
    let entry =
        json!({"p": {"S": "x"}, "r": {"S": "2"}, "g": {"S": "red"}, "s": {"S": "a"}, "kept": {"S": "k"}});
    assert_eq!(red["Items"][0], entry);
    let scanned = done(&admin, "Scan", json!({"TableName": "notes", "IndexName": "by-g"})).await;
    assert_eq!(scanned["Count"], 3);
}

#[tokio::test]
async fn an_index_follows_its_items() {
    let (_app, admin) = indexed().await;
    let update = json!({
        "TableName": "notes", "Key": {"p": {"S": "x"}, "r": {"S": "1"}}, "UpdateExpression": "SET g = :g",
        "ExpressionAttributeValues": {":g": {"S": "blue"}}, "ReturnConsumedCapacity": "INDEXES",
    });
    let updated = done(&admin, "UpdateItem", update).await;
    assert_eq!(updated["ConsumedCapacity"]["GlobalSecondaryIndexes"]["by-g"]["CapacityUnits"], 2.0);
    assert_eq!(sorts(&done(&admin, "Query", by("by-g", "g", "red")).await), ["2"]);
    assert_eq!(sorts(&done(&admin, "Query", by("by-g", "g", "blue")).await), ["3", "1"]);
    let gone = json!({"TableName": "notes", "Key": {"p": {"S": "x"}, "r": {"S": "2"}}});
    done(&admin, "DeleteItem", gone).await;
    assert_eq!(done(&admin, "Query", by("by-g", "g", "red")).await["Count"], 0);
    let removed = json!({"TableName": "notes", "Key": {"p": {"S": "x"}, "r": {"S": "3"}}, "UpdateExpression": "REMOVE s"});
    done(&admin, "UpdateItem", removed).await;
    assert_eq!(sorts(&done(&admin, "Query", by("by-g", "g", "blue")).await), ["1"]);
    assert_eq!(done(&admin, "Query", by("all-g", "g", "blue")).await["Count"], 2);
}

#[tokio::test]
async fn a_local_index_fetches_what_it_does_not_hold() {
    let (_app, admin) = indexed().await;
    let keys_only = done(&admin, "Query", by("by-s", "p", "x")).await;
    assert_eq!(sorts(&keys_only), ["2", "3", "1"]);
    assert_eq!(keys_only["Items"][0], json!({"p": {"S": "x"}, "r": {"S": "2"}, "s": {"S": "a"}}));
    let mut whole = by("by-s", "p", "x");
    whole["Select"] = json!("ALL_ATTRIBUTES");
    assert_eq!(done(&admin, "Query", whole).await["Items"][0]["rest"]["S"], "l");
    let mut projected = by("by-s", "p", "x");
    projected["ProjectionExpression"] = json!("rest");
    assert_eq!(done(&admin, "Query", projected).await["Items"][2], json!({"rest": {"S": "l"}}));
}

#[tokio::test]
async fn pages_of_an_index_make_up_the_whole() {
    let (_app, admin) = indexed().await;
    let (mut seen, mut start) = (Vec::new(), Value::Null);
    loop {
        let mut page = by("all-g", "g", "red");
        page["Limit"] = json!(1);
        if !start.is_null() {
            page["ExclusiveStartKey"] = start;
        }
        let page = done(&admin, "Query", page).await;
        seen.extend(sorts(&page));
        start = page["LastEvaluatedKey"].clone();
        if start.is_null() {
            break;
        }
        assert_eq!(start.as_object().map(|key| key.len()), Some(3));
    }
    seen.sort();
    assert_eq!(seen, ["1", "2"]);
}

#[tokio::test]
async fn what_an_index_cannot_give_is_refused() {
    let (_app, admin) = indexed().await;
    let with = |index: &str, key: &str, member: &str, value: Value| {
        let mut query = by(index, key, "red");
        query[member] = value;
        query
    };
    for (query, said) in [
        (by("nope", "g", "red"), "The table does not have the specified index: nope"),
        (
            with("by-g", "g", "ConsistentRead", json!(true)),
            "Consistent reads are not supported on global secondary indexes",
        ),
        (
            with("by-g", "g", "Select", json!("ALL_ATTRIBUTES")),
            "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index by-g because its projection type is not ALL",
        ),
        (
            with("by-g", "g", "ProjectionExpression", json!("rest")),
            "One or more parameter values were invalid: Global secondary index by-g does not project [rest]",
        ),
        (by("by-g", "p", "x"), "Query condition missed key schema element: g"),
        (
            with("by-g", "g", "ExclusiveStartKey", json!({"g": {"S": "red"}})),
            "The provided starting key is invalid",
        ),
    ] {
        assert_eq!(
            refusal(&admin, "Query", query).await,
            ("ValidationException".to_owned(), said.to_owned())
        );
    }
    let wrong = json!({"TableName": "notes", "Item": {"p": {"S": "x"}, "r": {"S": "9"}, "g": {"N": "1"}}});
    let said = "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: all-g";
    assert_eq!(refusal(&admin, "PutItem", wrong).await.1, said);
    let empty = json!({"TableName": "notes", "Item": {"p": {"S": "x"}, "r": {"S": "9"}, "s": {"S": ""}}});
    assert!(
        refusal(&admin, "PutItem", empty)
            .await
            .1
            .ends_with("cannot contain an empty string value. IndexName: by-g, IndexKey: s")
    );
}
