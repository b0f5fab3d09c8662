use serde_json::{Value, json};

use super::app::{app, done, hash_table, range_table, refusal};

/// Calls and what AWS says to them, in its words.
#[tokio::test]
async fn requests_are_refused_in_awss_words() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    done(&admin, "CreateTable", range_table("ranged", "S")).await;
    let key = || json!({"p": {"S": "a"}});
    let put = |item: Value| json!({"TableName": "notes", "Item": item});
    let long = "a".repeat(256);
    let too_long = format!(
        "1 validation error detected: Value '{long}' at 'tableName' failed to satisfy constraint: Member must have length less than or equal to 255"
    );
    let query = |condition: &str| json!({"TableName": "ranged", "KeyConditionExpression": condition, "ExpressionAttributeValues": {":v": {"S": "x"}}});
    let update = |expression: &str| json!({"TableName": "notes", "Key": key(), "UpdateExpression": expression, "ExpressionAttributeValues": {":v": {"S": "x"}}});
    let with = |mut input: Value, member: &str, value: Value| {
        input[member] = value;
        input
    };
    let cases: Vec<(&str, Value, &str)> = vec![
        (
            "PutItem",
            json!({"Item": key()}),
            "1 validation error detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null",
        ),
        (
            "PutItem",
            json!({"TableName": "bad table!@#", "Item": key()}),
            "1 validation error detected: Value 'bad table!@#' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
        ),
        ("PutItem", json!({"TableName": long, "Item": key()}), &too_long),
        (
            "PutItem",
            put(json!({"q": {"S": "a"}})),
            "One or more parameter values were invalid: Missing the key p in the item",
        ),
        (
            "PutItem",
            put(json!({"p": {"N": "1"}})),
            "One or more parameter values were invalid: Type mismatch for key p expected: S actual: N",
        ),
        (
            "PutItem",
            put(json!({"p": {"S": ""}})),
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: p",
        ),
        (
            "PutItem",
            put(json!({"p": {"S": "a".repeat(2049)}})),
            "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes",
        ),
        (
            "PutItem",
            put(json!({"p": {"S": "a"}, "v": {"S": "x".repeat(409_600)}})),
            "1 validation error detected: Item size has exceeded the maximum allowed size",
        ),
        (
            "PutItem",
            put(json!({"p": {"S": "a"}, "v": {"SS": []}})),
            "1 validation error detected: One or more parameter values were invalid: An string set  may not be empty",
        ),
        (
            "PutItem",
            put(json!({"p": {"S": "a"}, "v": {"N": "1E126"}})),
            "1 validation error detected: Number overflow. Attempting to store a number with magnitude larger than supported range",
        ),
        (
            "PutItem",
            with(put(key()), "ReturnValues", json!("ALL_NEW")),
            "1 validation error detected: ReturnValues can only be ALL_OLD or NONE",
        ),
        (
            "PutItem",
            with(put(key()), "ReturnValues", json!("DOG")),
            "1 validation error detected: Failed to satisfy constraint: Member must satisfy enum value set: [ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE]",
        ),
        (
            "PutItem",
            with(put(key()), "ExpressionAttributeValues", json!({":v": {"S": "x"}})),
            "1 validation error detected: ExpressionAttributeValues can only be specified when using expressions",
        ),
        (
            "PutItem",
            with(put(key()), "ExpressionAttributeNames", json!({"#v": "x"})),
            "1 validation error detected: ExpressionAttributeNames can only be specified when using expressions",
        ),
        (
            "PutItem",
            with(put(key()), "ConditionExpression", json!("contains(data, data)")),
            "1 validation error detected: Invalid ConditionExpression: Attribute name is a reserved keyword; reserved keyword: data",
        ),
        (
            "PutItem",
            with(
                with(put(key()), "ConditionExpression", json!("attribute_exists(p)")),
                "Expected",
                json!({"p": {"Exists": false}}),
            ),
            "1 validation error detected: Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}",
        ),
        (
            "GetItem",
            json!({"TableName": "notes", "Key": {}}),
            "The provided key element does not match the schema",
        ),
        (
            "GetItem",
            json!({"TableName": "notes", "Key": {"p": {"N": "1"}}}),
            "The provided key element does not match the schema",
        ),
        (
            "GetItem",
            json!({"TableName": "notes", "Key": key(), "ProjectionExpression": "p.x"}),
            "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: p",
        ),
        (
            "UpdateItem",
            update("SET p = :v"),
            "One or more parameter values were invalid: Cannot update attribute p. This attribute is part of the key",
        ),
        (
            "UpdateItem",
            update("INVALID SYNTAX HERE"),
            r#"1 validation error detected: Invalid UpdateExpression: Syntax error; token: "INVALID", near: "INVALID SYNTAX""#,
        ),
        (
            "UpdateItem",
            update(""),
            "1 validation error detected: Invalid UpdateExpression: The expression can not be empty;",
        ),
        (
            "UpdateItem",
            with(update("SET x = :v"), "ExpressionAttributeNames", json!({"#u": "u"})),
            "1 validation error detected: Value provided in ExpressionAttributeNames unused in expressions: keys: {#u}",
        ),
        (
            "UpdateItem",
            with(update("SET x = :v"), "ExpressionAttributeValues", json!({":v": {"N": "a"}})),
            "1 validation error detected: The parameter cannot be converted to a numeric value: a",
        ),
        (
            "Query",
            json!({"TableName": "ranged"}),
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
        ),
        ("Query", query("r = :v"), "Query condition missed key schema element: p"),
        ("Query", query("p > :v"), "Query key condition not supported"),
        ("Query", query(""), "Invalid KeyConditionExpression: The expression can not be empty;"),
        (
            "Query",
            with(query("p = :v"), "ExpressionAttributeValues", json!({":v": {"N": "1"}})),
            "One or more parameter values were invalid: Condition parameter type does not match schema type",
        ),
        (
            "Query",
            with(query("p = :v"), "FilterExpression", json!("r = :v")),
            "Filter Expression can only contain non-primary key attributes: Primary key attribute: r",
        ),
        (
            "Query",
            with(query("p = :v"), "ExclusiveStartKey", json!({"p": {"S": "other"}, "r": {"S": "x"}})),
            "The provided starting key is outside query boundaries based on provided conditions",
        ),
        (
            "Query",
            with(query("p = :v"), "ExclusiveStartKey", json!({"p": {"S": "x"}})),
            "The provided starting key is invalid",
        ),
        (
            "Query",
            with(query("p = :v"), "Limit", json!(0)),
            "1 validation error detected: Value at 'Limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
        ),
        (
            "Scan",
            json!({"TableName": "notes", "Segment": 0}),
            "The TotalSegments parameter is required but was not present in the request when Segment parameter is present",
        ),
        (
            "Scan",
            json!({"TableName": "notes", "TotalSegments": 4}),
            "The Segment parameter is required but was not present in the request when parameter TotalSegments is present",
        ),
        (
            "Scan",
            json!({"TableName": "notes", "Segment": 5, "TotalSegments": 5}),
            "The Segment parameter is zero-based and must be less than parameter TotalSegments",
        ),
    ];
    for (operation, input, said) in cases {
        let shown = input.to_string().chars().take(200).collect::<String>();
        assert_eq!(
            refusal(&admin, operation, input).await,
            ("ValidationException".to_owned(), said.to_owned()),
            "{operation} {shown}"
        );
    }
    for operation in ["GetItem", "DeleteItem", "UpdateItem"] {
        let absent = json!({"TableName": "absent", "Key": key()});
        assert_eq!(
            refusal(&admin, operation, absent).await,
            ("ResourceNotFoundException".into(), "Requested resource not found".into())
        );
    }
}

