//! Requests and items as large as they may be, which must cost no more than they weigh.

use serde_json::{Value, json};

use super::app::{app, call, done, put, refusal, sorts};
use homeport_testkit::TestCaller;

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

/// The counts of items on the pages of a query, and the items' sort keys.
async fn pages(caller: &TestCaller, operation: &str, mut input: Value) -> (Vec<usize>, Vec<String>) {
    let (mut counts, mut keys) = (Vec::new(), Vec::new());
    loop {
        let page = done(caller, operation, input.clone()).await;
        counts.push(page["Items"].as_array().map_or(0, Vec::len));
        keys.extend(sorts(&page));
        let (member, next) = match operation {
            "ExecuteStatement" => ("NextToken", &page["NextToken"]),
            _ => ("ExclusiveStartKey", &page["LastEvaluatedKey"]),
        };
        if next.is_null() {
            return (counts, keys);
        }
        input[member] = next.clone();
    }
}

#[tokio::test]
async fn a_page_ends_with_a_megabyte_that_was_fetched_beside_an_index() {
    let app = app();
    let admin = app.admin();
    let key = |range: &str| json!([{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": range, "KeyType": "RANGE"}]);
    let attributes = ["p", "r", "s"].map(|name| json!({"AttributeName": name, "AttributeType": "S"}));
    let table = json!({
        "TableName": "notes", "KeySchema": key("r"), "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": attributes,
        "LocalSecondaryIndexes": [
            {"IndexName": "by-s", "KeySchema": key("s"), "Projection": {"ProjectionType": "KEYS_ONLY"}},
        ],
    });
    done(&admin, "CreateTable", table).await;
    for n in 0..9 {
        let n = json!({"S": n.to_string()});
        let item = json!({"p": {"S": "x"}, "r": n.clone(), "s": n, "v": {"S": "v".repeat(300_000)}});
        put(&admin, "notes", item).await;
    }
    let query = json!({
        "TableName": "notes", "IndexName": "by-s", "KeyConditionExpression": "p = :p",
        "ExpressionAttributeValues": {":p": {"S": "x"}}, "ReturnConsumedCapacity": "INDEXES",
    });
    let with = |select: &str| {
        let mut query = query.clone();
        query["Select"] = json!(select);
        query
    };
    let all: Vec<String> = (0..9).map(|n| n.to_string()).collect();
    assert_eq!(pages(&admin, "Query", with("ALL_ATTRIBUTES")).await, (vec![4, 4, 1], all.clone()));
    assert_eq!(pages(&admin, "Query", with("ALL_PROJECTED_ATTRIBUTES")).await, (vec![9], all.clone()));
    let statement = json!({"Statement": "SELECT p, r, v FROM notes.\"by-s\" WHERE p = 'x'"});
    assert_eq!(pages(&admin, "ExecuteStatement", statement).await, (vec![4, 4, 1], all));
    let page = done(&admin, "Query", with("ALL_ATTRIBUTES")).await;
    assert_eq!(page["ConsumedCapacity"]["Table"]["CapacityUnits"], 4.0 * 37.0);
}
