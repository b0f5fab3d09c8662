//! Global indexes whose keys have several attributes.

use serde_json::{Value, json};

use super::app::{app, done, hash_table, put, refusal};
use super::partiql::{execute, refused};
use homeport_testkit::{TestApp, TestCaller};

async fn indexed() -> (TestApp, TestCaller) {
    let app = app();
    let admin = app.admin();
    let mut table = hash_table("games");
    let kinds = [("p", "S"), ("team", "S"), ("year", "N"), ("round", "N"), ("court", "S"), ("slot", "N")];
    table["AttributeDefinitions"] =
        kinds.iter().map(|(name, kind)| json!({"AttributeName": name, "AttributeType": kind})).collect();
    let keys =
        [("team", "HASH"), ("year", "HASH"), ("round", "RANGE"), ("court", "RANGE"), ("slot", "RANGE")];
    table["GlobalSecondaryIndexes"] = json!([{
        "IndexName": "by-all",
        "KeySchema": keys.map(|(name, kind)| json!({"AttributeName": name, "KeyType": kind})),
        "Projection": {"ProjectionType": "ALL"},
    }]);
    done(&admin, "CreateTable", table).await;
    for (at, (team, year, round, court, hour)) in [
        ("a", 1, 1, "x", 1),
        ("a", 1, 1, "x", 2),
        ("a", 1, 1, "y", 1),
        ("a", 1, 2, "x", 1),
        ("a", 1, 10, "x", 1),
        ("a", 2, 1, "x", 1),
        ("b", 1, 1, "x", 1),
    ]
    .into_iter()
    .enumerate()
    {
        let n = |number: i32| json!({"N": number.to_string()});
        let item = json!({
            "p": {"S": at.to_string()}, "team": {"S": team}, "year": n(year), "round": n(round),
            "court": {"S": court}, "slot": n(hour),
        });
        put(&admin, "games", item).await;
    }
    put(&admin, "games", json!({"p": {"S": "part"}, "team": {"S": "a"}, "year": {"N": "1"}})).await;
    (app, admin)
}

fn asking(condition: &str, limit: usize) -> Value {
    json!({
        "TableName": "games", "IndexName": "by-all", "KeyConditionExpression": condition, "Limit": limit,
        "ExpressionAttributeNames": {"#y": "year"},
        "ExpressionAttributeValues": {
            ":a": {"S": "a"}, ":one": {"N": "1"}, ":two": {"N": "2"}, ":x": {"S": "x"},
        },
    })
}

/// The query without the values that it doesn't use.
fn tidied(mut query: Value) -> Value {
    let condition = query["KeyConditionExpression"].as_str().unwrap().to_owned();
    let words: Vec<&str> = condition.split([' ', '(', ')', ',']).collect();
    query["ExpressionAttributeValues"]
        .as_object_mut()
        .unwrap()
        .retain(|key, _| words.contains(&key.as_str()));
    if !words.contains(&"#y") {
        query.as_object_mut().unwrap().remove("ExpressionAttributeNames");
    }
    query
}

#[tokio::test]
async fn attributes_are_asked_from_the_left_and_pages_make_up_the_whole() {
    let (_app, admin) = indexed().await;
    for (condition, found) in [
        ("team = :a AND #y = :one", vec!["0", "1", "2", "3", "4"]),
        ("team = :a AND #y = :two", vec!["5"]),
        ("team = :a AND #y = :one AND round = :one", vec!["0", "1", "2"]),
        ("team = :a AND #y = :one AND round >= :two", vec!["3", "4"]),
        ("team = :a AND #y = :one AND round = :one AND begins_with(court, :x)", vec!["0", "1"]),
        ("team = :a AND #y = :one AND round = :one AND court > :x", vec!["2"]),
        ("team = :a AND #y = :one AND round = :one AND court = :x AND slot = :two", vec!["1"]),
        ("team = :a AND #y = :one AND round = :one AND court = :x AND slot < :two", vec!["0"]),
    ] {
        for (limit, forward) in [(1, true), (2, true), (10, true), (1, false), (10, false)] {
            let (mut seen, mut start) = (Vec::new(), Value::Null);
            loop {
                let mut query = tidied(asking(condition, limit));
                query["ScanIndexForward"] = json!(forward);
                if !start.is_null() {
                    query["ExclusiveStartKey"] = start;
                }
                let page = done(&admin, "Query", query).await;
                let items = page["Items"].as_array().cloned().unwrap();
                seen.extend(items.iter().map(|item| item["p"]["S"].as_str().unwrap().to_owned()));
                start = page["LastEvaluatedKey"].clone();
                if start.is_null() {
                    break;
                }
                assert_eq!(start.as_object().map(|key| key.len()), Some(6));
            }
            if !forward {
                seen.reverse();
            }
            assert_eq!(seen, found, "{condition}");
        }
    }
}

