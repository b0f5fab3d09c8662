//! Requests and items as large as they may be, which must cost no more than they weigh.

use serde_json::{Value, json};

use super::app::{app, call, done, get, hash_table, put, range_table, refusal, sorts};
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

/// A list of so many numbers that count three bytes each and print as a hundred and more.
fn long_numbers(count: usize) -> Value {
    json!({"L": vec![json!({"N": "1E-130"}); count]})
}

#[tokio::test]
async fn a_page_ends_with_its_json_too() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", range_table("notes", "S")).await;
    for n in 0..4 {
        let item = json!({"p": {"S": "x"}, "r": {"S": n.to_string()}, "v": long_numbers(40_000)});
        put(&admin, "notes", item).await;
    }
    let query = json!({
        "TableName": "notes", "KeyConditionExpression": "p = :p", "ExpressionAttributeValues": {":p": {"S": "x"}},
    });
    let all: Vec<String> = (0..4).map(|n| n.to_string()).collect();
    assert_eq!(pages(&admin, "Query", query).await, (vec![2, 2, 0], all.clone()));
    let scan = json!({"TableName": "notes"});
    assert_eq!(pages(&admin, "Scan", scan.clone()).await, (vec![2, 2, 0], all.clone()));
    let statement = json!({"Statement": "SELECT * FROM notes WHERE p = 'x'"});
    assert_eq!(pages(&admin, "ExecuteStatement", statement).await, (vec![2, 2, 0], all));
    let counted = done(&admin, "Scan", json!({"TableName": "notes", "Select": "COUNT"})).await;
    assert_eq!((&counted["Count"], &counted["LastEvaluatedKey"]), (&json!(4), &Value::Null));
}

#[tokio::test]
async fn a_batch_is_full_by_its_json_and_leaves_no_item_for_ever() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let mut keys = Vec::new();
    // Two of these are more than an answer, and the last alone is.
    for (n, numbers) in [70_000, 70_000, 70_000, 130_000].into_iter().enumerate() {
        put(&admin, "notes", json!({"p": {"S": n.to_string()}, "v": long_numbers(numbers)})).await;
        keys.push(json!({"p": {"S": n.to_string()}}));
    }
    let mut wanted = json!({"notes": {"Keys": keys}});
    let mut got = Vec::new();
    while wanted != json!({}) {
        let reply = call(&admin, "BatchGetItem", json!({"RequestItems": wanted})).await.ok();
        assert!(reply.text().len() < 20 << 20);
        let page = reply.json();
        let items = page["Responses"]["notes"].as_array().cloned().unwrap_or_default();
        assert_eq!(items.len(), 1);
        got.extend(items.iter().map(|item| item["p"]["S"].as_str().unwrap_or_default().to_owned()));
        wanted = page["UnprocessedKeys"].clone();
    }
    assert_eq!(got, ["0", "1", "2", "3"]);
    let projected = json!({"notes": {"Keys": keys, "ProjectionExpression": "p"}});
    let page = done(&admin, "BatchGetItem", json!({"RequestItems": projected})).await;
    assert_eq!(page["Responses"]["notes"].as_array().map(Vec::len), Some(4));
}

/// A table `notes` of so many items of 390,000 bytes.
async fn large_items(caller: &TestCaller, count: usize) {
    done(caller, "CreateTable", hash_table("notes")).await;
    for n in 0..count {
        let item = json!({"p": {"S": n.to_string()}, "v": {"S": "v".repeat(390_000)}, "n": {"N": "0"}});
        put(caller, "notes", item).await;
    }
}

const TOO_LARGE: &str = "Collection size of transaction payload cannot exceed 4194304 bytes";

#[tokio::test]
async fn a_transaction_reads_four_megabytes_and_no_more() {
    let app = app();
    let admin = app.admin();
    large_items(&admin, 11).await;
    let get = |n: usize| json!({"Get": {"TableName": "notes", "Key": {"p": {"S": n.to_string()}}}});
    let select = |n: usize| json!({"Statement": format!("SELECT n FROM notes WHERE p = '{n}'")});
    let gets = |count: usize| json!({"TransactItems": (0..count).map(get).collect::<Value>()});
    let selects = |count: usize| json!({"TransactStatements": (0..count).map(select).collect::<Value>()});
    for (operation, enough, too_many) in
        [("TransactGetItems", gets(10), gets(11)), ("ExecuteTransaction", selects(10), selects(11))]
    {
        let read = done(&admin, operation, enough).await;
        assert_eq!(read["Responses"].as_array().map(Vec::len), Some(10), "{operation}");
        let refused = refusal(&admin, operation, too_many).await;
        assert_eq!(refused, ("ValidationException".into(), TOO_LARGE.into()), "{operation}");
    }
}

