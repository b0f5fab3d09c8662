//! Where a query may go on, and what AWS says where it may not.

use serde_json::{Value, json};

use super::app::{app, done, hash_table, range_table, refusal};

const INVALID: &str = "The provided starting key is invalid";
const OUTSIDE: &str = "The provided starting key is outside query boundaries based on provided conditions";
const PREDICATE: &str = "The provided starting key does not match the range key predicate";
const ONE_ROW: &str = "The query can return at most one row and cannot be restarted";

fn query(table: &str, condition: &str, start: Value) -> Value {
    let mut values = json!({":a": {"S": "a"}});
    if condition.contains(":x") {
        values[":x"] = json!({"N": "2"});
    }
    json!({
        "TableName": table, "KeyConditionExpression": condition, "ExpressionAttributeValues": values,
        "ExclusiveStartKey": start,
    })
}

#[tokio::test]
async fn a_start_key_is_held_against_the_schema_and_the_conditions() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", range_table("ranged", "N")).await;
    done(&admin, "CreateTable", hash_table("hashed")).await;
    let range = |start: Value| query("ranged", "p = :a", start);
    let hash = |start: Value| query("hashed", "p = :a", start);
    let key = |p: &str, r: &str| json!({"p": {"S": p}, "r": {"N": r}});
    for (input, said) in [
        (range(json!({"p": {"M": {}}, "r": {"N": "1"}})), INVALID),
        (range(json!({"p": {"N": "1"}, "r": {"N": "1"}})), INVALID),
        (range(json!({"p": {"S": "a"}, "r": {"S": "x"}})), INVALID),
        (range(json!({"p": {"S": "a"}})), INVALID),
        (range(json!({})), INVALID),
        (hash(json!({"p": {"S": "a"}, "q": {"S": "x"}})), INVALID),
        (
            hash(json!({"p": {"NULL": false}})),
            "One or more parameter values were invalid: Null attribute value types must have the value of true",
        ),
        (
            hash(json!({"p": {"SS": []}})),
            "One or more parameter values were invalid: An string set  may not be empty",
        ),
        (
            range(json!({"p": {"S": "a"}, "r": {"N": "abc"}})),
            "The parameter cannot be converted to a numeric value: abc",
        ),
        (
            range(json!({"p": {"S": ""}, "r": {"N": "1"}})),
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: p",
        ),
        (
            hash(json!({"p": {}})),
            "The provided starting key is invalid: Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        ),
        (hash(json!({"p": {"S": "b"}})), "The provided exclusive start key is invalid"),
        (range(key("b", "1")), OUTSIDE),
        (query("ranged", "p = :a AND r < :x", key("a", "5")), PREDICATE),
        (query("ranged", "p = :a AND r < :x", key("b", "5")), PREDICATE),
        (query("ranged", "p = :a AND r < :x", key("b", "1")), ONE_ROW),
        (query("ranged", "p = :a AND r = :x", key("b", "2")), ONE_ROW),
        (query("ranged", "p = :a AND r = :x", key("a", "3")), PREDICATE),
    ] {
        let shown = input.to_string();
        assert_eq!(
            refusal(&admin, "Query", input).await,
            ("ValidationException".to_owned(), said.to_owned()),
            "{shown}"
        );
    }
    for (condition, r) in [("p = :a AND r < :x", "1"), ("p = :a AND r = :x", "2")] {
        done(&admin, "Query", query("ranged", condition, key("a", r))).await;
    }
}

#[tokio::test]
async fn what_an_index_does_not_hold_is_told_after_its_start_key() {
    let app = app();
    let admin = app.admin();
    let mut table = hash_table("notes");
    table["AttributeDefinitions"] =
        json!([{"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "g", "AttributeType": "S"}]);
    table["GlobalSecondaryIndexes"] = json!([{
        "IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }]);
    done(&admin, "CreateTable", table).await;
    let mut input = query("notes", "g = :a", json!({"bad": {"S": "p"}}));
    input["IndexName"] = json!("by-g");
    input["Select"] = json!("ALL_ATTRIBUTES");
    assert_eq!(refusal(&admin, "Query", input.clone()).await.1, INVALID);
    input["ExclusiveStartKey"] = json!({"p": {"S": "p"}, "g": {"S": "b"}});
    let (_, said) = refusal(&admin, "Query", input.clone()).await;
    assert!(said.contains("Select type ALL_ATTRIBUTES is not supported"), "{said}");
    input["Select"] = json!("COUNT");
    assert_eq!(refusal(&admin, "Query", input).await.1, OUTSIDE);
}
