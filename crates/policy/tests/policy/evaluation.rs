use std::sync::Arc;

use homeport_policy::{
    Context, Decision, EvaluationSet, Layer, Policy, PolicyKind, PrincipalKind, PrincipalView, Request,
    ResourceSide, evaluate,
};

const ACCOUNT: &str = "123456789012";
const OBJECT: &str = "arn:aws:s3:::photos/a.jpg";
const ROLE: &str = "arn:aws:iam::123456789012:role/App";
const SESSION_ARN: &str = "arn:aws:sts::123456789012:assumed-role/App/one";

const ALICE: PrincipalView<'static> = PrincipalView {
    arn: "arn:aws:iam::123456789012:user/alice",
    account: ACCOUNT,
    user_id: "AIDAALICEALICEALICE11",
    kind: PrincipalKind::User,
};
const STRANGER: PrincipalView<'static> =
    PrincipalView { arn: "arn:aws:iam::210987654321:user/eve", account: "210987654321", ..ALICE };
const SESSION: PrincipalView<'static> = PrincipalView {
    arn: SESSION_ARN,
    account: ACCOUNT,
    user_id: "AROAAPPAPPAPPAPPAPP11:one",
    kind: PrincipalKind::AssumedRole { role_arn: ROLE },
};
const ROOT: PrincipalView<'static> = PrincipalView {
    arn: "arn:aws:iam::123456789012:root",
    account: ACCOUNT,
    user_id: ACCOUNT,
    kind: PrincipalKind::Root,
};
const LAMBDA: PrincipalView<'static> =
    PrincipalView { arn: "lambda.amazonaws.com", account: "", user_id: "", kind: PrincipalKind::Service };
const NOBODY: PrincipalView<'static> =
    PrincipalView { arn: "", account: "", user_id: "", kind: PrincipalKind::Anonymous };

fn policy(kind: PolicyKind, effect: &str, action: &str, principal: &str) -> Arc<Policy> {
    let principal =
        if principal.is_empty() { String::new() } else { format!(r#""Principal": {principal},"#) };
    let json = format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Sid": "S", "Effect": "{effect}", {principal}
            "Action": "{action}", "Resource": "arn:aws:s3:::photos/*"}}}}"#
    );
    Arc::new(Policy::parse(&json, kind).unwrap().named("p"))
}

fn allows(kind: PolicyKind) -> Arc<Policy> {
    policy(kind, "Allow", "s3:GetObject", "")
}

fn denies(kind: PolicyKind) -> Arc<Policy> {
    policy(kind, "Deny", "s3:Get*", "")
}

fn others(kind: PolicyKind) -> Arc<Policy> {
    policy(kind, "Allow", "s3:PutObject", "")
}

fn bucket(effect: &str, principal: &str) -> Arc<Policy> {
    policy(PolicyKind::Resource, effect, "s3:GetObject", principal)
}

/// The policies of one question; `asks` puts it.
#[derive(Default)]
struct Case {
    identity: Vec<Arc<Policy>>,
    boundary: Option<Arc<Policy>>,
    session: Vec<Arc<Policy>>,
    bucket: Option<Arc<Policy>>,
}

impl Case {
    fn asks(&self, principal: PrincipalView<'_>) -> Decision {
        let context = Context::of(&principal);
        let set = EvaluationSet {
            identity: &self.identity,
            boundary: self.boundary.as_ref(),
            session: &self.session,
            resource: self.bucket.as_ref().map_or(ResourceSide::Silent, ResourceSide::Grants),
            resource_account: ACCOUNT,
        };
        evaluate(
            &set,
            &Request { principal: &principal, action: "s3:getobject", resource: OBJECT, context: &context },
        )
    }
}

#[track_caller]
fn lacks(decision: &Decision, layer: Layer) {
    assert!(matches!(decision, Decision::ImplicitDeny(missing) if *missing == layer), "{decision}");
}

#[track_caller]
fn forbidden(decision: &Decision, layer: Layer) {
    assert!(matches!(decision, Decision::ExplicitDeny(by) if by.layer() == layer), "{decision}");
}

