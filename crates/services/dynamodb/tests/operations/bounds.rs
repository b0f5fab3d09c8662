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
