//! CloudTrail through the whole pipeline, with a service of identity pools as what is audited.

use homeport_cloudtrail::chain::{self, Verdict};
use homeport_store::{Direction, Key, Range, StoreError};
use homeport_testkit::{Sample, TestApp, assert_strangers_are_refused};
use serde_json::{Value, json};

fn app() -> TestApp {
    TestApp::new(|parts| vec![homeport_cloudtrail::host(parts).1, homeport_cognito_identity::host(parts).1])
}

async fn make_pool(app: &TestApp, name: &str) {
    let input = json!({"IdentityPoolName": name, "AllowUnauthenticatedIdentities": false});
    app.admin().call("cognito-identity", "CreateIdentityPool", input).await.ok();
}

async fn lookup(app: &TestApp, input: Value) -> Vec<Value> {
    let reply = app.admin().call("cloudtrail", "LookupEvents", input).await.ok();
    reply.json()["Events"].as_array().cloned().unwrap_or_default()
}

async fn settle() {
    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
}

#[tokio::test]
async fn a_change_is_recorded_with_who_what_and_from_where() {
    let app = app();
    make_pool(&app, "notes").await;
    let by_name =
        json!({"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "CreateIdentityPool"}]});
    let events = lookup(&app, by_name).await;
    assert_eq!(events.len(), 1);
    let record: Value = serde_json::from_str(events[0]["CloudTrailEvent"].as_str().unwrap()).unwrap();
    assert_eq!(record["eventSource"], "cognito-identity.amazonaws.com");
    assert_eq!(record["userIdentity"]["type"], "IAMUser");
    assert_eq!(record["userIdentity"]["userName"], "testadmin0000000");
    assert_eq!(record["requestParameters"]["IdentityPoolName"], "notes");
    assert_eq!((&record["sourceIPAddress"], &record["readOnly"]), (&json!("127.0.0.1"), &json!(false)));
    assert_eq!(record.get("errorCode"), None);
}

#[tokio::test]
async fn a_refused_change_is_recorded_with_its_error_and_an_anonymous_one_is_sampled() {
    let app = app();
    let input = json!({"IdentityPoolName": "x", "AllowUnauthenticatedIdentities": false});
    let refused = app.stranger().call("cognito-identity", "CreateIdentityPool", input.clone()).await;
    refused.refused("AccessDeniedException", 400);
    for _ in 0..5 {
        app.anonymous().call("cognito-identity", "CreateIdentityPool", input.clone()).await;
        let nobody = app.keys("AKIDNOBODY0000000000", "secret", None);
        nobody.call("cognito-identity", "DeleteIdentityPool", json!({"IdentityPoolId": "us-east-1:x"})).await;
    }
    for _ in 0..2 {
        app.stranger().call("cognito-identity", "DescribeIdentityPool", json!({})).await;
    }
    settle().await;
    let events = lookup(&app, json!({})).await;
    let codes: Vec<Value> = events
        .iter()
        .map(|event| {
            serde_json::from_str::<Value>(event["CloudTrailEvent"].as_str().unwrap()).unwrap()["errorCode"]
                .clone()
        })
        .collect();
    let count = |code: &str| codes.iter().filter(|seen| *seen == code).count();
    for (code, times) in [
        ("AccessDeniedException", 1),
        ("MissingAuthenticationTokenException", 1),
        ("UnrecognizedClientException", 1),
        ("ValidationException", 2),
    ] {
        assert_eq!(count(code), times, "{code}: {codes:?}");
    }
}

#[tokio::test]
async fn pages_make_up_the_whole_newest_first() {
    let app = app();
    for n in 0..7 {
        make_pool(&app, &format!("pool{n}")).await;
        app.clock.advance_seconds(1);
    }
    let (mut names, mut token) = (Vec::new(), None::<String>);
    loop {
        let mut input = json!({"MaxResults": 3, "LookupAttributes":
            [{"AttributeKey": "EventName", "AttributeValue": "CreateIdentityPool"}]});
        if let Some(token) = &token {
            input["NextToken"] = json!(token);
        }
        let page = app.admin().call("cloudtrail", "LookupEvents", input).await.ok().json();
        for event in page["Events"].as_array().unwrap() {
            let record: Value = serde_json::from_str(event["CloudTrailEvent"].as_str().unwrap()).unwrap();
            names.push(record["requestParameters"]["IdentityPoolName"].as_str().unwrap().to_owned());
        }
        match page["NextToken"].as_str() {
            Some(next) => token = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(names, ["pool6", "pool5", "pool4", "pool3", "pool2", "pool1", "pool0"]);
}

#[tokio::test]
async fn what_is_no_lookup_is_refused() {
    let app = app();
    let cases = [
        (json!({"NextToken": "!"}), "InvalidNextTokenException"),
        (json!({"StartTime": 20, "EndTime": 10}), "InvalidTimeRangeException"),
    ];
    for (input, code) in cases {
        app.admin().call("cloudtrail", "LookupEvents", input).await.refused(code, 400);
    }
}

#[tokio::test]
async fn the_chain_finds_a_row_that_was_removed_or_altered() {
    for tamper in ["remove", "alter"] {
        let app = app();
        for n in 0..5 {
            make_pool(&app, &format!("pool{n}")).await;
        }
        let (store, vault) = (&app.parts.store, &app.parts.vault);
        while chain::extend(store, vault).await.unwrap() {}
        make_pool(&app, "later").await;
        let whole = chain::verify(store, vault).await.unwrap();
        assert_eq!(whole, Verdict::Whole { rows: 5, unlinked: 1 });
        let done: Result<(), StoreError> = store
            .write(|tx| async move {
                let rows = tx.scan(Range::prefix(&Key::of("audit")), Direction::Forward, 10).await?.rows;
                let key = Key::from_row(&rows[2].key);
                match tamper {
                    "remove" => tx.delete(&key),
                    _ => tx.put(&key, rows[3].value.clone()),
                }
            })
            .await;
        done.unwrap();
        assert!(
            matches!(chain::verify(store, vault).await.unwrap(), Verdict::Broken { link: 1, .. }),
            "{tamper}"
        );
    }
}

#[tokio::test]
async fn rows_older_than_ninety_days_are_let_go_and_the_chain_still_holds() {
    let app = app();
    let (store, vault) = (&app.parts.store, &app.parts.vault);
    for _ in 0..3 {
        make_pool(&app, "pool").await;
        while chain::extend(store, vault).await.unwrap() {}
        app.clock.advance_seconds(60 * 86_400);
    }
    let now = homeport_core::Clock::now(&*app.clock);
    while chain::prune(store, vault, now).await.unwrap() {}
    let verdict = chain::verify(store, vault).await.unwrap();
    assert_eq!(verdict, Verdict::Whole { rows: 1, unlinked: 0 });
}

#[tokio::test]
async fn strangers_are_refused() {
    let make = || TestApp::new(|parts| vec![homeport_cloudtrail::host(parts).1]);
    assert_strangers_are_refused(make, &[Sample::new("cloudtrail", "LookupEvents", json!({}))]).await;
}
