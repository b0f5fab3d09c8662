use serde_json::{Value, json};

use super::app::{app, call, done, get, hash_table, put, refusal};

fn write(items: Value) -> Value {
    json!({"TransactItems": items})
}

#[tokio::test]
async fn a_transaction_does_all_or_nothing() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    put(&admin, "notes", json!({"p": {"S": "counter"}, "n": {"N": "1"}})).await;
    put(&admin, "notes", json!({"p": {"S": "gone"}})).await;
    let actions = |wanted: &str| {
        write(json!([
            {"Put": {"TableName": "notes", "Item": {"p": {"S": "new"}}}},
            {"Update": {"TableName": "notes", "Key": {"p": {"S": "counter"}}, "UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}},
            {"Delete": {"TableName": "notes", "Key": {"p": {"S": "gone"}}}},
            {"ConditionCheck": {"TableName": "notes", "Key": {"p": {"S": "flag"}}, "ConditionExpression": wanted}},
        ]))
    };
    let refused = call(&admin, "TransactWriteItems", actions("attribute_exists(p)")).await;
    let refused = refused.refused("TransactionCanceledException", 400);
    let said = "Transaction cancelled, please refer cancellation reasons for specific reasons [None, None, None, ConditionalCheckFailed]";
    assert_eq!(refused.message(), said);
    let reasons = &refused.json()["CancellationReasons"];
    assert_eq!(reasons[0], json!({"Code": "None"}));
    assert_eq!(
        reasons[3],
        json!({"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"})
    );
    assert_eq!(get(&admin, "notes", json!({"p": {"S": "new"}})).await, Value::Null);
    assert_eq!(get(&admin, "notes", json!({"p": {"S": "counter"}})).await["n"]["N"], "1");

    done(&admin, "TransactWriteItems", actions("attribute_not_exists(p)")).await;
    assert_eq!(get(&admin, "notes", json!({"p": {"S": "counter"}})).await["n"]["N"], "2");
    assert_eq!(get(&admin, "notes", json!({"p": {"S": "gone"}})).await, Value::Null);
    let read = done(
        &admin,
        "TransactGetItems",
        json!({"TransactItems": [
        {"Get": {"TableName": "notes", "Key": {"p": {"S": "counter"}}, "ProjectionExpression": "n"}},
        {"Get": {"TableName": "notes", "Key": {"p": {"S": "gone"}}}},
    ], "ReturnConsumedCapacity": "TOTAL"}),
    )
    .await;
    assert_eq!(read["Responses"], json!([{"Item": {"n": {"N": "2"}}}, {}]));
    assert_eq!(
        read["ConsumedCapacity"],
        json!([{"TableName": "notes", "CapacityUnits": 4.0, "ReadCapacityUnits": 4.0}])
    );
}

#[tokio::test]
async fn the_reasons_say_which_action_failed_and_how() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    put(&admin, "notes", json!({"p": {"S": "a"}, "v": {"S": "old"}})).await;
    let refused = call(&admin, "TransactWriteItems", write(json!([
        {"Put": {"TableName": "notes", "Item": {"p": {"S": "b"}}}},
        {"Put": {"TableName": "notes", "Item": {"p": {"S": "a"}}, "ConditionExpression": "attribute_not_exists(p)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}},
        {"Update": {"TableName": "notes", "Key": {"p": {"S": "c"}}, "UpdateExpression": "SET x = y"}},
    ]))).await;
    let reasons = refused.refused("TransactionCanceledException", 400).json()["CancellationReasons"].clone();
    assert_eq!(reasons[1]["Item"], json!({"p": {"S": "a"}, "v": {"S": "old"}}));
    assert_eq!(reasons[2]["Code"], "ValidationError");
    assert_eq!(
        reasons[2]["Message"],
        "The provided expression refers to an attribute that does not exist in the item"
    );
    let wrong = write(json!([{"Put": {"TableName": "notes", "Item": {"p": {"N": "5"}}}}]));
    let reasons =
        call(&admin, "TransactWriteItems", wrong).await.refused("TransactionCanceledException", 400);
    let said = "One or more parameter values were invalid: Type mismatch for key p expected: S actual: N";
    assert_eq!(reasons.json()["CancellationReasons"][0]["Message"], said);
    let more = write(json!([
        {"Put": {"TableName": "notes", "Item": {"p": {"S": "a"}}}},
        {"Put": {"TableName": "notes", "Item": {"p": {"S": "a"}}}},
        {"Put": {"TableName": "notes", "Item": {"p": {"N": "7"}}}},
        {"Put": {"TableName": "notes", "Item": {"p": {"N": "8"}}}},
    ]));
    let first = "Transaction cancelled, please refer cancellation reasons for specific reasons [None, None, ValidationError, None]";
    assert_eq!(
        refusal(&admin, "TransactWriteItems", more).await,
        ("TransactionCanceledException".into(), first.into()),
        "the first wrong key is told, and before what is there twice"
    );
    let twice = write(json!([
        {"Put": {"TableName": "notes", "Item": {"p": {"S": "a"}}}},
        {"Delete": {"TableName": "notes", "Key": {"p": {"S": "a"}}}},
    ]));
    assert_eq!(
        refusal(&admin, "TransactWriteItems", twice).await,
        (
            "ValidationException".into(),
            "Transaction request cannot include multiple operations on one item".into(),
        )
    );
    let empty = write(json!([{"Delete": {"TableName": "notes", "Key": {"p": {"S": ""}}}}]));
    assert!(
        refusal(&admin, "TransactWriteItems", empty)
            .await
            .1
            .starts_with("One or more parameter values are not valid.")
    );
    let (_, said) = refusal(&admin, "TransactWriteItems", write(json!([]))).await;
    assert_eq!(
        said,
        "1 validation error detected: Value '[]' at 'transactItems' failed to satisfy constraint: Member must have length greater than or equal to 1"
    );
}

#[tokio::test]
async fn a_client_token_stands_for_one_request_and_ten_minutes() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let add = |n: &str| {
        let update = json!({"TableName": "notes", "Key": {"p": {"S": "a"}}, "UpdateExpression": "ADD n :n", "ExpressionAttributeValues": {":n": {"N": n}}});
        json!({"TransactItems": [{"Update": update}], "ClientRequestToken": "token-1"})
    };
    done(&admin, "TransactWriteItems", add("1")).await;
    done(&admin, "TransactWriteItems", add("1")).await;
    assert_eq!(get(&admin, "notes", json!({"p": {"S": "a"}})).await["n"]["N"], "1");
    assert_eq!(
        refusal(&admin, "TransactWriteItems", add("2")).await.0,
        "IdempotentParameterMismatchException"
    );
    app.clock.advance_seconds(601);
    done(&admin, "TransactWriteItems", add("2")).await;
    assert_eq!(get(&admin, "notes", json!({"p": {"S": "a"}})).await["n"]["N"], "3");
}
