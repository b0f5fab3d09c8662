use serde_json::{Value, json};

use super::app::{done, get, hash_table, put, refusal, working_app};
use homeport_testkit::TestApp;

fn specified(enabled: bool, attribute: &str) -> Value {
    json!({"TableName": "notes", "TimeToLiveSpecification": {"Enabled": enabled, "AttributeName": attribute}})
}

fn now(app: &TestApp) -> i64 {
    homeport_core::Clock::now(&*app.clock).seconds()
}

fn noted(name: &str, expires: Value) -> Value {
    json!({"p": {"S": name}, "gone": expires})
}

#[tokio::test]
async fn items_are_removed_when_their_second_has_come_and_no_others() {
    let (app, service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let at = |seconds: i64| json!({"N": (now(&app) + seconds).to_string()});
    put(&admin, "notes", noted("before", at(-10))).await;
    put(&admin, "notes", noted("later", at(3_600))).await;
    put(&admin, "notes", noted("ancient", at(-6 * 365 * 86_400))).await;
    put(&admin, "notes", noted("text", json!({"S": "1"}))).await;
    put(&admin, "notes", noted("fraction", json!({"N": format!("{}.9", now(&app) - 1)}))).await;
    let asked = done(&admin, "UpdateTimeToLive", specified(true, "gone")).await;
    assert_eq!(asked["TimeToLiveSpecification"], json!({"Enabled": true, "AttributeName": "gone"}));
    put(&admin, "notes", noted("kept on", at(-5))).await;
    put(&admin, "notes", noted("kept on", at(60))).await;
    put(&admin, "notes", noted("after", at(-5))).await;
    service.do_jobs().await.unwrap();
    service.remove_expired().await.unwrap();
    for (name, there) in [
        ("before", false),
        ("after", false),
        ("fraction", false),
        ("later", true),
        ("ancient", true),
        ("text", true),
        ("kept on", true),
    ] {
        let found = get(&admin, "notes", json!({"p": {"S": name}})).await;
        assert_eq!(!found.is_null(), there, "{name}");
    }
    app.clock.advance_seconds(61);
    service.remove_expired().await.unwrap();
    assert!(get(&admin, "notes", json!({"p": {"S": "kept on"}})).await.is_null());
    let table = done(&admin, "DescribeTable", json!({"TableName": "notes"})).await;
    assert_eq!(table["Table"]["ItemCount"], 3);
}

#[tokio::test]
async fn nothing_expires_once_time_to_live_is_off() {
    let (app, service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    done(&admin, "UpdateTimeToLive", specified(true, "gone")).await;
    put(&admin, "notes", noted("a", json!({"N": (now(&app) - 1).to_string()}))).await;
    done(&admin, "UpdateTimeToLive", specified(false, "gone")).await;
    service.remove_expired().await.unwrap();
    service.do_jobs().await.unwrap();
    assert!(!get(&admin, "notes", json!({"p": {"S": "a"}})).await.is_null());
    let entries = homeport_store::Key::of("dynamodb-index");
    assert!(!app.rows().await.iter().any(|(key, _)| key.starts_with(entries.as_bytes())));
    let told = done(&admin, "DescribeTimeToLive", json!({"TableName": "notes"})).await;
    assert_eq!(told["TimeToLiveDescription"], json!({"TimeToLiveStatus": "DISABLED"}));
}

#[tokio::test]
async fn what_time_to_live_cannot_be_is_refused() {
    let (app, _service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let refused = async |specification| refusal(&admin, "UpdateTimeToLive", specification).await;
    assert_eq!(
        refused(specified(false, "gone")).await,
        ("ValidationException".into(), "TimeToLive is already disabled".into())
    );
    done(&admin, "UpdateTimeToLive", specified(true, "gone")).await;
    assert_eq!(refused(specified(true, "gone")).await.1, "TimeToLive is already enabled");
    for enabled in [true, false] {
        assert_eq!(
            refused(specified(enabled, "other")).await.1,
            "TimeToLive is active on a different AttributeName: current AttributeName is gone"
        );
    }
    let told = done(&admin, "DescribeTimeToLive", json!({"TableName": "notes"})).await;
    assert_eq!(
        told["TimeToLiveDescription"],
        json!({"TimeToLiveStatus": "ENABLED", "AttributeName": "gone"})
    );
    let (code, said) = refusal(&admin, "DescribeTimeToLive", json!({"TableName": "nope"})).await;
    assert_eq!(code, "ResourceNotFoundException");
    assert_eq!(said, "Requested resource not found: Table: nope not found");
}

/// Puts items that expired a second ago, and lets the table's items expire.
async fn crowd(app: &TestApp, table: &str, count: usize) {
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table(table)).await;
    let names: Vec<String> = (0..count).map(|number| number.to_string()).collect();
    for names in names.chunks(25) {
        let expired = json!({"N": (now(app) - 1).to_string()});
        let puts = names.iter().map(|name| json!({"PutRequest": {"Item": noted(name, expired.clone())}}));
        let puts: Vec<Value> = puts.collect();
        done(&admin, "BatchWriteItem", json!({"RequestItems": {table: puts}})).await;
    }
    let specification = json!({"Enabled": true, "AttributeName": "gone"});
    done(&admin, "UpdateTimeToLive", json!({"TableName": table, "TimeToLiveSpecification": specification}))
        .await;
}

async fn left(app: &TestApp, table: &str) -> i64 {
    let counted = done(&app.admin(), "Scan", json!({"TableName": table, "Select": "COUNT"})).await;
    counted["Count"].as_i64().unwrap()
}

#[tokio::test]
async fn a_table_with_a_crowd_of_expired_items_holds_up_no_other() {
    let (app, service) = working_app();
    crowd(&app, "a-crowd", 2_000).await;
    crowd(&app, "b-few", 1).await;
    service.do_jobs().await.unwrap();
    let few_are_gone = async {
        while left(&app, "b-few").await > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = few_are_gone => {}
        done = service.remove_expired() => panic!("nobody saw the other table cleared before: {done:?}"),
    }
    assert!(left(&app, "a-crowd").await > 0);
    service.remove_expired().await.unwrap();
    assert_eq!(left(&app, "a-crowd").await, 0);
}
