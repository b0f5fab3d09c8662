//! What AWS says of batches and transactions whose members are of the wrong form, and what those consume.

use serde_json::{Value, json};

use super::app::{app, call, done, hash_table, put, refusal};

const CAPACITY: &str = "Value 'X' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]";
const NAMES: &str = "Map keys must satisfy constraint: [Member must have length less than or equal to 255, Member must have length greater than or equal to 3, Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+]";

fn one(said: &str) -> String {
    format!("1 validation error detected: {said}")
}

async fn assert_refused(cases: Vec<(&str, Value, String)>) {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    for (operation, input, said) in cases {
        let shown = input.to_string();
        assert_eq!(
            refusal(&admin, operation, input).await,
            ("ValidationException".to_owned(), said),
            "{operation} {shown}"
        );
    }
}

#[tokio::test]
async fn batches_of_the_wrong_form_are_refused() {
    let get = |items: Value| json!({"RequestItems": items});
    let keys = || json!({"bad!name": {"Keys": [{"p": {"S": "a"}}]}});
    let shown = format!(r#"Value '{}' at 'requestItems' failed to satisfy constraint: {NAMES}"#, keys());
    let mut both = get(keys());
    both["ReturnConsumedCapacity"] = json!("X");
    let write = |table: &str, requests: Value| json!({"RequestItems": {table: requests}});
    let put = json!([{"PutRequest": {"Item": {"p": {"S": "x"}}}}]);
    let mut counted = write("bad!name", put.clone());
    counted["ReturnConsumedCapacity"] = json!("X");
    let none = "Value '{bad!name=[]}' at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 25, Member must have length greater than or equal to 1]";
    let no_item = "Value null at 'requestItems.notes.member.1.member.putRequest.item' failed to satisfy constraint: Member must not be null";
    let named = format!(
        "Value '{{bad!name=[WriteRequest(putRequest=PutRequest(item={{p=AttributeValue(s=x, n=null, b=null, iNT=null, dECIMAL=null, dOUBLE=null, sS=null, nS=null, bS=null, iNTSET=null, dECIMALSET=null, dOUBLESET=null, m=null, l=null, nULL=null, bOOL=null)}}, workloadProfileName=null), deleteRequest=null)]}}' at 'requestItems' failed to satisfy constraint: {NAMES}"
    );
    let empty = "Value at 'RequestItems' failed to satisfy constraint: Member must have length greater than or equal to 1";
    let attributes = "Value '[]' at 'requestItems.notes.member.attributesToGet' failed to satisfy constraint: Member must have length greater than or equal to 1";
    assert_refused(vec![
        ("BatchGetItem", get(json!({})), one(empty)),
        ("BatchGetItem", get(keys()), one(&shown)),
        ("BatchGetItem", both, format!("2 validation errors detected: {shown}; {CAPACITY}")),
        (
            "BatchGetItem",
            get(json!({"notes": {"Keys": [{"p": {"S": "a"}}], "AttributesToGet": []}})),
            one(attributes),
        ),
        ("BatchWriteItem", write("bad!name", put), one(&named)),
        ("BatchWriteItem", counted, one(CAPACITY)),
        ("BatchWriteItem", write("bad!name", json!([])), one(none)),
        ("BatchWriteItem", write("notes", json!([{"PutRequest": {}}])), one(no_item)),
    ])
    .await;
}

#[tokio::test]
async fn transactions_of_the_wrong_form_are_refused() {
    let write = |actions: Value| json!({"TransactItems": actions});
    let bad = json!([{"Put": {"TableName": "b!", "Item": {"p": {"S": "t"}}}}]);
    let mut counted = write(bad.clone());
    counted["ReturnConsumedCapacity"] = json!("X");
    let mut token = counted.clone();
    token["ClientRequestToken"] = json!("x".repeat(37));
    let token_said = format!(
        "2 validation errors detected: Value '{}' at 'clientRequestToken' failed to satisfy constraint: Member must have length less than or equal to 36; {CAPACITY}",
        "x".repeat(37)
    );
    let names = "2 validation errors detected: Value 'b!' at 'transactItems.1.member.put.tableName' failed to satisfy constraint: Member must have length greater than or equal to 3; Value 'b!' at 'transactItems.1.member.put.tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+";
    let mut got = write(json!([{"Get": {"TableName": "b!", "Key": {"p": {"S": "a"}}}}]));
    got["ReturnConsumedCapacity"] = json!("X");
    let delete = json!([{"Delete": {
        "TableName": "notes", "Key": {"p": {"S": "a"}}, "ConditionExpression": "a".repeat(4_097),
    }}]);
    let update = json!([{"Update": {
        "TableName": "notes", "Key": {"p": {"S": "a"}}, "UpdateExpression": "a".repeat(4_097),
    }}]);
    let nothing = "Invalid Request: TransactWriteRequest should contain Delete or Put or Update request";
    let deep = format!("{}{}{}", r#"{"M":{"n":"#.repeat(32), r#"{"S":"leaf"}"#, "}}".repeat(32));
    let deep: Value = serde_json::from_str(&deep).unwrap();
    let nested = json!([{"Update": {
        "TableName": "notes", "Key": {"p": {"S": "a"}}, "UpdateExpression": "SET d = :d",
        "ExpressionAttributeValues": {":d": deep},
    }}]);
    assert_refused(vec![
        ("TransactWriteItems", write(bad), names.to_owned()),
        ("TransactWriteItems", counted, one(CAPACITY)),
        ("TransactWriteItems", token, token_said),
        ("TransactGetItems", got, one(CAPACITY)),
        ("TransactWriteItems", write(json!([{}])), nothing.to_owned()),
        (
            "TransactWriteItems",
            write(delete),
            "Invalid ConditionExpression: Expression size has exceeded the maximum allowed size; expression size: 4097"
                .to_owned(),
        ),
        (
            "TransactWriteItems",
            write(update),
            "Invalid UpdateExpression: Expression size has exceeded the maximum allowed size;".to_owned(),
        ),
        (
            "TransactWriteItems",
            write(nested),
            "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
                .to_owned(),
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_transaction_takes_values_that_its_put_has_no_use_for() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let put = json!({
        "TableName": "notes", "Item": {"p": {"S": "a"}}, "ExpressionAttributeValues": {":v": {"S": "x"}},
    });
    done(&admin, "TransactWriteItems", json!({"TransactItems": [{"Put": put}]})).await;
}

#[tokio::test]
async fn keys_that_are_none_end_a_transaction_of_reads() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let get = |key: Value| json!({"Get": {"TableName": "notes", "Key": {"p": key}}});
    let input = json!({"TransactItems": [get(json!({"S": ""})), get(json!({"N": "5"}))]});
    let refused = call(&admin, "TransactGetItems", input).await;
    let reasons = refused.refused("TransactionCanceledException", 400).json()["CancellationReasons"].clone();
    assert_eq!(
        reasons,
        json!([
            {"Code": "ValidationError", "Message": "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: p"},
            {"Code": "ValidationError", "Message": "The provided key element does not match the schema"},
        ])
    );
}

#[tokio::test]
async fn a_transaction_is_charged_doubly_for_the_table_and_once_for_indexes() {
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
    let write = json!({
        "TransactItems": [{"Put": {"TableName": "notes", "Item": {"p": {"S": "a"}, "g": {"S": "b"}, "v": {"S": "x".repeat(1_500)}}}}],
        "ReturnConsumedCapacity": "INDEXES", "ClientRequestToken": "once",
    });
    let written = done(&admin, "TransactWriteItems", write.clone()).await;
    assert_eq!(
        written["ConsumedCapacity"],
        json!([{
            "TableName": "notes", "CapacityUnits": 5.0, "WriteCapacityUnits": 5.0,
            "Table": {"CapacityUnits": 4.0, "WriteCapacityUnits": 4.0},
            "GlobalSecondaryIndexes": {"by-g": {"CapacityUnits": 1.0, "WriteCapacityUnits": 1.0}},
        }])
    );
    let again = done(&admin, "TransactWriteItems", write).await;
    assert_eq!(
        again["ConsumedCapacity"],
        json!([{
            "TableName": "notes", "CapacityUnits": 2.0, "ReadCapacityUnits": 2.0,
            "Table": {"CapacityUnits": 2.0, "ReadCapacityUnits": 2.0},
        }])
    );
}

#[tokio::test]
async fn what_a_transaction_reads_may_be_nothing() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    put(&admin, "notes", json!({"p": {"S": "a"}})).await;
    let get = json!({"TableName": "notes", "Key": {"p": {"S": "a"}}, "ProjectionExpression": "nope"});
    let read = done(&admin, "TransactGetItems", json!({"TransactItems": [{"Get": get}]})).await;
    assert_eq!(read["Responses"], json!([{}]));
}

#[tokio::test]
async fn conditions_without_end_are_counted_and_not_nested() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    put(&admin, "notes", json!({"p": {"S": "a"}})).await;
    let missing = |count: usize| {
        let each = (0..count).map(|at| (format!("a{at}"), json!({"ComparisonOperator": "NULL"})));
        Value::Object(each.collect())
    };
    let scan = |count| json!({"TableName": "notes", "ScanFilter": missing(count)});
    assert_eq!(done(&admin, "Scan", scan(300)).await["Count"], 1);
    let said = "Invalid FilterExpression: The expression contains too many operators; operator count: 100000";
    assert_eq!(refusal(&admin, "Scan", scan(100_000)).await, ("ValidationException".into(), said.into()));
    let expected = (0..100_000).map(|at| (format!("a{at}"), json!({"Exists": false}))).collect();
    let put = json!({"TableName": "notes", "Item": {"p": {"S": "a"}}, "Expected": Value::Object(expected)});
    assert_eq!(refusal(&admin, "PutItem", put).await.0, "ValidationException");
    let updates = (0..30_000).map(|at| (format!("a{at}"), json!({"Value": {"N": "1"}}))).collect();
    let update =
        json!({"TableName": "notes", "Key": {"p": {"S": "a"}}, "AttributeUpdates": Value::Object(updates)});
    done(&admin, "UpdateItem", update).await;
    let nameless = json!({"TableName": "notes", "Key": {"p": {"S": "a"}}, "AttributeUpdates": {"": {"Value": {"N": "1"}}}});
    let said = one("Empty attribute name");
    assert_eq!(refusal(&admin, "UpdateItem", nameless).await, ("ValidationException".into(), said));
}

#[tokio::test]
async fn what_an_expression_names_again_and_again_counts_each_time() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let among = |times: usize| {
        json!({
            "TableName": "notes", "Item": {"p": {"S": "a"}},
            "ConditionExpression": format!("NOT #a IN ({})", vec![":v"; times].join(",")),
            "ExpressionAttributeNames": {"#a": "a"},
            "ExpressionAttributeValues": {":v": {"S": "x".repeat(40_000)}},
        })
    };
    done(&admin, "PutItem", among(52)).await;
    let said = "Invalid ConditionExpression: The expression's substitution variables exceed the maximum allowed size; size: 2120001";
    assert_eq!(refusal(&admin, "PutItem", among(53)).await, ("ValidationException".into(), one(said)));
    let name = json!({
        "TableName": "notes", "Item": {"p": {"S": "a"}},
        "ConditionExpression": format!("attribute_not_exists({})", vec!["#a"; 32].join(".")),
        "ExpressionAttributeNames": {"#a": "x".repeat(65_535)},
    });
    done(&admin, "PutItem", name.clone()).await;
    let twice = format!("{0} OR {0}", name["ConditionExpression"].as_str().unwrap());
    let mut twice_named = name;
    twice_named["ConditionExpression"] = json!(twice);
    assert_eq!(refusal(&admin, "PutItem", twice_named).await.0, "ValidationException");
}
