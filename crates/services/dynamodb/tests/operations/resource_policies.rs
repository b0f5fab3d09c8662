use serde_json::{Value, json};

use super::app::{call, done, get, hash_table, put, refusal, working_app};

const TABLE: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/notes";

fn policy(effect: &str, actions: &[&str], resource: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": effect, "Principal": {"AWS": "*"}, "Action": actions, "Resource": resource,
    }]})
    .to_string()
}

fn putting(text: &str) -> Value {
    json!({"ResourceArn": TABLE, "Policy": text})
}

#[tokio::test]
async fn a_tables_policy_lets_in_and_keeps_out_until_it_is_removed() {
    let (app, _service) = working_app();
    let (admin, stranger) = (app.admin(), app.stranger());
    done(&admin, "CreateTable", hash_table("notes")).await;
    put(&admin, "notes", json!({"p": {"S": "a"}})).await;
    let read = json!({"TableName": "notes", "Key": {"p": {"S": "a"}}});
    assert_eq!(refusal(&stranger, "GetItem", read.clone()).await.0, "AccessDeniedException");
    let lets = policy("Allow", &["dynamodb:GetItem"], TABLE);
    let revision = done(&admin, "PutResourcePolicy", putting(&lets)).await["RevisionId"].clone();
    assert!(!get(&stranger, "notes", json!({"p": {"S": "a"}})).await.is_null());
    let write = json!({"TableName": "notes", "Item": {"p": {"S": "b"}}});
    assert_eq!(refusal(&stranger, "PutItem", write.clone()).await.0, "AccessDeniedException");
    let again = done(&admin, "PutResourcePolicy", putting(&lets)).await;
    assert_eq!(again["RevisionId"], revision);
    let shown = done(&admin, "GetResourcePolicy", json!({"ResourceArn": TABLE})).await;
    assert_eq!(shown, json!({"Policy": lets, "RevisionId": revision}));
    done(&admin, "PutResourcePolicy", putting(&policy("Deny", &["dynamodb:PutItem"], TABLE))).await;
    assert_eq!(refusal(&admin, "PutItem", write.clone()).await.0, "AccessDeniedException");
    assert_eq!(refusal(&stranger, "GetItem", read.clone()).await.0, "AccessDeniedException");
    done(&admin, "DeleteResourcePolicy", json!({"ResourceArn": TABLE})).await;
    done(&admin, "PutItem", write).await;
    assert_eq!(done(&admin, "DeleteResourcePolicy", json!({"ResourceArn": TABLE})).await, json!({}));
}

#[tokio::test]
async fn an_indexs_reads_are_the_tables_policy_and_a_streams_are_its_own() {
    let (app, _service) = working_app();
    let (admin, stranger) = (app.admin(), app.stranger());
    let mut table = hash_table("notes");
    table["AttributeDefinitions"] =
        json!([{"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "g", "AttributeType": "S"}]);
    table["GlobalSecondaryIndexes"] = json!([{
        "IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }]);
    table["StreamSpecification"] = json!({"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"});
    table["ResourcePolicy"] = json!(policy("Allow", &["dynamodb:Scan"], &format!("{TABLE}/index/by-g")));
    let made = done(&admin, "CreateTable", table).await;
    let stream = made["TableDescription"]["LatestStreamArn"].as_str().unwrap().to_owned();
    done(&stranger, "Scan", json!({"TableName": "notes", "IndexName": "by-g"})).await;
    assert_eq!(refusal(&stranger, "Scan", json!({"TableName": "notes"})).await.0, "AccessDeniedException");
    let describe = json!({"StreamArn": stream});
    let refused = stranger.call("dynamodbstreams", "DescribeStream", describe.clone()).await;
    assert_eq!(refused.code(), "AccessDeniedException");
    let text = policy("Allow", &["dynamodb:DescribeStream"], &stream);
    done(&admin, "PutResourcePolicy", json!({"ResourceArn": stream, "Policy": text})).await;
    stranger.call("dynamodbstreams", "DescribeStream", describe).await.ok();
}

#[tokio::test]
async fn a_policy_goes_with_its_table() {
    let (app, _service) = working_app();
    let (admin, stranger) = (app.admin(), app.stranger());
    let mut table = hash_table("notes");
    table["ResourcePolicy"] = json!(policy("Allow", &["dynamodb:*"], TABLE));
    done(&admin, "CreateTable", table).await;
    done(&stranger, "DescribeTable", json!({"TableName": "notes"})).await;
    done(&admin, "DeleteTable", json!({"TableName": "notes"})).await;
    done(&admin, "CreateTable", hash_table("notes")).await;
    assert_eq!(
        refusal(&stranger, "DescribeTable", json!({"TableName": "notes"})).await.0,
        "AccessDeniedException"
    );
}

#[tokio::test]
async fn policies_that_cannot_be_are_refused() {
    let (app, _service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let lets = policy("Allow", &["dynamodb:GetItem"], TABLE);
    let expecting =
        |revision: &str| json!({"ResourceArn": TABLE, "Policy": lets, "ExpectedRevisionId": revision});
    for (operation, input, code) in [
        ("GetResourcePolicy", json!({"ResourceArn": TABLE}), "PolicyNotFoundException"),
        ("GetResourcePolicy", json!({"ResourceArn": format!("{TABLE}x")}), "ResourceNotFoundException"),
        ("PutResourcePolicy", putting("{"), "ValidationException"),
        ("PutResourcePolicy", putting(&"x".repeat(20 * 1024 + 1)), "ValidationException"),
        ("PutResourcePolicy", expecting("1"), "PolicyNotFoundException"),
        (
            "PutResourcePolicy",
            json!({"ResourceArn": format!("{TABLE}/index/by-g"), "Policy": lets}),
            "ResourceNotFoundException",
        ),
        (
            "PutResourcePolicy",
            putting(&lets.replace("\"*\"", "\"arn:aws:iam::123456789012:role/nobody\"")),
            "ValidationException",
        ),
    ] {
        assert_eq!(refusal(&admin, operation, input).await.0, code, "{operation}");
    }
    assert!(call(&admin, "PutResourcePolicy", expecting("NO_POLICY")).await.status < 300);
    assert_eq!(
        refusal(&admin, "PutResourcePolicy", expecting("NO_POLICY")).await.0,
        "PolicyNotFoundException"
    );
}

#[tokio::test]
async fn what_other_services_would_add_is_told_as_it_stands() {
    let (app, _service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let table = json!({"TableName": "notes"});
    let told = done(&admin, "DescribeContributorInsights", table.clone()).await;
    assert_eq!(told, json!({"TableName": "notes", "ContributorInsightsStatus": "DISABLED"}));
    let told = done(&admin, "DescribeKinesisStreamingDestination", table.clone()).await;
    assert_eq!(told, json!({"TableName": "notes", "KinesisDataStreamDestinations": []}));
    let told = done(&admin, "DescribeTableReplicaAutoScaling", table).await;
    assert_eq!(told["TableAutoScalingDescription"]["Replicas"], json!([]));
    let nowhere = json!({"TableName": "nope"});
    assert_eq!(refusal(&admin, "DescribeContributorInsights", nowhere).await.0, "ResourceNotFoundException");
}
