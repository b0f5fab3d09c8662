use homeport_policy::{Policy, PolicyFault, PolicyKind};

const IDENTITY: PolicyKind = PolicyKind::Identity;

fn fault(json: &str, kind: PolicyKind) -> PolicyFault {
    Policy::parse(json, kind).expect_err(json)
}

fn statement(members: &str) -> String {
    format!(r#"{{"Version": "2012-10-17", "Statement": [{{{members}}}]}}"#)
}

#[test]
fn one_may_stand_for_a_list_of_one_everywhere() {
    let json = r#"{"Version": "2012-10-17", "Id": "p", "Statement": {"Sid": "One", "Effect": "Allow",
        "Principal": {"AWS": "123456789012", "Service": ["lambda.amazonaws.com"]},
        "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*",
        "Condition": {"StringEquals": {"aws:username": "alice"}}}}"#;
    let policy = Policy::parse(json, PolicyKind::Resource).unwrap().named("b");
    assert_eq!((policy.name(), policy.sid(0)), ("b", "One"));
}

#[test]
fn what_is_no_policy_is_refused() {
    for json in [
        "",
        "[]",
        "{",
        "null",
        r#"{"Version": "2012-10-17", "Statement": "x"}"#,
        r#"{"Version": "2013-01-01", "Statement": []}"#,
        r#"{"Version": "2012-10-17", "Version": "2008-10-17", "Statement": []}"#,
    ] {
        assert_eq!(fault(json, IDENTITY), PolicyFault::Syntax, "{json}");
    }
    assert_eq!(fault("{}", IDENTITY), PolicyFault::MissingField("Statement"));
    assert_eq!(fault(r#"{"Statements": []}"#, IDENTITY), PolicyFault::UnknownField("Statements".into()));
}

#[test]
fn a_statement_needs_its_parts_and_no_others() {
    let cases = [
        (r#""Action": "s3:*", "Resource": "*""#, PolicyFault::MissingField("Effect")),
        (r#""Effect": "allow", "Action": "s3:*", "Resource": "*""#, PolicyFault::Syntax),
        (r#""Effect": "Allow", "Resource": "*""#, PolicyFault::NoActions),
        (r#""Effect": "Allow", "Action": [], "Resource": "*""#, PolicyFault::NoActions),
        (r#""Effect": "Allow", "Action": "s3:*""#, PolicyFault::NoResources),
        (r#""Effect": "Allow", "Action": "s3:*", "Resource": []"#, PolicyFault::NoResources),
        (r#""Effect": "Allow", "Action": "s3:*", "NotAction": "s3:*", "Resource": "*""#, PolicyFault::Syntax),
        (
            r#""Effect": "Allow", "Actions": "s3:*", "Resource": "*""#,
            PolicyFault::UnknownField("Actions".into()),
        ),
        (r#""Effect": "Allow", "Action": "GetObject", "Resource": "*""#, PolicyFault::NoVendor),
        (r#""Effect": "Allow", "Action": "s3:Get:Object", "Resource": "*""#, PolicyFault::SecondColon),
        (r#""Effect": "Allow", "Action": "s 3:Get", "Resource": "*""#, PolicyFault::Vendor("s 3".into())),
        (
            r#""Effect": "Allow", "Action": "s3:*", "Resource": "bucket""#,
            PolicyFault::NotAnArn("bucket".into()),
        ),
        (r#""Effect": "Allow", "Action": "s3:*", "Resource": "*", "Sid": "a b""#, PolicyFault::Sid),
        (
            r#""Effect": "Allow", "Action": "s3:*", "Resource": "*", "Principal": "*""#,
            PolicyFault::PrincipalForbidden,
        ),
        (r#""Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::${x""#, PolicyFault::Variable),
    ];
    for (members, expected) in cases {
        assert_eq!(fault(&statement(members), IDENTITY), expected, "{members}");
    }
}

#[test]
fn two_statements_of_one_sid_are_refused() {
    let twice = r#"{"Version": "2012-10-17", "Statement": [
        {"Sid": "A", "Effect": "Allow", "Action": "s3:*", "Resource": "*"},
        {"Sid": "A", "Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}"#;
    assert_eq!(fault(twice, IDENTITY), PolicyFault::DuplicateSid);
    assert!(Policy::parse(&twice.replacen("\"A\"", "\"B\"", 1), IDENTITY).is_ok());
}

#[test]
fn a_trust_policy_speaks_of_principals_and_sts_alone() {
    let trust = PolicyKind::Trust;
    let good = statement(
        r#""Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": ["sts:AssumeRole", "sts:TagSession"]"#,
    );
    assert!(Policy::parse(&good, trust).is_ok());
    assert_eq!(
        fault(&statement(r#""Effect": "Allow", "Action": "sts:AssumeRole""#), trust),
        PolicyFault::MissingField("Principal")
    );
    assert_eq!(
        fault(
            &statement(r#""Effect": "Allow", "Principal": "*", "Action": "sts:*", "Resource": "*""#),
            trust
        ),
        PolicyFault::ProhibitedField("Resource")
    );
    for action in ["s3:GetObject", "*"] {
        let json = statement(&format!(r#""Effect": "Allow", "Principal": "*", "Action": "{action}""#));
        assert_eq!(fault(&json, trust), PolicyFault::NotAnAssumeRoleAction);
    }
}

#[test]
fn a_resource_policy_needs_a_principal() {
    let without = statement(r#""Effect": "Allow", "Action": "s3:*", "Resource": "*""#);
    assert_eq!(fault(&without, PolicyKind::Resource), PolicyFault::MissingField("Principal"));
    let spaced = statement(
        r#""Sid": "Public read", "Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*""#,
    );
    assert!(Policy::parse(&spaced, PolicyKind::Resource).is_ok());
}

#[test]
fn the_identities_a_policy_names_can_be_asked_for() {
    let json = statement(
        r#""Effect": "Allow", "Action": "sts:AssumeRole",
           "Principal": {"AWS": ["arn:aws:iam::123456789012:user/alice", "123456789012"], "Service": "s3.amazonaws.com"}"#,
    );
    let policy = Policy::parse(&json, PolicyKind::Trust).unwrap();
    assert_eq!(policy.named_identities().collect::<Vec<_>>(), ["arn:aws:iam::123456789012:user/alice"]);
}
