//! What AWS says of members of the wrong form, operation by operation.

use serde_json::{Value, json};

use super::app::{app, done, hash_table, range_table, refusal};

const SHORT: &str = "Member must have length greater than or equal to 3";
const PATTERN: &str = "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+";
const EMPTY_NAME: &str = "1 validation error detected: Value at 'TableName' failed to satisfy constraint: Member must have length greater than or equal to 1";
const CAPACITY: &str = "Value 'X' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]";
const METRICS: &str = "Value 'X' at 'returnItemCollectionMetrics' failed to satisfy constraint: Member must satisfy enum value set: [SIZE, NONE]";
const VALUES: &str = "Failed to satisfy constraint: Member must satisfy enum value set: [ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE]";
const NO_KEY: &str = "Value null at 'key' failed to satisfy constraint: Member must not be null";

fn one(said: &str) -> String {
    format!("1 validation error detected: {said}")
}

fn all(said: &[&str]) -> String {
    format!("{} validation errors detected: {}", said.len(), said.join("; "))
}

fn named(name: &str, constraint: &str) -> String {
    format!("Value '{name}' at 'tableName' failed to satisfy constraint: {constraint}")
}

/// A call of each kind that is right but for `changes`.
fn call(operation: &str, changes: &Value) -> Value {
    let mut input = match operation {
        "PutItem" => json!({"TableName": "absent", "Item": {"p": {"S": "a"}}}),
        "Query" => json!({
            "TableName": "absent", "KeyConditionExpression": "p = :p", "ExpressionAttributeValues": {":p": {"S": "a"}},
        }),
        "Scan" | "DescribeTable" | "DeleteTable" => json!({"TableName": "absent"}),
        "UpdateTable" => json!({"TableName": "absent", "BillingMode": "PAY_PER_REQUEST"}),
        _ => json!({"TableName": "absent", "Key": {"p": {"S": "a"}}}),
    };
    for (member, value) in changes.as_object().into_iter().flatten() {
        input[member] = value.clone();
        if value.is_null() {
            input.as_object_mut().unwrap().remove(member);
        }
    }
    input
}

async fn assert_refused(cases: Vec<(&str, Value, String)>) {
    let app = app();
    let admin = app.admin();
    for (operation, changes, said) in cases {
        assert_eq!(
            refusal(&admin, operation, call(operation, &changes)).await,
            ("ValidationException".to_owned(), said),
            "{operation} {changes}"
        );
    }
}

#[tokio::test]
async fn a_name_that_no_table_can_have_is_refused() {
    let mut cases = Vec::new();
    for operation in ["PutItem", "DeleteItem", "GetItem", "Query", "Scan"] {
        cases.push((operation, json!({"TableName": "ab"}), one(&named("ab", SHORT))));
        cases.push((operation, json!({"TableName": "a!"}), one(&named("a!", SHORT))));
        cases.push((operation, json!({"TableName": "abc!"}), one(&named("abc!", PATTERN))));
        cases.push((operation, json!({"TableName": ""}), EMPTY_NAME.to_owned()));
        let many = json!({"TableName": "ab", "ReturnConsumedCapacity": "X"});
        cases.push((operation, many, all(&[&named("ab", SHORT), CAPACITY])));
    }
    let both = all(&[&named("a!", PATTERN), &named("a!", SHORT)]);
    cases.push(("UpdateItem", json!({"TableName": "a!", "ReturnConsumedCapacity": "X"}), both));
    cases.push(("UpdateItem", json!({"TableName": ""}), EMPTY_NAME.to_owned()));
    for operation in ["DescribeTable", "DeleteTable", "UpdateTable"] {
        let length = "TableName must be at least 3 characters long and at most 255 characters long";
        cases.push((operation, json!({"TableName": "ab"}), length.to_owned()));
        cases.push((operation, json!({"TableName": "a".repeat(256)}), length.to_owned()));
        cases.push((operation, json!({"TableName": "abc;"}), one(&named("abc;", PATTERN))));
    }
    assert_refused(cases).await;
}

