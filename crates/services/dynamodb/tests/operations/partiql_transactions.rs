use serde_json::{Value, json};

use super::app::{call, done, get, put, refusal};
use super::partiql::tables;
use homeport_testkit::TestCaller;

fn transaction(statements: &[&str]) -> Value {
    let statements: Vec<Value> = statements.iter().map(|text| json!({"Statement": text})).collect();
    json!({"TransactStatements": statements})
}

async fn executed(caller: &TestCaller, statements: &[&str]) -> Value {
    done(caller, "ExecuteTransaction", transaction(statements)).await
}

async fn refused(caller: &TestCaller, statements: &[&str]) -> (String, String) {
    refusal(caller, "ExecuteTransaction", transaction(statements)).await
}

async fn plain(caller: &TestCaller, p: &str) -> Value {
    get(caller, "plain", json!({"p": {"S": p}})).await
}

#[tokio::test]
async fn a_transaction_of_statements_does_all_or_nothing() {
    let (app, admin) = tables().await;
    put(&admin, "plain", json!({"p": {"S": "a"}, "n": {"N": "1"}})).await;
    put(&admin, "plain", json!({"p": {"S": "gone"}})).await;
    let statements = |flag: &'static str| {
        [
            "INSERT INTO plain VALUE {'p': 'new'}",
            "UPDATE plain SET n = n + 1 WHERE p = 'a'",
            "DELETE FROM plain WHERE p = 'gone'",
            flag,
        ]
    };
    put(&admin, "plain", json!({"p": {"S": "flag"}, "on": {"BOOL": true}})).await;
    let before = app.rows().await;
    let off = statements("EXISTS(SELECT * FROM plain WHERE p = 'flag' AND \"on\" = false)");
    let reply = call(&admin, "ExecuteTransaction", transaction(&off)).await;
    let reply = reply.refused("TransactionCanceledException", 400);
    let said = "Transaction cancelled, please refer cancellation reasons for specific reasons [None, None, None, ConditionalCheckFailed]";
    assert_eq!(reply.message(), said);
    assert_eq!(app.rows().await, before);
    let on = statements("EXISTS(SELECT * FROM plain WHERE p = 'flag' AND \"on\" = true AND x IS MISSING)");
    assert_eq!(executed(&admin, &on).await, json!({"Responses": []}));
    assert_eq!(plain(&admin, "a").await["n"]["N"], "2");
    assert_eq!(plain(&admin, "gone").await, Value::Null);
    assert_ne!(plain(&admin, "new").await, Value::Null);
}

