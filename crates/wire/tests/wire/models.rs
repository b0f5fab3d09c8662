use homeport_wire::{Models, Protocol, role_arn_members};

#[test]
fn every_model_can_be_read() {
    assert_eq!(Models::names().count(), 24);
    for name in Models::names() {
        let service = Models::service(name).unwrap();
        assert!(!service.operations.is_empty(), "{name}");
        for operation in &service.operations {
            assert!(std::ptr::eq(service.operation(operation.name).unwrap(), operation));
        }
    }
}

#[test]
fn a_service_is_found_by_target_and_by_signing_name() {
    assert_eq!(Models::by_target_prefix("DynamoDB_20120810"), Some("dynamodb"));
    assert_eq!(Models::by_target_prefix(""), None);
    assert_eq!(Models::by_signing_name("apigateway").collect::<Vec<_>>(), ["apigateway", "apigatewayv2"]);
    assert_eq!(Models::by_signing_name("dynamodb").collect::<Vec<_>>(), ["dynamodb", "dynamodbstreams"]);
    assert!(Models::service("ec2").is_none());
}

#[test]
fn the_settings_of_a_service_are_those_of_its_model() {
    let dynamodb = Models::service("dynamodb").unwrap();
    assert_eq!((dynamodb.protocol, dynamodb.json_version), (Protocol::Json, "1.0"));
    let cloudwatch = Models::service("cloudwatch").unwrap();
    assert_eq!(*cloudwatch.speaks, [Protocol::RpcV2Cbor, Protocol::Json, Protocol::Query]);
    assert!(cloudwatch.query_compatible);
    let iam = Models::service("iam").unwrap();
    assert_eq!(iam.xml_namespace, "https://iam.amazonaws.com/doc/2010-05-08/");
    assert_eq!(iam.error_status("NoSuchEntityException"), Some(404));
    assert_eq!(iam.error_status("NoSuchEntity"), Some(404));
    let users = Models::service("cognito-idp").unwrap();
    assert!(users.operation("SignUp").unwrap().unsigned);
    assert!(!users.operation("AdminGetUser").unwrap().unsigned);
}

#[test]
fn reading_the_largest_model_takes_few_milliseconds() {
    // Time is not asserted (it is measured by the bench); what is asserted is that a second use reads nothing.
    let first = Models::service("ssm").unwrap();
    assert!(std::ptr::eq(first, Models::service("ssm").unwrap()));
}

/// Patterns with look-around or references that have no equal without (by how they begin): a tag's name of Lambda's
/// event sources, and ISO 8601 dates of Systems Manager's.
const UNCHECKED: [&str; 2] = [r"lambda (^(?!(system\x2e)))", r"ssm ^([\-]?\d{4}(?!\d{2}\b))"];

#[test]
fn every_pattern_is_checked_but_those_named_here() {
    let mut unchecked = Vec::new();
    for service in Models::names().filter_map(Models::service) {
        for pattern in service.patterns() {
            if !pattern.is_checked() {
                unchecked.push(format!("{} {}", service.name, pattern.source()));
            }
        }
    }
    unchecked.retain(|pattern| !UNCHECKED.iter().any(|begin| pattern.starts_with(begin)));
    assert_eq!(unchecked, [""; 0]);
}

#[test]
fn members_that_look_like_role_arns_are_listed() {
    let listed = |service: &str| -> Vec<String> {
        let members = role_arn_members(Models::service(service).unwrap());
        members.into_iter().map(|member| format!("{} {}", member.operation, member.path)).collect()
    };
    let lambda = listed("lambda");
    assert!(lambda.contains(&"CreateFunction Role".to_owned()), "{lambda:?}");
    assert!(lambda.contains(&"UpdateFunctionConfiguration Role".to_owned()), "{lambda:?}");
    assert!(listed("apigateway").contains(&"PutIntegration credentials".to_owned()));
    assert!(listed("apigateway").contains(&"UpdateIntegration patchOperations[].value".to_owned()));
    assert!(listed("cognito-idp").contains(&"CreateUserPool SmsConfiguration.SnsCallerArn".to_owned()));
    assert!(listed("cognito-identity").contains(&"SetIdentityPoolRoles Roles{}".to_owned()));
    assert!(listed("cognito-idp").contains(&"CreateGroup RoleArn".to_owned()));
}
