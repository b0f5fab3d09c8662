//! iam-rs 0.8, another implementation, asked the same. Left out, because it differs there: policy
//! variables without a value (it puts in the empty text), wildcards that would reach over a colon.

use std::sync::Arc;

use homeport_policy::{
    Context, Decision, EvaluationSet, Policy, PolicyKind, Request, ResourceSide, evaluate,
};
use proptest::prelude::*;

use crate::algebra::{ALICE, document, statement};

fn ours(json: &str, action: &str, resource: &str) -> &'static str {
    let policy = [Arc::new(Policy::parse(json, PolicyKind::Identity).unwrap())];
    let mut context = Context::new();
    context.set("aws:username", "alice");
    context.set("aws:SecureTransport", "true");
    context.set("aws:SourceIp", "10.1.2.3");
    let set = EvaluationSet {
        identity: &policy,
        boundary: None,
        session: &[],
        resource: ResourceSide::Silent,
        resource_account: ALICE.account,
    };
    match evaluate(&set, &Request { principal: &ALICE, action, resource, context: &context }) {
        Decision::Allowed(_) => "allow",
        Decision::ExplicitDeny(_) => "deny",
        Decision::ImplicitDeny(_) => "nothing",
    }
}

fn theirs(json: &str, action: &str, resource: &str) -> &'static str {
    let policy: iam_rs::IAMPolicy = serde_json::from_str(json).unwrap();
    let context = iam_rs::Context::new()
        .with_string("aws:username", "alice")
        .with_boolean("aws:SecureTransport", true)
        .with_string("aws:SourceIp", "10.1.2.3");
    let principal = iam_rs::Principal::Aws(iam_rs::PrincipalId::String(ALICE.arn.into()));
    let resource = iam_rs::Arn::parse(resource).unwrap();
    let request = iam_rs::IAMRequest::new_with_context(principal, action, resource, context);
    match iam_rs::evaluate_policy(&policy, &request).unwrap() {
        iam_rs::Decision::Allow => "allow",
        iam_rs::Decision::Deny => "deny",
        iam_rs::Decision::NotApplicable => "nothing",
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn two_implementations_decide_alike(
        statements in proptest::collection::vec(statement(), 1..5),
        action in prop_oneof![Just("s3:GetObject"), Just("s3:PutObject"), Just("s3:DeleteObject")],
        resource in prop_oneof![Just("arn:aws:s3:::photos/a.jpg"), Just("arn:aws:s3:::docs/b/a.jpg"), Just("arn:aws:s3:::x")],
    ) {
        let json = document(&statements);
        prop_assert_eq!(ours(&json, action, resource), theirs(&json, action, resource), "{}", json);
    }
}