#[tokio::test]
async fn writes_tell_of_their_enumerations() {
    let wrong =
        || json!({"ReturnValues": "X", "ReturnConsumedCapacity": "X", "ReturnItemCollectionMetrics": "X"});
    let failed = |member: &str| json!({member: "X"});
    let on_failure = "Value 'X' at 'returnValuesOnConditionCheckFailure' failed to satisfy constraint: Member must satisfy enum value set: [ALL_OLD, NONE]";
    let mut keyless = wrong();
    keyless["Key"] = Value::Null;
    keyless["TableName"] = json!("");
    let older = "Value 'X' at 'returnValues' failed to satisfy constraint: Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]";
    let no_name = "Value '' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 1";
    assert_refused(vec![
        ("PutItem", wrong(), all(&[CAPACITY, VALUES, METRICS])),
        ("DeleteItem", wrong(), all(&[CAPACITY, VALUES, METRICS])),
        ("UpdateItem", wrong(), one(VALUES)),
        ("UpdateItem", failed("ReturnConsumedCapacity"), CAPACITY.to_owned()),
        ("UpdateItem", failed("ReturnItemCollectionMetrics"), one(METRICS)),
        ("UpdateItem", failed("ReturnValuesOnConditionCheckFailure"), on_failure.to_owned()),
        ("UpdateItem", keyless, all(&[CAPACITY, no_name, older, METRICS, NO_KEY])),
        ("DeleteItem", json!({"Key": null, "ReturnValues": "X"}), all(&[NO_KEY, VALUES])),
        (
            "PutItem",
            json!({"ReturnValues": "ALL_NEW", "ConditionExpression": "= ="}),
            one("ReturnValues can only be ALL_OLD or NONE"),
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_conditional_operator_joins_two_conditions_or_more() {
    let expected = |count: usize| -> Value {
        ["a", "b"].iter().take(count).map(|name| ((*name).to_owned(), json!({"Exists": false}))).collect()
    };
    let none = "ConditionalOperator cannot be used without Filter or Expected";
    let single = "ConditionalOperator can only be used when Filter or Expected has two or more elements";
    let unknown = "Failed to satisfy constraint: Member must satisfy enum value set: [ALL, OR]";
    let mixed = |with: &str| {
        format!(
            "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {{ConditionalOperator}} Expression parameters: {{{with}}}"
        )
    };
    let mut cases = Vec::new();
    for operation in ["PutItem", "DeleteItem", "UpdateItem"] {
        cases.push((operation, json!({"ConditionalOperator": "AND"}), one(none)));
        cases.push((operation, json!({"ConditionalOperator": "XOR", "Expected": expected(1)}), one(single)));
        cases.push((operation, json!({"ConditionalOperator": "XOR", "Expected": expected(2)}), one(unknown)));
        let beside = json!({"ConditionalOperator": "AND", "ConditionExpression": "attribute_exists(p)"});
        cases.push((operation, beside, one(&mixed("ConditionExpression"))));
    }
    cases.push(("Scan", json!({"ConditionalOperator": "OR"}), none.to_owned()));
    let listed = "Value 'XOR' at 'conditionalOperator' failed to satisfy constraint: Member must satisfy enum value set: [OR, AND]";
    cases.push(("Scan", json!({"ConditionalOperator": "XOR"}), one(listed)));
    cases.push(("Query", json!({"ConditionalOperator": "XOR"}), mixed("KeyConditionExpression")));
    assert_refused(cases).await;
}

#[tokio::test]
async fn legacy_parameters_are_of_their_form() {
    let action = |name: &str| json!({"AttributeUpdates": {"a": {"Value": {"N": "1"}, "Action": name}}});
    let actions = one("Member must satisfy enum value set: [ADD, DELETE, PUT]' for Action");
    let none = "Value '[]' at 'attributesToGet' failed to satisfy constraint: Member must have length greater than or equal to 1";
    let many: Vec<String> = (0..256).map(|number| format!("a{number}")).collect();
    let too_many = format!(
        "Value '[{}]' at 'attributesToGet' failed to satisfy constraint: Member must have length less than or equal to 255",
        many.join(", ")
    );
    assert_refused(vec![
        ("UpdateItem", action("put"), actions.clone()),
        ("UpdateItem", action("BOGUS"), actions),
        ("GetItem", json!({"AttributesToGet": []}), one(none)),
        ("GetItem", json!({"AttributesToGet": many}), one(&too_many)),
        ("Scan", json!({"AttributesToGet": []}), one(none)),
    ])
    .await;
}

const AT_LEAST_ONE: &str =
    "Value at 'Limit' failed to satisfy constraint: Member must have value greater than or equal to 1";

#[tokio::test]
async fn a_limit_is_read_as_a_whole_number() {
    let limit = |limit: Value| json!({"Limit": limit});
    let shown = |limit: &str| {
        one(&format!(
            "Value '{limit}' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"
        ))
    };
    let no_table = json!({"TableName": null, "Limit": 0});
    let unnamed = all(&[
        "Value null at 'tableName' failed to satisfy constraint: Member must not be null",
        "Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
    ]);
    assert_refused(vec![
        ("Query", limit(json!(0.5)), shown("0")),
        ("Query", limit(json!(-2_147_483_649_i64)), shown("-2147483648")),
        ("Scan", limit(json!(0)), one(AT_LEAST_ONE)),
        ("Scan", json!({"Segment": -1, "TotalSegments": 2}), one("Value at 'Segment' failed to satisfy constraint: Member must have value greater than or equal to 0")),
        ("Query", no_table, unnamed),
        (
            "Query",
            json!({"Limit": 0, "Select": "X"}),
            one(AT_LEAST_ONE),
        ),
    ])
    .await;
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    for name in ["a", "b"] {
        super::app::put(&admin, "notes", json!({"p": {"S": name}})).await;
    }
    let page = done(&admin, "Scan", json!({"TableName": "notes", "Limit": 1.5})).await;
    assert_eq!(page["Count"], 1);
    let page =
        done(&admin, "Scan", json!({"TableName": "notes", "Limit": 9_223_372_036_854_775_808_u64})).await;
    assert_eq!(page["Count"], 2);
    assert_eq!(
        refusal(&admin, "Query", call("Query", &limit(json!("5")))).await,
        ("SerializationException".into(), "STRING_VALUE cannot be converted to Integer".into())
    );
}

#[tokio::test]
async fn a_selection_goes_with_the_rest_of_the_request() {
    let mut cases = Vec::new();
    for operation in ["Query", "Scan"] {
        let specific = "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES";
        cases.push((operation, json!({"Select": "SPECIFIC_ATTRIBUTES"}), one(specific)));
        let projected = "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName";
        cases.push((operation, json!({"Select": "ALL_PROJECTED_ATTRIBUTES"}), one(projected)));
        let count = "Cannot specify the ProjectionExpression when choosing to get only the Count";
        cases.push((operation, json!({"Select": "COUNT", "ProjectionExpression": "a"}), one(count)));
    }
    let listed = "Cannot specify the AttributesToGet when choosing to get ALL_ATTRIBUTES";
    cases.push(("Scan", json!({"Select": "ALL_ATTRIBUTES", "AttributesToGet": ["a"]}), one(listed)));
    assert_refused(cases).await;
}

#[tokio::test]
async fn single_writes_count_what_is_wrong_with_their_expressions() {
    let long = "a".repeat(4_097);
    let mut cases = Vec::new();
    for operation in ["PutItem", "DeleteItem", "UpdateItem"] {
        let alone = "ExpressionAttributeValues can only be specified when using expressions";
        cases.push((operation, json!({"ExpressionAttributeValues": {":v": {"S": "x"}}}), one(alone)));
        let blank = r#"Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "   ""#;
        cases.push((operation, json!({"ConditionExpression": "   "}), one(blank)));
        let size = "Invalid ConditionExpression: Expression size has exceeded the maximum allowed size;";
        cases.push((operation, json!({"ConditionExpression": long}), one(size)));
    }
    let empty = "Invalid ConditionExpression: The expression can not be empty;";
    cases.push(("UpdateItem", json!({"UpdateExpression": "", "ConditionExpression": ""}), one(empty)));
    assert_refused(cases).await;
}

#[tokio::test]
async fn an_update_is_refused_by_what_it_is_charged_whatever_the_item_holds() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let update = |padding: usize| {
        json!({
            "TableName": "notes", "Key": {"p": {"S": "k"}}, "UpdateExpression": "SET b = :pad",
            "ConditionExpression": "attribute_exists(nope)",
            "ExpressionAttributeValues": {":pad": {"S": "x".repeat(padding)}},
        })
    };
    let (code, _) = refusal(&admin, "UpdateItem", update(409_577)).await;
    assert_eq!(code, "ConditionalCheckFailedException");
    assert_eq!(
        refusal(&admin, "UpdateItem", update(409_578)).await,
        ("ValidationException".into(), "Item size to update has exceeded the maximum allowed size".into())
    );
}

#[tokio::test]
async fn a_query_of_an_empty_key_is_refused() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", range_table("notes", "S")).await;
    let query = |condition: &str, values: Value| json!({"TableName": "notes", "KeyConditionExpression": condition, "ExpressionAttributeValues": values});
    for (input, key) in [
        (query("p = :e", json!({":e": {"S": ""}})), "p"),
        (query("p = :p AND r = :e", json!({":p": {"S": "a"}, ":e": {"S": ""}})), "r"),
    ] {
        let said = format!(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: {key}"
        );
        assert_eq!(refusal(&admin, "Query", input).await, ("ValidationException".to_owned(), said));
    }
}

#[tokio::test]
async fn names_of_placeholders_and_attributes_have_bounds() {
    let names = |key: &str, name: &str| {
        json!({"UpdateExpression": format!("SET {key} = :v"), "ExpressionAttributeNames": {key: name},
            "ExpressionAttributeValues": {":v": {"S": "x"}}})
    };
    let value = |key: &str| json!({"UpdateExpression": format!("SET v = {key}"), "ExpressionAttributeValues": {key: {"S": "x"}}});
    let (long, name) = (format!("#{}", "a".repeat(255)), "n".repeat(65_536));
    let invalid = "contains invalid key: The expression attribute map contains a key that is too long;";
    let too_large = "Attribute name is too large, must be less than 65536 bytes";
    assert_refused(vec![
        (
            "UpdateItem",
            names(&long, "x"),
            one(&format!("ExpressionAttributeNames {invalid} size of key: 256")),
        ),
        (
            "UpdateItem",
            value(&format!(":{}", "v".repeat(255))),
            one(&format!("ExpressionAttributeValues {invalid}")),
        ),
        (
            "UpdateItem",
            names("#x", ""),
            one("ExpressionAttributeNames contains invalid value: Empty attribute name for key #x"),
        ),
        ("UpdateItem", names("#x", &name), one(too_large)),
        ("PutItem", json!({"Item": {"p": {"S": "a"}, name.clone(): {"S": "x"}}}), one(too_large)),
        ("GetItem", json!({"AttributesToGet": [name.clone()]}), too_large.to_owned()),
    ])
    .await;
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("absent")).await;
    done(&admin, "UpdateItem", call("UpdateItem", &names(&long[..255], &name[1..]))).await;
}

#[tokio::test]
async fn a_number_far_beyond_the_greatest_is_told_in_older_words_as_too_small() {
    let number = json!({"p": {"S": "a"}, "n": {"N": "1e2147483647"}});
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let batch = json!({"RequestItems": {"notes": [{"PutRequest": {"Item": number}}]}});
    let older = "Number underflow. Attempting to store a number with magnitude smaller than supported range";
    assert_eq!(refusal(&admin, "BatchWriteItem", batch).await.1, older);
    let newer = "Number overflow. Attempting to store a number with magnitude larger than supported range";
    let put = json!({"TableName": "notes", "Item": number});
    assert_eq!(refusal(&admin, "PutItem", put).await.1, one(newer));
}
