//! What `UpdateTable` changes of a table, and what of that together.

use serde_json::{Value, json};

use super::app::{app, done, hash_table, refusal};

fn invalid(said: &str) -> (String, String) {
    ("ValidationException".to_owned(), format!("One or more parameter values were invalid: {said}"))
}

fn stream() -> Value {
    json!({"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"})
}

fn units() -> Value {
    json!({"ReadCapacityUnits": 2, "WriteCapacityUnits": 2})
}

/// All that creates an index `by-g`.
fn creating() -> Value {
    json!([{"Create": {
        "IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }}])
}

fn deleting() -> Value {
    json!([{"Delete": {"IndexName": "by-g"}}])
}

/// An update of `notes` by these members.
fn update(members: &[(&str, Value)]) -> Value {
    let mut update = json!({
        "TableName": "notes", "AttributeDefinitions": [{"AttributeName": "g", "AttributeType": "S"}],
    });
    for (name, value) in members {
        update[*name] = value.clone();
    }
    update
}

#[tokio::test]
async fn changes_that_are_not_made_together_are_refused() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let on_demand = || ("BillingMode", json!("PAY_PER_REQUEST"));
    let provisioned = || ("ProvisionedThroughput", units());
    let encryption = || ("SSESpecification", json!({"Enabled": true}));
    let class = || ("TableClass", json!("STANDARD"));
    let protection = || ("DeletionProtectionEnabled", json!(true));
    let warm = || ("WarmThroughput", json!({"ReadUnitsPerSecond": 20_000}));
    let maximum = || ("OnDemandThroughput", json!({"MaxReadRequestUnits": 10}));
    let streamed = || ("StreamSpecification", stream());
    let indexes = |updates: Value| ("GlobalSecondaryIndexUpdates", updates);
    for (members, said) in [
        (
            vec![encryption(), class()],
            "Server-Side Encryption modification must be the only operation in the request",
        ),
        (vec![class(), protection()], "TableClass modification must be the only operation in the request"),
        (
            vec![protection(), warm()],
            "DeletionProtection modification must be the only operation in the request",
        ),
        (
            vec![protection(), on_demand()],
            "DeletionProtection modification must be the only operation in the request",
        ),
        (vec![warm(), streamed()], "WarmThroughput must be the only operation in the request"),
        (vec![warm(), indexes(deleting())], "WarmThroughput must be the only operation in the request"),
        (
            vec![warm(), indexes(creating())],
            "Create global secondary index cannot be specified when updating WarmThroughput",
        ),
        (
            vec![maximum(), streamed()],
            "OnDemandThroughput can only be combined with BillingMode in an UpdateTable request",
        ),
        (vec![streamed(), provisioned()], "You cannot modify stream status while updating table IOPS"),
        (
            vec![streamed(), ("BillingMode", json!("PROVISIONED")), provisioned()],
            "You cannot modify stream status while updating table IOPS",
        ),
        (
            vec![indexes(creating()), provisioned()],
            "You cannot create or delete index while updating table IOPS",
        ),
        (
            vec![indexes(deleting()), provisioned()],
            "You cannot create or delete index while updating table IOPS",
        ),
        (
            vec![indexes(creating()), streamed()],
            "You cannot create or delete index while changing stream status",
        ),
        (
            vec![indexes(deleting()), streamed()],
            "You cannot create or delete index while changing stream status",
        ),
        (vec![indexes(json!([]))], "List of GlobalSecondaryIndexUpdates is empty"),
        (vec![indexes(json!([])), on_demand()], "List of GlobalSecondaryIndexUpdates is empty"),
    ] {
        let asked = update(&members);
        let shown = asked.to_string();
        assert_eq!(refusal(&admin, "UpdateTable", asked).await, invalid(said), "{shown}");
    }
    let said = "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency, DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is required";
    let refused = refusal(&admin, "UpdateTable", update(&[])).await;
    assert_eq!(refused, ("ValidationException".to_owned(), said.to_owned()));
}

#[tokio::test]
async fn changes_that_are_made_together_are_all_made() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let on_demand = || ("BillingMode", json!("PAY_PER_REQUEST"));
    let both = [on_demand(), ("StreamSpecification", stream())];
    let updated = done(&admin, "UpdateTable", update(&both)).await["TableDescription"].clone();
    assert_eq!(updated["StreamSpecification"], stream());
    let both = [on_demand(), ("OnDemandThroughput", json!({"MaxReadRequestUnits": 10}))];
    let updated = done(&admin, "UpdateTable", update(&both)).await["TableDescription"].clone();
    assert_eq!(updated["OnDemandThroughput"]["MaxReadRequestUnits"], 10);
    let both = [on_demand(), ("GlobalSecondaryIndexUpdates", creating())];
    let updated = done(&admin, "UpdateTable", update(&both)).await["TableDescription"].clone();
    assert_eq!(updated["GlobalSecondaryIndexes"][0]["IndexName"], "by-g");
}

#[tokio::test]
async fn what_is_changed_at_once_leaves_a_table_active() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let maximum = || ("OnDemandThroughput", json!({"MaxReadRequestUnits": 10}));
    for (members, status) in [
        (vec![("DeletionProtectionEnabled", json!(true))], "ACTIVE"),
        (vec![maximum()], "ACTIVE"),
        (vec![maximum(), ("BillingMode", json!("PAY_PER_REQUEST"))], "UPDATING"),
        (vec![("StreamSpecification", stream())], "UPDATING"),
    ] {
        let updated = done(&admin, "UpdateTable", update(&members)).await;
        assert_eq!(updated["TableDescription"]["TableStatus"], status, "{members:?}");
    }
}

#[tokio::test]
async fn a_table_says_since_when_it_has_another_class() {
    let app = app();
    let admin = app.admin();
    let mut table = hash_table("notes");
    table["TableClass"] = json!("STANDARD_INFREQUENT_ACCESS");
    let made = done(&admin, "CreateTable", table).await["TableDescription"].clone();
    assert_eq!(made["TableClassSummary"], json!({"TableClass": "STANDARD_INFREQUENT_ACCESS"}));
    let since = homeport_core::Clock::now(&*app.clock).seconds_f64();
    let summary = json!({"TableClass": "STANDARD", "LastUpdateDateTime": since});
    for _ in 0..2 {
        let updated = done(&admin, "UpdateTable", update(&[("TableClass", json!("STANDARD"))])).await;
        assert_eq!(updated["TableDescription"]["TableClassSummary"], summary);
        // The same class again is no change of it.
        app.clock.advance_seconds(60);
    }
}

#[tokio::test]
async fn encryption_that_there_is_not_is_refused() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    for (specification, said) in [
        (json!({"Enabled": false, "SSEType": "KMS"}), "SSEType can not be specified if Enabled is false"),
        (json!({"Enabled": true, "SSEType": "AES256"}), "SSEType AES256 is not supported"),
        (
            json!({"Enabled": true}),
            "SSESpecification is not supported by this endpoint: there are no keys of KMS",
        ),
    ] {
        let mut table = hash_table("other");
        table["SSESpecification"] = specification.clone();
        assert_eq!(refusal(&admin, "CreateTable", table).await, invalid(said));
        let asked = update(&[("SSESpecification", specification)]);
        assert_eq!(refusal(&admin, "UpdateTable", asked).await, invalid(said));
    }
    let off = update(&[("SSESpecification", json!({"Enabled": false}))]);
    let refused = refusal(&admin, "UpdateTable", off).await;
    assert_eq!(refused, invalid("Table is already encrypted by default"));
}