#[tokio::test]
async fn the_reasons_stand_in_the_order_of_the_statements() {
    let (app, admin) = tables().await;
    put(&admin, "plain", json!({"p": {"S": "a"}, "n": {"N": "1"}})).await;
    let before = app.rows().await;
    let input = json!({"TransactStatements": [
        {"Statement": "INSERT INTO plain VALUE {'p': 'b'}"},
        {"Statement": "INSERT INTO plain VALUE {'p': 'a'}"},
        {"Statement": "UPDATE plain SET n = 1 WHERE p = 'absent'"},
        {"Statement": "INSERT INTO notes VALUE {'p': 'a', 'r': '1'}"},
    ]});
    let reply = call(&admin, "ExecuteTransaction", input).await.refused("TransactionCanceledException", 400);
    let reasons = reply.json()["CancellationReasons"].clone();
    assert_eq!(reasons[0], json!({"Code": "None"}));
    assert_eq!(
        reasons[1],
        json!({"Code": "DuplicateItem", "Message": "Duplicate primary key exists in table"})
    );
    assert_eq!(
        reasons[2],
        json!({"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"})
    );
    assert_eq!(reasons[3], json!({"Code": "None"}));
    let input = json!({"TransactStatements": [
        {"Statement": "DELETE FROM plain WHERE p = 'a' AND n = 5", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"},
    ]});
    let reply = call(&admin, "ExecuteTransaction", input).await.refused("TransactionCanceledException", 400);
    assert_eq!(reply.json()["CancellationReasons"][0]["Item"], json!({"p": {"S": "a"}, "n": {"N": "1"}}));
    let wrong = ["UPDATE plain SET n = x WHERE p = 'a'"];
    let reply = call(&admin, "ExecuteTransaction", transaction(&wrong)).await;
    assert_eq!(
        reply.refused("TransactionCanceledException", 400).json()["CancellationReasons"][0]["Code"],
        "ValidationError"
    );
    assert_eq!(app.rows().await, before);
}

#[tokio::test]
async fn a_transaction_reads_items_by_their_whole_keys() {
    let (_app, admin) = tables().await;
    put(&admin, "notes", json!({"p": {"S": "a"}, "r": {"S": "1"}, "v": {"N": "1"}})).await;
    let one = "SELECT v FROM notes WHERE p = 'a' AND r = '1'";
    let absent = "SELECT * FROM notes WHERE (r = '2') AND p = 'a' AND p = 'a'";
    let mut input = transaction(&[one, absent]);
    input["ReturnConsumedCapacity"] = json!("TOTAL");
    let answer = done(&admin, "ExecuteTransaction", input).await;
    assert_eq!(answer["Responses"], json!([{"Item": {"v": {"N": "1"}}}, {}]));
    assert_eq!(
        answer["ConsumedCapacity"],
        json!([{"TableName": "notes", "CapacityUnits": 4.0, "ReadCapacityUnits": 4.0}])
    );
    let wrong = "SELECT * FROM notes WHERE p = 1 AND r = '1'";
    let said = "Transaction cancelled, please refer cancellation reasons for specific reasons [None, None, ValidationError]";
    assert_eq!(refused(&admin, &[one, one, wrong]).await.1, said);
    let twice = "Transaction request cannot include multiple operations on one item";
    assert_eq!(refused(&admin, &[one, "SELECT * FROM notes WHERE r = '1' AND p = 'a'"]).await.1, twice);
}

#[tokio::test]
async fn statements_that_no_transaction_takes_are_refused_by_their_place() {
    let (app, admin) = tables().await;
    let before = app.rows().await;
    let fine = "INSERT INTO plain VALUE {'p': 'fine'}";
    let key = "Select statements within ExecuteTransaction must specify the primary key in the where clause.";
    let alone = "EXISTS() must contain a single item read with additional condition";
    for (statement, said) in [
        ("SELECT * FROM notes WHERE", "Statement wasn't well formed, can't be processed: Unexpected term"),
        ("SELECT * FROM notes WHERE p = 'a'", key),
        ("SELECT * FROM notes WHERE p = 'a' AND r = '1' AND v = 1", key),
        ("SELECT * FROM notes WHERE p = 'a' AND r = '1' AND p = 'b'", key),
        ("SELECT * FROM notes.idx WHERE p = 'a'", "Reads on indices are not supported within transactions."),
        ("EXISTS(SELECT * FROM plain WHERE p = 'a')", alone),
        ("EXISTS(SELECT * FROM plain WHERE p IN ['a'] AND v = 1)", alone),
        (
            "UPDATE plain SET v = 1 WHERE p = 'a' RETURNING ALL NEW *",
            "RETURNING clause is not supported in ExecuteTransaction.",
        ),
        (
            "UPDATE plain SET v = 1",
            "Where clause does not contain a mandatory equality on all key attributes",
        ),
        ("INSERT INTO plain VALUE {'p': ?}", "Number of parameters in request and statement don't match."),
    ] {
        let wanted = format!("Validation failed in TransactStatements[0]: {said}");
        assert_eq!(
            refused(&admin, &[statement]).await,
            ("ValidationException".to_owned(), wanted),
            "{statement}"
        );
    }
    assert!(
        refused(&admin, &[fine, "x"]).await.1.starts_with("Validation failed in TransactStatements[1]: ")
    );
    let mixed = "ExecuteTransaction API does not support both read and write operations in the same request.";
    for read in ["SELECT * FROM plain WHERE p = 'a'", "SELECT * FROM plain"] {
        assert_eq!(refused(&admin, &[fine, read]).await.1, mixed);
    }
    let twice = "Transaction request cannot include multiple operations on one item";
    assert_eq!(refused(&admin, &[fine, "DELETE FROM plain WHERE p = 'fine'"]).await.1, twice);
    assert_eq!(refused(&admin, &["DELETE FROM absent WHERE p = 'a'"]).await.0, "ResourceNotFoundException");
    assert!(refused(&admin, &[]).await.1.ends_with("Member must have length greater than or equal to 1"));
    let many = vec![fine; 101];
    assert!(refused(&admin, &many).await.1.ends_with("Member must have length less than or equal to 100"));
    assert_eq!(app.rows().await, before);
}

#[tokio::test]
async fn a_client_token_stands_for_one_transaction() {
    let (app, admin) = tables().await;
    put(&admin, "plain", json!({"p": {"S": "a"}, "n": {"N": "0"}})).await;
    let add = |n: usize| {
        let mut input = transaction(&[&format!("UPDATE plain SET n = n + {n} WHERE p = 'a'")]);
        input["ClientRequestToken"] = json!("token-1");
        input
    };
    done(&admin, "ExecuteTransaction", add(1)).await;
    assert_eq!(done(&admin, "ExecuteTransaction", add(1)).await, json!({"Responses": []}));
    assert_eq!(plain(&admin, "a").await["n"]["N"], "1");
    assert_eq!(refusal(&admin, "ExecuteTransaction", add(2)).await.0, "IdempotentParameterMismatchException");
    let other = json!({"TransactItems": [{"Delete": {"TableName": "plain", "Key": {"p": {"S": "a"}}}}], "ClientRequestToken": "token-1"});
    assert_eq!(refusal(&admin, "TransactWriteItems", other).await.0, "IdempotentParameterMismatchException");
    app.clock.advance_seconds(601);
    done(&admin, "ExecuteTransaction", add(2)).await;
    assert_eq!(plain(&admin, "a").await["n"]["N"], "3");
}
