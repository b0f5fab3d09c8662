use serde_json::{Value, json};

use super::app::{call, done, get, put, refusal};
use super::partiql::tables;
use homeport_testkit::TestCaller;

async fn batch(caller: &TestCaller, statements: &[&str]) -> Value {
    let statements: Vec<Value> = statements.iter().map(|text| json!({"Statement": text})).collect();
    done(caller, "BatchExecuteStatement", json!({"Statements": statements})).await["Responses"].clone()
}

async fn refused(caller: &TestCaller, statements: Value) -> (String, String) {
    refusal(caller, "BatchExecuteStatement", json!({"Statements": statements})).await
}

#[tokio::test]
async fn each_statement_of_a_batch_succeeds_or_fails_for_itself() {
    let (_app, admin) = tables().await;
    put(&admin, "plain", json!({"p": {"S": "a"}, "v": {"N": "1"}})).await;
    put(&admin, "plain", json!({"p": {"S": "b"}})).await;
    let responses = batch(
        &admin,
        &[
            "INSERT INTO plain VALUE {'p': 'new'}",
            "INSERT INTO plain VALUE {'p': 'b'}",
            "UPDATE plain SET v = 2 WHERE p = 'a' RETURNING ALL NEW *",
            "UPDATE plain SET v = 2 WHERE p = 'absent'",
            "UPDATE plain SET v = 2 WHERE v = 1",
            "DELETE FROM absent WHERE p = 'a'",
            "SLECT * FROM plain",
            "EXISTS(SELECT * FROM plain WHERE p = 'a' AND v = 1)",
        ],
    )
    .await;
    let error = |code: &str, said: &str| json!({"Code": code, "Message": said});
    assert_eq!(responses[0], json!({"TableName": "plain"}));
    let duplicate = error("DuplicateItem", "Duplicate primary key exists in table");
    assert_eq!(responses[1], json!({"Error": duplicate, "TableName": "plain"}));
    assert_eq!(responses[2], json!({"Item": {"p": {"S": "a"}, "v": {"N": "2"}}, "TableName": "plain"}));
    let failed = error("ConditionalCheckFailed", "The conditional request failed");
    assert_eq!(responses[3], json!({"Error": failed, "TableName": "plain"}));
    let no_key = "Where clause does not contain a mandatory equality on all key attributes";
    assert_eq!(responses[4], json!({"Error": error("ValidationError", no_key)}));
    let missing = error("ResourceNotFound", "Requested resource not found");
    assert_eq!(responses[5], json!({"Error": missing, "TableName": "absent"}));
    let malformed = "Statement wasn't well formed, can't be processed: Expected data manipulation";
    assert_eq!(responses[6], json!({"Error": error("ValidationError", malformed)}));
    let exists = "EXISTS can only be used in ExecuteTransaction write requests.";
    assert_eq!(responses[7], json!({"Error": error("ValidationError", exists)}));
    assert_ne!(get(&admin, "plain", json!({"p": {"S": "new"}})).await, Value::Null);
}

#[tokio::test]
async fn a_read_of_a_batch_names_one_item_by_its_whole_key() {
    let (_app, admin) = tables().await;
    put(&admin, "notes", json!({"p": {"S": "a"}, "r": {"S": "1"}, "v": {"N": "1"}})).await;
    let key =
        "Select statements within BatchExecuteStatement must specify the primary key in the where clause.";
    let responses = batch(
        &admin,
        &[
            "SELECT v FROM notes WHERE p = 'a' AND r = '1'",
            "SELECT * FROM notes WHERE r = '2' AND p = 'a'",
            "SELECT * FROM notes WHERE p = 'a'",
            "SELECT * FROM notes WHERE p = 'a' AND r = '3' AND v = 1",
            "SELECT * FROM notes.idx WHERE p = 'a' AND r = '4'",
            "SELECT * FROM notes WHERE p = 'a' AND r = 5",
        ],
    )
    .await;
    assert_eq!(responses[0], json!({"Item": {"v": {"N": "1"}}, "TableName": "notes"}));
    assert_eq!(responses[1], json!({"TableName": "notes"}));
    for at in 2..5 {
        assert_eq!(responses[at], json!({"Error": {"Code": "ValidationError", "Message": key}}), "{at}");
    }
    assert_eq!(responses[5]["Error"]["Code"], "ValidationError");
}

#[tokio::test]
async fn a_batch_is_refused_as_a_whole_where_its_statements_do_not_go_together() {
    let (app, admin) = tables().await;
    let before = app.rows().await;
    let (read, write) = ("SELECT * FROM plain WHERE p = 'a'", "INSERT INTO plain VALUE {'p': 'b'}");
    let (_, said) = refused(&admin, json!([{"Statement": read}, {"Statement": write}])).await;
    assert_eq!(said, "Read and write requests together in the same batch is not supported.");
    let (_, said) =
        refused(&admin, json!([{"Statement": write}, {"Statement": "DELETE FROM plain WHERE p = 'b'"}]))
            .await;
    assert_eq!(said, "Provided list of item keys contains duplicates");
    let (_, said) = refused(&admin, json!([])).await;
    assert!(said.ends_with(
        "at 'statements' failed to satisfy constraint: Member must have length greater than or equal to 1"
    ));
    let (_, said) = refused(&admin, json!(vec![json!({"Statement": read}); 26])).await;
    assert!(said.ends_with("Member must have length less than or equal to 25"));
    let (_, said) = refused(&admin, json!([{"Statement": read, "Parameters": []}])).await;
    assert!(said.contains("at 'statements.1.member.parameters' failed"), "{said}");
    assert_eq!(app.rows().await, before);
}

#[tokio::test]
async fn statements_that_are_none_are_told_to_known_callers_only() {
    let (app, admin) = tables().await;
    let statements = json!({"Statements": [{"Statement": "SELECT * FROM plain WHERE"}, {"Statement": "?", "Parameters": [{"SS": []}]}]});
    for caller in [&admin, &app.stranger()] {
        let responses = done(caller, "BatchExecuteStatement", statements.clone()).await["Responses"].clone();
        let said = "Statement wasn't well formed, can't be processed: Unexpected term";
        assert_eq!(responses[0], json!({"Error": {"Code": "ValidationError", "Message": said}}));
        assert_eq!(
            responses[1]["Error"]["Message"],
            "One or more parameter values were invalid: An string set  may not be empty"
        );
    }
    let reply = call(&app.anonymous(), "BatchExecuteStatement", statements).await;
    assert!(reply.status >= 400, "{}", reply.text());
}

#[tokio::test]
async fn a_batch_tells_what_it_consumed_and_what_it_found_instead() {
    let (_app, admin) = tables().await;
    put(&admin, "plain", json!({"p": {"S": "a"}, "v": {"N": "1"}})).await;
    let input = json!({"ReturnConsumedCapacity": "TOTAL", "Statements": [
        {"Statement": "UPDATE plain SET v = 2 WHERE p = 'a' AND v = 5", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"},
        {"Statement": "INSERT INTO plain VALUE {'p': 'b'}"},
        {"Statement": "INSERT INTO notes VALUE {'p': 'b', 'r': 'c'}"},
    ]});
    let answer = done(&admin, "BatchExecuteStatement", input).await;
    assert_eq!(answer["Responses"][0]["Error"]["Item"], json!({"p": {"S": "a"}, "v": {"N": "1"}}));
    assert_eq!(
        answer["ConsumedCapacity"],
        json!([{"TableName": "notes", "CapacityUnits": 1.0}, {"TableName": "plain", "CapacityUnits": 1.0}])
    );
}
