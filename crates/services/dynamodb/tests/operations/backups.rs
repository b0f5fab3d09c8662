use homeport_testkit::{TestApp, TestCaller};
use serde_json::{Value, json};

use super::app::{done, get, hash_table, put, refusal, working_app};

fn key(name: &str) -> Value {
    json!({"p": {"S": name}})
}

fn note(name: &str, value: &str) -> Value {
    json!({"p": {"S": name}, "g": {"S": value}})
}

fn with_index(name: &str) -> Value {
    let mut table = hash_table(name);
    table["AttributeDefinitions"] =
        json!([{"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "g", "AttributeType": "S"}]);
    table["GlobalSecondaryIndexes"] = json!([{
        "IndexName": "by-g",
        "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }]);
    table
}

async fn back_up(caller: &TestCaller) -> Value {
    let asked = json!({"TableName": "notes", "BackupName": "nightly"});
    done(caller, "CreateBackup", asked).await["BackupDetails"]["BackupArn"].clone()
}

async fn restore(caller: &TestCaller, backup: &Value, target: &str) -> Value {
    let asked = json!({"BackupArn": backup, "TargetTableName": target});
    done(caller, "RestoreTableFromBackup", asked).await["TableDescription"].clone()
}

fn recovery(enabled: bool) -> Value {
    json!({"TableName": "notes", "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": enabled}})
}

fn now(app: &TestApp) -> f64 {
    homeport_core::Clock::now(&*app.clock).seconds_f64()
}

/// All items of a table, by key: what they hold.
async fn all(caller: &TestCaller, table: &str) -> Vec<(String, String)> {
    let page = done(caller, "Scan", json!({"TableName": table})).await;
    let text = |item: &Value, name: &str| item[name]["S"].as_str().unwrap_or_default().to_owned();
    let mut items: Vec<_> =
        page["Items"].as_array().unwrap().iter().map(|item| (text(item, "p"), text(item, "g"))).collect();
    items.sort();
    items
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(p, g)| ((*p).to_owned(), (*g).to_owned())).collect()
}

#[tokio::test]
async fn a_backup_holds_the_table_as_it_was_when_it_was_asked_for() {
    let (app, service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", with_index("notes")).await;
    for name in ["a", "b", "c"] {
        put(&admin, "notes", note(name, "old")).await;
    }
    let backup = back_up(&admin).await;
    app.clock.advance_seconds(1);
    put(&admin, "notes", note("a", "new")).await;
    put(&admin, "notes", note("d", "new")).await;
    done(&admin, "DeleteItem", json!({"TableName": "notes", "Key": key("b")})).await;
    done(&admin, "DeleteItem", json!({"TableName": "notes", "Key": key("c")})).await;
    put(&admin, "notes", note("c", "again")).await;
    let described = done(&admin, "DescribeBackup", json!({"BackupArn": backup})).await;
    assert_eq!(described["BackupDescription"]["BackupDetails"]["BackupStatus"], "CREATING");
    let (code, _) = refusal(&admin, "DeleteTable", json!({"TableName": "notes"})).await;
    assert_eq!(code, "ResourceInUseException");
    let (code, _) = refusal(&admin, "DeleteBackup", json!({"BackupArn": backup})).await;
    assert_eq!(code, "BackupInUseException");
    service.do_jobs().await.unwrap();
    let described =
        done(&admin, "DescribeBackup", json!({"BackupArn": backup})).await["BackupDescription"].clone();
    assert_eq!(described["BackupDetails"]["BackupStatus"], "AVAILABLE");
    assert_eq!(described["SourceTableDetails"]["ItemCount"], 3);
    assert_eq!(described["SourceTableFeatureDetails"]["GlobalSecondaryIndexes"][0]["IndexName"], "by-g");
    let restored = restore(&admin, &backup, "copy").await;
    assert_eq!(restored["TableStatus"], "CREATING");
    assert_eq!(restored["RestoreSummary"]["RestoreInProgress"], true);
    let (code, _) = refusal(&admin, "Scan", json!({"TableName": "copy"})).await;
    assert_eq!(code, "ResourceNotFoundException");
    service.do_jobs().await.unwrap();
    assert_eq!(all(&admin, "copy").await, pairs(&[("a", "old"), ("b", "old"), ("c", "old")]));
    let table = done(&admin, "DescribeTable", json!({"TableName": "copy"})).await["Table"].clone();
    assert_eq!((&table["TableStatus"], &table["ItemCount"]), (&json!("ACTIVE"), &json!(3)));
    assert_eq!(table["RestoreSummary"]["SourceBackupArn"], backup);
    let by_index = json!({"TableName": "copy", "IndexName": "by-g", "Select": "COUNT"});
    assert_eq!(done(&admin, "Scan", by_index).await["Count"], 3);
    assert_eq!(all(&admin, "notes").await, pairs(&[("a", "new"), ("c", "again"), ("d", "new")]));
}

#[tokio::test]
async fn a_table_goes_back_to_any_moment_since_recovery_was_enabled() {
    let (app, service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    put(&admin, "notes", note("a", "0")).await;
    put(&admin, "notes", note("b", "0")).await;
    done(&admin, "UpdateContinuousBackups", recovery(true)).await;
    let mut moments = vec![(now(&app), pairs(&[("a", "0"), ("b", "0")]))];
    app.clock.advance_seconds(10);
    put(&admin, "notes", note("a", "1")).await;
    put(&admin, "notes", note("c", "1")).await;
    moments.push((now(&app), pairs(&[("a", "1"), ("b", "0"), ("c", "1")])));
    app.clock.advance_seconds(10);
    done(&admin, "DeleteItem", json!({"TableName": "notes", "Key": key("a")})).await;
    put(&admin, "notes", note("b", "2")).await;
    moments.push((now(&app), pairs(&[("b", "2"), ("c", "1")])));
    app.clock.advance_seconds(10);
    put(&admin, "notes", note("a", "3")).await;
    moments.push((now(&app), pairs(&[("a", "3"), ("b", "2"), ("c", "1")])));
    app.clock.advance_seconds(1);
    for (at, (moment, expected)) in moments.iter().enumerate() {
        let target = format!("as-of-{at}");
        let asked = json!({"SourceTableName": "notes", "TargetTableName": target, "RestoreDateTime": moment});
        done(&admin, "RestoreTableToPointInTime", asked).await;
        // What is written while the job runs changes nothing.
        put(&admin, "notes", note("late", "4")).await;
        service.do_jobs().await.unwrap();
        done(&admin, "DeleteItem", json!({"TableName": "notes", "Key": key("late")})).await;
        assert_eq!(all(&admin, &target).await, *expected);
    }
    let latest =
        json!({"SourceTableName": "notes", "TargetTableName": "latest", "UseLatestRestorableTime": true});
    done(&admin, "RestoreTableToPointInTime", latest).await;
    service.do_jobs().await.unwrap();
    assert_eq!(all(&admin, "latest").await, moments[3].1);
}

#[tokio::test]
async fn recovery_reaches_as_far_back_as_its_days_and_no_further() {
    let (app, service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let mut asked = recovery(true);
    asked["PointInTimeRecoverySpecification"]["RecoveryPeriodInDays"] = json!(1);
    done(&admin, "UpdateContinuousBackups", asked).await;
    let begun = now(&app);
    for value in ["0", "1", "2"] {
        put(&admin, "notes", note("a", value)).await;
        app.clock.advance_seconds(3_600);
    }
    app.clock.advance_seconds(22 * 3_600);
    let told = done(&admin, "DescribeContinuousBackups", json!({"TableName": "notes"})).await;
    let told = told["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"].clone();
    assert_eq!(told["PointInTimeRecoveryStatus"], "ENABLED");
    assert_eq!(told["EarliestRestorableDateTime"], json!(now(&app) - 86_400.0));
    service.forget().await.unwrap();
    let versions = |rows: Vec<(Vec<u8>, Vec<u8>)>| {
        let entries = homeport_store::Key::of("dynamodb-index");
        rows.iter().filter(|(key, _)| key.starts_with(entries.as_bytes())).count()
    };
    assert_eq!(versions(app.rows().await), 2, "what was before the first hour is forgotten");
    let to = |moment: f64| json!({"SourceTableName": "notes", "TargetTableName": "copy", "RestoreDateTime": moment});
    let refused = refusal(&admin, "RestoreTableToPointInTime", to(begun)).await;
    assert_eq!(refused.0, "InvalidRestoreTimeException");
    let refused = refusal(&admin, "RestoreTableToPointInTime", to(now(&app) + 1.0)).await;
    assert_eq!(refused.0, "InvalidRestoreTimeException");
    done(&admin, "RestoreTableToPointInTime", to(begun + 3_600.0)).await;
    service.do_jobs().await.unwrap();
    assert_eq!(all(&admin, "copy").await, pairs(&[("a", "1")]));
    done(&admin, "UpdateContinuousBackups", recovery(false)).await;
    service.do_jobs().await.unwrap();
    assert_eq!(versions(app.rows().await), 0);
    let refused = refusal(&admin, "RestoreTableToPointInTime", to(now(&app))).await;
    let said = "Point in time recovery is not enabled for table 'notes'";
    assert_eq!(refused, ("PointInTimeRecoveryUnavailableException".into(), said.into()));
}

#[tokio::test]
async fn a_deleted_table_with_recovery_is_kept_for_thirty_five_days() {
    let (app, service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", with_index("notes")).await;
    put(&admin, "notes", note("a", "x")).await;
    done(&admin, "UpdateContinuousBackups", recovery(true)).await;
    put(&admin, "notes", note("b", "x")).await;
    done(&admin, "DeleteTable", json!({"TableName": "notes"})).await;
    done(&admin, "CreateTable", hash_table("notes")).await;
    service.do_jobs().await.unwrap();
    assert!(get(&admin, "notes", key("a")).await.is_null());
    assert_eq!(done(&admin, "ListBackups", json!({})).await["BackupSummaries"], json!([]));
    let listed = done(&admin, "ListBackups", json!({"BackupType": "SYSTEM"})).await;
    let backup = listed["BackupSummaries"][0].clone();
    assert_eq!(backup["BackupName"], "notes$DeletedTableBackup");
    restore(&admin, &backup["BackupArn"], "copy").await;
    service.do_jobs().await.unwrap();
    assert_eq!(all(&admin, "copy").await, pairs(&[("a", "x"), ("b", "x")]));
    done(&admin, "DeleteTable", json!({"TableName": "copy"})).await;
    app.clock.advance_seconds(35 * 24 * 3_600 + 1);
    service.tidy().await.unwrap();
    service.do_jobs().await.unwrap();
    let gone = refusal(&admin, "DescribeBackup", json!({"BackupArn": backup["BackupArn"]})).await;
    assert_eq!(gone.0, "BackupNotFoundException");
    let items = homeport_store::Key::of("dynamodb-items");
    assert!(!app.rows().await.iter().any(|(key, _)| key.starts_with(items.as_bytes())));
}

#[tokio::test]
async fn a_deleted_backup_leaves_nothing_and_what_was_restored_from_it_stays() {
    let (app, service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    put(&admin, "notes", note("a", "x")).await;
    let backup = back_up(&admin).await;
    service.do_jobs().await.unwrap();
    restore(&admin, &backup, "copy").await;
    let (code, _) = refusal(&admin, "DeleteBackup", json!({"BackupArn": backup})).await;
    assert_eq!(code, "BackupInUseException");
    service.do_jobs().await.unwrap();
    let deleted = done(&admin, "DeleteBackup", json!({"BackupArn": backup})).await;
    assert_eq!(deleted["BackupDescription"]["BackupDetails"]["BackupStatus"], "DELETED");
    service.do_jobs().await.unwrap();
    assert_eq!(all(&admin, "copy").await, pairs(&[("a", "x")]));
    let items = homeport_store::Key::of("dynamodb-items");
    let left = app.rows().await.iter().filter(|(key, _)| key.starts_with(items.as_bytes())).count();
    assert_eq!(left, 2, "the table's item and the copy's");
    let table = json!({"TableName": "notes"});
    done(&admin, "DeleteTable", table).await;
}

#[tokio::test]
async fn what_cannot_be_kept_or_brought_back_is_refused() {
    let (app, service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", with_index("notes")).await;
    let backup = back_up(&admin).await;
    service.do_jobs().await.unwrap();
    let nowhere = backup.as_str().unwrap().replace("notes", "nope");
    for (operation, input, code) in [
        ("CreateBackup", json!({"TableName": "nope", "BackupName": "nightly"}), "TableNotFoundException"),
        ("CreateBackup", json!({"TableName": "notes", "BackupName": "n"}), "ValidationException"),
        ("DescribeContinuousBackups", json!({"TableName": "nope"}), "TableNotFoundException"),
        ("DescribeBackup", json!({"BackupArn": nowhere}), "BackupNotFoundException"),
        ("DeleteBackup", json!({"BackupArn": nowhere}), "BackupNotFoundException"),
        (
            "RestoreTableFromBackup",
            json!({"BackupArn": nowhere, "TargetTableName": "copy"}),
            "BackupNotFoundException",
        ),
        (
            "RestoreTableFromBackup",
            json!({"BackupArn": backup, "TargetTableName": "notes"}),
            "TableAlreadyExistsException",
        ),
        (
            "RestoreTableFromBackup",
            json!({"BackupArn": backup, "TargetTableName": "copy", "BillingModeOverride": "PROVISIONED"}),
            "ValidationException",
        ),
        (
            "RestoreTableToPointInTime",
            json!({"SourceTableName": "nope", "TargetTableName": "copy", "UseLatestRestorableTime": true}),
            "TableNotFoundException",
        ),
        (
            "RestoreTableToPointInTime",
            json!({"SourceTableName": "notes", "TargetTableName": "copy", "UseLatestRestorableTime": true}),
            "PointInTimeRecoveryUnavailableException",
        ),
    ] {
        assert_eq!(refusal(&admin, operation, input).await.0, code, "{operation}");
    }
    let without = json!({"BackupArn": backup, "TargetTableName": "copy", "GlobalSecondaryIndexOverride": []});
    let restored = done(&admin, "RestoreTableFromBackup", without).await["TableDescription"].clone();
    assert_eq!(restored["GlobalSecondaryIndexes"], Value::Null);
}

#[tokio::test]
async fn a_clock_that_lags_behind_tells_no_other_history() {
    let (app, service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    put(&admin, "notes", note("a", "0")).await;
    done(&admin, "UpdateContinuousBackups", recovery(true)).await;
    app.clock.advance_seconds(10);
    put(&admin, "notes", note("a", "1")).await;
    // Another node's clock is five seconds behind this one's.
    app.clock.advance_seconds(-5);
    put(&admin, "notes", note("a", "2")).await;
    app.clock.advance_seconds(20);
    let to =
        json!({"SourceTableName": "notes", "TargetTableName": "copy", "RestoreDateTime": now(&app) - 21.0});
    done(&admin, "RestoreTableToPointInTime", to).await;
    service.do_jobs().await.unwrap();
    assert_eq!(all(&admin, "copy").await, pairs(&[("a", "0")]));
}

#[tokio::test]
async fn what_a_clock_that_lags_behind_writes_behind_a_backups_moment_is_not_in_it() {
    let (app, service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    put(&admin, "notes", note("a", "old")).await;
    let backup = back_up(&admin).await;
    app.clock.advance_seconds(-5);
    put(&admin, "notes", note("a", "new")).await;
    put(&admin, "notes", note("b", "new")).await;
    app.clock.advance_seconds(10);
    service.do_jobs().await.unwrap();
    restore(&admin, &backup, "copy").await;
    service.do_jobs().await.unwrap();
    assert_eq!(all(&admin, "copy").await, pairs(&[("a", "old")]));
}

#[tokio::test]
async fn a_longer_period_brings_nothing_back_that_was_forgotten() {
    let (app, _service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let days = |days: i64| {
        let mut asked = recovery(true);
        asked["PointInTimeRecoverySpecification"]["RecoveryPeriodInDays"] = json!(days);
        asked
    };
    done(&admin, "UpdateContinuousBackups", days(1)).await;
    app.clock.advance_seconds(10 * 86_400);
    let reached = now(&app) - 86_400.0;
    done(&admin, "UpdateContinuousBackups", days(35)).await;
    app.clock.advance_seconds(60);
    let told = done(&admin, "DescribeContinuousBackups", json!({"TableName": "notes"})).await;
    let told = &told["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"];
    assert_eq!(told["EarliestRestorableDateTime"], json!(reached));
}

#[tokio::test]
async fn a_table_is_copied_by_no_more_than_fifty_at_a_time() {
    let (app, service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    for _ in 0..50 {
        back_up(&admin).await;
    }
    let more = json!({"TableName": "notes", "BackupName": "nightly"});
    assert_eq!(refusal(&admin, "CreateBackup", more).await.0, "LimitExceededException");
    service.do_jobs().await.unwrap();
    back_up(&admin).await;
}

#[tokio::test]
async fn an_arn_that_is_not_quite_a_backups_own_names_none() {
    let (app, _service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let backup = back_up(&admin).await.as_str().unwrap().to_owned();
    for other in [backup.replace("arn:aws:", "arn:aws-cn:"), backup.replace("/backup/", "/x/backup/")] {
        let (code, said) = refusal(&admin, "DescribeBackup", json!({"BackupArn": other})).await;
        assert_eq!((code.as_str(), said.as_str()), ("ValidationException", "Invalid Backup ARN"));
    }
}

#[tokio::test]
async fn recovery_that_ends_has_no_period() {
    let (app, _service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let mut asked = recovery(false);
    asked["PointInTimeRecoverySpecification"]["RecoveryPeriodInDays"] = json!(7);
    let refused = refusal(&admin, "UpdateContinuousBackups", asked).await;
    let said = "Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery.";
    assert_eq!(refused, invalid(said));
    done(&admin, "UpdateContinuousBackups", recovery(false)).await;
}

fn invalid(said: &str) -> (String, String) {
    ("ValidationException".to_owned(), said.to_owned())
}

#[tokio::test]
async fn a_restore_names_one_source_and_one_moment() {
    let (app, _service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    done(&admin, "UpdateContinuousBackups", recovery(true)).await;
    let one_source = "Must provide exactly one of: sourceTableArn, sourceTableName";
    let one_moment = "Invalid Request: Either one of RestoreDateTime or UseLatestRestorableTime must be specified, but not both";
    let arn = "arn:aws:dynamodb:us-east-1:123456789012:table/notes";
    for (asked, said) in [
        (json!({"UseLatestRestorableTime": true}), one_source),
        (
            json!({"SourceTableName": "notes", "SourceTableArn": arn, "UseLatestRestorableTime": true}),
            one_source,
        ),
        (json!({"SourceTableName": "notes"}), one_moment),
        (
            json!({"SourceTableName": "notes", "UseLatestRestorableTime": true, "RestoreDateTime": now(&app)}),
            one_moment,
        ),
    ] {
        let mut asked = asked;
        asked["TargetTableName"] = json!("copy");
        assert_eq!(refusal(&admin, "RestoreTableToPointInTime", asked).await, invalid(said));
    }
}

/// The description of what the backup is restored as with these overrides.
async fn restored_with(caller: &TestCaller, backup: &Value, overrides: Value) -> Value {
    let mut asked = json!({"BackupArn": backup, "TargetTableName": "copy"});
    asked.as_object_mut().unwrap().extend(overrides.as_object().cloned().unwrap());
    done(caller, "RestoreTableFromBackup", asked).await["TableDescription"].clone()
}

/// Why it is not.
async fn not_restored_with(caller: &TestCaller, backup: &Value, overrides: Value) -> (String, String) {
    let mut asked = json!({"BackupArn": backup, "TargetTableName": "copy"});
    asked.as_object_mut().unwrap().extend(overrides.as_object().cloned().unwrap());
    refusal(caller, "RestoreTableFromBackup", asked).await
}

/// A backup of a table on demand with the index `by-g`.
async fn indexed_backup(service: &homeport_dynamodb::DynamoDb, admin: &TestCaller) -> Value {
    done(admin, "CreateTable", with_index("notes")).await;
    put(admin, "notes", note("a", "x")).await;
    let backup = back_up(admin).await;
    service.do_jobs().await.unwrap();
    backup
}

fn units(read: u64, write: u64) -> Value {
    json!({"ReadCapacityUnits": read, "WriteCapacityUnits": write})
}

/// The index `by-g` of [`with_index`] in a restore, by this name.
fn index(name: &str) -> Value {
    let mut index = with_index("notes")["GlobalSecondaryIndexes"][0].clone();
    index["IndexName"] = json!(name);
    index
}

#[tokio::test]
async fn a_restored_table_may_be_billed_otherwise() {
    let (app, service) = working_app();
    let admin = app.admin();
    let backup = &indexed_backup(&service, &admin).await;
    let provisioned = |indexes: Value| {
        json!({
            "BillingModeOverride": "PROVISIONED", "ProvisionedThroughputOverride": units(5, 6),
            "GlobalSecondaryIndexOverride": indexes,
        })
    };
    let mut without = provisioned(json!([]));
    without.as_object_mut().unwrap().remove("GlobalSecondaryIndexOverride");
    let said = invalid("Invalid Request: Must specify provisioned throughput for index by-g");
    assert_eq!(not_restored_with(&admin, backup, without).await, said);
    assert_eq!(not_restored_with(&admin, backup, provisioned(json!([index("by-g")]))).await, said);
    let alone = json!({"ProvisionedThroughputOverride": units(5, 6)});
    let said = "Invalid Request: Cannot override ProvisionedThroughput unless BillingMode is PROVISIONED";
    assert_eq!(not_restored_with(&admin, backup, alone).await, invalid(said));
    let mut served = index("by-g");
    served["ProvisionedThroughput"] = units(7, 8);
    let table = restored_with(&admin, backup, provisioned(json!([served]))).await;
    assert_eq!(table["ProvisionedThroughput"]["ReadCapacityUnits"], 5);
    assert_eq!(table["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"]["WriteCapacityUnits"], 8);
}

#[tokio::test]
async fn a_provisioned_tables_backup_keeps_what_its_indexes_serve() {
    let (app, service) = working_app();
    let admin = app.admin();
    let mut table = with_index("notes");
    table["BillingMode"] = json!("PROVISIONED");
    table["ProvisionedThroughput"] = units(5, 6);
    table["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"] = units(7, 8);
    done(&admin, "CreateTable", table).await;
    let backup = &back_up(&admin).await;
    service.do_jobs().await.unwrap();
    let mut same = index("by-g");
    same["ProvisionedThroughput"] = units(7, 8);
    for overrides in [
        json!({}),
        json!({"BillingModeOverride": "PROVISIONED", "GlobalSecondaryIndexOverride": [index("by-g")]}),
        json!({"GlobalSecondaryIndexOverride": [same]}),
    ] {
        let table = restored_with(&admin, backup, overrides).await;
        assert_eq!(table["ProvisionedThroughput"]["WriteCapacityUnits"], 6);
        assert_eq!(table["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"]["ReadCapacityUnits"], 7);
        service.do_jobs().await.unwrap();
        done(&admin, "DeleteTable", json!({"TableName": "copy"})).await;
    }
    let on_demand = json!({"BillingModeOverride": "PAY_PER_REQUEST", "OnDemandThroughputOverride": {"MaxReadRequestUnits": 9}});
    let table = restored_with(&admin, backup, on_demand).await;
    assert_eq!(table["OnDemandThroughput"]["MaxReadRequestUnits"], 9);
    assert_eq!(table["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"]["ReadCapacityUnits"], 0);
    let maximum = json!({"OnDemandThroughputOverride": {"MaxReadRequestUnits": 9}});
    let said = "One or more parameter values were invalid: MaxReadRequestUnits for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED";
    assert_eq!(not_restored_with(&admin, backup, maximum).await, invalid(said));
}

#[tokio::test]
async fn a_restore_asks_for_no_key_of_kms() {
    let (app, service) = working_app();
    let admin = app.admin();
    let backup = &indexed_backup(&service, &admin).await;
    let encrypted = |enabled: bool| json!({"SSESpecificationOverride": {"Enabled": enabled}});
    assert_eq!(not_restored_with(&admin, backup, encrypted(true)).await.0, "ValidationException");
    restored_with(&admin, backup, encrypted(false)).await;
}

#[tokio::test]
async fn a_restored_index_is_one_of_the_same_keys_and_projection_by_any_name() {
    let (app, service) = working_app();
    let admin = app.admin();
    let backup = &indexed_backup(&service, &admin).await;
    let listed = |indexes: Value| json!({"GlobalSecondaryIndexOverride": indexes});
    let (mut other_key, mut other_projection, mut sorted) = (index("by-g"), index("by-g"), index("by-g"));
    other_key["KeySchema"][0]["AttributeName"] = json!("p");
    other_projection["Projection"]["ProjectionType"] = json!("KEYS_ONLY");
    sorted["KeySchema"] = json!([
        {"AttributeName": "g", "KeyType": "HASH"}, {"AttributeName": "p", "KeyType": "RANGE"},
    ]);
    let twice = json!([index("by-g"), index("again")]);
    for (indexes, name) in [
        (json!([other_key]), "by-g"),
        (json!([other_projection]), "by-g"),
        (json!([sorted]), "by-g"),
        (twice, "again"),
    ] {
        let said = format!(
            "Invalid Request: Index {name} does not match a secondary index that existed in the source table and cannot be created during the restore operation"
        );
        assert_eq!(not_restored_with(&admin, backup, listed(indexes)).await, invalid(&said));
    }
    let local = json!({"LocalSecondaryIndexOverride": [index("by-g")]});
    assert_eq!(not_restored_with(&admin, backup, local).await.0, "ValidationException");
    restored_with(&admin, backup, listed(json!([index("renamed")]))).await;
    service.do_jobs().await.unwrap();
    let by = |name: &str| json!({"TableName": "copy", "IndexName": name, "Select": "COUNT"});
    assert_eq!(done(&admin, "Scan", by("renamed")).await["Count"], 1);
    assert_eq!(refusal(&admin, "Scan", by("by-g")).await.0, "ValidationException");
}
