use std::sync::Arc;

use homeport_policy::{
    Context, EvaluationSet, Policy, PolicyKind, PrincipalKind, PrincipalView, Request, ResourceSide, evaluate,
};
use proptest::prelude::*;

pub(crate) const ALICE: PrincipalView<'static> = PrincipalView {
    arn: "arn:aws:iam::123456789012:user/alice",
    account: "123456789012",
    user_id: "AIDAALICEALICEALICE11",
    kind: PrincipalKind::User,
};

/// Statements over so few actions, resources and values that many of them apply.
pub(crate) fn statement() -> impl Strategy<Value = String> {
    let effect = prop_oneof![Just("Allow"), Just("Deny")];
    let action =
        prop_oneof![Just("s3:GetObject"), Just("s3:Get*"), Just("s3:Put*"), Just("*"), Just("s3:?etObject")];
    let resource = prop_oneof![
        Just("*"),
        Just("arn:aws:s3:::photos/*"),
        Just("arn:aws:s3:::photos/a.jpg"),
        Just("arn:aws:s3:::docs/*"),
        Just("arn:aws:s3:::*/a.jpg"),
    ];
    let condition = prop_oneof![
        3 => Just(String::new()),
        1 => Just(r#","Condition": {"StringEquals": {"aws:username": "alice"}}"#.to_owned()),
        1 => Just(r#","Condition": {"StringNotEquals": {"aws:username": "alice"}}"#.to_owned()),
        1 => Just(r#","Condition": {"StringLike": {"aws:username": ["b*", "al*"]}}"#.to_owned()),
        1 => Just(r#","Condition": {"StringEquals": {"aws:missing": "x"}}"#.to_owned()),
        1 => Just(r#","Condition": {"StringEqualsIfExists": {"aws:missing": "x"}}"#.to_owned()),
        1 => Just(r#","Condition": {"Bool": {"aws:SecureTransport": "true"}}"#.to_owned()),
        1 => Just(r#","Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}"#.to_owned()),
    ];
    let action_element = prop_oneof![4 => Just("Action"), 1 => Just("NotAction")];
    let resource_element = prop_oneof![4 => Just("Resource"), 1 => Just("NotResource")];
    (effect, action_element, action, resource_element, resource, condition).prop_map(
        |(effect, a, action, r, resource, condition)| {
            format!(r#"{{"Effect": "{effect}", "{a}": "{action}", "{r}": "{resource}"{condition}}}"#)
        },
    )
}

pub(crate) fn document(statements: &[String]) -> String {
    format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(","))
}

fn allowed(statements: &[String]) -> bool {
    if statements.is_empty() {
        return false;
    }
    let policy = Arc::new(Policy::parse(&document(statements), PolicyKind::Identity).unwrap());
    decide(&[policy])
}

fn decide(identity: &[Arc<Policy>]) -> bool {
    let mut context = Context::of(&ALICE);
    context.set("aws:SecureTransport", "true");
    context.set("aws:SourceIp", "10.1.2.3");
    let set = EvaluationSet {
        identity,
        boundary: None,
        session: &[],
        resource: ResourceSide::Silent,
        resource_account: ALICE.account,
    };
    let resource = "arn:aws:s3:::photos/a.jpg";
    evaluate(&set, &Request { principal: &ALICE, action: "s3:GetObject", resource, context: &context })
        .is_allowed()
}

fn statements() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(statement(), 0..6)
}

fn with_effect(statement: &str, effect: &str) -> String {
    statement.replacen("\"Allow\"", "\"E\"", 1).replacen("\"Deny\"", "\"E\"", 1).replacen(
        "\"E\"",
        &format!("\"{effect}\""),
        1,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_further_deny_never_widens(before in statements(), added in statement()) {
        let mut after = before.clone();
        after.push(with_effect(&added, "Deny"));
        prop_assert!(!allowed(&after) || allowed(&before));
    }

    #[test]
    fn a_further_allow_never_narrows(before in statements(), added in statement()) {
        let mut after = before.clone();
        after.push(with_effect(&added, "Allow"));
        prop_assert!(allowed(&after) || !allowed(&before));
    }

    #[test]
    fn neither_order_nor_division_into_policies_matters(
        (given, shuffled) in statements().prop_flat_map(|s| (Just(s.clone()), Just(s).prop_shuffle()))
    ) {
        prop_assert_eq!(allowed(&given), allowed(&shuffled));
        let apart: Vec<_> = shuffled
            .iter()
            .map(|one| Policy::parse(&document(std::slice::from_ref(one)), PolicyKind::Identity).unwrap().into())
            .collect();
        prop_assert_eq!(allowed(&given), decide(&apart));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,200}", cut in 0_usize..400) {
        let _ = Policy::parse(&text, PolicyKind::Resource);
        let whole = document(&[r#"{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "s3:*", "Resource": "arn:aws:s3:::${aws:username, 'é'}/*"}"#.to_owned()]);
        if let Some(part) = whole.get(..cut) {
            let _ = Policy::parse(part, PolicyKind::Resource);
        }
    }
}
