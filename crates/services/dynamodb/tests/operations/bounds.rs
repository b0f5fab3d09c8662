//! Requests and items as large as they may be, which must cost no more than they weigh.

use serde_json::{Value, json};

use super::app::{app, call, refusal};

/// As many empty objects.
fn empty_ones(count: usize) -> Value {
    vec![json!({}); count].into()
}

#[tokio::test]
async fn a_long_name_is_not_said_again_for_each_write_to_its_table() {
    let app = app();
    let admin = app.admin();
    let name = "n".repeat(1 << 20);
    let input = json!({"RequestItems": {name.clone(): empty_ones(300_000)}});
    let (code, said) = refusal(&admin, "BatchWriteItem", input).await;
    assert_eq!(code, "ValidationException");
    assert!(said.starts_with("1 validation error detected: Value '{nnn"), "{}", &said[..80]);
    assert!(said.len() < 100_000, "{}", said.len());
    let input = json!({"RequestItems": {name: vec![json!({"PutRequest": {}}); 25]}});
    let refused = call(&admin, "BatchWriteItem", input).await.refused("ValidationException", 400);
    assert!(refused.message().starts_with("10 validation errors detected: Value null at 'requestItems.nnn"));
    assert!(refused.message().len() < 1_000_000, "{}", refused.message().len());
}

#[tokio::test]
async fn members_are_missed_among_as_many_writes_as_a_call_may_have() {
    let app = app();
    let admin = app.admin();
    let mut writes = vec![json!({"DeleteRequest": {"Key": {"p": {"S": "a"}}}}); 30];
    for at in [24, 25] {
        writes[at] = json!({"DeleteRequest": {}});
    }
    let (_, said) = refusal(&admin, "BatchWriteItem", json!({"RequestItems": {"notes": writes}})).await;
    let missing = "Value null at 'requestItems.notes.member.25.member.deleteRequest.key' failed to satisfy constraint: Member must not be null";
    assert!(said.starts_with("2 validation errors detected: ") && said.ends_with(missing), "{said}");
}

#[tokio::test]
async fn a_list_of_a_hundred_thousand_where_few_are_allowed_is_counted() {
    let app = app();
    let admin = app.admin();
    let said = |member: &str, most: usize| {
        format!(
            "1 validation error detected: Value '[100000 items]' at '{member}' failed to satisfy constraint: Member must have length less than or equal to {most}"
        )
    };
    for (operation, input, said) in [
        ("TransactWriteItems", "TransactItems", said("transactItems", 100)),
        ("TransactGetItems", "TransactItems", said("transactItems", 100)),
        (
            "BatchExecuteStatement",
            "Statements",
            said("statements", 25).replace("1 validation error", "10 validation errors"),
        ),
        (
            "ExecuteTransaction",
            "TransactStatements",
            said("transactStatements", 100).replace("1 validation error", "10 validation errors"),
        ),
    ] {
        let (code, told) = refusal(&admin, operation, json!({input: empty_ones(100_000)})).await;
        assert_eq!(code, "ValidationException");
        assert!(told.starts_with(&said), "{operation}: {told}");
    }
    let input = json!({"RequestItems": {"notes": {"Keys": empty_ones(100_000)}}});
    let (_, told) = refusal(&admin, "BatchGetItem", input).await;
    assert_eq!(
        told,
        "1 validation error detected: Value at 'RequestItems.notes.member.Keys' failed to satisfy constraint: Member must have length less than or equal to 100"
    );
}

#[tokio::test]
async fn millions_of_actions_take_no_gigabytes() {
    let app = app();
    let admin = app.admin();
    // Five million, of a kilobyte each if they were kept.
    let input = json!({"TransactItems": empty_ones(5_000_000)});
    let (_, told) = refusal(&admin, "TransactWriteItems", input).await;
    assert!(told.contains("'[5000000 items]'"), "{told}");
    let most = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let most = most.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    let most: u64 = most.and_then(|most| most.trim().parse().ok()).unwrap_or_default();
    assert!(most < 4 << 20, "{most} kB");
}