#[tokio::test]
async fn a_body_of_another_shape_is_a_serialization_error() {
    let app = app();
    let admin = app.admin();
    let headers =
        [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", "DynamoDB_20120810.PutItem")];
    for (body, said) in [
        ("", ""),
        ("{", ""),
        (r#"{"TableName": "notes",}"#, ""),
        ("[]", "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.PutItemInput"),
        (r#"{"TableName": "notes", "Item": {"p": {"S": 1}}}"#, "NUMBER_VALUE cannot be converted to String"),
        (r#"{"TableName": "notes", "Item": {"p": "a"}}"#, "Unexpected value type in payload"),
        (r#"{"TableName": 5}"#, "NUMBER_VALUE cannot be converted to String"),
        (r#"{"Expected": {"p": {"Exists": "maybe"}}}"#, "Unexpected token received from parser"),
        (
            r#"{"Expected": {"p": []}}"#,
            "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.ExpectedAttributeValue",
        ),
        (r#"{"ExpressionAttributeNames": {"a": null}}"#, ""),
    ] {
        let reply = admin
            .send("dynamodb", "POST", "/", &headers, body.as_bytes())
            .await
            .refused("SerializationException", 400);
        assert_eq!(reply.message(), said, "{body}");
    }
}

#[tokio::test]
async fn a_body_may_give_a_member_twice_texts_for_booleans_and_fractions_for_counts() {
    let app = app();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let headers =
        [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", "DynamoDB_20120810.Scan")];
    let body = br#"{"TableName": "none", "TableName": "notes", "Limit": 1.5, "ConsistentRead": "true"}"#;
    let reply = admin.send("dynamodb", "POST", "/", &headers, body).await.ok();
    assert_eq!(reply.json()["Count"], 0);
}