#[tokio::test]
async fn what_updates_make_counts_towards_the_size_of_their_transaction() {
    let app = app();
    let admin = app.admin();
    large_items(&admin, 11).await;
    let update = |n: usize| {
        json!({"Update": {
            "TableName": "notes", "Key": {"p": {"S": n.to_string()}}, "UpdateExpression": "ADD n :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }})
    };
    let statement = |n: usize| json!({"Statement": format!("UPDATE notes SET n = n + 1 WHERE p = '{n}'")});
    let updates = |count: usize| json!({"TransactItems": (0..count).map(update).collect::<Value>()});
    let statements =
        |count: usize| json!({"TransactStatements": (0..count).map(statement).collect::<Value>()});
    for (operation, enough, too_many, made) in [
        ("TransactWriteItems", updates(10), updates(11), "1"),
        ("ExecuteTransaction", statements(10), statements(11), "2"),
    ] {
        let refused = refusal(&admin, operation, too_many).await;
        assert_eq!(refused, ("ValidationException".into(), TOO_LARGE.into()), "{operation}");
        done(&admin, operation, enough).await;
        assert_eq!(get(&admin, "notes", json!({"p": {"S": "0"}})).await["n"]["N"], made);
        assert_eq!(get(&admin, "notes", json!({"p": {"S": "10"}})).await["n"]["N"], "0");
    }
}

#[tokio::test]
async fn reasons_show_items_until_they_are_four_megabytes() {
    let app = app();
    let admin = app.admin();
    large_items(&admin, 13).await;
    let check = |n: usize| {
        json!({"ConditionCheck": {
            "TableName": "notes", "Key": {"p": {"S": n.to_string()}}, "ConditionExpression": "attribute_exists(x)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }})
    };
    let checks = json!({"TransactItems": (0..13).map(check).collect::<Value>()});
    let refused = call(&admin, "TransactWriteItems", checks).await;
    let reasons = refused.refused("TransactionCanceledException", 400).json()["CancellationReasons"].clone();
    for (n, reason) in reasons.as_array().into_iter().flatten().enumerate() {
        assert_eq!(reason["Code"], "ConditionalCheckFailed");
        assert_eq!(reason.get("Item").is_some(), n < 11, "{n}");
    }
    assert_eq!(reasons.as_array().map(Vec::len), Some(13));
}

#[tokio::test]
async fn a_table_of_thousands_of_members_is_refused_for_their_number() {
    let app = app();
    let admin = app.admin();
    let definition = |name: &str| json!({"AttributeName": name, "AttributeType": "S"});
    let mut table = hash_table("notes");
    let mut many: Vec<Value> = (0..15_000).map(|n| definition(&format!("attribute-{n}"))).collect();
    many.push(definition("p"));
    table["AttributeDefinitions"] = many.into();
    let (_, said) = refusal(&admin, "CreateTable", table).await;
    assert!(said.ends_with("does not exactly match number of attributes defined in AttributeDefinitions"));

    let mut table = range_table("notes", "S");
    let index = |n: usize| {
        json!({
            "IndexName": format!("index-{n}"), "Projection": {"ProjectionType": "ALL"},
            "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "r", "KeyType": "RANGE"}],
        })
    };
    for (member, said) in [
        ("LocalSecondaryIndexes", "Number of LocalSecondaryIndexes exceeds per-table limit of 5"),
        ("GlobalSecondaryIndexes", "GlobalSecondaryIndex count exceeds the per-table limit of 20"),
    ] {
        table[member] = (0..5_000).map(index).collect::<Value>();
        let (_, told) = refusal(&admin, "CreateTable", table.clone()).await;
        assert_eq!(told, format!("One or more parameter values were invalid: {said}"));
        table.as_object_mut().map(|table| table.remove(member));
    }

    let tag = |n: usize| json!({"Key": format!("tag-{n}"), "Value": ""});
    table["Tags"] = (0..20_000).map(tag).collect::<Value>();
    let (_, said) = refusal(&admin, "CreateTable", table).await;
    assert_eq!(said, "Number of Tags exceed the current limit for the provided ResourceArn");
}

#[tokio::test]
async fn what_is_wrong_with_an_index_is_told_before_that_it_is_one_too_many() {
    let app = app();
    let admin = app.admin();
    let mut table = range_table("notes", "S");
    let index = |name: String| {
        json!({
            "IndexName": name, "Projection": {"ProjectionType": "ALL"},
            "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "r", "KeyType": "RANGE"}],
        })
    };
    let mut indexes: Vec<Value> = (0..30).map(|n| index(format!("index-{n}"))).collect();
    indexes[29] = index("index-7".to_owned());
    table["GlobalSecondaryIndexes"] = indexes.into();
    let (_, said) = refusal(&admin, "CreateTable", table).await;
    assert_eq!(said, "One or more parameter values were invalid: Duplicate index name: index-7");
}

#[tokio::test]
async fn a_megabyte_is_enough_to_describe_a_table_and_more_is_not_read() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let arn = "arn:aws:dynamodb:us-east-1:123456789012:table/notes";
    let tags = |count: usize| {
        let tag = |at: usize| json!({"Key": format!("k{at}"), "Value": "v".repeat(200)});
        json!({"ResourceArn": arn, "Tags": (0..count).map(tag).collect::<Vec<_>>()})
    };
    assert_eq!(refusal(&admin, "TagResource", tags(4_000)).await.0, "ValidationException");
    assert_eq!(refusal(&admin, "TagResource", tags(6_000)).await.0, "RequestEntityTooLargeException");
}
