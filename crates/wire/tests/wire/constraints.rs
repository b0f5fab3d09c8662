use homeport_wire::redact;
use serde_json::json;

use crate::requests::{Request, find, post};

fn refused(service: &str, operation: &str, body: &str) -> (String, String) {
    let fault = post(service, operation, body).unwrap_err();
    (fault.code.into_owned(), fault.message)
}

#[test]
fn a_missing_member_is_named() {
    assert_eq!(
        refused("dynamodb", "DescribeBackup", "{}"),
        (
            "ValidationException".to_owned(),
            "1 validation error detected: Value null at 'backupArn' failed to satisfy constraint: Member must not be null".to_owned()
        )
    );
}

#[test]
fn lengths_and_patterns_are_refused_together() {
    let (code, message) = refused("cognito-idp", "DescribeUserPool", r#"{"UserPoolId":""}"#);
    assert_eq!(code, "InvalidParameterException");
    assert_eq!(
        message,
        "2 validation errors detected: Value '' at 'userPoolId' failed to satisfy constraint: Member must satisfy \
         regular expression pattern: [\\w-]+_[0-9a-zA-Z]+; Value '' at 'userPoolId' failed to satisfy constraint: \
         Member must have length greater than or equal to 1"
    );
}

#[test]
fn enumerations_list_their_values() {
    let body = r#"{"AuthFlow":"GUESS","ClientId":"1"}"#;
    let (_, message) = refused("cognito-idp", "InitiateAuth", body);
    assert!(
        message.contains("at 'authFlow' failed to satisfy constraint: Member must satisfy enum value set: ["),
        "{message}"
    );
}

#[test]
fn items_are_named_by_their_place() {
    let body = r#"{"TableName":"notes","KeySchema":[{"AttributeName":"pk"}],"AttributeDefinitions":[]}"#;
    let (_, message) = refused("dynamodb", "CreateTable", body);
    assert_eq!(
        message,
        "1 validation error detected: Value null at 'keySchema.1.member.keyType' failed to satisfy constraint: \
         Member must not be null"
    );
}

#[test]
fn scalar_items_are_refused_as_a_whole() {
    let body =
        r#"{"UserPoolId":"us-east-1_A","ClientName":"a","ExplicitAuthFlows":["NONE","ALLOW_CUSTOM_AUTH"]}"#;
    let (_, message) = refused("cognito-idp", "CreateUserPoolClient", body);
    let expected = "Value '[NONE, ALLOW_CUSTOM_AUTH]' at 'explicitAuthFlows' failed to satisfy constraint: \
                    Member must satisfy constraint: [Member must satisfy enum value set: [ADMIN_NO_SRP_AUTH";
    assert!(message.contains(expected), "{message}");
}

#[test]
fn ranges_of_numbers_are_checked() {
    let (_, message) = refused("dynamodb", "ListTables", r#"{"Limit":101}"#);
    assert!(message.ends_with("Value '101' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 100"), "{message}");
}

#[test]
fn a_sensitive_value_is_not_echoed() {
    let body =
        r#"{"ClientId":"a b","Username":"ann","Password":"hunter two\u0000","ConfirmationCode":"x y"}"#;
    let (_, message) = refused("cognito-idp", "ConfirmForgotPassword", body);
    for secret in ["a b", "hunter", "'ann'"] {
        assert!(!message.contains(secret), "{message}");
    }
}

#[test]
fn at_most_ten_violations_are_listed() {
    let item = r#"{"AttributeName":""}"#;
    let body = format!(
        r#"{{"TableName":"notes","KeySchema":[{}],"AttributeDefinitions":[]}}"#,
        [item; 20].join(",")
    );
    let (_, message) = refused("dynamodb", "CreateTable", &body);
    assert!(message.starts_with("10 validation errors detected: "), "{message}");
}

#[test]
fn query_services_have_their_own_code() {
    let (code, message) = refused("sts", "AssumeRole", "Action=AssumeRole&RoleSessionName=ann");
    assert_eq!(code, "ValidationError");
    assert_eq!(
        message,
        "1 validation error detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null"
    );
}

#[test]
fn s3_says_which_part_was_wrong() {
    let body = "<Delete><Object></Object></Delete>";
    let fault = Request::new("POST", "/b?delete", &[], body).decode("s3", "DeleteObjects").unwrap_err();
    assert_eq!(fault.code, "MalformedXML");
    let fault = Request::new("PUT", "/b?acl", &[("x-amz-acl", "nobody")], "")
        .decode("s3", "PutBucketAcl")
        .unwrap_err();
    assert_eq!(fault.code, "InvalidArgument");
}

#[test]
fn what_is_sensitive_is_not_kept() {
    let (service, operation) = find("cognito-idp", "SignUp");
    let input = json!({"ClientId": "c", "Username": "ann", "Password": "secret", "Unknown": 1,
        "UserAttributes": [{"Name": "email", "Value": "ann@example.com"}], "ClientMetadata": {"a": "b"}});
    assert_eq!(
        redact(service, operation, &input),
        json!({"UserAttributes": [{"Name": "email"}], "ClientMetadata": {"a": "b"}})
    );
}

#[test]
fn one_time_codes_are_not_kept() {
    let (service, operation) = find("cognito-idp", "ConfirmSignUp");
    let input = json!({"ConfirmationCode": "123456", "ForceAliasCreation": true});
    assert_eq!(redact(service, operation, &input), json!({"ForceAliasCreation": true}));
    let (service, operation) = find("sts", "GetSessionToken");
    let input = json!({"DurationSeconds": 900, "TokenCode": "123456"});
    assert_eq!(redact(service, operation, &input), json!({"DurationSeconds": 900}));
}
