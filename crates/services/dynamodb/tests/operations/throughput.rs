use serde_json::{Value, json};

use super::app::{call, done, hash_table, refusal, working_app};

fn provisioned(read: u64, write: u64) -> Value {
    let mut table = hash_table("notes");
    table["BillingMode"] = json!("PROVISIONED");
    table["ProvisionedThroughput"] = json!({"ReadCapacityUnits": read, "WriteCapacityUnits": write});
    table
}

fn putting(id: &str, bytes: usize) -> Value {
    json!({"TableName": "notes", "Item": {"p": {"S": id}, "text": {"S": "x".repeat(bytes)}}})
}

const SAID: &str = "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.";
const OF_INDEX: &str = "The level of configured provisioned throughput for one or more global secondary indexes of the table was exceeded. Consider increasing your provisioning level for the under-provisioned global secondary indexes with the UpdateTable API";

#[tokio::test]
async fn what_was_left_unused_for_five_minutes_passes_and_then_the_rate() {
    let (app, _service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", provisioned(1, 1)).await;
    // 300 units: six items of 50 KB.
    for number in 0..6 {
        done(&admin, "PutItem", putting(&number.to_string(), 50 * 1024 - 20)).await;
    }
    let refused = refusal(&admin, "PutItem", putting("more", 1)).await;
    assert_eq!(refused, ("ProvisionedThroughputExceededException".to_owned(), SAID.to_owned()));
    // Reads have a capacity of their own.
    let read = json!({"TableName": "notes", "Key": {"p": {"S": "0"}}});
    done(&admin, "GetItem", read).await;
    app.clock.advance_seconds(2);
    done(&admin, "PutItem", putting("more", 1)).await;
    done(&admin, "PutItem", putting("more", 1)).await;
    assert_eq!(refusal(&admin, "PutItem", putting("more", 1)).await.0, "ProvisionedThroughputExceededException");
    done(&admin, "UpdateTable", json!({"TableName": "notes", "BillingMode": "PAY_PER_REQUEST"})).await;
    for _ in 0..10 {
        done(&admin, "PutItem", putting("more", 1)).await;
    }
}

#[tokio::test]
async fn what_a_call_took_too_much_is_made_up_for() {
    let (app, _service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", provisioned(1, 100)).await;
    for number in 0..20 {
        done(&admin, "PutItem", putting(&number.to_string(), 300 * 1024)).await;
    }
    let scan = json!({"TableName": "notes", "ConsistentRead": true});
    // 1 MB is 256 units and a bit, of 300; the second page takes what isn't there.
    for _ in 0..2 {
        assert_eq!(call(&admin, "Scan", scan.clone()).await.status, 200);
    }
    assert_eq!(refusal(&admin, "Scan", scan.clone()).await.0, "ProvisionedThroughputExceededException");
    app.clock.advance_seconds(120);
    assert_eq!(refusal(&admin, "Scan", scan.clone()).await.0, "ProvisionedThroughputExceededException");
    app.clock.advance_seconds(300);
    assert_eq!(call(&admin, "Scan", scan).await.status, 200);
}

#[tokio::test]
async fn an_index_that_has_nothing_left_holds_up_its_own_reads_and_the_tables_writes() {
    let (app, _service) = working_app();
    let admin = app.admin();
    let mut table = provisioned(100, 100);
    table["AttributeDefinitions"] =
        json!([{"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "g", "AttributeType": "S"}]);
    table["GlobalSecondaryIndexes"] = json!([{
        "IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
        "ProvisionedThroughput": {"ReadCapacityUnits": 100, "WriteCapacityUnits": 1},
    }]);
    done(&admin, "CreateTable", table).await;
    let item = |number: u32| {
        json!({"TableName": "notes", "Item": {
            "p": {"S": number.to_string()}, "g": {"S": "x"}, "text": {"S": "x".repeat(100 * 1024)},
        }})
    };
    for number in 0..3 {
        done(&admin, "PutItem", item(number)).await;
    }
    let refused = refusal(&admin, "PutItem", item(3)).await;
    assert_eq!(refused, ("ProvisionedThroughputExceededException".to_owned(), OF_INDEX.to_owned()));
    done(&admin, "Scan", json!({"TableName": "notes", "IndexName": "by-g"})).await;
    done(&admin, "GetItem", json!({"TableName": "notes", "Key": {"p": {"S": "0"}}})).await;
}

#[tokio::test]
async fn a_call_that_did_not_pass_wrote_nothing_whatever_it_was() {
    let (app, _service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", provisioned(1, 1)).await;
    for number in 0..6 {
        done(&admin, "PutItem", putting(&number.to_string(), 50 * 1024 - 20)).await;
    }
    let key = json!({"p": {"S": "0"}});
    let before = app.rows().await;
    for (operation, input) in [
        ("DeleteItem", json!({"TableName": "notes", "Key": key})),
        ("UpdateItem", json!({"TableName": "notes", "Key": key, "UpdateExpression": "SET a = p"})),
        ("BatchWriteItem", json!({"RequestItems": {"notes": [{"DeleteRequest": {"Key": key}}]}})),
        ("TransactWriteItems", json!({"TransactItems": [{"Delete": {"TableName": "notes", "Key": key}}]})),
        ("ExecuteStatement", json!({"Statement": "DELETE FROM notes WHERE p = '0'"})),
    ] {
        assert_eq!(
            refusal(&admin, operation, input).await.0,
            "ProvisionedThroughputExceededException",
            "{operation}"
        );
    }
    assert!(app.rows().await == before);
}