#[tokio::test]
async fn conditions_that_leave_attributes_out_are_refused() {
    let (_app, admin) = indexed().await;
    let hashes = |names: &str| {
        format!("HASH key attributes {names} must have equality conditions specified in the query")
    };
    let ranges = |names: &str, because: &str| {
        format!(
            "RANGE key attributes {names} must have equality conditions specified in the query because a condition is present on key attribute {because}"
        )
    };
    for (condition, said) in [
        ("team = :a", hashes("year")),
        ("#y = :one", hashes("team")),
        ("team = :a AND #y = :one AND court = :x", ranges("round", "court")),
        ("team = :a AND #y > :one", hashes("year")),
        ("team = :a AND #y = :one AND round > :one AND court = :x", ranges("round", "court")),
    ] {
        let refused = refusal(&admin, "Query", tidied(asking(condition, 1))).await;
        assert_eq!(refused, ("ValidationException".to_owned(), said), "{condition}");
    }
}

#[tokio::test]
async fn an_index_shows_all_its_keys_and_has_four_of_a_kind_at_most() {
    let (_app, admin) = indexed().await;
    let table = done(&admin, "DescribeTable", json!({"TableName": "games"})).await["Table"].clone();
    let shown = table["GlobalSecondaryIndexes"][0]["KeySchema"].as_array().cloned().unwrap();
    let kinds: Vec<_> = shown.iter().map(|element| element["KeyType"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["HASH", "HASH", "RANGE", "RANGE", "RANGE"]);
    let mut table = hash_table("more");
    let names = ["p", "a", "b", "c", "d", "e"];
    table["AttributeDefinitions"] =
        names.iter().map(|name| json!({"AttributeName": name, "AttributeType": "S"})).collect();
    let keys: Value =
        names[1..].iter().map(|name| json!({"AttributeName": name, "KeyType": "HASH"})).collect();
    table["GlobalSecondaryIndexes"] =
        json!([{"IndexName": "by-all", "KeySchema": keys, "Projection": {"ProjectionType": "ALL"}}]);
    assert_eq!(refusal(&admin, "CreateTable", table.clone()).await.0, "ValidationException");
    let mixed = json!([
        {"AttributeName": "a", "KeyType": "HASH"}, {"AttributeName": "b", "KeyType": "RANGE"},
        {"AttributeName": "c", "KeyType": "HASH"},
    ]);
    table["GlobalSecondaryIndexes"][0]["KeySchema"] = mixed;
    assert_eq!(refusal(&admin, "CreateTable", table).await.0, "ValidationException");
}

/// What statements about such an index are answered, whatever they ask for.
fn unreadable() -> (String, String) {
    let said = "PartiQL statements cannot be executed on tables with multi-attribute HASH keys or multi-attribute RANGE keys.";
    ("ValidationException".to_owned(), said.to_owned())
}

#[tokio::test]
async fn no_statement_reads_such_an_index() {
    let (_app, admin) = indexed().await;
    for statement in [
        "SELECT * FROM games.\"by-all\"",
        "SELECT * FROM games.\"by-all\" WHERE team = 'a' AND \"year\" = 1",
        // Another type than the key's.
        "SELECT * FROM games.\"by-all\" WHERE team = 1",
        "SELECT * FROM games.\"by-all\" WHERE team = 'a' ORDER BY court",
    ] {
        assert_eq!(refused(&admin, statement).await, unreadable(), "{statement}");
    }
    let batch = json!({"Statements": [
        {"Statement": "SELECT * FROM games.\"by-all\" WHERE team = 'a'"},
        {"Statement": "SELECT * FROM games WHERE p = '5'"},
    ]});
    let answer = done(&admin, "BatchExecuteStatement", batch).await;
    let (code, said) = ("ValidationError".to_owned(), unreadable().1);
    assert_eq!(answer["Responses"][0]["Error"], json!({"Code": code, "Message": said}));
    assert_eq!(answer["Responses"][1]["Item"]["team"]["S"], "a");
}

#[tokio::test]
async fn a_statement_that_cannot_be_read_is_told_so_before_its_index_is_looked_at() {
    let (_app, admin) = indexed().await;
    let said = refused(&admin, "SELECT * FROM games.\"by-all\" WHERE team = ?").await.1;
    assert_eq!(said, "Number of parameters in request and statement don't match.");
    let said = refused(&admin, "SELECT * FROM games.\"by-all\" WHERE").await.1;
    assert!(said.starts_with("Statement wasn't well formed"), "{said}");
}

#[tokio::test]
async fn statements_go_on_about_the_table_of_such_an_index() {
    let (_app, admin) = indexed().await;
    execute(&admin, "INSERT INTO games VALUE {'p': 'new', 'team': 'z', 'year': 1}").await;
    let page = execute(&admin, "SELECT team FROM games WHERE p = 'new'").await;
    assert_eq!(page["Items"], json!([{"team": {"S": "z"}}]));
}

#[tokio::test]
async fn a_user_held_to_leading_keys_reads_nothing_of_such_an_index_by_statements() {
    let (app, _admin) = indexed().await;
    let table = "arn:aws:dynamodb:us-east-1:123456789012:table/games";
    let held = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "dynamodb:*", "Resource": [table, format!("{table}/index/*")],
        "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["b"]}},
    }]});
    let held = app.user("held", &[&held.to_string()]);
    for statement in ["SELECT * FROM games.\"by-all\"", "SELECT * FROM games.\"by-all\" WHERE team = 'b'"] {
        assert_eq!(refused(&held, statement).await, unreadable(), "{statement}");
    }
    let (code, _) = refused(&held, "SELECT * FROM games.\"by-all\" WHERE team = 'a'").await;
    assert_eq!(code, "AccessDeniedException");
}

