use serde_json::{Value, json};

use super::app::{app, done, hash_table, put, range_table, refusal, sorts};
use homeport_testkit::{TestApp, TestCaller};

async fn filled(kind: &str, values: &[&str]) -> (TestApp, TestCaller) {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", range_table("notes", kind)).await;
    for (partition, extra) in [("a", "x"), ("b", "y")] {
        for value in values {
            put(
                &admin,
                "notes",
                json!({"p": {"S": partition}, "r": {kind: value}, "v": {"S": format!("{extra}{value}")}}),
            )
            .await;
        }
    }
    (app, admin)
}

fn query(condition: &str, values: Value) -> Value {
    json!({"TableName": "notes", "KeyConditionExpression": condition, "ExpressionAttributeValues": values})
}

#[tokio::test]
async fn a_query_gives_one_partition_in_order() {
    let (_app, admin) = filled("N", &["10", "-1", "2", "0.5", "-20"]).await;
    let all = done(&admin, "Query", query("p = :p", json!({":p": {"S": "a"}}))).await;
    assert_eq!(sorts(&all), ["-20", "-1", "0.5", "2", "10"]);
    assert_eq!((&all["Count"], &all["ScannedCount"]), (&json!(5), &json!(5)));
    assert_eq!(all["LastEvaluatedKey"], Value::Null);
    let mut backward = query("p = :p", json!({":p": {"S": "a"}}));
    backward["ScanIndexForward"] = json!(false);
    assert_eq!(sorts(&done(&admin, "Query", backward).await), ["10", "2", "0.5", "-1", "-20"]);
}

#[tokio::test]
async fn a_sort_keys_condition_leaves_its_stretch() {
    let (_app, admin) = filled(
        "S",
        &["", "a", "a\u{1}", "aa", "ab", "b", "\u{0}"]
            .iter()
            .copied()
            .filter(|v| !v.is_empty())
            .collect::<Vec<_>>(),
    )
    .await;
    for (condition, low, high, expected) in [
        ("r = :x", "aa", "", vec!["aa"]),
        ("r < :x", "aa", "", vec!["\u{0}", "a", "a\u{1}"]),
        ("r <= :x", "aa", "", vec!["\u{0}", "a", "a\u{1}", "aa"]),
        ("r > :x", "a", "", vec!["a\u{1}", "aa", "ab", "b"]),
        ("r >= :x", "a", "", vec!["a", "a\u{1}", "aa", "ab", "b"]),
        (":x < r", "ab", "", vec!["b"]),
        ("begins_with(r, :x)", "a", "", vec!["a", "a\u{1}", "aa", "ab"]),
        ("r BETWEEN :x AND :y", "a\u{1}", "ab", vec!["a\u{1}", "aa", "ab"]),
    ] {
        let mut values = json!({":p": {"S": "b"}, ":x": {"S": low}});
        if !high.is_empty() {
            values[":y"] = json!({"S": high});
        }
        let found = done(&admin, "Query", query(&format!("p = :p AND {condition}"), values)).await;
        assert_eq!(sorts(&found), expected, "{condition}");
    }
}

#[tokio::test]
async fn the_pages_make_up_the_whole_both_ways() {
    let (_app, admin) = filled("S", &["a", "b", "c", "d", "e"]).await;
    for forward in [true, false] {
        let (mut seen, mut start) = (Vec::new(), Value::Null);
        loop {
            let mut page = query("p = :p", json!({":p": {"S": "a"}}));
            page["Limit"] = json!(2);
            page["ScanIndexForward"] = json!(forward);
            if !start.is_null() {
                page["ExclusiveStartKey"] = start;
            }
            let page = done(&admin, "Query", page).await;
            seen.extend(sorts(&page));
            start = page["LastEvaluatedKey"].clone();
            if start.is_null() {
                break;
            }
        }
        let mut expected = vec!["a", "b", "c", "d", "e"];
        if !forward {
            expected.reverse();
        }
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn a_filter_is_applied_after_the_limit() {
    let (_app, admin) = filled("S", &["a", "b", "c"]).await;
    let mut filtered = query("p = :p", json!({":p": {"S": "a"}, ":v": {"S": "xb"}}));
    filtered["FilterExpression"] = json!("v = :v");
    let found = done(&admin, "Query", filtered.clone()).await;
    assert_eq!((sorts(&found), &found["ScannedCount"]), (vec!["b".to_owned()], &json!(3)));
    filtered["Limit"] = json!(1);
    let found = done(&admin, "Query", filtered.clone()).await;
    assert_eq!((&found["Count"], &found["ScannedCount"]), (&json!(0), &json!(1)));
    assert_eq!(found["LastEvaluatedKey"], json!({"p": {"S": "a"}, "r": {"S": "a"}}));
    filtered["Limit"] = json!(10);
    filtered["Select"] = json!("COUNT");
    let found = done(&admin, "Query", filtered).await;
    assert_eq!((&found["Count"], &found["Items"]), (&json!(1), &Value::Null));
}

#[tokio::test]
async fn a_page_ends_with_the_item_that_passes_a_megabyte() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", range_table("notes", "N")).await;
    let large = "x".repeat(300_000);
    for n in 0..5 {
        put(&admin, "notes", json!({"p": {"S": "a"}, "r": {"N": n.to_string()}, "v": {"S": large}})).await;
    }
    let first = done(&admin, "Query", query("p = :p", json!({":p": {"S": "a"}}))).await;
    assert_eq!(sorts(&first), ["0", "1", "2", "3"]);
    let mut next = query("p = :p", json!({":p": {"S": "a"}}));
    next["ExclusiveStartKey"] = first["LastEvaluatedKey"].clone();
    assert_eq!(sorts(&done(&admin, "Query", next).await), ["4"]);
}

#[tokio::test]
async fn the_segments_of_a_scan_make_up_the_table() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    for n in 0..40 {
        put(&admin, "notes", json!({"p": {"S": n.to_string()}, "even": {"BOOL": n % 2 == 0}})).await;
    }
    let mut seen = Vec::new();
    for segment in 0..3 {
        let mut start = Value::Null;
        loop {
            let mut scan = json!({"TableName": "notes", "Segment": segment, "TotalSegments": 3, "Limit": 4});
            if !start.is_null() {
                scan["ExclusiveStartKey"] = start;
            }
            let page = done(&admin, "Scan", scan).await;
            let items = page["Items"].as_array().cloned().unwrap_or_default();
            seen.extend(items.iter().filter_map(|item| item["p"]["S"].as_str()?.parse::<u32>().ok()));
            start = page["LastEvaluatedKey"].clone();
            if start.is_null() {
                break;
            }
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..40).collect::<Vec<_>>());
    let filtered = json!({
        "TableName": "notes", "FilterExpression": "even = :yes", "ExpressionAttributeValues": {":yes": {"BOOL": true}},
        "ProjectionExpression": "p", "ReturnConsumedCapacity": "TOTAL",
    });
    let found = done(&admin, "Scan", filtered).await;
    assert_eq!((&found["Count"], &found["ScannedCount"]), (&json!(20), &json!(40)));
    assert!(found["Items"].as_array().is_some_and(|items| items.iter().all(|item| item["even"].is_null())));
    let elsewhere = json!({"TableName": "notes", "Segment": 0, "TotalSegments": 1_000_000, "ExclusiveStartKey": {"p": {"S": "1"}}});
    let (_, said) = refusal(&admin, "Scan", elsewhere).await;
    assert!(
        said.ends_with(
            "Please use ExclusiveStartKey with correct Segment. TotalSegments: 1000000 Segment: 0"
        ),
        "{said}"
    );
}
