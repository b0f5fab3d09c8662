use serde_json::{Value, json};

use super::app::{app, done, get, hash_table, put, range_table, refusal};
use homeport_testkit::{TestApp, TestCaller};

/// A table `notes` with a partition key `p` and a sort key `r`, and one `plain` with a partition key alone.
pub(super) async fn tables() -> (TestApp, TestCaller) {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", range_table("notes", "S")).await;
    done(&admin, "CreateTable", hash_table("plain")).await;
    (app, admin)
}

pub(super) async fn execute(caller: &TestCaller, statement: &str) -> Value {
    done(caller, "ExecuteStatement", json!({"Statement": statement})).await
}

pub(super) async fn refused(caller: &TestCaller, statement: &str) -> (String, String) {
    refusal(caller, "ExecuteStatement", json!({"Statement": statement})).await
}

fn invalid(said: &str) -> (String, String) {
    ("ValidationException".to_owned(), said.to_owned())
}

async fn plain(caller: &TestCaller, p: &str) -> Value {
    get(caller, "plain", json!({"p": {"S": p}})).await
}

#[tokio::test]
async fn an_item_is_inserted_once() {
    let (app, admin) = tables().await;
    let insert = "INSERT INTO \"plain\" VALUE {'p': 'a', 'n': -1.50, 'l': [true, NULL, 'it''s'], 'm': {'x': {}}, 's': <<'b', 'a'>>, 'ns': <<1, 4.5>>}";
    assert_eq!(execute(&admin, insert).await, json!({"Items": []}));
    let item = json!({
        "p": {"S": "a"}, "n": {"N": "-1.5"}, "l": {"L": [{"BOOL": true}, {"NULL": true}, {"S": "it's"}]},
        "m": {"M": {"x": {"M": {}}}}, "s": {"SS": ["a", "b"]}, "ns": {"NS": ["1", "4.5"]},
    });
    assert_eq!(plain(&admin, "a").await, item);
    let before = app.rows().await;
    let duplicate = ("DuplicateItemException".to_owned(), "Duplicate primary key exists in table".to_owned());
    assert_eq!(refused(&admin, "INSERT INTO plain VALUE {'p': 'a'}").await, duplicate);
    assert_eq!(app.rows().await, before);
    execute(&admin, "DELETE FROM plain WHERE p = 'a'").await;
    execute(&admin, "INSERT INTO plain VALUE {'p': 'a'}").await;
    let whole = json!({"Statement": "INSERT INTO plain VALUE ?", "Parameters": [{"M": {"p": {"S": "b"}, "v": {"B": "AAE="}}}]});
    done(&admin, "ExecuteStatement", whole).await;
    assert_eq!(plain(&admin, "b").await["v"]["B"], "AAE=");
}

#[tokio::test]
async fn parameters_stand_for_values() {
    let (_app, admin) = tables().await;
    let insert = json!({"Statement": "INSERT INTO notes VALUE {'p': ?, 'r': ?, 'l': [?, '?']}", "Parameters": [{"S": "a"}, {"S": "1"}, {"SS": ["x"]}]});
    done(&admin, "ExecuteStatement", insert).await;
    let select = |parameters: Value| json!({"Statement": "SELECT l FROM notes WHERE p = ? AND r = ?", "Parameters": parameters});
    let found = done(&admin, "ExecuteStatement", select(json!([{"S": "a"}, {"S": "1"}]))).await;
    assert_eq!(found["Items"], json!([{"l": {"L": [{"SS": ["x"]}, {"S": "?"}]}}]));
    let counted = invalid("Number of parameters in request and statement don't match.");
    for parameters in [json!([{"S": "a"}]), json!([{"S": "a"}, {"S": "1"}, {"S": "2"}])] {
        assert_eq!(refusal(&admin, "ExecuteStatement", select(parameters)).await, counted);
    }
    // Parameters are judged before the statement is read.
    let twice = json!({"Statement": "UPDATE notes SET WHERE", "Parameters": [{"SS": ["a", "a"]}]});
    let said = "One or more parameter values were invalid: Input collection [a, a] contains duplicates.";
    assert_eq!(refusal(&admin, "ExecuteStatement", twice).await, invalid(said));
}

