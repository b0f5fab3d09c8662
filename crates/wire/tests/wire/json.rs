use homeport_core::Fault;
use homeport_wire::{encode, encode_fault, parse_json, unknown_operation};
use serde_json::json;

use crate::requests::{find, post, shown};

#[test]
fn a_body_becomes_canonical() {
    let body = r#"{"TableName":"notes","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],
        "AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S","Unknown":1}],
        "ProvisionedThroughput":{"ReadCapacityUnits":1.0,"WriteCapacityUnits":2},"Tags":null,"Unknown":{}}"#;
    let value = post("dynamodb", "CreateTable", body).unwrap();
    assert_eq!(
        value,
        json!({"TableName": "notes", "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 2}})
    );
}

#[test]
fn an_empty_body_is_an_empty_object() {
    assert_eq!(post("logs", "DescribeLogGroups", "").unwrap(), json!({}));
    assert_eq!(
        post("cognito-identity", "GetId", r#"{"IdentityPoolId":"us-east-1:1-a","Logins":{}}"#).unwrap()["Logins"],
        json!({})
    );
}

/// What is said of a body of the wrong types.
fn said(service: &str, operation: &str, body: &str) -> String {
    let fault = parse_json(find(service, operation).1, body.as_bytes()).unwrap_err();
    assert_eq!(fault.code, "SerializationException", "{body}");
    fault.message
}

#[test]
fn wrong_types_are_refused_in_aws_words() {
    for (body, message) in [
        (r#"{"logGroupName":1}"#, "NUMBER_VALUE cannot be converted to String"),
        (r#"{"logGroupName":true}"#, "TRUE_VALUE cannot be converted to String"),
        (r#"{"logGroupName":{}}"#, "Start of structure or map found where not expected."),
        (r#"{"logGroupName":[]}"#, "Start of list found where not expected"),
        (r#"{"logGroupName":"#, ""),
        (r#"[]"#, "Unexpected collection type in request"),
    ] {
        assert_eq!(said("logs", "CreateLogGroup", body), message, "{body}");
    }
    assert_eq!(
        said("logs", "DescribeLogGroups", r#"{"limit":"a"}"#),
        "STRING_VALUE cannot be converted to Integer"
    );
    assert!(post("logs", "DescribeLogGroups", r#"{"limit":3000000000}"#).is_err());
}

#[test]
fn dynamodb_names_javas_types_in_its_refusals() {
    let no_map = "Unrecognized collection type java.util.Map<java.lang.String, ";
    let no_class = "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast";
    for (operation, body, message) in [
        ("GetItem", r#"{"TableName":true}"#, "TRUE_VALUE cannot be converted to String"),
        ("GetItem", r#"{"TableName":3.5}"#, "DECIMAL_VALUE cannot be converted to String"),
        ("GetItem", r#"{"TableName":[]}"#, "Unrecognized collection type class java.lang.String"),
        ("GetItem", r#"{"TableName":{}}"#, "Start of structure or map found where not expected"),
        ("GetItem", r#"{"ConsistentRead":"23"}"#, "Unexpected token received from parser"),
        ("GetItem", r#"{"ConsistentRead":1}"#, "NUMBER_VALUE cannot be converted to Boolean"),
        ("GetItem", r#"{"ConsistentRead":[]}"#, "Unrecognized collection type class java.lang.Boolean"),
        ("GetItem", r#"{"Key":1}"#, "Unexpected field type"),
        ("GetItem", r#"{"Key":{"a":"b"}}"#, "Unexpected value type in payload"),
        (
            "GetItem",
            r#"{"Key":{"a":[]}}"#,
            "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue",
        ),
        (
            "GetItem",
            r#"{"Key":{"a":{"B":"abc"}}}"#,
            "Base64 encoded length is expected a multiple of 4 bytes but found: 3",
        ),
        ("GetItem", r#"{"Key":{"a":{"B":"+/+="}}}"#, "Invalid last non-pad Base64 character dectected"),
        ("GetItem", r#"{"Key":{"a":{"B":1}}}"#, "only base-64-encoded strings are convertible to bytes"),
        ("GetItem", r#"{"Key":{"a":{"B":[]}}}"#, "Unrecognized collection type class java.nio.ByteBuffer"),
        ("GetItem", r#"{"AttributesToGet":{}}"#, "Start of structure or map found where not expected"),
        ("GetItem", r#"{"AttributesToGet":"a"}"#, "Unexpected field type"),
        ("GetItem", r#"{"ExpressionAttributeNames":[]}"#, &format!("{no_map}java.lang.String>")),
        ("PutItem", r#"{"Expected":{"a":{"Value":"b"}}}"#, "Unexpected field type"),
        ("Query", r#"{"Limit":"1"}"#, "STRING_VALUE cannot be converted to Integer"),
        ("Query", r#"{"Limit":[]}"#, "Unrecognized collection type class java.lang.Integer"),
        (
            "BatchWriteItem",
            r#"{"RequestItems":[]}"#,
            &format!("{no_map}java.util.List<com.amazonaws.dynamodb.v20120810.WriteRequest>>"),
        ),
        ("BatchWriteItem", r#"{"RequestItems":{"t":1}}"#, no_class),
        (
            "BatchWriteItem",
            r#"{"RequestItems":{"t":{}}}"#,
            "Start of structure or map found where not expected",
        ),
        ("BatchGetItem", r#"{"RequestItems":{"t":{"Keys":["a"]}}}"#, no_class),
        (
            "CreateTable",
            r#"{"ProvisionedThroughput":[]}"#,
            "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.ProvisionedThroughput",
        ),
        (
            "CreateTable",
            r#"{"ProvisionedThroughput":{"ReadCapacityUnits":[]}}"#,
            "Unrecognized collection type class java.lang.Long",
        ),
        ("ListTables", "", ""),
        ("ListTables", "{} x", ""),
    ] {
        let given = said("dynamodb", operation, body);
        assert!(given == message || (message == no_class && given.starts_with(no_class)), "{body}: {given}");
    }
}

#[test]
fn dynamodb_takes_texts_for_booleans_and_any_number_for_a_whole_one() {
    let parsed =
        |operation: &str, body: &str| parse_json(find("dynamodb", operation).1, body.as_bytes()).unwrap();
    for (text, truth) in [("TRUE", true), ("y", true), ("1", true), ("no", false), ("f", false)] {
        let body = format!(r#"{{"ConsistentRead":"{text}"}}"#);
        assert_eq!(parsed("GetItem", &body), json!({"ConsistentRead": truth}));
    }
    for (number, whole) in [("1.9", 1), ("-0.5", 0), ("9.2e18", i32::MAX), ("3000000000", i32::MAX)] {
        let body = format!(r#"{{"Limit":{number}}}"#);
        assert_eq!(parsed("Query", &body), json!({"Limit": whole}));
    }
}

#[test]
fn a_null_in_a_map_is_dynamodbs_to_judge() {
    let body = r#"{"Key":{"a":null},"TableName":null}"#;
    let (_, operation) = find("dynamodb", "GetItem");
    assert_eq!(parse_json(operation, body.as_bytes()).unwrap(), json!({"Key": {"a": null}}));
}

#[test]
fn an_answer_is_json_with_times_as_numbers() {
    let (service, operation) = find("dynamodb", "DescribeTable");
    let output = json!({"Table": {"TableName": "notes", "CreationDateTime": 1_440_938_160.5, "ItemCount": 0,
        "Internal": "never sent", "TableArn": null}});
    insta::assert_snapshot!(shown(&encode(operation, service.protocol, &output, "r-1")));
}

#[test]
fn faults_are_written_as_each_json_service_writes_them() {
    let conditional = Fault::sender("ConditionalCheckFailedException", "The conditional request failed")
        .with_member("Item", r#"{"pk":{"S":"a"}}"#);
    let cases = [
        ("dynamodb", conditional),
        ("dynamodb", Fault::internal("disk on fire")),
        ("cognito-idp", Fault::sender("NotAuthorizedException", "Incorrect username or password.")),
        ("cloudwatch", Fault::with_status("ResourceNotFound", 404, "no \"such\" alarm")),
    ];
    let mut all = String::new();
    for (name, fault) in cases {
        let service = homeport_wire::Models::service(name).unwrap();
        let protocol = homeport_wire::Protocol::Json;
        all += &format!("{}\n\n", shown(&encode_fault(service, protocol, &fault, "r-1")));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn dynamodb_leaves_out_messages_that_are_none_and_writes_its_serialization_errors_with_a_capital() {
    let service = homeport_wire::Models::service("dynamodb").unwrap();
    let body = |fault: &Fault| {
        let encoded = encode_fault(service, service.protocol, fault, "r-1");
        String::from_utf8(encoded.body).unwrap()
    };
    assert_eq!(
        body(&Fault::sender("SerializationException", "")),
        r#"{"__type":"com.amazon.coral.service#SerializationException"}"#
    );
    assert_eq!(
        body(&Fault::sender("SerializationException", "Unexpected field type")),
        r#"{"__type":"com.amazon.coral.service#SerializationException","Message":"Unexpected field type"}"#
    );
}

#[test]
fn an_unknown_operation_is_answered_as_aws_does() {
    let mut all = String::new();
    for name in ["dynamodb", "cognito-idp", "iam", "lambda", "s3"] {
        let service = homeport_wire::Models::service(name).unwrap();
        let fault = unknown_operation(service, "FlyToTheMoon");
        all += &format!("{name} {}\n\n", shown(&encode_fault(service, service.protocol, &fault, "r-1")));
    }
    insta::assert_snapshot!(all);
}
