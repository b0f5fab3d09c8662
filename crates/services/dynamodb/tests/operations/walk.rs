use homeport_testkit::{Sample, assert_strangers_are_refused};
use serde_json::{Value, json};

use super::app::{app, done, hash_table};

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
    let recovery = json!({"TableName": "notes", "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true}});
    let policy = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "dynamodb:Scan", "Resource": "*"}]}"#;
    let backup = &system_backup().await;
    let samples = [
        Sample::new("dynamodb", "CreateTable", hash_table("notes")),
        Sample::new("dynamodb", "DescribeEndpoints", json!({})),
        Sample::new("dynamodb", "DescribeLimits", json!({})),
        sample("BatchExecuteStatement", json!({"Statements": [{"Statement": insert}]})).per_item(),
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
        sample("PutResourcePolicy", json!({"ResourceArn": arn, "Policy": policy})),
        sample("GetResourcePolicy", json!({"ResourceArn": arn}))
            .after("PutResourcePolicy", json!({"ResourceArn": arn, "Policy": policy})),
        sample("DeleteResourcePolicy", json!({"ResourceArn": arn})),
        sample("DescribeContributorInsights", json!({"TableName": "notes"})),
        sample("DescribeKinesisStreamingDestination", json!({"TableName": "notes"})),
        sample("DescribeTableReplicaAutoScaling", json!({"TableName": "notes"})),
        sample("CreateBackup", json!({"TableName": "notes", "BackupName": "nightly"})),
        sample("DescribeContinuousBackups", json!({"TableName": "notes"})),
        sample("UpdateContinuousBackups", recovery.clone()),
        sample("ListBackups", json!({})),
        sample("ListExports", json!({})),
        sample("ListImports", json!({})),
        Sample::new("dynamodb", "ImportTable", import()),
        Sample::new("dynamodb", "DescribeImport", json!({"ImportArn": of_import().await}))
            .after("ImportTable", import()),
        sample("ExportTableToPointInTime", json!({"TableArn": arn, "S3Bucket": "bucket"}))
            .after("UpdateContinuousBackups", recovery.clone()),
        sample("DescribeExport", json!({"ExportArn": of_export(&recovery).await}))
            .after("UpdateContinuousBackups", recovery.clone())
            .after("ExportTableToPointInTime", export()),
        kept("DescribeBackup", json!({"BackupArn": backup})),
        kept("DeleteBackup", json!({"BackupArn": backup})),
        kept("RestoreTableFromBackup", json!({"BackupArn": backup, "TargetTableName": "copy"})),
        sample(
            "RestoreTableToPointInTime",
            json!({"SourceTableName": "notes", "TargetTableName": "copy", "UseLatestRestorableTime": true}),
        )
        .after("UpdateContinuousBackups", recovery),
        sample("DescribeTimeToLive", json!({"TableName": "notes"})),
        sample(
            "UpdateTimeToLive",
            json!({"TableName": "notes", "TimeToLiveSpecification": {"Enabled": true, "AttributeName": "gone"}}),
        ),
        sample("UpdateTable", json!({"TableName": "notes", "DeletionProtectionEnabled": true})),
    ];
    let streams = of_streams().await;
    assert_strangers_are_refused(app, &samples.into_iter().chain(streams).collect::<Vec<_>>()).await;
}

/// A table that was deleted: a backup that is there at once.
fn kept(operation: &'static str, input: Value) -> Sample {
    sample(operation, input)
        .after("UpdateContinuousBackups", json!({"TableName": "notes", "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true}}))
        .after("DeleteTable", json!({"TableName": "notes"}))
}

/// The clock and the random numbers of every test app begin alike, so the backup is called alike in all.
async fn system_backup() -> Value {
    let app = app();
    let admin = app.admin();
    for (_, operation, input) in kept("ListBackups", json!({})).before {
        done(&admin, operation, input).await;
    }
    let listed = done(&admin, "ListBackups", json!({"BackupType": "SYSTEM"})).await;
    listed["BackupSummaries"][0]["BackupArn"].clone()
}

fn import() -> Value {
    json!({
        "ClientToken": "token",
        "S3BucketSource": {"S3Bucket": "bucket"},
        "InputFormat": "DYNAMODB_JSON",
        "TableCreationParameters": hash_table("imported"),
    })
}

fn export() -> Value {
    let arn = "arn:aws:dynamodb:us-east-1:123456789012:table/notes";
    json!({"TableArn": arn, "S3Bucket": "bucket", "ClientToken": "token"})
}

async fn of_import() -> Value {
    let begun = done(&app().admin(), "ImportTable", import()).await;
    begun["ImportTableDescription"]["ImportArn"].clone()
}

async fn of_export(recovery: &Value) -> Value {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    done(&admin, "UpdateContinuousBackups", recovery.clone()).await;
    let begun = done(&admin, "ExportTableToPointInTime", export()).await;
    begun["ExportDescription"]["ExportArn"].clone()
}

fn streamed() -> Value {
    let mut table = hash_table("notes");
    table["StreamSpecification"] = json!({"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"});
    table
}

/// The clock and the random numbers of every test app begin alike, so streams and shards are called alike in all.
async fn of_streams() -> Vec<Sample> {
    let app = app();
    let admin = app.admin();
    let made = done(&admin, "CreateTable", streamed()).await;
    let arn = made["TableDescription"]["LatestStreamArn"].clone();
    let ask =
        async |operation: &str, input| admin.call("dynamodbstreams", operation, input).await.ok().json();
    let described = ask("DescribeStream", json!({"StreamArn": arn})).await;
    let shard = described["StreamDescription"]["Shards"][0]["ShardId"].clone();
    let begin = json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"});
    let iterator = ask("GetShardIterator", begin.clone()).await["ShardIterator"].clone();
    [
        ("DescribeStream", json!({"StreamArn": arn})),
        ("GetRecords", json!({"ShardIterator": iterator})),
        ("GetShardIterator", begin),
        ("ListStreams", json!({})),
    ]
    .map(|(operation, input)| {
        Sample::new("dynamodbstreams", operation, input).after_other("dynamodb", "CreateTable", streamed())
    })
    .into()
}
