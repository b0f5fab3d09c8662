//! Global indexes whose keys have several attributes.

use serde_json::{Value, json};

use super::app::{app, done, hash_table, put, refusal};
use homeport_testkit::{TestApp, TestCaller};

async fn indexed() -> (TestApp, TestCaller) {
    let app = app();
    let admin = app.admin();
    let mut table = hash_table("games");
    let kinds = [("p", "S"), ("team", "S"), ("year", "N"), ("round", "N"), ("court", "S"), ("slot", "N")];
    table["AttributeDefinitions"] =
        kinds.iter().map(|(name, kind)| json!({"AttributeName": name, "AttributeType": kind})).collect();
    let keys =
        [("team", "HASH"), ("year", "HASH"), ("round", "RANGE"), ("court", "RANGE"), ("slot", "RANGE")];
    table["GlobalSecondaryIndexes"] = json!([{
        "IndexName": "by-all",
        "KeySchema": keys.map(|(name, kind)| json!({"AttributeName": name, "KeyType": kind})),
        "Projection": {"ProjectionType": "ALL"},
    }]);
    done(&admin, "CreateTable", table).await;
    for (at, (team, year, round, court, hour)) in [
        ("a", 1, 1, "x", 1),
        ("a", 1, 1, "x", 2),
        ("a", 1, 1, "y", 1),
        ("a", 1, 2, "x", 1),
        ("a", 1, 10, "x", 1),
        ("a", 2, 1, "x", 1),
        ("b", 1, 1, "x", 1),
    ]
    .into_iter()
    .enumerate()
    {
        let n = |number: i32| json!({"N": number.to_string()});
        let item = json!({
            "p": {"S": at.to_string()}, "team": {"S": team}, "year": n(year), "round": n(round),
            "court": {"S": court}, "slot": n(hour),
        });
        put(&admin, "games", item).await;
    }
    put(&admin, "games", json!({"p": {"S": "part"}, "team": {"S": "a"}, "year": {"N": "1"}})).await;
    (app, admin)
}

fn asking(condition: &str, limit: usize) -> Value {
    json!({
        "TableName": "games", "IndexName": "by-all", "KeyConditionExpression": condition, "Limit": limit,
        "ExpressionAttributeNames": {"#y": "year"},
        "ExpressionAttributeValues": {
            ":a": {"S": "a"}, ":one": {"N": "1"}, ":two": {"N": "2"}, ":x": {"S": "x"},
        },
    })
}

/// The query without the values that it doesn't use.
fn tidied(mut query: Value) -> Value {
    let condition = query["KeyConditionExpression"].as_str().unwrap().to_owned();
    let words: Vec<&str> = condition.split([' ', '(', ')', ',']).collect();
    query["ExpressionAttributeValues"]
        .as_object_mut()
        .unwrap()
        .retain(|key, _| words.contains(&key.as_str()));
    if !words.contains(&"#y") {
        query.as_object_mut().unwrap().remove("ExpressionAttributeNames");
    }
    query
}

#[tokio::test]
async fn attributes_are_asked_from_the_left_and_pages_make_up_the_whole() {
    let (_app, admin) = indexed().await;
    for (condition, found) in [
        ("team = :a AND #y = :one", vec!["0", "1", "2", "3", "4"]),
        ("team = :a AND #y = :two", vec!["5"]),
        ("team = :a AND #y = :one AND round = :one", vec!["0", "1", "2"]),
        ("team = :a AND #y = :one AND round >= :two", vec!["3", "4"]),
        ("team = :a AND #y = :one AND round = :one AND begins_with(court, :x)", vec!["0", "1"]),
        ("team = :a AND #y = :one AND round = :one AND court > :x", vec!["2"]),
        ("team = :a AND #y = :one AND round = :one AND court = :x AND slot = :two", vec!["1"]),
        ("team = :a AND #y = :one AND round = :one AND court = :x AND slot < :two", vec!["0"]),
    ] {
        for (limit, forward) in [(1, true), (2, true), (10, true), (1, false), (10, false)] {
            let (mut seen, mut start) = (Vec::new(), Value::Null);
            loop {
                let mut query = tidied(asking(condition, limit));
                query["ScanIndexForward"] = json!(forward);
                if !start.is_null() {
                    query["ExclusiveStartKey"] = start;
                }
                let page = done(&admin, "Query", query).await;
                let items = page["Items"].as_array().cloned().unwrap();
                seen.extend(items.iter().map(|item| item["p"]["S"].as_str().unwrap().to_owned()));
                start = page["LastEvaluatedKey"].clone();
                if start.is_null() {
                    break;
                }
                assert_eq!(start.as_object().map(|key| key.len()), Some(6));
            }
            if !forward {
                seen.reverse();
            }
            assert_eq!(seen, found, "{condition}");
        }
    }
}

#[tokio::test]
async fn conditions_that_leave_attributes_out_are_refused() {
    let (_app, admin) = indexed().await;
    let hashes = |names: &str| {
        format!("HASH key attributes {names} must have equality conditions specified in the query")
    };
    let ranges = |names: &str, because: &str| {
        format!(
            "RANGE key attributes {names} must have equality conditions specified in the query because a condition is present on key attribute {because}"
        )
    };
    for (condition, said) in [
        ("team = :a", hashes("year")),
        ("#y = :one", hashes("team")),
        ("team = :a AND #y = :one AND court = :x", ranges("round", "court")),
        ("team = :a AND #y > :one", hashes("year")),
        ("team = :a AND #y = :one AND round > :one AND court = :x", ranges("round", "court")),
    ] {
        let refused = refusal(&admin, "Query", tidied(asking(condition, 1))).await;
        assert_eq!(refused, ("ValidationException".to_owned(), said), "{condition}");
    }
}

#[tokio::test]
async fn an_index_shows_all_its_keys_and_has_four_of_a_kind_at_most() {
    let (_app, admin) = indexed().await;
    let table = done(&admin, "DescribeTable", json!({"TableName": "games"})).await["Table"].clone();
    let shown = table["GlobalSecondaryIndexes"][0]["KeySchema"].as_array().cloned().unwrap();
    let kinds: Vec<_> = shown.iter().map(|element| element["KeyType"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["HASH", "HASH", "RANGE", "RANGE", "RANGE"]);
    let mut table = hash_table("more");
    let names = ["p", "a", "b", "c", "d", "e"];
    table["AttributeDefinitions"] =
        names.iter().map(|name| json!({"AttributeName": name, "AttributeType": "S"})).collect();
    let keys: Value =
        names[1..].iter().map(|name| json!({"AttributeName": name, "KeyType": "HASH"})).collect();
    table["GlobalSecondaryIndexes"] =
        json!([{"IndexName": "by-all", "KeySchema": keys, "Projection": {"ProjectionType": "ALL"}}]);
    assert_eq!(refusal(&admin, "CreateTable", table.clone()).await.0, "ValidationException");
    let mixed = json!([
        {"AttributeName": "a", "KeyType": "HASH"}, {"AttributeName": "b", "KeyType": "RANGE"},
        {"AttributeName": "c", "KeyType": "HASH"},
    ]);
    table["GlobalSecondaryIndexes"][0]["KeySchema"] = mixed;
    assert_eq!(refusal(&admin, "CreateTable", table).await.0, "ValidationException");
}