#[test]
fn nothing_is_allowed_without_an_allow() {
    lacks(&Case::default().asks(ALICE), Layer::Identity);
    lacks(
        &Case { identity: vec![others(PolicyKind::Identity)], ..Case::default() }.asks(ALICE),
        Layer::Identity,
    );
    assert!(
        Case { identity: vec![allows(PolicyKind::Identity)], ..Case::default() }.asks(ALICE).is_allowed()
    );
}

#[test]
fn an_explicit_deny_wins_in_every_layer() {
    let open = || Case {
        identity: vec![allows(PolicyKind::Identity)],
        boundary: Some(allows(PolicyKind::Boundary)),
        session: vec![allows(PolicyKind::Session)],
        bucket: Some(bucket("Allow", r#""*""#)),
    };
    assert!(open().asks(SESSION).is_allowed());
    let mut case = open();
    case.identity.push(denies(PolicyKind::Identity));
    forbidden(&case.asks(SESSION), Layer::Identity);
    let case = Case { boundary: Some(denies(PolicyKind::Boundary)), ..open() };
    forbidden(&case.asks(SESSION), Layer::Boundary);
    let mut case = open();
    case.session.push(denies(PolicyKind::Session));
    forbidden(&case.asks(SESSION), Layer::Session);
    let case = Case { bucket: Some(bucket("Deny", r#"{"AWS": "123456789012"}"#)), ..open() };
    forbidden(&case.asks(SESSION), Layer::Resource);
    assert!(case.asks(STRANGER).is_allowed() == Case { bucket: None, ..open() }.asks(STRANGER).is_allowed());
}

#[test]
fn boundary_and_session_policies_limit_and_never_grant() {
    let boundary = |boundary| Case {
        identity: vec![allows(PolicyKind::Identity)],
        boundary: Some(boundary),
        ..Case::default()
    };
    assert!(boundary(allows(PolicyKind::Boundary)).asks(ALICE).is_allowed());
    lacks(&boundary(others(PolicyKind::Boundary)).asks(ALICE), Layer::Boundary);
    let session = |session| Case { identity: vec![allows(PolicyKind::Identity)], session, ..Case::default() };
    assert!(
        session(vec![others(PolicyKind::Session), allows(PolicyKind::Session)]).asks(SESSION).is_allowed()
    );
    lacks(&session(vec![others(PolicyKind::Session)]).asks(SESSION), Layer::Session);
    let only_limits = Case {
        boundary: Some(allows(PolicyKind::Boundary)),
        session: vec![allows(PolicyKind::Session)],
        ..Case::default()
    };
    lacks(&only_limits.asks(SESSION), Layer::Identity);
}

#[test]
fn a_bucket_policy_grants_as_closely_as_it_names() {
    let limits = |principal: &str| Case {
        boundary: Some(others(PolicyKind::Boundary)),
        session: vec![others(PolicyKind::Session)],
        bucket: Some(bucket("Allow", principal)),
        ..Case::default()
    };
    let named = |arn: &str| format!(r#"{{"AWS": "{arn}"}}"#);
    assert!(limits(&named(ALICE.arn)).asks(ALICE).is_allowed());
    assert!(limits(&named(SESSION_ARN)).asks(SESSION).is_allowed());
    assert!(limits(r#""*""#).asks(SESSION).is_allowed());
    lacks(&limits(&named(ROLE)).asks(SESSION), Layer::Boundary);
    lacks(&limits(&named(ACCOUNT)).asks(ALICE), Layer::Identity);
    lacks(&limits(&named("210987654321")).asks(ALICE), Layer::Identity);

    let role = Case { bucket: Some(bucket("Allow", &named(ROLE))), ..Case::default() };
    assert!(role.asks(SESSION).is_allowed());
    let limited = Case { session: vec![others(PolicyKind::Session)], ..role };
    lacks(&limited.asks(SESSION), Layer::Session);
}

#[test]
fn from_another_account_both_sides_have_to_allow() {
    let case = |identity, principal: &str| Case {
        identity,
        bucket: Some(bucket("Allow", principal)),
        ..Case::default()
    };
    let theirs = r#"{"AWS": "210987654321"}"#;
    assert!(case(vec![allows(PolicyKind::Identity)], theirs).asks(STRANGER).is_allowed());
    lacks(&case(vec![], theirs).asks(STRANGER), Layer::Identity);
    lacks(&case(vec![], r#""*""#).asks(STRANGER), Layer::Identity);
    lacks(
        &case(vec![allows(PolicyKind::Identity)], r#"{"AWS": "123456789012"}"#).asks(STRANGER),
        Layer::Resource,
    );
    let silent = Case { identity: vec![allows(PolicyKind::Identity)], ..Case::default() };
    lacks(&silent.asks(STRANGER), Layer::Resource);
}

#[test]
fn services_and_anonymous_callers_live_by_the_resources_policy() {
    let everyone = Case { bucket: Some(bucket("Allow", r#""*""#)), ..Case::default() };
    assert!(everyone.asks(NOBODY).is_allowed());
    assert!(everyone.asks(LAMBDA).is_allowed());
    let service =
        Case { bucket: Some(bucket("Allow", r#"{"Service": "lambda.amazonaws.com"}"#)), ..Case::default() };
    assert!(service.asks(LAMBDA).is_allowed());
    lacks(&service.asks(NOBODY), Layer::Resource);
    lacks(&Case::default().asks(LAMBDA), Layer::Resource);
    let account = Case { bucket: Some(bucket("Allow", r#"{"AWS": "123456789012"}"#)), ..Case::default() };
    lacks(&account.asks(NOBODY), Layer::Resource);
}

#[test]
fn the_root_is_stopped_by_the_resources_deny_alone() {
    assert!(Case::default().asks(ROOT).is_allowed());
    forbidden(
        &Case { bucket: Some(bucket("Deny", r#""*""#)), ..Case::default() }.asks(ROOT),
        Layer::Resource,
    );
}

#[test]
fn not_principal_denies_all_others() {
    let json = format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Deny", "Action": "s3:*", "Resource": "*",
            "NotPrincipal": {{"AWS": ["{}", "{ACCOUNT}"]}}}}}}"#,
        ALICE.arn
    );
    let case = Case {
        identity: vec![allows(PolicyKind::Identity)],
        bucket: Some(Arc::new(Policy::parse(&json, PolicyKind::Resource).unwrap())),
        ..Case::default()
    };
    assert!(case.asks(ALICE).is_allowed());
    forbidden(&case.asks(SESSION), Layer::Resource);
    forbidden(&case.asks(NOBODY), Layer::Resource);
}

#[test]
fn not_action_and_not_resource_speak_of_all_others() {
    let identity = |members: &str| Case {
        identity: vec![Arc::new(
            Policy::parse(
                &format!(r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", {members}}}}}"#),
                PolicyKind::Identity,
            )
            .unwrap(),
        )],
        ..Case::default()
    };
    assert!(identity(r#""NotAction": "iam:*", "Resource": "*""#).asks(ALICE).is_allowed());
    lacks(&identity(r#""NotAction": ["iam:*", "s3:Get*"], "Resource": "*""#).asks(ALICE), Layer::Identity);
    assert!(identity(r#""Action": "*", "NotResource": "arn:aws:s3:::docs/*""#).asks(ALICE).is_allowed());
    lacks(&identity(r#""Action": "*", "NotResource": "arn:aws:s3:::photos/*""#).asks(ALICE), Layer::Identity);
    let unresolved = r#""Action": "*", "NotResource": "arn:aws:s3:::photos/${aws:PrincipalTag/none}""#;
    lacks(&identity(unresolved).asks(ALICE), Layer::Identity);
}

#[test]
fn a_role_needs_its_trust_and_its_takers_permission() {
    let trust = |principal: &str| {
        let json = format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Principal": {principal}, "Action": "sts:*"}}}}"#
        );
        Arc::new(Policy::parse(&json, PolicyKind::Trust).unwrap())
    };
    let may_assume = Arc::new(
        Policy::parse(
            r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}}"#,
            PolicyKind::Identity,
        )
        .unwrap(),
    );
    let ask = |principal: PrincipalView<'_>, identity: &[Arc<Policy>], trust: &Arc<Policy>| {
        let context = Context::of(&principal);
        let set = EvaluationSet {
            identity,
            boundary: None,
            session: &[],
            resource: ResourceSide::Required(trust),
            resource_account: ACCOUNT,
        };
        let request =
            Request { principal: &principal, action: "sts:AssumeRole", resource: ROLE, context: &context };
        let decision = evaluate(&set, &request);
        let message = decision.message(&request);
        (decision, message)
    };
    let account = trust(r#"{"AWS": "123456789012"}"#);
    let lambda = trust(r#"{"Service": "lambda.amazonaws.com"}"#);
    let alice = trust(&format!(r#"{{"AWS": "{}"}}"#, ALICE.arn));
    let permitted = [may_assume];
    assert!(ask(ALICE, &permitted, &account).0.is_allowed());
    assert!(ask(LAMBDA, &[], &lambda).0.is_allowed());
    lacks(&ask(LAMBDA, &[], &account).0, Layer::Trust);
    lacks(&ask(ALICE, &[], &alice).0, Layer::Identity);
    let (decision, message) = ask(ALICE, &permitted, &lambda);
    lacks(&decision, Layer::Trust);
    assert_eq!(
        message,
        "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: sts:AssumeRole on resource: \
         arn:aws:iam::123456789012:role/App because no role trust policy allows the sts:AssumeRole action"
    );
}

#[test]
fn the_reason_reads_as_awss_and_the_log_names_the_statement() {
    let principal = ALICE;
    let context = Context::of(&principal);
    let request =
        Request { principal: &principal, action: "s3:GetObject", resource: OBJECT, context: &context };
    let case = Case { identity: vec![allows(PolicyKind::Identity)], ..Case::default() };
    let nothing = Case::default().asks(ALICE);
    assert_eq!(
        nothing.message(&request),
        "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: s3:GetObject on resource: \
         arn:aws:s3:::photos/a.jpg because no identity-based policy allows the s3:GetObject action"
    );
    let denied = Case { bucket: Some(bucket("Deny", r#""*""#)), ..case }.asks(ALICE);
    assert!(denied.message(&request).ends_with("with an explicit deny in a resource-based policy"));
    assert_eq!(denied.to_string(), "denied by statement 1 (S) of resource-based policy p");
    let everything = Request { action: "s3:ListAllMyBuckets", resource: "*", ..request };
    assert_eq!(
        nothing.message(&everything),
        "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: s3:ListAllMyBuckets \
         because no identity-based policy allows the s3:ListAllMyBuckets action"
    );
}

#[test]
fn an_identity_of_a_pool_reaches_its_own_items_only() {
    let json = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "dynamodb:*Item",
        "Resource": "arn:aws:dynamodb:*:*:table/Notes",
        "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["${cognito-identity.amazonaws.com:sub}"]},
                      "Null": {"dynamodb:LeadingKeys": "false"}}}}"#;
    let identity = [Arc::new(Policy::parse(json, PolicyKind::Identity).unwrap())];
    let ask = |sub: Option<&str>, keys: &[&str]| {
        let mut context = Context::of(&SESSION);
        if let Some(sub) = sub {
            context.set("cognito-identity.amazonaws.com:sub", sub);
        }
        context.set_many("dynamodb:LeadingKeys", keys.iter().map(|key| (*key).to_owned()).collect());
        let set = EvaluationSet {
            identity: &identity,
            boundary: None,
            session: &[],
            resource: ResourceSide::Silent,
            resource_account: ACCOUNT,
        };
        let resource = "arn:aws:dynamodb:us-east-1:123456789012:table/Notes";
        evaluate(
            &set,
            &Request { principal: &SESSION, action: "dynamodb:BatchGetItem", resource, context: &context },
        )
        .is_allowed()
    };
    assert!(ask(Some("us-east-1:me"), &["us-east-1:me", "us-east-1:me"]));
    assert!(!ask(Some("us-east-1:me"), &["us-east-1:me", "us-east-1:you"]));
    assert!(!ask(Some("us-east-1:me"), &[]));
    assert!(!ask(None, &["us-east-1:me"]));
}
