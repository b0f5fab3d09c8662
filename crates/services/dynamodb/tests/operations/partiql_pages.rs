use serde_json::{Value, json};

use super::app::{call, done, put, refusal, sorts};
use super::partiql::{execute, refused, tables};
use homeport_testkit::{TestApp, TestCaller};

async fn filled() -> (TestApp, TestCaller) {
    let (app, admin) = tables().await;
    for p in ["a", "b"] {
        for r in ["1", "2", "3"] {
            put(
                &admin,
                "notes",
                json!({"p": {"S": p}, "r": {"S": r}, "n": {"N": r}, "m": {"M": {"x": {"L": [{"S": r}]}}}}),
            )
            .await;
        }
    }
    (app, admin)
}

/// `p/r` of the items that a condition finds, in their order.
async fn found(caller: &TestCaller, rest: &str) -> Vec<String> {
    let page = execute(caller, &format!("SELECT p, r FROM notes {rest}")).await;
    let text = |item: &Value, name: &str| item[name]["S"].as_str().unwrap_or_default().to_owned();
    let items = page["Items"].as_array().cloned().unwrap_or_default();
    items.iter().map(|item| format!("{}/{}", text(item, "p"), text(item, "r"))).collect()
}

#[tokio::test]
async fn conditions_find_items_by_keys_and_values() {
    let (_app, admin) = filled().await;
    for (condition, wanted) in [
        ("p = 'a'", "a/1 a/2 a/3"),
        ("'a' = p AND r > '1'", "a/2 a/3"),
        ("p = 'a' AND r > '1' AND r < '3'", "a/2"),
        ("p = 'a' AND r BETWEEN '2' AND '3'", "a/2 a/3"),
        ("p = 'a' AND NOT r BETWEEN '2' AND '3'", "a/1"),
        ("p = 'a' AND begins_with(r, '2')", "a/2"),
        ("p = 'a' AND r IN ['1', '3']", "a/1 a/3"),
        ("p = 'a' AND r NOT IN ('1', '3')", "a/2"),
        ("p = 'a' AND r <> '1'", "a/2 a/3"),
        ("p = 'a' AND r > '3'", ""),
        ("p = 'a' AND r > '3' AND r < '1'", ""),
        ("p = 'a' AND p = 'b'", ""),
        ("p IN ['b', 'a'] AND r = '1'", "a/1 b/1"),
        ("p = 'b' AND r = '1' OR p = 'a' AND r = '2'", "a/2 b/1"),
        ("p = 'a' AND NOT r = '1' OR p = 'a' AND r = '2'", "a/2 a/3"),
        ("p = 'a' OR p = 'a' AND NOT r = '1'", "a/1 a/2 a/3"),
        ("p = 'a' AND n >= 2", "a/2 a/3"),
        ("p = 'a' AND (n = 1 OR n = 3)", "a/1 a/3"),
        ("p = 'a' AND m.x[0] = '2'", "a/2"),
        ("p = 'a' AND contains(m.x, '2') = true", "a/2"),
        ("p = 'a' AND size(r) = 1 AND attribute_type(n, 'N')", "a/1 a/2 a/3"),
        ("p = 'a' AND x IS MISSING AND n IS NOT MISSING AND n IS NOT NULL", "a/1 a/2 a/3"),
        ("p = 'a' AND n IS DECIMAL AND NOT n IS STRING", "a/1 a/2 a/3"),
        ("p = 'a' AND n IS NULL", ""),
    ] {
        assert_eq!(found(&admin, &format!("WHERE {condition}")).await.join(" "), wanted, "{condition}");
    }
    for (condition, count) in [("n = 2", 2), ("p = 'a' OR n = 1", 4), ("p > 'a'", 3), ("NOT p = 'a'", 3)] {
        assert_eq!(found(&admin, &format!("WHERE {condition}")).await.len(), count, "{condition}");
    }
    assert_eq!(found(&admin, "").await.len(), 6);
}

#[tokio::test]
async fn columns_are_named_by_their_last_parts() {
    let (_app, admin) = filled().await;
    let page = execute(&admin, "SELECT n, m.x, m.x[0], absent.y FROM notes WHERE p = 'a' AND r = '1'").await;
    assert_eq!(page["Items"], json!([{"n": {"N": "1"}, "x": {"L": [{"S": "1"}]}, "x[0]": {"S": "1"}}]));
    let whole = execute(&admin, "SELECT * FROM notes WHERE p = 'a' AND r = '1'").await;
    assert_eq!(whole["Items"][0]["m"], json!({"M": {"x": {"L": [{"S": "1"}]}}}));
}