#[tokio::test]
async fn a_user_is_held_to_each_of_an_indexs_partition_attributes_by_a_key_of_its_own() {
    let (app, _admin) = indexed().await;
    let table = "arn:aws:dynamodb:us-east-1:123456789012:table/games";
    let user = |name: &str, held: Value| {
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "dynamodb:*", "Resource": [table, format!("{table}/index/*")],
            "Condition": {"ForAllValues:StringEquals": held},
        }]});
        app.user(name, &[&policy.to_string()])
    };
    let leading = user("leading", json!({"dynamodb:LeadingKeys": ["a"]}));
    let first = user("first", json!({"dynamodb:FirstPartitionKeyValues": ["a"]}));
    let both =
        user("both", json!({"dynamodb:LeadingKeys": ["a"], "dynamodb:SecondPartitionKeyValues": ["1"]}));
    let all = user(
        "all",
        json!({
            "dynamodb:FirstPartitionKeyValues": ["a"], "dynamodb:SecondPartitionKeyValues": ["2"],
            "dynamodb:ThirdPartitionKeyValues": ["none"], "dynamodb:FourthPartitionKeyValues": ["none"],
        }),
    );
    let query = |team: &str, year: &str| {
        json!({
            "TableName": "games", "IndexName": "by-all", "KeyConditionExpression": "team = :t AND #y = :y",
            "ExpressionAttributeNames": {"#y": "year"},
            "ExpressionAttributeValues": {":t": {"S": team}, ":y": {"N": year}},
        })
    };
    for (user, years) in [(&leading, &["1", "2"][..]), (&first, &["1", "2"]), (&both, &["1"]), (&all, &["2"])]
    {
        for year in ["1", "2"] {
            match years.contains(&year) {
                true => assert!(done(user, "Query", query("a", year)).await["Count"].as_i64() > Some(0)),
                false => {
                    let (code, _) = refusal(user, "Query", query("a", year)).await;
                    assert_eq!(code, "AccessDeniedException");
                }
            }
        }
        assert_eq!(refusal(user, "Query", query("b", "1")).await.0, "AccessDeniedException");
        let other = json!({"TableName": "games", "Key": {"p": {"S": "6"}}});
        assert_eq!(refusal(user, "GetItem", other).await.0, "AccessDeniedException");
        done(user, "GetItem", json!({"TableName": "games", "Key": {"p": {"S": "a"}}})).await;
    }
}
