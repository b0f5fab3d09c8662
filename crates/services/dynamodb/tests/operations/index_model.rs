//! Whatever is written, in whatever way, while indexes come and go: each index is what it would be if it were made anew
//! from the table.

use homeport_dynamodb::DynamoDb;
use homeport_testkit::TestCaller;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::app::{call, done, hash_table, working_app};

const ITEMS: [&str; 4] = ["a", "b", "c", "d"];

#[derive(Clone, Debug)]
enum Step {
    Put(usize, Option<u8>),
    Update(usize, Option<u8>),
    Delete(usize),
    Batch(Vec<(usize, Option<Option<u8>>)>),
    Transact(Vec<(usize, Option<u8>)>, bool),
    CreateIndex,
    DeleteIndex,
    DoJobs,
}

fn group() -> impl Strategy<Value = Option<u8>> {
    prop::option::of(0_u8..3)
}

fn item() -> impl Strategy<Value = usize> {
    0..ITEMS.len()
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (item(), group()).prop_map(|(item, group)| Step::Put(item, group)),
        3 => (item(), group()).prop_map(|(item, group)| Step::Update(item, group)),
        2 => item().prop_map(Step::Delete),
        1 => vec((item(), prop::option::of(group())), 1..4).prop_map(Step::Batch),
        2 => (vec((item(), group()), 1..4), any::<bool>()).prop_map(|(writes, fails)| Step::Transact(writes, fails)),
        1 => Just(Step::CreateIndex),
        1 => Just(Step::DeleteIndex),
        1 => Just(Step::DoJobs),
    ]
}

fn key(item: usize) -> Value {
    json!({"p": {"S": ITEMS[item]}})
}

fn whole(item: usize, group: Option<u8>) -> Value {
    let mut whole = key(item);
    if let Some(group) = group {
        whole["g"] = json!({"S": group.to_string()});
        whole["kept"] = json!({"N": (u32::from(group) * 10).to_string()});
    }
    whole["rest"] = json!({"S": "r"});
    whole
}

/// Each item once, as one call may name it.
fn each_once<T: Clone>(writes: &[(usize, T)]) -> Vec<(usize, T)> {
    let mut seen = Vec::new();
    for (item, write) in writes {
        if !seen.iter().any(|(other, _)| other == item) {
            seen.push((*item, write.clone()));
        }
    }
    seen
}