#[tokio::test]
async fn what_is_read_by_key_comes_in_the_order_asked_for() {
    let (_app, admin) = filled().await;
    for (rest, wanted) in [
        ("p = 'a' ORDER BY r", "a/1 a/2 a/3"),
        ("p = 'a' ORDER BY r DESC", "a/3 a/2 a/1"),
        ("p = 'a' ORDER BY p ASC", "a/3 a/2 a/1"),
        ("p IN ['a', 'b'] ORDER BY p DESC, r ASC", "b/1 b/2 b/3 a/1 a/2 a/3"),
        ("p = 'a' AND r IN ['3', '1'] ORDER BY r DESC", "a/3 a/1"),
    ] {
        assert_eq!(found(&admin, &format!("WHERE {rest}")).await.join(" "), wanted, "{rest}");
    }
    for (rest, said) in [
        ("ORDER BY r", "Must have WHERE clause in the statement when using ORDER BY clause."),
        ("WHERE p = 'a' ORDER BY n", "Attribute n in ORDER BY clause must be part of the primary key"),
        (
            "WHERE p > 'a' ORDER BY r",
            "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.",
        ),
        (
            "WHERE p IN ['a', 'b'] ORDER BY r",
            "Must have hash key in ORDER BY clause when more than one hash key condition specified in WHERE clause.",
        ),
    ] {
        assert_eq!(refused(&admin, &format!("SELECT * FROM notes {rest}")).await.1, said, "{rest}");
    }
}

#[tokio::test]
async fn conditions_that_mean_nothing_are_refused_in_awss_words() {
    let (_app, admin) = filled().await;
    for (condition, said) in [
        (
            "p = 'a' AND n < true",
            "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL",
        ),
        (
            "p = 'a' AND n BETWEEN true AND false",
            "Incorrect operand type for operator or function; operator or function: BETWEEN, operand type: BOOL",
        ),
        ("p = 'a' AND n = 1 + 1", "Unsupported operator in Condition Expression. Operator: +"),
        (
            "p = 'a' AND n = -m",
            "Incorrect number of operands for operator or function; operator or function: -, number of operands: 1",
        ),
        (
            "p = 'a' AND attribute_exists('n')",
            "Operator or function requires a document path; operator or function: attribute_exists",
        ),
        (
            "p = 'a' AND attribute_exists()",
            "Incorrect number of operands for operator or function; operator or function: attribute_exists, number of operands: 0",
        ),
        (
            "p = 'a' AND attribute_type(n, 'X')",
            "Invalid attribute type name found; type: X, valid types: {N,BS,L,B,NULL,M,S,SS,NS,BOOL}",
        ),
        ("p = 'a' AND EXISTS(n)", "Unrecognized function: exists at 1:39:6"),
        ("p = 'a' AND set_add(n, <<'x'>>) = n", "Unrecognized function: set_add at 1:39:7"),
        ("p = 1", "Key attribute's data type should match its data type in table's schema: Key p"),
        ("p = true", "Key value must be of type S, N, or B. Key name: p, Key type: BOOL"),
        (
            "p = 1e126",
            "Number overflow. Attempting to store a number with magnitude larger than supported range under root",
        ),
        (
            "p = 'a' AND n = 1 OR p = 'a' AND r = '2'",
            "Overlapping conditions with range keys are not supported in where clause",
        ),
        (
            "p = 'a' AND r > '1' OR p = 'a' AND r > '2'",
            "Overlapping conditions with range keys are not supported in where clause",
        ),
    ] {
        let statement = format!("SELECT * FROM notes WHERE {condition}");
        assert_eq!(
            refused(&admin, &statement).await,
            ("ValidationException".to_owned(), said.to_owned()),
            "{condition}"
        );
    }
    let many = vec!["'x'"; 101].join(", ");
    let said = "The IN operator is provided with too many operands; number of operands: 101";
    assert_eq!(refused(&admin, &format!("SELECT * FROM notes WHERE n IN [{many}]")).await.1, said);
}

/// All pages of a statement, by as many items as the limit says.
async fn pages(caller: &TestCaller, statement: &str, limit: usize) -> Vec<Value> {
    let mut pages: Vec<Value> = Vec::new();
    let mut token = Value::Null;
    loop {
        let input = json!({"Statement": statement, "Limit": limit, "NextToken": token});
        let page = done(caller, "ExecuteStatement", input).await;
        token = page["NextToken"].clone();
        pages.push(page);
        if token.is_null() || pages.len() > 40 {
            return pages;
        }
    }
}