#[tokio::test]
async fn an_update_changes_an_item_that_is_there() {
    let (app, admin) = tables().await;
    put(&admin, "plain", json!({"p": {"S": "a"}, "n": {"N": "1"}, "s": {"SS": ["a", "b"]}, "l": {"L": [{"N": "1"}]}, "m": {"M": {"x": {"S": "old"}}}})).await;
    execute(
        &admin,
        "UPDATE plain SET n = n + 2, m.y = 'new' SET l = list_append(l, [2]) SET s = set_add(s, <<'c'>>) REMOVE m.x WHERE p = 'a'",
    )
    .await;
    let item = plain(&admin, "a").await;
    assert_eq!(item["n"], json!({"N": "3"}));
    assert_eq!(item["m"], json!({"M": {"y": {"S": "new"}}}));
    assert_eq!(item["l"], json!({"L": [{"N": "1"}, {"N": "2"}]}));
    assert_eq!(item["s"], json!({"SS": ["a", "b", "c"]}));
    execute(&admin, "FROM plain WHERE p = 'a' AND n = 3 SET n=n-1 SET s = set_delete(s, <<'a','b','c'>>)")
        .await;
    let item = plain(&admin, "a").await;
    assert_eq!((&item["n"]["N"], &item["s"]), (&json!("2"), &Value::Null));
    let before = app.rows().await;
    for statement in [
        "UPDATE plain SET n = 9 WHERE p = 'absent'",
        "UPDATE plain SET n = 9 WHERE p = 'absent' AND attribute_not_exists(p)",
        "UPDATE plain SET n = 9 WHERE p = 'a' AND n = 9",
        "UPDATE plain SET n = 9 WHERE p = 'a' AND attribute_exists(nope)",
    ] {
        assert_eq!(refused(&admin, statement).await.0, "ConditionalCheckFailedException", "{statement}");
    }
    for (statement, said) in [
        (
            "UPDATE plain SET n = 9 WHERE n = 2",
            "Where clause does not contain a mandatory equality on all key attributes",
        ),
        (
            "UPDATE plain SET n = 9",
            "Where clause does not contain a mandatory equality on all key attributes",
        ),
        (
            "UPDATE plain SET n = n--1 WHERE p = 'a'",
            "Where clause does not contain a mandatory equality on all key attributes",
        ),
        (
            "UPDATE notes SET n = 9 WHERE p = 'a'",
            "Where clause does not contain a mandatory equality on all key attributes",
        ),
        (
            "UPDATE plain SET n = 9 WHERE p = 'a' AND p = 'b'",
            "Where clause does not contain a mandatory equality on all key attributes",
        ),
        (
            "UPDATE plain SET n = 9 WHERE p IN ['a']",
            "Where clause does not contain a mandatory equality on all key attributes",
        ),
        (
            "UPDATE plain SET p = 'b' WHERE p = 'a'",
            "One or more parameter values were invalid: Cannot update attribute p. This attribute is part of the key",
        ),
        (
            "UPDATE plain SET n = 9 WHERE p = 1",
            "Key attribute's data type should match its data type in table's schema: Key p",
        ),
        (
            "UPDATE plain SET n = x WHERE p = 'a'",
            "The provided expression refers to an attribute that does not exist in the item",
        ),
        (
            "UPDATE plain SET n = set_add(n, <<'x'>>) WHERE p = 'a'",
            "An operand in the update expression has an incorrect data type",
        ),
        (
            "UPDATE plain SET t = set_add(n, <<'x'>>) WHERE p = 'a'",
            "The first argument to SET_ADD must equal the assignment value at 1:22:7",
        ),
        (
            "UPDATE plain SET n = set_delete(n, ['x']) WHERE p = 'a'",
            "The second argument to SET_DELETE must be a value with type SET at 1:33:1",
        ),
        (
            "UPDATE plain SET n = set_add(n) WHERE p = 'a'",
            "SET_ADD must have exactly two arguments at 1:22:7",
        ),
        (
            "UPDATE plain SET n = 'x' + 1 WHERE p = 'a'",
            "Incorrect operand type for operator or function; operator or function: +, operand type: S",
        ),
        (
            "UPDATE plain SET n = 1 SET n = 2 WHERE p = 'a'",
            "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [n], path two: [n]",
        ),
        ("UPDATE plain.idx SET n = 1 WHERE p = 'a'", "This operation is not supported on an index"),
    ] {
        assert_eq!(refused(&admin, statement).await, invalid(said), "{statement}");
    }
    assert_eq!(app.rows().await, before);
}