#[tokio::test]
async fn what_is_not_built_is_refused_beside_what_is() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let source = "arn:aws:dynamodb:us-east-1:123456789012:table/notes";
    for (member, value, said) in [
        ("VectorIndexes", json!([]), "VectorIndexes are not supported by this endpoint"),
        ("GlobalTableSourceArn", json!(source), "GlobalTableSourceArn is not supported by this endpoint"),
    ] {
        let mut table = hash_table("other");
        table[member] = value;
        assert_eq!(refusal(&admin, "CreateTable", table).await, invalid(said));
    }
    let replica = json!([{"Create": {"RegionName": "eu-west-1"}}]);
    for (member, value, said) in [
        ("ReplicaUpdates", replica, "ReplicaUpdates are not supported by this endpoint"),
        (
            "MultiRegionConsistency",
            json!("STRONG"),
            "MultiRegionConsistency is not supported by this endpoint",
        ),
        ("VectorIndexUpdates", json!([]), "VectorIndexUpdates are not supported by this endpoint"),
    ] {
        let asked = update(&[(member, value), ("DeletionProtectionEnabled", json!(true))]);
        assert_eq!(refusal(&admin, "UpdateTable", asked).await, invalid(said));
    }
    let described = done(&admin, "DescribeTable", json!({"TableName": "notes"})).await;
    assert_eq!(described["Table"]["DeletionProtectionEnabled"], false);
}