fn index(name: &str, projection: &Value) -> Value {
    json!({"IndexName": name, "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}], "Projection": projection})
}

fn updating(item: usize, group: Option<u8>) -> Value {
    match group {
        Some(group) => json!({
            "TableName": "notes", "Key": key(item), "UpdateExpression": "SET g = :g, kept = :k",
            "ExpressionAttributeValues": {":g": {"S": group.to_string()}, ":k": {"N": "7"}},
        }),
        None => json!({"TableName": "notes", "Key": key(item), "UpdateExpression": "REMOVE g"}),
    }
}

async fn take(admin: &TestCaller, service: &DynamoDb, step: &Step) {
    let table = |updates: Value| {
        json!({
            "TableName": "notes", "GlobalSecondaryIndexUpdates": updates,
            "AttributeDefinitions": [{"AttributeName": "g", "AttributeType": "S"}],
        })
    };
    match step {
        Step::Put(item, group) => {
            done(admin, "PutItem", json!({"TableName": "notes", "Item": whole(*item, *group)})).await;
        }
        Step::Update(item, group) => drop(done(admin, "UpdateItem", updating(*item, *group)).await),
        Step::Delete(item) => {
            done(admin, "DeleteItem", json!({"TableName": "notes", "Key": key(*item)})).await;
        }
        Step::Batch(writes) => {
            let writes = each_once(writes).into_iter().map(|(item, write)| match write {
                Some(group) => json!({"PutRequest": {"Item": whole(item, group)}}),
                None => json!({"DeleteRequest": {"Key": key(item)}}),
            });
            let request = json!({"RequestItems": {"notes": writes.collect::<Vec<_>>()}});
            done(admin, "BatchWriteItem", request).await;
        }
        Step::Transact(writes, fails) => {
            let mut actions: Vec<Value> = each_once(writes)
                .into_iter()
                .map(|(item, group)| json!({"Update": updating(item, group)}))
                .collect();
            if *fails {
                let never = json!({"TableName": "notes", "Key": {"p": {"S": "never"}}, "ConditionExpression": "attribute_exists(p)"});
                actions.push(json!({"ConditionCheck": never}));
            }
            let reply = call(admin, "TransactWriteItems", json!({"TransactItems": actions})).await;
            assert_eq!(reply.status != 200, *fails, "{}", reply.text());
        }
        // What can't be at the moment is refused, and changes nothing.
        Step::CreateIndex => {
            let made = index("late", &json!({"ProjectionType": "ALL"}));
            call(admin, "UpdateTable", table(json!([{"Create": made}]))).await;
        }
        Step::DeleteIndex => {
            call(admin, "UpdateTable", table(json!([{"Delete": {"IndexName": "late"}}]))).await;
        }
        Step::DoJobs => service.do_jobs().await.unwrap(),
    }
}

async fn items(admin: &TestCaller, index: Option<&str>) -> Vec<Value> {
    let mut scan = json!({"TableName": "notes"});
    if let Some(index) = index {
        scan["IndexName"] = json!(index);
    }
    let mut items = done(admin, "Scan", scan).await["Items"].as_array().cloned().unwrap();
    items.sort_by_key(|item| item["p"]["S"].to_string());
    items
}

/// What an index with this projection would hold of the items.
fn made_anew(items: &[Value], kept: &[&str]) -> Vec<Value> {
    let grouped = items.iter().filter(|item| item["g"]["S"].is_string());
    let entry = |item: &Value| {
        let members = item.as_object().unwrap().iter().filter(|(name, _)| kept.contains(&name.as_str()));
        Value::Object(members.map(|(name, value)| (name.clone(), value.clone())).collect())
    };
    grouped.map(entry).collect()
}

/// What AWS counts for one of these items, in bytes; their numbers have one or two digits.
fn size(item: &Value) -> usize {
    let bytes = |value: &Value| match (value["S"].as_str(), value["N"].as_str()) {
        (Some(text), _) => text.len(),
        (None, Some("0")) => 1,
        (None, _) => 2,
    };
    item.as_object().unwrap().iter().map(|(name, value)| name.len() + bytes(value)).sum()
}

fn holds(steps: &[Step]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (app, service) = working_app();
        let admin = app.admin();
        let mut table = hash_table("notes");
        table["AttributeDefinitions"] = json!([
            {"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "g", "AttributeType": "S"},
        ]);
        table["GlobalSecondaryIndexes"] = json!([
            index("keys", &json!({"ProjectionType": "KEYS_ONLY"})),
            index("some", &json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": ["kept"]})),
        ]);
        done(&admin, "CreateTable", table).await;
        for step in steps {
            take(&admin, &service, step).await;
        }
        service.do_jobs().await.unwrap();
        let all = items(&admin, None).await;
        assert_eq!(items(&admin, Some("keys")).await, made_anew(&all, &["p", "g"]));
        assert_eq!(items(&admin, Some("some")).await, made_anew(&all, &["p", "g", "kept"]));
        let described = done(&admin, "DescribeTable", json!({"TableName": "notes"})).await["Table"].clone();
        assert_eq!(described["ItemCount"], all.len());
        for index in described["GlobalSecondaryIndexes"].as_array().unwrap() {
            let entries = items(&admin, index["IndexName"].as_str()).await;
            assert_eq!(index["ItemCount"], entries.len(), "{index}");
            assert_eq!(index["IndexSizeBytes"], entries.iter().map(size).sum::<usize>(), "{index}");
        }
        if described["GlobalSecondaryIndexes"].as_array().unwrap().len() == 3 {
            assert_eq!(items(&admin, Some("late")).await, made_anew(&all, &["p", "g", "kept", "rest"]));
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn every_index_is_what_the_table_would_make_of_it(steps in vec(step(), 0..24)) {
        holds(&steps);
    }
}
