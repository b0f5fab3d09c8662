use serde_json::{Value, json};

use super::app::{call, done, get, put};
use super::partiql::{execute, refused, tables};
use homeport_testkit::{TestApp, TestCaller};

const TABLE: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/notes";

fn policy(actions: &[&str], resource: &str, condition: Value) -> String {
    let statement =
        json!({"Effect": "Allow", "Action": actions, "Resource": resource, "Condition": condition});
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

fn own_rows(actions: &[&str]) -> String {
    policy(actions, TABLE, json!({"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["ada"]}}))
}

async fn shared() -> (TestApp, TestCaller) {
    let (app, admin) = tables().await;
    for p in ["ada", "bob"] {
        put(&admin, "notes", json!({"p": {"S": p}, "r": {"S": "1"}, "v": {"S": "old"}})).await;
    }
    (app, admin)
}

async fn denied(caller: &TestCaller, statement: &str) {
    assert_eq!(refused(caller, statement).await.0, "AccessDeniedException", "{statement}");
}

/// The errors' codes of a batch's statements; empty where there is none.
async fn errors(caller: &TestCaller, batch: Value) -> Vec<String> {
    let answer = done(caller, "BatchExecuteStatement", batch).await;
    let code = |one: &Value| one["Error"]["Code"].as_str().unwrap_or_default().to_owned();
    answer["Responses"].as_array().unwrap().iter().map(code).collect()
}

#[tokio::test]
async fn each_kind_of_statement_has_its_own_action() {
    let (app, _admin) = shared().await;
    let statements = [
        ("dynamodb:PartiQLSelect", "SELECT * FROM notes WHERE p = 'ada'"),
        ("dynamodb:PartiQLInsert", "INSERT INTO notes VALUE {'p': 'new', 'r': '1'}"),
        ("dynamodb:PartiQLUpdate", "UPDATE notes SET v = 'new' WHERE p = 'ada' AND r = '1'"),
        ("dynamodb:PartiQLDelete", "DELETE FROM notes WHERE p = 'ada' AND r = '1'"),
    ];
    for (at, (action, statement)) in statements.iter().enumerate() {
        let before = app.rows().await;
        let others: Vec<&str> =
            statements.iter().map(|(action, _)| *action).filter(|other| other != action).collect();
        let other = app.user(&format!("other{at}"), &[&policy(&others, TABLE, json!({}))]);
        denied(&other, statement).await;
        let elsewhere = app.user(
            &format!("elsewhere{at}"),
            &[&policy(&[action], "arn:aws:dynamodb:us-east-1:123456789012:table/plain", json!({}))],
        );
        denied(&elsewhere, statement).await;
        // The rights to operations on items are no rights to statements.
        let items = [
            "dynamodb:GetItem",
            "dynamodb:Query",
            "dynamodb:Scan",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
        ];
        denied(&app.user(&format!("items{at}"), &[&policy(&items, TABLE, json!({}))]), statement).await;
        assert_eq!(app.rows().await, before);
        execute(&app.user(&format!("one{at}"), &[&policy(&[action], TABLE, json!({}))]), statement).await;
    }
}

#[tokio::test]
async fn leading_keys_hold_statements_to_their_rows() {
    let (app, admin) = shared().await;
    let ada = app.user("ada", &[&own_rows(&["dynamodb:PartiQL*"])]);
    let before = app.rows().await;
    let others = [
        "SELECT * FROM notes WHERE p = 'bob'",
        "SELECT * FROM notes WHERE 'bob' = p",
        "SELECT * FROM notes WHERE p IN ['ada', 'bob']",
        "SELECT * FROM notes WHERE p = 'ada' OR p = 'bob'",
        "SELECT * FROM notes WHERE p = 'ada' AND r = '1' OR p = 'bob' AND r = '1'",
        "INSERT INTO notes VALUE {'p': 'bob', 'r': '2'}",
        "UPDATE notes SET v = 'new' WHERE p = 'bob' AND r = '1'",
        "UPDATE notes SET v = 'new' WHERE p = 'ada' AND p = 'bob' AND r = '1'",
        "UPDATE notes SET v = 'new' WHERE p = 'bob' AND p = 'ada' AND r = '1'",
        "FROM notes WHERE p = 'bob' AND r = '1' SET v = 'new'",
        "DELETE FROM notes WHERE r = '1' AND p = 'bob'",
    ];
    for statement in others {
        denied(&ada, statement).await;
        let all = json!({"TransactStatements": [{"Statement": statement}]});
        let each = json!({"Statements": [{"Statement": statement}]});
        if !statement.contains(" OR ") && !statement.contains(" IN ") {
            call(&ada, "ExecuteTransaction", all).await.refused("AccessDeniedException", 400);
            assert_eq!(errors(&ada, each).await, ["AccessDenied"]);
        }
    }
    let exists = json!({"TransactStatements": [{"Statement": "EXISTS(SELECT * FROM notes WHERE p = 'bob' AND r = '1' AND v = 'old')"}]});
    call(&ada, "ExecuteTransaction", exists).await.refused("AccessDeniedException", 400);
    let both = json!({"Statements": [
        {"Statement": "DELETE FROM notes WHERE p = 'ada' AND r = '1'"},
        {"Statement": "DELETE FROM notes WHERE p = ? AND r = '1'", "Parameters": [{"S": "bob"}]},
    ]});
    assert_eq!(app.rows().await, before);
    assert_eq!(errors(&ada, both).await, ["", "AccessDenied"]);
    put(&admin, "notes", json!({"p": {"S": "ada"}, "r": {"S": "1"}, "v": {"S": "old"}})).await;
    execute(&ada, "SELECT * FROM notes WHERE p = 'ada' AND v = 'bob'").await;
    execute(&ada, "INSERT INTO notes VALUE {'p': 'ada', 'r': '2'}").await;
    execute(&ada, "UPDATE notes SET v = 'new' WHERE p = 'ada' AND r = '1'").await;
    let exists = json!({"TransactStatements": [{"Statement": "EXISTS(SELECT * FROM notes WHERE p = 'ada' AND r = '1' AND v = 'new')"}]});
    done(&ada, "ExecuteTransaction", exists).await;
    execute(&ada, "DELETE FROM notes WHERE p = 'ada' AND r = '1'").await;
    assert_eq!(get(&admin, "notes", json!({"p": {"S": "bob"}, "r": {"S": "1"}})).await["v"]["S"], "old");
}

#[tokio::test]
async fn scans_of_whole_tables_can_be_forbidden() {
    let (app, _admin) = shared().await;
    let no_scans = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": "dynamodb:PartiQLSelect", "Resource": TABLE, "Condition": {"Bool": {"dynamodb:FullTableScan": "true"}}},
        {"Effect": "Allow", "Action": "dynamodb:PartiQLSelect", "Resource": TABLE},
    ]});
    let reader = app.user("reader", &[&no_scans.to_string()]);
    for statement in [
        "SELECT * FROM notes",
        "SELECT * FROM notes WHERE p > 'a'",
        "SELECT * FROM notes WHERE r = '1'",
        "SELECT * FROM notes WHERE p = 'ada' OR v = 'old'",
        "SELECT * FROM notes WHERE NOT p = 'ada'",
        "SELECT * FROM notes WHERE p = 'ada' AND p = 'bob'",
    ] {
        denied(&reader, statement).await;
    }
    for statement in
        ["SELECT * FROM notes WHERE p = 'ada'", "SELECT * FROM notes WHERE p IN ['ada', 'bob'] AND v = 'old'"]
    {
        execute(&reader, statement).await;
    }
}

#[tokio::test]
async fn attributes_and_selections_of_statements_can_be_held_to_a_list() {
    let (app, _admin) = shared().await;
    let condition = json!({
        "ForAllValues:StringEquals": {"dynamodb:Attributes": ["p", "r", "title"]},
        "StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES", "dynamodb:ReturnValues": ["NONE", "UPDATED_NEW"]},
    });
    let reader = app.user("reader", &[&policy(&["dynamodb:PartiQL*"], TABLE, condition)]);
    for statement in [
        "SELECT title, r FROM notes WHERE p = 'bob'",
        "UPDATE notes SET title = 'x' WHERE p = 'bob' AND r = '1' RETURNING MODIFIED NEW *",
        "INSERT INTO notes VALUE {'p': 'z', 'r': '1', 'title': 'x'}",
        "DELETE FROM notes WHERE p = 'z' AND r = '1' AND title = 'x'",
    ] {
        execute(&reader, statement).await;
    }
    for statement in [
        "SELECT * FROM notes WHERE p = 'bob'",
        "SELECT title, v FROM notes WHERE p = 'bob'",
        "SELECT title FROM notes WHERE p = 'bob' AND v = 'old'",
        "SELECT title FROM notes WHERE p = 'bob' AND v IS MISSING",
        "UPDATE notes SET v = 'x' WHERE p = 'bob' AND r = '1'",
        "UPDATE notes SET title = v WHERE p = 'bob' AND r = '1'",
        "UPDATE notes REMOVE v WHERE p = 'bob' AND r = '1'",
        "UPDATE notes SET title = 'x' WHERE p = 'bob' AND r = '1' RETURNING ALL NEW *",
        "INSERT INTO notes VALUE {'p': 'y', 'r': '1', 'v': 'x'}",
        "DELETE FROM notes WHERE p = 'bob' AND r = '1' AND v = 'old'",
        "DELETE FROM notes WHERE p = 'bob' AND r = '1' RETURNING ALL OLD *",
    ] {
        denied(&reader, statement).await;
    }
}

