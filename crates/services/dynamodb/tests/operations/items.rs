use serde_json::{Value, json};

use super::app::{app, call, done, get, hash_table, put, refusal};

#[tokio::test]
async fn an_item_is_what_was_put() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let item = json!({
        "p": {"S": "a\"\n\u{1F600}"}, "n": {"N": "-12.50"}, "b": {"B": "AAEC"}, "t": {"BOOL": true}, "z": {"NULL": true},
        "ss": {"SS": ["a", "b"]}, "ns": {"NS": ["1", "2"]}, "bs": {"BS": ["AA==", "AQ=="]},
        "m": {"M": {"l": {"L": [{"S": ""}, {"M": {}}]}}}, "e": {"L": []},
    });
    put(&admin, "notes", item.clone()).await;
    let mut read = get(&admin, "notes", json!({"p": item["p"].clone()})).await;
    assert_eq!(read["n"]["N"], "-12.5");
    read["n"] = item["n"].clone();
    assert_eq!(read, item);
    assert_eq!(get(&admin, "notes", json!({"p": {"S": "b"}})).await, Value::Null);
    done(&admin, "DeleteItem", json!({"TableName": "notes", "Key": {"p": item["p"].clone()}})).await;
    assert_eq!(get(&admin, "notes", json!({"p": item["p"].clone()})).await, Value::Null);
}

#[tokio::test]
async fn a_condition_guards_its_write_and_nothing_is_written_when_it_fails() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let guarded = |value: &str, tell: &str| {
        json!({
            "TableName": "notes", "Item": {"p": {"S": "a"}, "v": {"S": value}},
            "ConditionExpression": "attribute_not_exists(p)", "ReturnValuesOnConditionCheckFailure": tell,
        })
    };
    done(&admin, "PutItem", guarded("first", "NONE")).await;
    let refused = call(&admin, "PutItem", guarded("second", "ALL_OLD")).await;
    let refused = refused.refused("ConditionalCheckFailedException", 400);
    assert_eq!(refused.message(), "The conditional request failed");
    assert_eq!(refused.json()["Item"], json!({"p": {"S": "a"}, "v": {"S": "first"}}));
    let silent = call(&admin, "PutItem", guarded("second", "NONE")).await;
    assert_eq!(silent.json()["Item"], Value::Null);
    assert_eq!(get(&admin, "notes", json!({"p": {"S": "a"}})).await["v"]["S"], "first");
    let delete = json!({
        "TableName": "notes", "Key": {"p": {"S": "a"}}, "ConditionExpression": "v = :v",
        "ExpressionAttributeValues": {":v": {"S": "other"}},
    });
    assert_eq!(refusal(&admin, "DeleteItem", delete).await.0, "ConditionalCheckFailedException");
}

#[tokio::test]
async fn writes_return_what_they_are_asked_for() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let put = |v: &str| json!({"TableName": "notes", "Item": {"p": {"S": "a"}, "x": {"N": v}, "y": {"S": "keep"}}, "ReturnValues": "ALL_OLD"});
    assert_eq!(done(&admin, "PutItem", put("1")).await, json!({}));
    assert_eq!(done(&admin, "PutItem", put("2")).await["Attributes"]["x"]["N"], "1");
    let update = |returned: &str| {
        json!({
            "TableName": "notes", "Key": {"p": {"S": "a"}}, "UpdateExpression": "SET x = x + :one, z = :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}}, "ReturnValues": returned,
        })
    };
    for (returned, expected) in [
        ("NONE", Value::Null),
        ("UPDATED_OLD", json!({"x": {"N": "3"}, "z": {"N": "1"}})),
        ("UPDATED_NEW", json!({"x": {"N": "5"}, "z": {"N": "1"}})),
        ("ALL_OLD", json!({"p": {"S": "a"}, "x": {"N": "5"}, "y": {"S": "keep"}, "z": {"N": "1"}})),
        ("ALL_NEW", json!({"p": {"S": "a"}, "x": {"N": "7"}, "y": {"S": "keep"}, "z": {"N": "1"}})),
    ] {
        assert_eq!(done(&admin, "UpdateItem", update(returned)).await["Attributes"], expected, "{returned}");
    }
    let delete = json!({"TableName": "notes", "Key": {"p": {"S": "a"}}, "ReturnValues": "ALL_OLD"});
    assert_eq!(done(&admin, "DeleteItem", delete).await["Attributes"]["x"]["N"], "7");
}

