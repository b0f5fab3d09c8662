use serde_json::{Value, json};

use super::app::{app, done, get, hash_table, put, range_table, refusal};

#[tokio::test]
async fn a_batch_writes_and_reads_many_tables() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    done(&admin, "CreateTable", range_table("tags", "S")).await;
    put(&admin, "notes", json!({"p": {"S": "old"}})).await;
    let written = done(&admin, "BatchWriteItem", json!({
        "RequestItems": {
            "notes": [{"PutRequest": {"Item": {"p": {"S": "a"}, "v": {"N": "1"}}}}, {"DeleteRequest": {"Key": {"p": {"S": "old"}}}}],
            "tags": [{"PutRequest": {"Item": {"p": {"S": "a"}, "r": {"S": "1"}}}}],
        },
        "ReturnConsumedCapacity": "TOTAL",
    })).await;
    assert_eq!(written["UnprocessedItems"], json!({}));
    assert_eq!(
        written["ConsumedCapacity"],
        json!([{"TableName": "notes", "CapacityUnits": 2.0}, {"TableName": "tags", "CapacityUnits": 1.0}])
    );
    assert_eq!(get(&admin, "notes", json!({"p": {"S": "old"}})).await, Value::Null);
    let read = done(
        &admin,
        "BatchGetItem",
        json!({"RequestItems": {
            "notes": {"Keys": [{"p": {"S": "a"}}, {"p": {"S": "absent"}}], "ProjectionExpression": "v"},
            "tags": {"Keys": [{"p": {"S": "a"}, "r": {"S": "1"}}], "ConsistentRead": true},
        }}),
    )
    .await;
    assert_eq!(
        read["Responses"],
        json!({"notes": [{"v": {"N": "1"}}], "tags": [{"p": {"S": "a"}, "r": {"S": "1"}}]})
    );
    assert_eq!(read["UnprocessedKeys"], json!({}));
}

#[tokio::test]
async fn what_does_not_fit_an_answer_is_left_for_another() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let large = "x".repeat(390_000);
    let mut keys: Vec<Value> = Vec::new();
    for n in 0..44 {
        put(&admin, "notes", json!({"p": {"S": n.to_string()}, "v": {"S": large}})).await;
        keys.push(json!({"p": {"S": n.to_string()}}));
    }
    let request = json!({"RequestItems": {"notes": {"Keys": keys, "ConsistentRead": true}}});
    let first = done(&admin, "BatchGetItem", request).await;
    let got = first["Responses"]["notes"].as_array().map_or(0, Vec::len);
    let left = first["UnprocessedKeys"]["notes"]["Keys"].as_array().map_or(0, Vec::len);
    assert!(left > 0 && got + left == 44, "{got} + {left}");
    assert_eq!(first["UnprocessedKeys"]["notes"]["ConsistentRead"], true);
    let second = done(&admin, "BatchGetItem", json!({"RequestItems": first["UnprocessedKeys"]})).await;
    assert_eq!(second["Responses"]["notes"].as_array().map(Vec::len), Some(left));
}

#[tokio::test]
async fn a_batch_with_one_fault_does_nothing() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let write = |requests: Value| json!({"RequestItems": {"notes": requests}});
    let put = |key: Value| json!({"PutRequest": {"Item": {"p": key}}});
    let good = put(json!({"S": "a"}));
    for (requests, said) in [
        (
            json!([good, {"DeleteRequest": {"Key": {"p": {"S": "a"}}}}]),
            "Provided list of item keys contains duplicates",
        ),
        (json!([good, put(json!({"N": "1"}))]), "The provided key element does not match the schema"),
        (
            json!([good, put(json!({"S": ""}))]),
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: p",
        ),
    ] {
        assert_eq!(refusal(&admin, "BatchWriteItem", write(requests)).await.1, said);
    }
    assert_eq!(get(&admin, "notes", json!({"p": {"S": "a"}})).await, Value::Null);
    let missing = json!({"RequestItems": {"absent": [good]}});
    assert_eq!(
        refusal(&admin, "BatchWriteItem", missing).await,
        ("ResourceNotFoundException".into(), "Requested resource not found".into())
    );
    let (_, said) = refusal(&admin, "BatchWriteItem", json!({"RequestItems": {}})).await;
    assert_eq!(said, "The requestItems parameter is required for BatchWriteItem");
    let many: Vec<Value> = (0..26).map(|n| put(json!({"S": n.to_string()}))).collect();
    let (_, said) = refusal(&admin, "BatchWriteItem", write(json!(many))).await;
    assert!(said.ends_with("Member must have length less than or equal to 25, Member must have length greater than or equal to 1]"), "{said}");
    let twice = json!({"RequestItems": {"notes": {"Keys": [{"p": {"S": "a"}}, {"p": {"S": "a"}}]}}});
    assert_eq!(
        refusal(&admin, "BatchGetItem", twice).await.1,
        "Provided list of item keys contains duplicates"
    );
}

#[tokio::test]
async fn an_item_may_not_be_named_twice_be_it_under_two_names_of_its_table() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let arn = "arn:aws:dynamodb:us-east-1:123456789012:table/notes";
    let calls = |one: &str, other: &str| {
        let key = |key: &str| json!({"p": {"S": key}});
        let keys = |name: &str| json!({"Keys": [key(name)]});
        let write = |name: &str| json!([{"PutRequest": {"Item": key(name)}}]);
        let get = |table: &str, name: &str| json!({"Get": {"TableName": table, "Key": key(name)}});
        let put = |table: &str, name: &str| json!({"Put": {"TableName": table, "Item": key(name)}});
        let select = |table: &str, name: &str| json!({"Statement": format!("SELECT * FROM \"{table}\" WHERE p = '{name}'")});
        let selects = json!([select("notes", one), select(arn, other)]);
        let (list, transaction) = (
            "Provided list of item keys contains duplicates",
            "Transaction request cannot include multiple operations on one item",
        );
        [
            ("BatchGetItem", json!({"RequestItems": {"notes": keys(one), arn: keys(other)}}), list),
            ("BatchWriteItem", json!({"RequestItems": {"notes": write(one), arn: write(other)}}), list),
            ("BatchExecuteStatement", json!({"Statements": selects.clone()}), list),
            ("TransactGetItems", json!({"TransactItems": [get("notes", one), get(arn, other)]}), transaction),
            (
                "TransactWriteItems",
                json!({"TransactItems": [put("notes", one), put(arn, other)]}),
                transaction,
            ),
            ("ExecuteTransaction", json!({"TransactStatements": selects}), transaction),
        ]
    };
    for (operation, input, said) in calls("a", "a") {
        let refused = refusal(&admin, operation, input).await;
        assert_eq!(refused, ("ValidationException".into(), said.into()), "{operation}");
    }
    assert_eq!(get(&admin, "notes", json!({"p": {"S": "a"}})).await, Value::Null);
    for (operation, input, _) in calls("a", "b") {
        done(&admin, operation, input).await;
    }
}
