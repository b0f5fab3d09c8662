use homeport_core::Fault;
use homeport_wire::{MAX_PARAMETERS, encode, encode_fault, query_parameter};
use serde_json::json;

use crate::requests::{Request, find, post, shown};

#[test]
fn a_form_becomes_canonical() {
    let body = "Action=CreateRole&Version=2010-05-08&RoleName=Reader&AssumeRolePolicyDocument=%7B%7D\
                &MaxSessionDuration=3600&Tags.member.2.Key=b&Tags.member.2.Value=&Tags.member.1.Key=a\
                &Tags.member.1.Value=1+2%2B3";
    let expected = json!({"RoleName": "Reader", "AssumeRolePolicyDocument": "{}", "MaxSessionDuration": 3600,
        "Tags": [{"Key": "a", "Value": "1 2+3"}, {"Key": "b", "Value": ""}]});
    assert_eq!(post("iam", "CreateRole", body).unwrap(), expected);
}

#[test]
fn a_map_has_entries() {
    let body = "Name=t&Attributes.entry.1.key=A&Attributes.entry.1.value=1&Attributes.entry.2.key=B&Attributes.entry.2.value=2";
    assert_eq!(post("sns", "CreateTopic", body).unwrap()["Attributes"], json!({"A": "1", "B": "2"}));
}

#[test]
fn malformed_forms_are_refused() {
    let many = "a=1&".repeat(MAX_PARAMETERS + 1);
    let deep = format!("{}=1", ["a"; 65].join("."));
    for (body, code) in [
        ("RoleName=a&RoleName=b", "MalformedQueryString"),
        ("RoleName=%ff", "MalformedQueryString"),
        ("Tags.member.x.Key=a", "MalformedInput"),
        ("MaxSessionDuration=soon", "MalformedInput"),
        ("RoleName.Inner=a", "MalformedInput"),
        (&many, "MalformedQueryString"),
        (&deep, "MalformedQueryString"),
    ] {
        assert_eq!(
            post("iam", "CreateRole", body).unwrap_err().code,
            code,
            "{}",
            &body[..body.len().min(40)]
        );
    }
}

#[test]
fn an_ambiguous_action_is_none() {
    let request = Request::new("POST", "/?Version=1", &[], "Action=ListUsers");
    assert_eq!(query_parameter(&request.head(), &request.body, "Action").as_deref(), Some("ListUsers"));
    let request = Request::new("POST", "/?Action=ListUsers", &[], "Action=DeleteUser");
    assert_eq!(query_parameter(&request.head(), &request.body, "Action"), None);
}

#[test]
fn an_answer_is_xml_in_the_services_namespace() {
    let (service, operation) = find("iam", "ListUsers");
    let output = json!({"Users": [{"Path": "/", "UserName": "a<b", "UserId": "AIDA1", "Arn": "arn:aws:iam::1:user/a",
        "CreateDate": 1_440_938_160}], "IsTruncated": false});
    let mut all = shown(&encode(operation, service.protocol, &output, "r-1"));
    let (service, operation) = find("iam", "DeleteUser");
    all += &format!("\n\n{}", shown(&encode(operation, service.protocol, &json!({}), "r-2")));
    insta::assert_snapshot!(all);
}

#[test]
fn a_fault_is_an_error_response() {
    let (service, _) = find("iam", "GetUser");
    let missing = Fault::with_status("NoSuchEntityException", 404, "The user with name a&b cannot be found.");
    let mut all = shown(&encode_fault(service, service.protocol, &missing, "r-1"));
    let broken = encode_fault(service, service.protocol, &Fault::internal("secret cause"), "r-2");
    all += &format!("\n\n{}", shown(&broken));
    insta::assert_snapshot!(all);
}
