use serde_json::{Value, json};

use super::app::{done, hash_table, put, range_table, refusal, working_app};

/// 1,200 items: more than two steps of a job look at.
const ITEMS: usize = 1_200;

fn creating(name: &str) -> Value {
    json!({
        "TableName": "notes",
        "AttributeDefinitions": [
            {"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "g", "AttributeType": "S"},
        ],
        "GlobalSecondaryIndexUpdates": [{"Create": {
            "IndexName": name,
            "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}, {"AttributeName": "p", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "ALL"},
        }}],
    })
}

fn deleting(name: &str) -> Value {
    json!({"TableName": "notes", "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": name}}]})
}

fn scan() -> Value {
    json!({"TableName": "notes", "IndexName": "by-g", "Select": "COUNT"})
}

#[tokio::test]
async fn an_index_that_is_added_holds_what_was_there_and_what_came_meanwhile() {
    let (app, service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    for chunk in (0..ITEMS).collect::<Vec<_>>().chunks(25) {
        let writes = chunk
            .iter()
            .map(|n| json!({"PutRequest": {"Item": {"p": {"S": format!("{n:05}")}, "g": {"S": "old"}}}}));
        let request = json!({"RequestItems": {"notes": writes.collect::<Vec<_>>()}});
        done(&admin, "BatchWriteItem", request).await;
    }
    put(&admin, "notes", json!({"p": {"S": "other"}, "g": {"N": "1"}})).await;
    put(&admin, "notes", json!({"p": {"S": "none"}})).await;
    let updated = done(&admin, "UpdateTable", creating("by-g")).await["TableDescription"].clone();
    assert_eq!(updated["TableStatus"], "UPDATING");
    let index = &updated["GlobalSecondaryIndexes"][0];
    assert_eq!((&index["IndexStatus"], &index["Backfilling"]), (&json!("CREATING"), &json!(true)));
    let said = "Cannot read from backfilling global secondary index: by-g";
    assert_eq!(refusal(&admin, "Scan", scan()).await.1, said);
    let (code, said) = refusal(&admin, "UpdateTable", creating("again")).await;
    assert_eq!(code, "ResourceInUseException");
    assert_eq!(said, "Attempt to change a resource which is still in use: Table is being updated: notes");
    put(&admin, "notes", json!({"p": {"S": "late"}, "g": {"S": "old"}})).await;
    done(&admin, "DeleteItem", json!({"TableName": "notes", "Key": {"p": {"S": "00000"}}})).await;
    service.do_jobs().await.unwrap();
    let table = done(&admin, "DescribeTable", json!({"TableName": "notes"})).await["Table"].clone();
    assert_eq!(
        (&table["TableStatus"], &table["GlobalSecondaryIndexes"][0]["IndexStatus"]),
        (&json!("ACTIVE"), &json!("ACTIVE"))
    );
    assert_eq!(done(&admin, "Scan", scan()).await["Count"], ITEMS);
}

#[tokio::test]
async fn an_index_that_is_deleted_leaves_nothing_and_its_name_can_be_used_again() {
    let (app, service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    put(&admin, "notes", json!({"p": {"S": "a"}, "g": {"S": "x"}})).await;
    done(&admin, "UpdateTable", creating("by-g")).await;
    service.do_jobs().await.unwrap();
    let deleted = done(&admin, "UpdateTable", deleting("by-g")).await["TableDescription"].clone();
    assert_eq!(deleted["GlobalSecondaryIndexes"], Value::Null);
    assert_eq!(deleted["AttributeDefinitions"].as_array().map(Vec::len), Some(1));
    let said = "The table does not have the specified index: by-g";
    assert_eq!(refusal(&admin, "Scan", scan()).await.1, said);
    service.do_jobs().await.unwrap();
    let entries = homeport_store::Key::of("dynamodb-index");
    assert!(!app.rows().await.iter().any(|(key, _)| key.starts_with(entries.as_bytes())));
    done(&admin, "UpdateTable", creating("by-g")).await;
    put(&admin, "notes", json!({"p": {"S": "b"}, "g": {"S": "x"}})).await;
    service.do_jobs().await.unwrap();
    assert_eq!(done(&admin, "Scan", scan()).await["Count"], 2);
}

#[tokio::test]
async fn a_table_that_is_made_anew_while_its_index_was_filled_is_left_alone() {
    let (app, service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    put(&admin, "notes", json!({"p": {"S": "a"}, "g": {"S": "x"}})).await;
    done(&admin, "UpdateTable", creating("by-g")).await;
    done(&admin, "DeleteTable", json!({"TableName": "notes"})).await;
    done(&admin, "CreateTable", hash_table("notes")).await;
    service.do_jobs().await.unwrap();
    let table = done(&admin, "DescribeTable", json!({"TableName": "notes"})).await["Table"].clone();
    assert_eq!((&table["GlobalSecondaryIndexes"], &table["ItemCount"]), (&Value::Null, &json!(0)));
    let jobs = homeport_store::Key::of("dynamodb-jobs");
    assert!(!app.rows().await.iter().any(|(key, _)| key.starts_with(jobs.as_bytes())));
}

#[tokio::test]
async fn changes_of_indexes_that_cannot_be_are_refused() {
    let (app, service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    done(&admin, "UpdateTable", creating("by-g")).await;
    service.do_jobs().await.unwrap();
    let two = json!([
        creating("aaa")["GlobalSecondaryIndexUpdates"][0],
        creating("bbb")["GlobalSecondaryIndexUpdates"][0]
    ]);
    let mut both = creating("aaa");
    both["GlobalSecondaryIndexUpdates"] = two;
    let mut undefined = creating("by-h");
    undefined["AttributeDefinitions"] = json!([]);
    undefined["GlobalSecondaryIndexUpdates"][0]["Create"]["KeySchema"] =
        json!([{"AttributeName": "h", "KeyType": "HASH"}]);
    for (update, code, said) in [
        (
            both,
            "LimitExceededException",
            "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
        ),
        (creating("by-g"), "ValidationException", "Attempting to create an index which already exists"),
        (deleting("nope"), "ResourceNotFoundException", "Requested resource not found"),
        (
            undefined,
            "ValidationException",
            "One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [h], AttributeDefinitions: []",
        ),
        (
            json!({"TableName": "notes", "GlobalSecondaryIndexUpdates": [{}]}),
            "ValidationException",
            "One or more parameter values were invalid: One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null",
        ),
    ] {
        assert_eq!(refusal(&admin, "UpdateTable", update).await, (code.to_owned(), said.to_owned()));
    }
}

#[tokio::test]
async fn an_attribute_of_a_key_keeps_its_type() {
    let (app, service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let mut otherwise = creating("by-g");
    otherwise["AttributeDefinitions"][0]["AttributeType"] = json!("N");
    let said = "One or more parameter values were invalid: Attributes cannot be redefined. Please check that your attribute has the same type as previously defined. Existing schema: Schema:[SchemaElement: key{p:S:HASH}] New schema: Schema:[SchemaElement: key{g:S:HASH}, SchemaElement: key{p:N:RANGE}]";
    let refused = refusal(&admin, "UpdateTable", otherwise).await;
    assert_eq!(refused, ("ValidationException".to_owned(), said.to_owned()));
    done(&admin, "UpdateTable", creating("by-g")).await;
    service.do_jobs().await.unwrap();
    put(&admin, "notes", json!({"p": {"S": "a"}, "g": {"S": "x"}})).await;
    assert_eq!(done(&admin, "Scan", scan()).await["Count"], 1);
    let mut unnamed = creating("other");
    unnamed["AttributeDefinitions"] = json!([{"AttributeName": "g", "AttributeType": "S"}]);
    assert_eq!(refusal(&admin, "UpdateTable", unnamed).await.0, "ValidationException");
}

#[tokio::test]
async fn capacity_that_does_not_change_is_refused() {
    let (app, _service) = working_app();
    let admin = app.admin();
    let units = json!({"ReadCapacityUnits": 5, "WriteCapacityUnits": 5});
    let mut table = hash_table("notes");
    table["BillingMode"] = json!("PROVISIONED");
    table["ProvisionedThroughput"] = units.clone();
    done(&admin, "CreateTable", table).await;
    let same = json!({"TableName": "notes", "ProvisionedThroughput": units});
    let said = "The provisioned throughput for the table will not change. The requested value equals the current value. Current ReadCapacityUnits provisioned for the table: 5. Requested ReadCapacityUnits: 5. Current WriteCapacityUnits provisioned for the table: 5. Requested WriteCapacityUnits: 5. Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.";
    assert_eq!(refusal(&admin, "UpdateTable", same).await, ("ValidationException".into(), said.into()));
    let other = json!({"TableName": "notes", "ProvisionedThroughput": {"ReadCapacityUnits": 6, "WriteCapacityUnits": 5}});
    done(&admin, "UpdateTable", other).await;
    let on_demand = json!({"TableName": "notes", "BillingMode": "PAY_PER_REQUEST"});
    let updated = done(&admin, "UpdateTable", on_demand).await["TableDescription"].clone();
    assert_eq!(updated["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST");
}

#[tokio::test]
async fn values_that_no_index_can_hold_keep_older_items_out_of_it_and_harm_nothing() {
    let (app, service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let longs = [("long", "x".repeat(3_000)), ("longer", "x".repeat(2_049)), ("empty", String::new())];
    for (name, value) in &longs {
        put(&admin, "notes", json!({"p": {"S": name}, "g": {"S": value}})).await;
    }
    put(&admin, "notes", json!({"p": {"S": "fits"}, "g": {"S": "x".repeat(2_048)}})).await;
    done(&admin, "UpdateTable", creating("by-g")).await;
    service.do_jobs().await.unwrap();
    assert_eq!(done(&admin, "Scan", scan()).await["Count"], 1);
    for (name, _) in &longs {
        let again = json!({
            "TableName": "notes", "Key": {"p": {"S": name}}, "UpdateExpression": "SET g = :g",
            "ExpressionAttributeValues": {":g": {"S": "short"}},
        });
        done(&admin, "UpdateItem", again).await;
    }
    assert_eq!(done(&admin, "Scan", scan()).await["Count"], 4);
    for (name, _) in &longs {
        done(&admin, "DeleteItem", json!({"TableName": "notes", "Key": {"p": {"S": name}}})).await;
    }
    assert_eq!(done(&admin, "Scan", scan()).await["Count"], 1);
}

fn provisioned(mut table: Value) -> Value {
    table["BillingMode"] = json!("PROVISIONED");
    table["ProvisionedThroughput"] = json!({"ReadCapacityUnits": 1, "WriteCapacityUnits": 1});
    table
}

fn updating(name: &str) -> Value {
    let units = json!({"ReadCapacityUnits": 2, "WriteCapacityUnits": 2});
    let update = json!({"IndexName": name, "ProvisionedThroughput": units});
    json!({"TableName": "notes", "GlobalSecondaryIndexUpdates": [{"Update": update}]})
}

#[tokio::test]
async fn updates_of_indexes_that_are_not_one_each_are_refused() {
    let (app, _service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let mut undefined = creating("by-g");
    undefined.as_object_mut().map(|update| update.remove("AttributeDefinitions"));
    let mut both = creating("by-g");
    both["GlobalSecondaryIndexUpdates"][0]["Delete"] = json!({"IndexName": "by-g"});
    let mut twice = updating("by-g");
    let again = twice["GlobalSecondaryIndexUpdates"][0].clone();
    twice["GlobalSecondaryIndexUpdates"] = json!([again, again]);
    for (update, said) in [
        (undefined, "AttributeDefinitions is not specified for index: by-g"),
        (both, "Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object"),
        (twice, "Only one global secondary index update per index is allowed simultaneously. Index: by-g"),
    ] {
        let said = format!("One or more parameter values were invalid: {said}");
        assert_eq!(refusal(&admin, "UpdateTable", update).await, ("ValidationException".to_owned(), said));
    }
}

#[tokio::test]
async fn a_local_index_stays_as_it_is() {
    let (app, _service) = working_app();
    let admin = app.admin();
    let mut table = provisioned(range_table("notes", "S"));
    table["LocalSecondaryIndexes"] = json!([{
        "IndexName": "local", "KeySchema": table["KeySchema"], "Projection": {"ProjectionType": "ALL"},
    }]);
    done(&admin, "CreateTable", table).await;
    for (update, what) in [(deleting("local"), "delete"), (updating("local"), "update")] {
        let said = format!("Cannot {what} an index that is not a GlobalSecondaryIndex: local");
        assert_eq!(refusal(&admin, "UpdateTable", update).await, ("ValidationException".to_owned(), said));
    }
    let (code, _) = refusal(&admin, "UpdateTable", updating("absent")).await;
    assert_eq!(code, "ResourceNotFoundException");
}

#[tokio::test]
async fn a_table_has_twenty_global_indexes_at_most() {
    let (app, _service) = working_app();
    let admin = app.admin();
    let mut table = range_table("notes", "S");
    let index = |n: usize| json!({"IndexName": format!("index-{n}"), "KeySchema": table["KeySchema"], "Projection": {"ProjectionType": "ALL"}});
    let twenty: Value = (0..20).map(index).collect();
    table["GlobalSecondaryIndexes"] = twenty;
    done(&admin, "CreateTable", table).await;
    let said = "Subscriber limit exceeded: Number of global secondary indexes exceeds per-table limit of 20";
    let refused = refusal(&admin, "UpdateTable", creating("by-g")).await;
    assert_eq!(refused, ("LimitExceededException".to_owned(), said.to_owned()));
}

#[tokio::test]
async fn an_index_that_is_added_has_the_throughput_that_its_tables_billing_needs() {
    let units = json!({"ReadCapacityUnits": 1, "WriteCapacityUnits": 1});
    let mut provided = creating("by-g");
    provided["GlobalSecondaryIndexUpdates"][0]["Create"]["ProvisionedThroughput"] = units;
    let on_demand = hash_table("notes");
    for (table, refused, taken, said) in [
        (
            on_demand.clone(),
            provided.clone(),
            creating("by-g"),
            "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: by-g when BillingMode is PAY_PER_REQUEST",
        ),
        (
            provisioned(on_demand),
            creating("by-g"),
            provided,
            "Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: by-g",
        ),
    ] {
        let (app, service) = working_app();
        let admin = app.admin();
        done(&admin, "CreateTable", table.clone()).await;
        let said = format!("One or more parameter values were invalid: {said}");
        let refused = refusal(&admin, "UpdateTable", refused).await;
        assert_eq!(refused, ("ValidationException".to_owned(), said));
        done(&admin, "UpdateTable", taken).await;
        service.do_jobs().await.unwrap();
        if table["BillingMode"] == "PAY_PER_REQUEST" {
            let said = "One or more parameter values were invalid: The only Updates for index: by-g when TableThroughputMode is PAY_PER_REQUEST can be to OnDemandThroughput, WarmThroughput";
            let refused = refusal(&admin, "UpdateTable", updating("by-g")).await;
            assert_eq!(refused, ("ValidationException".to_owned(), said.to_owned()));
        } else {
            done(&admin, "UpdateTable", updating("by-g")).await;
        }
    }
}
