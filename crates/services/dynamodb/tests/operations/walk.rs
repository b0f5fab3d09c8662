use homeport_testkit::{Sample, assert_strangers_are_refused};
use serde_json::json;

use super::app::{app, hash_table};

fn sample(operation: &'static str, input: serde_json::Value) -> Sample {
    Sample::new("dynamodb", operation, input).after("CreateTable", hash_table("notes"))
}

#[tokio::test]
async fn strangers_are_refused() {
    let key = json!({"p": {"S": "a"}});
    let arn = "arn:aws:dynamodb:us-east-1:123456789012:table/notes";
    let insert = "INSERT INTO notes VALUE {'p': 'a'}";
    let on_item = json!({"TableName": "notes", "Key": key});
    let query = json!({"TableName": "notes", "KeyConditionExpression": "p = :p", "ExpressionAttributeValues": {":p": {"S": "a"}}});
    let samples = [
        Sample::new("dynamodb", "CreateTable", hash_table("notes")),
        Sample::new("dynamodb", "DescribeEndpoints", json!({})),
        Sample::new("dynamodb", "DescribeLimits", json!({})),
        sample("BatchExecuteStatement", json!({"Statements": [{"Statement": insert}]})),
        sample("BatchGetItem", json!({"RequestItems": {"notes": {"Keys": [key]}}})),
        sample("BatchWriteItem", json!({"RequestItems": {"notes": [{"PutRequest": {"Item": key}}]}})),
        sample("DeleteItem", on_item.clone()),
        sample("DeleteTable", json!({"TableName": "notes"})),
        sample("DescribeTable", json!({"TableName": "notes"})),
        sample("ExecuteStatement", json!({"Statement": insert})),
        sample("ExecuteTransaction", json!({"TransactStatements": [{"Statement": insert}]})),
        sample("GetItem", on_item.clone()),
        sample("ListTables", json!({})),
        sample("ListTagsOfResource", json!({"ResourceArn": arn})),
        sample("PutItem", json!({"TableName": "notes", "Item": key})),
        sample("Query", query),
        sample("Scan", json!({"TableName": "notes"})),
        sample("TagResource", json!({"ResourceArn": arn, "Tags": [{"Key": "a", "Value": "b"}]})),
        sample("TransactGetItems", json!({"TransactItems": [{"Get": on_item}]})),
        sample(
            "TransactWriteItems",
            json!({"TransactItems": [{"Put": {"TableName": "notes", "Item": key}}]}),
        ),
        sample("UntagResource", json!({"ResourceArn": arn, "TagKeys": ["a"]})),
        sample("UpdateItem", on_item),
        sample("UpdateTable", json!({"TableName": "notes", "DeletionProtectionEnabled": true})),
    ];
    assert_strangers_are_refused(app, &samples).await;
}