#[tokio::test]
async fn a_write_returns_what_it_is_asked_for() {
    let (_app, admin) = tables().await;
    put(&admin, "plain", json!({"p": {"S": "a"}, "v": {"N": "1"}, "w": {"N": "1"}})).await;
    for (returning, items) in [
        ("", json!([])),
        ("RETURNING ALL OLD *", json!([{"p": {"S": "a"}, "v": {"N": "2"}, "w": {"N": "1"}}])),
        ("RETURNING MODIFIED OLD *", json!([{"v": {"N": "3"}}])),
        ("RETURNING ALL NEW *", json!([{"p": {"S": "a"}, "v": {"N": "5"}, "w": {"N": "1"}}])),
        ("RETURNING MODIFIED NEW *", json!([{"v": {"N": "6"}}])),
    ] {
        let updated = execute(&admin, &format!("UPDATE plain SET v = v + 1 WHERE p = 'a' {returning}")).await;
        assert_eq!(updated["Items"], items, "{returning}");
    }
    let removed = execute(&admin, "UPDATE plain REMOVE w WHERE p = 'a' RETURNING MODIFIED NEW *").await;
    assert_eq!(removed["Items"], json!([]));
    let said = "Invalid returning clause: RETURNING MODIFIED OLD *. Only RETURNING ALL OLD * is allowed in DELETE statements.";
    assert_eq!(
        refused(&admin, "DELETE FROM plain WHERE p = 'a' RETURNING MODIFIED OLD *").await,
        invalid(said)
    );
    let deleted = execute(&admin, "DELETE FROM plain WHERE p = 'a' RETURNING ALL OLD *").await;
    assert_eq!(deleted["Items"], json!([{"p": {"S": "a"}, "v": {"N": "6"}}]));
    let again = execute(&admin, "DELETE FROM plain WHERE p = 'a' AND v = 6 RETURNING ALL OLD *").await;
    assert_eq!(again["Items"], json!([]));
}

#[tokio::test]
async fn a_deletion_whose_condition_fails_keeps_the_item() {
    let (_app, admin) = tables().await;
    put(&admin, "plain", json!({"p": {"S": "a"}, "v": {"N": "1"}})).await;
    let delete = |on_failure: &str| json!({"Statement": "DELETE FROM plain WHERE p = 'a' AND v > 5", "ReturnValuesOnConditionCheckFailure": on_failure});
    for (on_failure, item) in [("NONE", Value::Null), ("ALL_OLD", json!({"p": {"S": "a"}, "v": {"N": "1"}}))]
    {
        let reply = super::app::call(&admin, "ExecuteStatement", delete(on_failure)).await;
        let reply = reply.refused("ConditionalCheckFailedException", 400);
        assert_eq!(reply.json()["Item"], item);
    }
    execute(&admin, "DELETE FROM plain WHERE p = 'a' AND (v < 5 OR attribute_not_exists(w))").await;
    assert_eq!(plain(&admin, "a").await, Value::Null);
}

