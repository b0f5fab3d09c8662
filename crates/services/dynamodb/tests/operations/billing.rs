//! How much tables and indexes are asked to serve.

use serde_json::{Value, json};

use super::app::{app, done, hash_table, refusal};

fn provisioned(read: u64, write: u64) -> Value {
    json!({"ReadCapacityUnits": read, "WriteCapacityUnits": write})
}

/// A table with a global index `by-g`.
fn indexed(name: &str) -> Value {
    let mut table = hash_table(name);
    table["AttributeDefinitions"] =
        json!([{"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "g", "AttributeType": "S"}]);
    table["GlobalSecondaryIndexes"] = json!([{
        "IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }]);
    table
}

#[tokio::test]
async fn what_is_warm_is_described() {
    let app = app();
    let admin = app.admin();
    let made = done(&admin, "CreateTable", indexed("notes")).await["TableDescription"].clone();
    let usual = json!({"ReadUnitsPerSecond": 12_000, "WriteUnitsPerSecond": 4_000, "Status": "ACTIVE"});
    assert_eq!(made["WarmThroughput"], usual);
    assert_eq!(made["GlobalSecondaryIndexes"][0]["WarmThroughput"], usual);
    assert_eq!(made["OnDemandThroughput"], Value::Null);
    let more = json!({"ReadUnitsPerSecond": 15_000, "WriteUnitsPerSecond": 5_000});
    done(&admin, "UpdateTable", json!({"TableName": "notes", "WarmThroughput": more})).await;
    let index = json!({"IndexName": "by-g", "WarmThroughput": {"ReadUnitsPerSecond": 13_000}});
    let update = json!({"TableName": "notes", "GlobalSecondaryIndexUpdates": [{"Update": index}]});
    done(&admin, "UpdateTable", update).await;
    let table = done(&admin, "DescribeTable", json!({"TableName": "notes"})).await["Table"].clone();
    assert_eq!(table["WarmThroughput"]["ReadUnitsPerSecond"], 15_000);
    assert_eq!(
        table["GlobalSecondaryIndexes"][0]["WarmThroughput"],
        json!({"ReadUnitsPerSecond": 13_000, "WriteUnitsPerSecond": 4_000, "Status": "ACTIVE"})
    );

    let mut table = hash_table("provisioned");
    table["BillingMode"] = json!("PROVISIONED");
    table["ProvisionedThroughput"] = provisioned(3, 5);
    let made = done(&admin, "CreateTable", table).await["TableDescription"].clone();
    assert_eq!(
        made["WarmThroughput"],
        json!({"ReadUnitsPerSecond": 3, "WriteUnitsPerSecond": 5, "Status": "ACTIVE"})
    );
}

#[tokio::test]
async fn an_on_demand_maximum_is_kept_until_it_is_lifted() {
    let app = app();
    let admin = app.admin();
    let mut table = hash_table("notes");
    table["OnDemandThroughput"] = json!({"MaxReadRequestUnits": 10});
    let made = done(&admin, "CreateTable", table).await["TableDescription"].clone();
    assert_eq!(made["OnDemandThroughput"], json!({"MaxReadRequestUnits": 10, "MaxWriteRequestUnits": -1}));
    let update = |maximum: Value| json!({"TableName": "notes", "OnDemandThroughput": maximum});
    done(&admin, "UpdateTable", update(json!({"MaxReadRequestUnits": 20, "MaxWriteRequestUnits": 15}))).await;
    let described = || async {
        done(&admin, "DescribeTable", json!({"TableName": "notes"})).await["Table"]["OnDemandThroughput"]
            .clone()
    };
    assert_eq!(described().await, json!({"MaxReadRequestUnits": 20, "MaxWriteRequestUnits": 15}));
    done(&admin, "UpdateTable", update(json!({"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": -1}))).await;
    assert_eq!(described().await, Value::Null);
}

#[tokio::test]
async fn a_table_that_was_on_demand_says_since_when() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let update = json!({
        "TableName": "notes", "BillingMode": "PROVISIONED", "ProvisionedThroughput": provisioned(1, 2),
    });
    done(&admin, "UpdateTable", update).await;
    let table = done(&admin, "DescribeTable", json!({"TableName": "notes"})).await["Table"].clone();
    assert_eq!(table["BillingModeSummary"]["BillingMode"], "PROVISIONED");
    assert_eq!(table["BillingModeSummary"]["LastUpdateToPayPerRequestDateTime"], 1_795_000_000.0);
}

#[tokio::test]
async fn what_cannot_be_served_so_is_refused() {
    let app = app();
    let admin = app.admin();
    let warm = |of: &str, kind: &str| {
        format!(
            "One or more parameter values were invalid: Requested {kind}UnitsPerSecond for WarmThroughput for {of} is lower than initial throughput for OnDemand"
        )
    };
    let mut cold = hash_table("notes");
    cold["WarmThroughput"] = json!({"ReadUnitsPerSecond": 13_000, "WriteUnitsPerSecond": 10});
    let mut cold_index = indexed("notes");
    cold_index["GlobalSecondaryIndexes"][0]["WarmThroughput"] = json!({"ReadUnitsPerSecond": 10});
    let mut unprovided = indexed("notes");
    unprovided["BillingMode"] = json!("PROVISIONED");
    unprovided["ProvisionedThroughput"] = provisioned(1, 1);
    let mut twice = hash_table("notes");
    twice["AttributeDefinitions"] =
        json!([{"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "p", "AttributeType": "S"}]);
    let mut unused = indexed("notes");
    unused["AttributeDefinitions"] = json!([
        {"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "g", "AttributeType": "S"},
        {"AttributeName": "unused", "AttributeType": "S"},
    ]);
    let update = |member: &str, value: Value| json!({"TableName": "absent", member: value});
    for (operation, input, said) in [
        ("CreateTable", cold, warm("table", "Write")),
        ("CreateTable", cold_index, warm("index by-g", "Read")),
        (
            "CreateTable",
            unprovided,
            "One or more parameter values were invalid: ProvisionedThroughput is not specified for index: by-g".to_owned(),
        ),
        (
            "CreateTable",
            twice,
            "One or more parameter values were invalid: Attribute Name is duplicated: p".to_owned(),
        ),
        (
            "CreateTable",
            unused,
            "One or more parameter values were invalid: Some AttributeDefinitions are not used. AttributeDefinitions: [p, unused, g], keys used: [p, g]".to_owned(),
        ),
        // What no table can be billed by is told of a table that isn't there.
        (
            "UpdateTable",
            update("BillingMode", json!("PROVISIONED")),
            "One or more parameter values were invalid: ProvisionedThroughput must be specified when BillingMode is PROVISIONED".to_owned(),
        ),
        (
            "UpdateTable",
            update("ProvisionedThroughput", provisioned(1_000_000_000_001, 1)),
            "Given value 1000000000001 for ReadCapacityUnits is out of bounds".to_owned(),
        ),
    ] {
        assert_eq!(refusal(&admin, operation, input).await, ("ValidationException".to_owned(), said));
    }
}

#[tokio::test]
async fn what_is_kept_warm_is_never_less_than_before() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", indexed("notes")).await;
    let table = |warm: Value| json!({"TableName": "notes", "WarmThroughput": warm});
    let index = |warm: Value| {
        let update = json!({"IndexName": "by-g", "WarmThroughput": warm});
        json!({"TableName": "notes", "GlobalSecondaryIndexUpdates": [{"Update": update}]})
    };
    for (asked, of) in [(&table as &dyn Fn(Value) -> Value, "table"), (&index, "index by-g")] {
        let more = json!({"ReadUnitsPerSecond": 15_000, "WriteUnitsPerSecond": 5_000});
        done(&admin, "UpdateTable", asked(more)).await;
        for kind in ["Read", "Write"] {
            let less = json!({format!("{kind}UnitsPerSecond"): 4_500});
            let said = format!(
                "One or more parameter values were invalid: Requested {kind}UnitsPerSecond for WarmThroughput for {of} is lower than current WarmThroughput, decreasing WarmThroughput is not supported"
            );
            let refused = refusal(&admin, "UpdateTable", asked(less)).await;
            assert_eq!(refused, ("ValidationException".to_owned(), said));
        }
        // What isn't named stays.
        done(&admin, "UpdateTable", asked(json!({"WriteUnitsPerSecond": 6_000}))).await;
    }
    let table = done(&admin, "DescribeTable", json!({"TableName": "notes"})).await["Table"].clone();
    let warm = json!({"ReadUnitsPerSecond": 15_000, "WriteUnitsPerSecond": 6_000, "Status": "ACTIVE"});
    assert_eq!(table["WarmThroughput"], warm);
    assert_eq!(table["GlobalSecondaryIndexes"][0]["WarmThroughput"], warm);
}

#[tokio::test]
async fn a_maximum_of_nothing_and_one_of_a_provisioned_table_are_refused() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let outside =
        |name: &str| format!("Requested {name} for OnDemandThroughput for table is outside of valid range");
    let mut cases = Vec::new();
    for name in ["MaxReadRequestUnits", "MaxWriteRequestUnits"] {
        for units in [0, -1, -2] {
            let mut table = hash_table("other");
            table["OnDemandThroughput"] = json!({name: units});
            cases.push(("CreateTable", table, outside(name)));
        }
        for units in [0, -2] {
            let update = json!({"TableName": "notes", "OnDemandThroughput": {name: units}});
            cases.push(("UpdateTable", update, outside(name)));
        }
        let mut table = hash_table("other");
        table["BillingMode"] = json!("PROVISIONED");
        table["ProvisionedThroughput"] = provisioned(1, 1);
        table["OnDemandThroughput"] = json!({name: 10});
        let said = format!(
            "{name} for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED"
        );
        cases.push(("CreateTable", table, said));
    }
    for (operation, input, said) in cases {
        let shown = input.to_string();
        let said = format!("One or more parameter values were invalid: {said}");
        let refused = refusal(&admin, operation, input).await;
        assert_eq!(refused, ("ValidationException".to_owned(), said), "{operation} {shown}");
    }
}

#[tokio::test]
async fn a_table_that_ceases_to_be_on_demand_needs_throughput_for_each_global_index() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", indexed("notes")).await;
    let mut update = json!({
        "TableName": "notes", "BillingMode": "PROVISIONED", "ProvisionedThroughput": provisioned(1, 2),
    });
    let said =
        "One or more parameter values were invalid: ProvisionedThroughput must be specified for index: by-g";
    let refused = refusal(&admin, "UpdateTable", update.clone()).await;
    assert_eq!(refused, ("ValidationException".to_owned(), said.to_owned()));
    let index = json!({"IndexName": "by-g", "ProvisionedThroughput": provisioned(3, 4)});
    update["GlobalSecondaryIndexUpdates"] = json!([{"Update": index}]);
    let updated = done(&admin, "UpdateTable", update).await["TableDescription"].clone();
    let units = &updated["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"];
    assert_eq!((&units["ReadCapacityUnits"], &units["WriteCapacityUnits"]), (&json!(3), &json!(4)));
}
