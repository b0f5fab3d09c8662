//! What is provisioned is what is served: a burst of five minutes' worth, then the rate.

use futures_util::future::{join, join_all};
use homeport_testkit::TestApp;
use serde_json::{Value, json};

use super::app::{app, call, done, get, hash_table, put, refusal};

const TABLE: &str = "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.";
const INDEX: &str = "The level of configured provisioned throughput for one or more global secondary indexes of the table was exceeded. Consider increasing your provisioning level for the under-provisioned global secondary indexes with the UpdateTable API";

fn provisioned(name: &str, read: u64, write: u64) -> Value {
    let mut table = hash_table(name);
    table["BillingMode"] = json!("PROVISIONED");
    table["ProvisionedThroughput"] = json!({"ReadCapacityUnits": read, "WriteCapacityUnits": write});
    table
}

/// With a global index `by-g` that serves one write a second.
fn indexed(name: &str) -> Value {
    let mut table = provisioned(name, 10, 10);
    table["AttributeDefinitions"] =
        json!([{"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "g", "AttributeType": "S"}]);
    table["GlobalSecondaryIndexes"] = json!([{
        "IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
        "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    }]);
    table
}

/// An item whose write consumes this many units.
fn item(key: &str, units: usize) -> Value {
    json!({"p": {"S": key}, "text": {"S": "x".repeat(units * 1024 - 64)}})
}

fn arn(table: &str) -> String {
    format!("arn:aws:dynamodb:us-east-1:123456789012:table/{table}")
}

fn exceeded(message: &str) -> (String, String) {
    ("ProvisionedThroughputExceededException".to_owned(), message.to_owned())
}

fn put_of(table: &str, item: Value) -> Value {
    json!({"TableName": table, "Item": item})
}

#[tokio::test]
async fn writes_beyond_a_burst_are_refused_until_the_rate_has_made_up_for_them() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", provisioned("notes", 1, 1)).await;
    put(&admin, "notes", item("first", 300)).await;
    let reply = call(&admin, "PutItem", put_of("notes", item("second", 1))).await;
    assert_eq!((reply.code(), reply.message()), exceeded(TABLE));
    let reasons = reply.json()["ThrottlingReasons"].clone();
    assert_eq!(reasons[0]["reason"], "TableWriteProvisionedThroughputExceeded");
    assert!(reasons[0]["resource"].as_str().is_some_and(|arn| arn.ends_with(":table/notes")));
    assert_eq!(get(&admin, "notes", json!({"p": {"S": "second"}})).await, Value::Null);

    app.clock.advance_seconds(1);
    put(&admin, "notes", item("second", 5)).await;
    // Five were taken where one was left: the next four seconds are spoken for.
    app.clock.advance_seconds(4);
    assert_eq!(refusal(&admin, "PutItem", put_of("notes", item("third", 1))).await, exceeded(TABLE));
    app.clock.advance_seconds(1);
    put(&admin, "notes", item("third", 1)).await;
}

#[tokio::test]
async fn reads_and_writes_are_counted_apart() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", provisioned("notes", 1, 100)).await;
    put(&admin, "notes", item("first", 390)).await;
    let consistent = json!({"TableName": "notes", "Key": {"p": {"S": "first"}}, "ConsistentRead": true});
    // 98 units each.
    for _ in 0..4 {
        done(&admin, "GetItem", consistent.clone()).await;
    }
    assert_eq!(refusal(&admin, "GetItem", consistent).await, exceeded(TABLE));
    for (operation, input) in [
        ("Scan", json!({"TableName": "notes"})),
        (
            "Query",
            json!({
                "TableName": "notes", "KeyConditionExpression": "p = :p",
                "ExpressionAttributeValues": {":p": {"S": "first"}},
            }),
        ),
        ("ExecuteStatement", json!({"Statement": "SELECT * FROM notes WHERE p = 'first'"})),
        ("BatchGetItem", json!({"RequestItems": {"notes": {"Keys": [{"p": {"S": "first"}}]}}})),
    ] {
        assert_eq!(refusal(&admin, operation, input).await, exceeded(TABLE), "{operation}");
    }
    put(&admin, "notes", item("second", 1)).await;
}

#[tokio::test]
async fn an_index_that_cannot_follow_refuses_the_tables_write() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", indexed("notes")).await;
    let mut first = item("first", 300);
    first["g"] = json!({"S": "group"});
    put(&admin, "notes", first).await;
    let mut second = item("second", 1);
    second["g"] = json!({"S": "group"});
    let reply = call(&admin, "PutItem", put_of("notes", second)).await;
    assert_eq!((reply.code(), reply.message()), exceeded(INDEX));
    let reason = reply.json()["ThrottlingReasons"][0].clone();
    assert_eq!(reason["reason"], "IndexWriteProvisionedThroughputExceeded");
    assert!(reason["resource"].as_str().is_some_and(|arn| arn.ends_with(":table/notes/index/by-g")));
    // What isn't in the index asks nothing of it.
    put(&admin, "notes", item("third", 1)).await;
}

#[tokio::test]
async fn a_condition_that_fails_is_charged_for() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", provisioned("notes", 1, 1)).await;
    put(&admin, "notes", item("first", 200)).await;
    let mut again = put_of("notes", item("first", 1));
    again["ConditionExpression"] = json!("attribute_not_exists(p)");
    let failed = refusal(&admin, "PutItem", again.clone()).await;
    assert_eq!(failed.0, "ConditionalCheckFailedException");
    assert_eq!(
        refusal(&admin, "DeleteItem", json!({"TableName": "notes", "Key": {"p": {"S": "x"}}})).await,
        exceeded(TABLE)
    );
    // Of what is refused for its condition nothing else is told.
    assert_eq!(refusal(&admin, "PutItem", again).await.0, "ConditionalCheckFailedException");
}

#[tokio::test]
async fn batches_leave_what_a_table_does_not_serve_and_go_on_with_others() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", provisioned("slow", 1, 1)).await;
    done(&admin, "CreateTable", hash_table("quick")).await;
    put(&admin, "slow", item("first", 300)).await;
    let puts = json!([{"PutRequest": {"Item": item("a", 1)}}]);
    let deletes = json!([{"DeleteRequest": {"Key": {"p": {"S": "first"}}}}, {"PutRequest": {"Item": {"p": {"S": "b"}}}}]);
    let batch = json!({"RequestItems": {"quick": puts, "slow": deletes.clone()}});
    let answer = done(&admin, "BatchWriteItem", batch).await;
    assert_eq!(answer["UnprocessedItems"], json!({"slow": deletes}));
    assert_ne!(get(&admin, "quick", json!({"p": {"S": "a"}})).await, Value::Null);
    assert_ne!(get(&admin, "slow", json!({"p": {"S": "first"}})).await, Value::Null);
    let alone = json!({"RequestItems": {"slow": deletes}});
    assert_eq!(refusal(&admin, "BatchWriteItem", alone).await, exceeded(TABLE));

    for _ in 0..7 {
        get(&admin, "slow", json!({"p": {"S": "first"}})).await;
    }
    let keys = json!({"Keys": [{"p": {"S": "first"}}]});
    let batch = json!({"RequestItems": {"quick": {"Keys": [{"p": {"S": "a"}}]}, "slow": keys.clone()}});
    let answer = done(&admin, "BatchGetItem", batch).await;
    assert_eq!(answer["UnprocessedKeys"], json!({"slow": keys}));
    assert_eq!(answer["Responses"]["quick"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_transaction_says_which_of_its_actions_were_too_much() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", provisioned("slow", 1, 1)).await;
    done(&admin, "CreateTable", hash_table("quick")).await;
    put(&admin, "slow", item("first", 300)).await;
    let actions = json!([
        {"Put": {"TableName": "quick", "Item": {"p": {"S": "a"}}}},
        {"Put": {"TableName": "slow", "Item": {"p": {"S": "a"}}}},
    ]);
    let reply = call(&admin, "TransactWriteItems", json!({"TransactItems": actions})).await;
    assert_eq!(reply.code(), "TransactionCanceledException");
    assert_eq!(
        reply.json()["CancellationReasons"],
        json!([{"Code": "None"}, {"Code": "ProvisionedThroughputExceeded", "Message": TABLE}])
    );
    assert_eq!(get(&admin, "quick", json!({"p": {"S": "a"}})).await, Value::Null);
    let statements = json!({"TransactStatements": [{"Statement": "INSERT INTO slow VALUE {'p': 'b'}"}]});
    let reply = call(&admin, "ExecuteTransaction", statements).await;
    assert_eq!(reply.json()["CancellationReasons"][0]["Code"], "ProvisionedThroughputExceeded");
    let statements = json!({"Statements": [{"Statement": "INSERT INTO slow VALUE {'p': 'b'}"}]});
    let answer = done(&admin, "BatchExecuteStatement", statements).await;
    assert_eq!(answer["Responses"][0]["Error"]["Code"], "ProvisionedThroughputExceeded");
}

#[tokio::test]
async fn what_is_provisioned_anew_holds_from_then_on() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", provisioned("notes", 1, 1)).await;
    put(&admin, "notes", item("first", 300)).await;
    let more = json!({"ReadCapacityUnits": 1, "WriteCapacityUnits": 50});
    done(&admin, "UpdateTable", json!({"TableName": "notes", "ProvisionedThroughput": more})).await;
    app.clock.advance_seconds(1);
    put(&admin, "notes", item("second", 40)).await;
    put(&admin, "notes", item("third", 40)).await;
    assert_eq!(refusal(&admin, "PutItem", put_of("notes", item("fourth", 1))).await, exceeded(TABLE));
    done(&admin, "UpdateTable", json!({"TableName": "notes", "BillingMode": "PAY_PER_REQUEST"})).await;
    put(&admin, "notes", item("fourth", 300)).await;
}

#[tokio::test]
async fn an_on_demand_table_serves_no_more_than_its_maximum() {
    let app = app();
    let admin = app.admin();
    let mut table = hash_table("notes");
    table["OnDemandThroughput"] = json!({"MaxWriteRequestUnits": 1});
    done(&admin, "CreateTable", table).await;
    put(&admin, "notes", item("first", 300)).await;
    let reply = call(&admin, "PutItem", put_of("notes", item("second", 1))).await;
    assert_eq!(reply.code(), "ThrottlingException");
    assert_eq!(reply.json()["ThrottlingReasons"][0]["reason"], "TableWriteMaxOnDemandThroughputExceeded");
    for _ in 0..9 {
        get(&admin, "notes", json!({"p": {"S": "first"}})).await;
    }
}

#[tokio::test]
async fn what_calls_at_once_owe_is_made_up_for_within_five_minutes() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", provisioned("notes", 1, 1)).await;
    let puts = ["a", "b", "c", "d", "e", "f"].map(|key| put_of("notes", item(key, 390)));
    let replies = join_all(puts.map(|put| call(&admin, "PutItem", put))).await;
    let passed = replies.iter().filter(|reply| reply.status == 200).count();
    assert!(passed >= 3, "only {passed} passed at once");
    app.clock.advance_seconds(300);
    assert_eq!(refusal(&admin, "PutItem", put_of("notes", item("g", 1))).await, exceeded(TABLE));
    app.clock.advance_seconds(1);
    put(&admin, "notes", item("g", 1)).await;
}

#[tokio::test]
async fn a_local_index_is_read_from_what_its_table_serves() {
    let app = app();
    let admin = app.admin();
    let mut table = provisioned("notes", 1, 10);
    let attribute = |name: &str| json!({"AttributeName": name, "AttributeType": "S"});
    let key = |range: &str| json!([{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": range, "KeyType": "RANGE"}]);
    table["AttributeDefinitions"] = ["p", "r", "s"].map(attribute).into();
    table["KeySchema"] = key("r");
    table["LocalSecondaryIndexes"] =
        json!([{"IndexName": "by-s", "KeySchema": key("s"), "Projection": {"ProjectionType": "ALL"}}]);
    done(&admin, "CreateTable", table).await;
    let mut first = item("first", 390);
    (first["r"], first["s"]) = (json!({"S": "r"}), json!({"S": "s"}));
    put(&admin, "notes", first).await;
    let scan = json!({"TableName": "notes", "IndexName": "by-s", "ConsistentRead": true});
    let mut query = scan.clone();
    query["KeyConditionExpression"] = json!("p = :p");
    query["ExpressionAttributeValues"] = json!({":p": {"S": "first"}});
    // 98 units each.
    for _ in 0..4 {
        done(&admin, "Query", query.clone()).await;
    }
    let select = json!({"Statement": "SELECT * FROM \"notes\".\"by-s\" WHERE p = 'first'"});
    for (operation, input) in [("Query", query), ("Scan", scan), ("ExecuteStatement", select)] {
        assert_eq!(refusal(&admin, operation, input).await, exceeded(TABLE), "{operation}");
    }
}

#[tokio::test]
async fn writes_under_two_names_of_a_table_are_all_charged_for() {
    let (name, arn) = ("notes", arn("notes"));
    let batch = |key, units| json!([{"PutRequest": {"Item": item(key, units)}}]);
    let action = |table: &str, key| json!({"Put": put_of(table, item(key, 100))});
    let insert = |table: &str, key: &str, units: usize| {
        let text = json!({"S": "x".repeat(units * 1024 - 64)});
        json!({"Statement": format!("INSERT INTO \"{table}\" VALUE {{'p': '{key}', 'text': ?}}"), "Parameters": [text]})
    };
    for (operation, input) in [
        ("BatchWriteItem", json!({"RequestItems": {name: batch("a", 200), &arn: batch("b", 200)}})),
        ("TransactWriteItems", json!({"TransactItems": [action(name, "a"), action(&arn, "b")]})),
        ("BatchExecuteStatement", json!({"Statements": [insert(name, "a", 200), insert(&arn, "b", 200)]})),
        (
            "ExecuteTransaction",
            json!({"TransactStatements": [insert(name, "a", 100), insert(&arn, "b", 100)]}),
        ),
    ] {
        let app = app();
        let admin = app.admin();
        done(&admin, "CreateTable", provisioned("notes", 1, 1)).await;
        done(&admin, operation, input).await;
        app.clock.advance_seconds(50);
        let refused = refusal(&admin, "PutItem", put_of("notes", item("c", 1))).await;
        assert_eq!(refused, exceeded(TABLE), "{operation}");
        app.clock.advance_seconds(51);
        put(&admin, "notes", item("c", 1)).await;
    }
}

#[tokio::test]
async fn reads_under_two_names_of_a_table_are_all_charged_for() {
    let (name, arn) = ("notes", arn("notes"));
    let keys =
        |keys: [&str; 2]| json!({"ConsistentRead": true, "Keys": keys.map(|key| json!({"p": {"S": key}}))});
    let action = |table: &str, key| json!({"Get": {"TableName": table, "Key": {"p": {"S": key}}}});
    for (operation, input) in [
        ("BatchGetItem", json!({"RequestItems": {name: keys(["a", "b"]), &arn: keys(["c", "d"])}})),
        ("TransactGetItems", json!({"TransactItems": [action(name, "a"), action(&arn, "b")]})),
    ] {
        let app = app();
        let admin = app.admin();
        done(&admin, "CreateTable", provisioned("notes", 1, 10)).await;
        for key in ["a", "b", "c", "d"] {
            put(&admin, "notes", item(key, 390)).await;
        }
        done(&admin, operation, input).await;
        let refused =
            refusal(&admin, "GetItem", json!({"TableName": "notes", "Key": {"p": {"S": "a"}}})).await;
        assert_eq!(refused, exceeded(TABLE), "{operation}");
    }
}

#[tokio::test]
async fn a_transaction_that_finds_itself_done_when_it_runs_again_is_not_charged_for_writing() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", provisioned("notes", 10, 1)).await;
    let actions = json!([{"Put": put_of("notes", item("a", 100))}]);
    let transaction = json!({
        "TransactItems": actions, "ClientRequestToken": "once", "ReturnConsumedCapacity": "TOTAL",
    });
    let both = [transaction.clone(), transaction].map(|input| call(&admin, "TransactWriteItems", input));
    let both = join_all(both).await.into_iter().map(|reply| reply.ok().json()["ConsumedCapacity"][0].clone());
    let units: Vec<_> =
        both.map(|it| (it["WriteCapacityUnits"].clone(), it["ReadCapacityUnits"].clone())).collect();
    assert!(
        units.contains(&(json!(200.0), Value::Null)) && units.contains(&(Value::Null, json!(50.0))),
        "{units:?}"
    );
    put(&admin, "notes", item("b", 100)).await;
    assert_eq!(refusal(&admin, "PutItem", put_of("notes", item("c", 1))).await, exceeded(TABLE));
}

/// Makes a call beside one that takes all that a table serves, earlier or later by ever another step. It may not be
/// refused.
async fn beside(app: &TestApp, batch: (&str, Value), taking: (&str, Value)) {
    let admin = app.admin();
    let later = async |steps, (operation, input): &(&str, Value)| {
        for _ in 0..steps {
            tokio::task::yield_now().await;
        }
        call(&admin, operation, input.clone()).await
    };
    for steps in 0..80 {
        app.clock.advance_seconds(3_600);
        let (reply, _) = join(later(40, &batch), later(steps, &taking)).await;
        assert_eq!(reply.status, 200, "{} with {steps} steps: {}", batch.0, reply.text());
    }
}

/// A table that serves little, with items to read, and one that serves all.
async fn slow_and_quick() -> TestApp {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", provisioned("slow", 1, 1)).await;
    done(&admin, "CreateTable", hash_table("quick")).await;
    for key in ["a", "b", "c", "d"] {
        put(&admin, "slow", item(key, 390)).await;
        app.clock.advance_seconds(3_600);
    }
    app
}

/// Reads more than a burst.
fn reading_all() -> (&'static str, Value) {
    let all = ["a", "b", "c", "d"].map(|key| json!({"p": {"S": key}}));
    ("BatchGetItem", json!({"RequestItems": {"slow": {"ConsistentRead": true, "Keys": all}}}))
}

#[tokio::test]
async fn a_batch_of_reads_is_not_refused_for_what_another_call_takes_meanwhile() {
    let app = slow_and_quick().await;
    let keys = json!({"Keys": [{"p": {"S": "a"}}]});
    let batch = json!({"RequestItems": {"slow": keys, "quick": keys}});
    beside(&app, ("BatchGetItem", batch), reading_all()).await;
}

#[tokio::test]
async fn a_batch_of_writes_is_not_refused_for_what_another_call_takes_meanwhile() {
    let app = slow_and_quick().await;
    let puts = json!([{"PutRequest": {"Item": {"p": {"S": "e"}}}}]);
    let batch = json!({"RequestItems": {"slow": puts, "quick": puts}});
    beside(&app, ("BatchWriteItem", batch), ("PutItem", put_of("slow", item("a", 390)))).await;
}

#[tokio::test]
async fn a_batch_of_statements_is_not_refused_for_what_another_call_takes_meanwhile() {
    let app = slow_and_quick().await;
    let statement = |table: &str| json!({"Statement": format!("SELECT * FROM {table} WHERE p = 'a'")});
    let batch = json!({"Statements": [statement("slow"), statement("quick")]});
    beside(&app, ("BatchExecuteStatement", batch), reading_all()).await;
}