#[tokio::test]
async fn a_statement_of_no_table_or_no_form_is_refused() {
    let (_app, admin) = tables().await;
    let missing = ("ResourceNotFoundException".to_owned(), "Requested resource not found".to_owned());
    for statement in
        ["SELECT * FROM absent", "INSERT INTO absent VALUE {'p': 'a'}", "DELETE FROM absent WHERE p = 'a'"]
    {
        assert_eq!(refused(&admin, statement).await, missing, "{statement}");
    }
    let malformed = "Statement wasn't well formed, can't be processed: Expected data manipulation";
    assert_eq!(refused(&admin, "SLECT * FROM plain").await, invalid(malformed));
    let exists = "EXISTS(SELECT * FROM plain WHERE p = 'a' AND v = 1)";
    assert_eq!(
        refused(&admin, exists).await,
        invalid("EXISTS can only be used in ExecuteTransaction write requests.")
    );
    let name = "x".repeat(3000);
    assert!(refused(&admin, &format!("SELECT * FROM {name}")).await.1.contains("at 'tableName' failed"));
    let failed = |value: &str, at: &str, constraint: &str| {
        invalid(&format!(
            "1 validation error detected: Value {value} at '{at}' failed to satisfy constraint: {constraint}"
        ))
    };
    let long = format!("SELECT * FROM plain{}", " ".repeat(8192));
    for (input, said) in [
        (json!({}), failed("null", "statement", "Member must not be null")),
        (
            json!({"Statement": ""}),
            failed("''", "statement", "Member must have length greater than or equal to 1"),
        ),
        (
            json!({"Statement": long}),
            failed(&format!("'{long}'"), "statement", "Member must have length less than or equal to 8192"),
        ),
        (
            json!({"Statement": "SELECT * FROM plain", "Parameters": []}),
            failed("'[]'", "parameters", "Member must have length greater than or equal to 1"),
        ),
        (
            json!({"Statement": "SELECT * FROM plain", "Limit": 0}),
            failed("'0'", "limit", "Member must have value greater than or equal to 1"),
        ),
    ] {
        assert_eq!(refusal(&admin, "ExecuteStatement", input).await, said);
    }
}

#[tokio::test]
async fn literals_that_are_no_values_are_refused_in_awss_words() {
    let (app, admin) = tables().await;
    let before = app.rows().await;
    let overflow = "Number overflow. Attempting to store a number with magnitude larger than supported range";
    for (value, said) in [
        ("1e126", format!("{overflow} under root")),
        ("{'x': 1e126}", format!("{overflow} under root.x")),
        ("[1, 1e126]", format!("{overflow} under root[1]")),
        ("<<>>", "Empty bags are not supported".to_owned()),
        ("<<1, 'a'>>", "Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags".to_owned()),
        ("<<'x', 'x'>>", "One or more parameter values were invalid: Input collection [x, x] contains duplicates.".to_owned()),
        ("<<2, 2.0>>", "One or more parameter values were invalid: Input collection [2, 2.0] contains duplicates! under root".to_owned()),
        ("set_add(<<'a'>>, <<'b'>>)", "Unsupported data type: set_add under key root at 1:41:7".to_owned()),
    ] {
        let statement = format!("INSERT INTO plain VALUE {{'p': 'a', 'v': {value}}}");
        assert_eq!(refused(&admin, &statement).await, invalid(&said), "{value}");
    }
    let deep = format!("INSERT INTO plain VALUE {{'p': 'a', 'v': {}1{}}}", "[".repeat(40), "]".repeat(40));
    assert!(refused(&admin, &deep).await.1.starts_with("Nesting Levels have exceeded supported limits"));
    let missing = "One or more parameter values were invalid: Missing the key p in the item";
    assert_eq!(refused(&admin, "INSERT INTO plain VALUE {'q': 'a'}").await, invalid(missing));
    assert_eq!(app.rows().await, before);
}