#[tokio::test]
async fn an_update_creates_the_item_it_does_not_find() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let update = json!({
        "TableName": "notes", "Key": {"p": {"S": "a"}}, "UpdateExpression": "ADD hits :one SET tags = if_not_exists(tags, :none)",
        "ExpressionAttributeValues": {":one": {"N": "1"}, ":none": {"L": []}},
    });
    done(&admin, "UpdateItem", update.clone()).await;
    done(&admin, "UpdateItem", update).await;
    assert_eq!(
        get(&admin, "notes", json!({"p": {"S": "a"}})).await,
        json!({"p": {"S": "a"}, "hits": {"N": "2"}, "tags": {"L": []}})
    );
    let empty = json!({"TableName": "notes", "Key": {"p": {"S": "b"}}});
    done(&admin, "UpdateItem", empty).await;
    assert_eq!(get(&admin, "notes", json!({"p": {"S": "b"}})).await, json!({"p": {"S": "b"}}));
}

#[tokio::test]
async fn an_update_that_only_takes_away_creates_nothing() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let tags = json!({":t": {"SS": ["old"]}});
    for (update, values) in
        [("REMOVE a", None), ("DELETE tags :t", Some(&tags)), ("REMOVE a DELETE tags :t", Some(&tags))]
    {
        let mut call = json!({"TableName": "notes", "Key": {"p": {"S": "a"}}, "UpdateExpression": update});
        if let Some(values) = values {
            call["ExpressionAttributeValues"] = values.clone();
        }
        let action = json!({"TransactItems": [{"Update": call.clone()}]});
        done(&admin, "TransactWriteItems", action).await;
        call["ReturnValues"] = json!("ALL_NEW");
        assert_eq!(done(&admin, "UpdateItem", call).await["Attributes"], Value::Null, "{update}");
    }
    let removed = json!({"TableName": "notes", "Key": {"p": {"S": "a"}}, "AttributeUpdates": {"a": {"Action": "DELETE"}}});
    done(&admin, "UpdateItem", removed).await;
    assert_eq!(done(&admin, "Scan", json!({"TableName": "notes"})).await["Count"], 0);
    let both = json!({
        "TableName": "notes", "Key": {"p": {"S": "a"}}, "UpdateExpression": "REMOVE a SET b = :b",
        "ExpressionAttributeValues": {":b": {"S": "x"}},
    });
    done(&admin, "UpdateItem", both).await;
    assert_eq!(
        get(&admin, "notes", json!({"p": {"S": "a"}})).await,
        json!({"p": {"S": "a"}, "b": {"S": "x"}})
    );
}

#[tokio::test]
async fn capacity_is_counted_as_on_aws() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let large = "x".repeat(5_000);
    let put = json!({"TableName": "notes", "Item": {"p": {"S": "a"}, "v": {"S": large}}, "ReturnConsumedCapacity": "TOTAL"});
    assert_eq!(
        done(&admin, "PutItem", put).await["ConsumedCapacity"],
        json!({"TableName": "notes", "CapacityUnits": 5.0})
    );
    let read = |consistent: bool| json!({"TableName": "notes", "Key": {"p": {"S": "a"}}, "ConsistentRead": consistent, "ReturnConsumedCapacity": "INDEXES"});
    let units = json!({"TableName": "notes", "CapacityUnits": 1.0, "Table": {"CapacityUnits": 1.0}});
    assert_eq!(done(&admin, "GetItem", read(false)).await["ConsumedCapacity"], units);
    assert_eq!(done(&admin, "GetItem", read(true)).await["ConsumedCapacity"]["CapacityUnits"], 2.0);
}

#[tokio::test]
async fn the_parameters_before_expressions_still_work() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    put(
        &admin,
        "notes",
        json!({"p": {"S": "a"}, "n": {"N": "10"}, "s": {"SS": ["a", "b"]}, "gone": {"S": "x"}}),
    )
    .await;
    let update = json!({
        "TableName": "notes", "Key": {"p": {"S": "a"}},
        "AttributeUpdates": {
            "n": {"Action": "ADD", "Value": {"N": "5"}}, "s": {"Action": "DELETE", "Value": {"SS": ["b"]}},
            "gone": {"Action": "DELETE"}, "new": {"Value": {"S": "y"}},
        },
        "Expected": {"n": {"ComparisonOperator": "GE", "AttributeValueList": [{"N": "10"}]}, "absent": {"Exists": false}},
        "ReturnValues": "ALL_NEW",
    });
    let expected = json!({"p": {"S": "a"}, "n": {"N": "15"}, "s": {"SS": ["a"]}, "new": {"S": "y"}});
    assert_eq!(done(&admin, "UpdateItem", update).await["Attributes"], expected);
    let put = json!({"TableName": "notes", "Item": {"p": {"S": "a"}}, "Expected": {"p": {"Exists": false}}});
    assert_eq!(refusal(&admin, "PutItem", put).await.0, "ConditionalCheckFailedException");
    let get = json!({"TableName": "notes", "Key": {"p": {"S": "a"}}, "AttributesToGet": ["n", "absent"]});
    assert_eq!(done(&admin, "GetItem", get).await["Item"], json!({"n": {"N": "15"}}));
}