#[tokio::test]
async fn a_statement_can_be_held_to_transactions() {
    let (app, _admin) = shared().await;
    let condition = json!({"StringEquals": {"dynamodb:EnclosingOperation": ["ExecuteTransaction"]}});
    let careful = app.user("careful", &[&policy(&["dynamodb:PartiQLInsert"], TABLE, condition)]);
    let insert = "INSERT INTO notes VALUE {'p': 'ada', 'r': '2'}";
    denied(&careful, insert).await;
    let each = json!({"Statements": [{"Statement": insert}]});
    assert_eq!(errors(&careful, each).await, ["AccessDenied"]);
    done(&careful, "ExecuteTransaction", json!({"TransactStatements": [{"Statement": insert}]})).await;
}

#[tokio::test]
async fn an_index_is_read_by_its_own_right_and_keys() {
    let (app, admin) = shared().await;
    let key = |name: &str| json!([{"AttributeName": name, "KeyType": "HASH"}]);
    let table = json!({
        "TableName": "indexed",
        "AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "g", "AttributeType": "S"}],
        "KeySchema": key("p"),
        "GlobalSecondaryIndexes": [{"IndexName": "by-g", "KeySchema": key("g"), "Projection": {"ProjectionType": "KEYS_ONLY"}}],
        "BillingMode": "PAY_PER_REQUEST",
    });
    done(&admin, "CreateTable", table).await;
    put(&admin, "indexed", json!({"p": {"S": "1"}, "g": {"S": "ada"}, "v": {"S": "x"}})).await;
    put(&admin, "indexed", json!({"p": {"S": "2"}, "g": {"S": "bob"}})).await;
    let index = "arn:aws:dynamodb:us-east-1:123456789012:table/indexed/index/by-g";
    let condition = json!({"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["ada"]}, "Bool": {"dynamodb:FullTableScan": "false"}});
    let ada = app.user("ada", &[&policy(&["dynamodb:PartiQLSelect"], index, condition)]);
    let page = execute(&ada, "SELECT * FROM indexed.\"by-g\" WHERE g = 'ada'").await;
    assert_eq!(page["Items"], json!([{"p": {"S": "1"}, "g": {"S": "ada"}}]));
    for statement in [
        "SELECT * FROM indexed.\"by-g\" WHERE g = 'bob'",
        "SELECT * FROM indexed.\"by-g\" WHERE p = 'ada'",
        "SELECT * FROM indexed.\"by-g\"",
        "SELECT * FROM indexed WHERE p = 'ada'",
        "SELECT * FROM indexed.other WHERE g = 'ada'",
    ] {
        denied(&ada, statement).await;
    }
}

#[tokio::test]
async fn a_refused_caller_does_not_learn_from_statements_which_tables_there_are() {
    let (app, _admin) = shared().await;
    let stranger = app.stranger();
    for table in ["notes", "absent"] {
        denied(&stranger, &format!("SELECT * FROM {table} WHERE p = 'a'")).await;
        denied(&stranger, &format!("DELETE FROM {table} WHERE p = 'a'")).await;
    }
}

#[tokio::test]
async fn a_batch_does_what_is_allowed_and_says_of_the_rest_why_not() {
    let (app, admin) = shared().await;
    let ada = app.user("ada", &[&own_rows(&["dynamodb:PartiQLSelect"])]);
    let statements = json!({"Statements": [
        {"Statement": "SELECT * FROM notes WHERE p = 'bob' AND r = '1'"},
        {"Statement": "no statement"},
        {"Statement": "SELECT * FROM notes WHERE p = 'ada' AND r = '1'"},
        {"Statement": "SELECT * FROM secrets WHERE p = 'ada' AND r = '1'"},
        {"Statement": "SELECT * FROM notes WHERE p = 'bob' AND r = '1'"},
    ]});
    let answer = done(&ada, "BatchExecuteStatement", statements.clone()).await;
    let responses = answer["Responses"].as_array().unwrap();
    let codes: Vec<&Value> = responses.iter().map(|one| &one["Error"]["Code"]).collect();
    let denied = json!("AccessDenied");
    assert_eq!(codes, [&denied, &json!("ValidationError"), &Value::Null, &denied, &denied]);
    assert_eq!(responses[2]["Item"]["v"]["S"], "old");
    let said = format!(
        "User: {} is not authorized to perform: dynamodb:PartiQLSelect on resource: {TABLE} because no \
         identity-based policy allows the dynamodb:PartiQLSelect action",
        "arn:aws:iam::123456789012:user/ada0000000000000"
    );
    assert_eq!(responses[0]["Error"]["Message"], said);
    let (code, _) = super::app::refusal(&admin, "BatchExecuteStatement", statements).await;
    assert_eq!(code, "ValidationException", "the same item twice");
}