#[tokio::test]
async fn the_pages_make_up_the_whole() {
    let (_app, admin) = filled().await;
    for statement in [
        "SELECT * FROM notes",
        "SELECT * FROM notes WHERE n > 1",
        "SELECT * FROM notes WHERE p = 'a'",
        "SELECT * FROM notes WHERE p IN ['a', 'b'] ORDER BY p, r DESC",
        "SELECT * FROM notes WHERE p IN ['a', 'b'] AND r IN ['1', '3']",
        "SELECT * FROM notes WHERE p = 'a' AND r >= '2' OR p = 'b' AND r = '1'",
    ] {
        let whole = execute(&admin, statement).await;
        assert_eq!(whole["NextToken"], Value::Null, "{statement}");
        for limit in 1..=4 {
            let items: Vec<Value> = pages(&admin, statement, limit)
                .await
                .iter()
                .flat_map(|page| page["Items"].as_array().cloned().unwrap_or_default())
                .collect();
            assert_eq!(json!(items), whole["Items"], "{statement} by {limit}");
        }
    }
    let first = &pages(&admin, "SELECT r FROM notes WHERE p = 'a'", 2).await[0];
    assert_eq!(sorts(first), ["1", "2"]);
    assert_eq!(first["LastEvaluatedKey"], json!({"p": {"S": "a"}, "r": {"S": "2"}}));
    let one = execute(&admin, "SELECT * FROM notes WHERE p = 'a' AND r = '1'").await;
    assert_eq!(one["NextToken"], Value::Null);
}

#[tokio::test]
async fn many_partitions_are_read_ten_a_page() {
    let (_app, admin) = tables().await;
    for n in 10..35 {
        put(&admin, "plain", json!({"p": {"S": n.to_string()}})).await;
    }
    let keys: Vec<String> = (10..35).map(|n| format!("'{n}'")).collect();
    let statement = format!("SELECT p FROM plain WHERE p IN [{}]", keys.join(", "));
    let sizes: Vec<usize> = pages(&admin, &statement, 100)
        .await
        .iter()
        .filter_map(|page| Some(page["Items"].as_array()?.len()))
        .collect();
    assert_eq!(sizes, [10, 10, 5]);
    let too_many: Vec<String> = (0..51).map(|n| format!("'{n}'")).collect();
    let statement = format!("SELECT p FROM plain WHERE p IN [{}]", too_many.join(", "));
    assert!(refused(&admin, &statement).await.1.contains("too many operands"));
}

#[tokio::test]
async fn a_token_goes_on_with_its_own_statement_only() {
    let (_app, admin) = filled().await;
    let select = |p: &str, token: &Value| json!({"Statement": "SELECT * FROM notes WHERE p = ?", "Parameters": [{"S": p}], "Limit": 1, "NextToken": token});
    let token = done(&admin, "ExecuteStatement", select("a", &Value::Null)).await["NextToken"].clone();
    assert_eq!(sorts(&done(&admin, "ExecuteStatement", select("a", &token)).await), ["2"]);
    let (code, said) = refusal(&admin, "ExecuteStatement", select("b", &token)).await;
    assert_eq!((code.as_str(), said.as_str()), ("ValidationException", "NextToken does not match request"));
    // Whatever is changed of a token, it is none of ours any more.
    let text = token.as_str().unwrap_or_default().to_owned();
    let mut tampered: Vec<String> =
        vec!["x".into(), "AAAA".into(), text[..text.len() - 4].to_owned(), format!("{text}AAAA")];
    for at in (44..text.len() - 2).step_by(5) {
        let other = if &text[at..=at] == "A" { "B" } else { "A" };
        tampered.push(format!("{}{other}{}", &text[..at], &text[at + 1..]));
    }
    for token in tampered {
        let reply = call(&admin, "ExecuteStatement", select("a", &json!(token))).await;
        assert_eq!(reply.message(), "Invalid NextToken", "{token}");
    }
}

#[tokio::test]
async fn reading_tells_what_it_consumed() {
    let (_app, admin) = filled().await;
    let select = |consistent: bool| json!({"Statement": "SELECT * FROM notes WHERE p = 'a'", "ReturnConsumedCapacity": "TOTAL", "ConsistentRead": consistent});
    for (consistent, units) in [(false, 0.5), (true, 1.0)] {
        let page = done(&admin, "ExecuteStatement", select(consistent)).await;
        assert_eq!(page["ConsumedCapacity"], json!({"TableName": "notes", "CapacityUnits": units}));
    }
    let insert =
        json!({"Statement": "INSERT INTO plain VALUE {'p': 'x'}", "ReturnConsumedCapacity": "INDEXES"});
    let written = done(&admin, "ExecuteStatement", insert).await;
    assert_eq!(written["ConsumedCapacity"]["Table"], json!({"CapacityUnits": 1.0}));
}
