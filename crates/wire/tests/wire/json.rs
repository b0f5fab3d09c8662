use homeport_core::Fault;
use homeport_wire::{encode, encode_fault, unknown_operation};
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
    assert_eq!(post("dynamodb", "ListTables", "").unwrap(), json!({}));
    assert_eq!(
        post("cognito-identity", "GetId", r#"{"IdentityPoolId":"us-east-1:1-a","Logins":{}}"#).unwrap()["Logins"],
        json!({})
    );
}

#[test]
fn wrong_types_are_refused_in_aws_words() {
    for (body, message) in [
        (r#"{"TableName":1}"#, "NUMBER_VALUE cannot be converted to String"),
        (r#"{"TableName":true}"#, "TRUE_VALUE cannot be converted to String"),
        (r#"{"TableName":{}}"#, "Start of structure or map found where not expected."),
        (r#"{"TableName":[]}"#, "Start of list found where not expected"),
        (r#"{"TableName":"#, ""),
        (r#"[]"#, "Unexpected collection type in request"),
    ] {
        let fault = post("dynamodb", "DescribeTable", body).unwrap_err();
        assert_eq!(
            (fault.code.as_ref(), fault.message.as_str()),
            ("SerializationException", message),
            "{body}"
        );
    }
    let fault = post("dynamodb", "ListTables", r#"{"Limit":"a"}"#).unwrap_err();
    assert_eq!(fault.message, "STRING_VALUE cannot be converted to Integer");
    assert!(post("dynamodb", "ListTables", r#"{"Limit":3000000000}"#).is_err());
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
fn an_unknown_operation_is_answered_as_aws_does() {
    let mut all = String::new();
    for name in ["dynamodb", "cognito-idp", "iam", "lambda", "s3"] {
        let service = homeport_wire::Models::service(name).unwrap();
        let fault = unknown_operation(service, "FlyToTheMoon");
        all += &format!("{name} {}\n\n", shown(&encode_fault(service, service.protocol, &fault, "r-1")));
    }
    insta::assert_snapshot!(all);
}
