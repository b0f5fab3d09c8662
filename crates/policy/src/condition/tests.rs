use super::*;

fn context() -> Context {
    let mut context = Context::new();
    context.set("aws:username", "alice");
    context.set("aws:PrincipalTag/team", "Blue");
    context.set("s3:prefix", "home/alice/");
    context.set("s3:max-keys", "10");
    context.set("aws:CurrentTime", "2026-11-21T01:00:00Z");
    context.set("aws:EpochTime", "1795222800");
    context.set("aws:SecureTransport", "true");
    context.set("aws:SourceIp", "203.0.113.7");
    context.set("aws:SourceArn", "arn:aws:s3:::photos");
    context.set("key:blob", "aGk=");
    context.set("key:odd", "not a number");
    context.set_many("aws:TagKeys", vec!["env".into(), "team".into()]);
    context.set_many("key:empty", vec![]);
    context
}

fn condition(json: &str) -> Condition {
    let parsed =
        Condition::parse_all(Node::parse(json).unwrap(), Grammar { wildcards: true, variables: true });
    let mut all = parsed.unwrap().into_vec();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn held(operator: &str, key: &str, values: &str, effect: Effect) -> bool {
    condition(&format!(r#"{{"{operator}": {{"{key}": {values}}}}}"#)).holds(&context(), effect)
}

#[track_caller]
fn yes(operator: &str, key: &str, values: &str) {
    assert!(held(operator, key, values, Effect::Allow), "{operator} {key} {values} should hold");
}

#[track_caller]
fn no(operator: &str, key: &str, values: &str) {
    assert!(!held(operator, key, values, Effect::Allow), "{operator} {key} {values} should not hold");
}

/// The operator holds for one value and not for the other; its opposite says the contrary.
#[track_caller]
fn twins(operator: &str, opposite: &str, key: &str, fits: &str, does_not: &str) {
    yes(operator, key, fits);
    no(operator, key, does_not);
    no(opposite, key, fits);
    yes(opposite, key, does_not);
    yes(operator, key, &format!("[{does_not}, {fits}]"));
    no(opposite, key, &format!("[{does_not}, {fits}]"));
    no(operator, "key:absent", fits);
    yes(opposite, "key:absent", fits);
    yes(&format!("{operator}IfExists"), "key:absent", fits);
    no(&format!("{operator}IfExists"), key, does_not);
    yes(&format!("{opposite}IfExists"), "key:absent", fits);
    no(&format!("{opposite}IfExists"), key, fits);
}

#[test]
fn texts_are_compared_exactly() {
    twins("StringEquals", "StringNotEquals", "aws:username", r#""alice""#, r#""Alice""#);
    twins("StringEquals", "StringNotEquals", "aws:username", r#""${aws:username}""#, r#""a*""#);
}

#[test]
fn texts_are_compared_in_any_case() {
    twins(
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
        "aws:PrincipalTag/team",
        r#""bLUE""#,
        r#""red""#,
    );
}

#[test]
fn texts_are_compared_by_pattern() {
    twins("StringLike", "StringNotLike", "s3:prefix", r#""home/${aws:username}/*""#, r#""home/bob/*""#);
    twins("StringLike", "StringNotLike", "aws:username", r#""al?ce""#, r#""al?""#);
}

#[test]
fn numbers_are_compared_by_value() {
    twins("NumericEquals", "NumericNotEquals", "s3:max-keys", r#""10.0""#, "11");
    for (operator, fits, does_not) in [
        ("NumericLessThan", "11", "10"),
        ("NumericLessThanEquals", "10", "9"),
        ("NumericGreaterThan", "9.5", "10"),
        ("NumericGreaterThanEquals", "10", "10.5"),
    ] {
        yes(operator, "s3:max-keys", fits);
        no(operator, "s3:max-keys", does_not);
        no(operator, "key:absent", fits);
        yes(&format!("{operator}IfExists"), "key:absent", fits);
    }
}

#[test]
fn dates_are_compared_in_every_form() {
    twins(
        "DateEquals",
        "DateNotEquals",
        "aws:CurrentTime",
        r#""2026-11-21T02:00:00+01:00""#,
        r#""2026-11-21""#,
    );
    twins("DateEquals", "DateNotEquals", "aws:EpochTime", r#""2026-11-21T01:00Z""#, "1795222801");
    for (operator, fits, does_not) in [
        ("DateLessThan", r#""2026-11-22""#, r#""2026-11-21T01:00:00Z""#),
        ("DateLessThanEquals", r#""2026-11-21T01:00:00Z""#, r#""2026-11-21T00:59:59Z""#),
        ("DateGreaterThan", r#""2026-11-20""#, r#""2026-11-21T01:00:00Z""#),
        ("DateGreaterThanEquals", r#""2026-11-21T01:00:00Z""#, r#""2026-11-21T01:00:01Z""#),
    ] {
        yes(operator, "aws:CurrentTime", fits);
        no(operator, "aws:CurrentTime", does_not);
    }
}

#[test]
fn booleans_stand_with_and_without_quotes() {
    yes("Bool", "aws:SecureTransport", "true");
    yes("Bool", "aws:SecureTransport", r#""TRUE""#);
    no("Bool", "aws:SecureTransport", "false");
    no("Bool", "key:absent", "false");
    yes("BoolIfExists", "key:absent", "false");
}

#[test]
fn bytes_are_compared_decoded() {
    yes("BinaryEquals", "key:blob", r#""aGk=""#);
    no("BinaryEquals", "key:blob", r#""aGo=""#);
}

#[test]
fn addresses_are_held_against_networks() {
    twins("IpAddress", "NotIpAddress", "aws:SourceIp", r#""203.0.113.0/24""#, r#""203.0.114.0/24""#);
    twins("IpAddress", "NotIpAddress", "aws:SourceIp", r#""203.0.113.7""#, r#""2001:db8::/32""#);
    yes("IpAddress", "aws:SourceIp", r#""0.0.0.0/0""#);
    yes("IpAddress", "aws:SourceIp", r#""::ffff:203.0.113.7""#);
}

#[test]
fn arns_are_compared_part_by_part() {
    twins("ArnEquals", "ArnNotEquals", "aws:SourceArn", r#""arn:aws:s3:::pho*""#, r#""arn:aws:s3:::docs""#);
    twins("ArnLike", "ArnNotLike", "aws:SourceArn", r#""arn:*:s3:::photos""#, r#""arn:aws:*:photos""#);
}

#[test]
fn null_asks_whether_the_key_is_absent() {
    yes("Null", "key:absent", "true");
    no("Null", "key:absent", "false");
    yes("Null", "key:empty", "true");
    yes("Null", "aws:username", "false");
    no("Null", "aws:username", "true");
}

#[test]
fn all_values_have_to_pass() {
    yes("ForAllValues:StringEquals", "aws:TagKeys", r#"["env", "team", "cost"]"#);
    no("ForAllValues:StringEquals", "aws:TagKeys", r#"["env"]"#);
    yes("ForAllValues:StringNotEquals", "aws:TagKeys", r#"["cost"]"#);
    no("ForAllValues:StringNotEquals", "aws:TagKeys", r#"["env"]"#);
    yes("ForAllValues:StringEquals", "key:absent", r#"["env"]"#);
    yes("ForAllValues:StringLikeIfExists", "key:empty", r#"["env"]"#);
}

#[test]
fn any_value_has_to_pass() {
    yes("ForAnyValue:StringEquals", "aws:TagKeys", r#"["env"]"#);
    no("ForAnyValue:StringEquals", "aws:TagKeys", r#"["cost"]"#);
    yes("ForAnyValue:StringNotEquals", "aws:TagKeys", r#"["env"]"#);
    no("ForAnyValue:StringNotEquals", "aws:TagKeys", r#"["env", "team"]"#);
    no("ForAnyValue:StringEquals", "key:absent", r#"["env"]"#);
    no("ForAnyValue:StringNotEquals", "key:absent", r#"["env"]"#);
    yes("ForAnyValue:StringEqualsIfExists", "key:absent", r#"["env"]"#);
}

#[test]
fn a_test_for_one_value_that_meets_many_is_held_to_the_safe_side() {
    for (values, allow, deny) in
        [(r#""env""#, false, true), (r#"["env", "team"]"#, true, true), (r#""x""#, false, false)]
    {
        assert_eq!(held("StringEquals", "aws:TagKeys", values, Effect::Allow), allow, "{values}");
        assert_eq!(held("StringEquals", "aws:TagKeys", values, Effect::Deny), deny, "{values}");
    }
}

#[test]
fn what_cannot_be_said_helps_no_allow_and_stops_no_deny() {
    let unresolved = r#""${aws:PrincipalTag/none}""#;
    assert!(!held("StringEquals", "aws:username", unresolved, Effect::Allow));
    assert!(!held("StringNotEquals", "aws:username", unresolved, Effect::Allow));
    assert!(held("StringNotEquals", "aws:username", unresolved, Effect::Deny));
    assert!(!held("NumericNotEquals", "key:odd", "1", Effect::Allow));
    assert!(held("NumericNotEquals", "key:odd", "1", Effect::Deny));
}

#[test]
fn an_operator_that_does_not_exist_is_refused() {
    let parse = |json: &str| {
        Condition::parse_all(Node::parse(json).unwrap(), Grammar { wildcards: true, variables: true })
    };
    for operator in
        ["StringEqual", "ForSomeValues:StringEquals", "NullIfExists", "ForAnyValue:Null", "IfExists", ""]
    {
        let refused = parse(&format!(r#"{{"{operator}": {{"aws:username": "a"}}}}"#));
        assert!(matches!(refused, Err(PolicyFault::ConditionType(_))), "{operator}");
    }
    assert!(parse(r#"{"forANYvalue:stringLikeIfExists": {"aws:username": "a"}}"#).is_ok());
}

#[test]
fn a_value_its_operator_cannot_read_is_refused() {
    let parse = |json: &str| {
        Condition::parse_all(Node::parse(json).unwrap(), Grammar { wildcards: true, variables: true })
    };
    for json in [
        r#"{"NumericEquals": {"s3:max-keys": "ten"}}"#,
        r#"{"DateLessThan": {"aws:CurrentTime": "tomorrow"}}"#,
        r#"{"Bool": {"aws:SecureTransport": "yes"}}"#,
        r#"{"IpAddress": {"aws:SourceIp": "10.0.0.0/33"}}"#,
        r#"{"ArnLike": {"aws:SourceArn": "photos"}}"#,
        r#"{"BinaryEquals": {"key:blob": "%"}}"#,
    ] {
        assert!(matches!(parse(json), Err(PolicyFault::ConditionValue { .. })), "{json}");
    }
    assert!(matches!(parse(r#"{"StringEquals": {"username": "a"}}"#), Err(PolicyFault::NoVendor)));
}
