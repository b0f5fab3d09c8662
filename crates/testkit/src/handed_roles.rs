//! Roles that are handed over (security decision 2): each member of an operation's input that looks as if it held a
//! role's ARN is listed here, with the service that will use the role or with why none is handed over.

use homeport_core::{Region, Scope};
use homeport_service::{AskedOn, Caller, Hosted, Incoming, Permission, Permissions, Principal, Source};
use homeport_wire::{Models, role_arn_members};
use serde_json::Value;

use crate::{Sample, TestApp};

const ROLE: &str = "arn:aws:iam::123456789012:role/handed";

/// What becomes of the role in a member.
enum Becomes {
    /// It is handed to this service, which its trust policy must admit at once. The text is what the input says then.
    Handed(&'static str, &'static str),
    /// It is handed to this service, which evaluates its trust policy whenever it assumes it, as on AWS.
    HandedUntilUsed(&'static str, &'static str),
    /// Nothing is handed over, for this reason.
    NotHanded(&'static str),
}

use Becomes::{Handed, HandedUntilUsed, NotHanded};

const GATEWAY: &str = "apigateway.amazonaws.com";
const IDENTITY_POOLS: &str = "cognito-identity.amazonaws.com";
const USER_POOLS: &str = "cognito-idp.amazonaws.com";
const FUNCTIONS: &str = "lambda.amazonaws.com";

const SMS: &str = r#"{"SmsConfiguration": {"SnsCallerArn": "ROLE"}}"#;
const ANALYTICS: &str = "analytics configurations are refused";
const NO_SUCH_PATH: &str = "no path that can be patched there is a role's";

/// Service, operation and member.
const LISTED: [(&str, &str, &str, Becomes); 23] = [
    (
        "apigateway",
        "CreateAuthorizer",
        "authorizerCredentials",
        Handed(GATEWAY, r#"{"authorizerCredentials": "ROLE"}"#),
    ),
    ("apigateway", "PutIntegration", "credentials", Handed(GATEWAY, r#"{"credentials": "ROLE"}"#)),
    (
        "apigateway",
        "UpdateAuthorizer",
        PATCHED,
        Handed(
            GATEWAY,
            r#"{"patchOperations": [{"op": "replace", "path": "/authorizerCredentials", "value": "ROLE"}]}"#,
        ),
    ),
    ("apigateway", "UpdateDeployment", PATCHED, NotHanded(NO_SUCH_PATH)),
    (
        "apigateway",
        "UpdateIntegration",
        PATCHED,
        Handed(
            GATEWAY,
            r#"{"patchOperations": [{"op": "replace", "path": "/credentials", "value": "ROLE"}]}"#,
        ),
    ),
    ("apigateway", "UpdateIntegrationResponse", PATCHED, NotHanded(NO_SUCH_PATH)),
    ("apigateway", "UpdateMethod", PATCHED, NotHanded(NO_SUCH_PATH)),
    ("apigateway", "UpdateMethodResponse", PATCHED, NotHanded(NO_SUCH_PATH)),
    ("apigateway", "UpdateResource", PATCHED, NotHanded(NO_SUCH_PATH)),
    ("apigateway", "UpdateRestApi", PATCHED, NotHanded(NO_SUCH_PATH)),
    ("apigateway", "UpdateStage", PATCHED, NotHanded(NO_SUCH_PATH)),
    (
        "cognito-identity",
        "GetCredentialsForIdentity",
        "CustomRoleArn",
        NotHanded("the user chooses among the roles in the token; its trust policy is evaluated"),
    ),
    (
        "cognito-identity",
        "SetIdentityPoolRoles",
        "Roles{}",
        HandedUntilUsed(IDENTITY_POOLS, r#"{"Roles": {"authenticated": "ROLE"}}"#),
    ),
    (
        "cognito-identity",
        "SetIdentityPoolRoles",
        "RoleMappings{}.RulesConfiguration.Rules[].RoleARN",
        HandedUntilUsed(
            IDENTITY_POOLS,
            r#"{"Roles": {}, "RoleMappings": {"p:c": {"Type": "Rules", "AmbiguousRoleResolution": "Deny", "RulesConfiguration": {"Rules": [{"Claim": "c", "MatchType": "Equals", "Value": "v", "RoleARN": "ROLE"}]}}}}"#,
        ),
    ),
    ("cognito-idp", "CreateGroup", "RoleArn", HandedUntilUsed(IDENTITY_POOLS, r#"{"RoleArn": "ROLE"}"#)),
    ("cognito-idp", "CreateUserPool", "SmsConfiguration.SnsCallerArn", Handed(USER_POOLS, SMS)),
    ("cognito-idp", "CreateUserPoolClient", "AnalyticsConfiguration.RoleArn", NotHanded(ANALYTICS)),
    ("cognito-idp", "UpdateGroup", "RoleArn", HandedUntilUsed(IDENTITY_POOLS, r#"{"RoleArn": "ROLE"}"#)),
    ("cognito-idp", "UpdateUserPool", "SmsConfiguration.SnsCallerArn", Handed(USER_POOLS, SMS)),
    ("cognito-idp", "UpdateUserPoolClient", "AnalyticsConfiguration.RoleArn", NotHanded(ANALYTICS)),
    ("lambda", "CreateFunction", "Role", Handed(FUNCTIONS, r#"{"Role": "ROLE"}"#)),
    ("lambda", "UpdateFunctionConfiguration", "Role", Handed(FUNCTIONS, r#"{"Role": "ROLE"}"#)),
    (
        "sts",
        "AssumeRole",
        "RoleArn",
        NotHanded("the caller takes it on itself, by sts:AssumeRole on it and its trust policy"),
    ),
];

const PATCHED: &str = "patchOperations[].value";

/// Operations that anybody may call, by what the role's trust policy says of them.
const BY_TRUST_ALONE: [(&str, &str); 1] = [("sts", "AssumeRoleWithWebIdentity")];

/// Proves that nobody hands over a role without `iam:PassRole` on it: every member that looks like a role's ARN is
/// listed, nothing is listed that is not there, and the operations ask what the list says.
pub(crate) async fn assert_roles_are_passed<F, Fut>(
    services: &[std::sync::Arc<dyn Hosted>],
    samples: &[Sample],
    prepared: F,
) where
    F: Fn(usize) -> Fut,
    Fut: Future<Output = TestApp>,
{
    for hosted in services {
        let built: Vec<_> = hosted.operations().into_iter().map(|operation| operation.name).collect();
        assert_eq!(differing(hosted.spec().name, &built), [""; 0], "roles' ARNs and what is listed of them");
    }
    for (service, operation, member, becomes) in &LISTED {
        if let NotHanded(reason) = becomes {
            assert!(!reason.is_empty(), "{service}:{operation} {member} has no reason");
        }
        let sample = samples.iter().position(|s| (s.service, s.operation) == (*service, *operation));
        let (Some(sample), Some((to, says))) = (sample, becomes.handed()) else { continue };
        let app = prepared(sample).await;
        let mut input = samples[sample].input.clone();
        let says: Value = serde_json::from_str(&says.replace("ROLE", ROLE)).expect("the list's text is JSON");
        input
            .as_object_mut()
            .into_iter()
            .for_each(|input| input.extend(says.as_object().cloned().unwrap_or_default()));
        let asked = permissions(&app, service, operation, input).await;
        let passed = asked.iter().find(|asked| asked.action == "iam:PassRole" && asked.resource == ROLE);
        let passed = passed
            .unwrap_or_else(|| panic!("{service}:{operation} does not ask for iam:PassRole on {member}"));
        let told = passed.context.iter().any(|(key, values)| key == "iam:PassedToService" && *values == [to]);
        assert!(told, "{service}:{operation} {member}: {:?}", passed.context);
        let admitted = passed.hands_role.as_ref().map(|role| (role.role_arn.as_str(), role.service));
        let expected = matches!(becomes, Handed(..)).then_some((ROLE, to));
        assert_eq!(admitted, expected, "{service}:{operation} {member}: whom the role must admit at once");
    }
}

impl Becomes {
    fn handed(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Handed(to, says) | HandedUntilUsed(to, says) => Some((to, says)),
            NotHanded(_) => None,
        }
    }
}

/// Members of built operations that are not listed, and listed ones that are not there.
fn differing(service: &str, built: &[&str]) -> Vec<String> {
    let model = Models::service(service).expect("the service has a model");
    let members = role_arn_members(model).into_iter().filter(|member| built.contains(&member.operation));
    let members = members.filter(|member| !BY_TRUST_ALONE.contains(&(service, member.operation)));
    let found: Vec<String> =
        members.map(|member| format!("{service}:{} {}", member.operation, member.path)).collect();
    let of_service = LISTED.iter().filter(|(of, operation, ..)| *of == service && built.contains(operation));
    let listed: Vec<String> =
        of_service.map(|(_, operation, member, _)| format!("{service}:{operation} {member}")).collect();
    let unlisted =
        found.iter().filter(|found| !listed.contains(found)).map(|found| format!("not listed: {found}"));
    let gone =
        listed.iter().filter(|listed| !found.contains(listed)).map(|listed| format!("not there: {listed}"));
    unlisted.chain(gone).collect()
}

/// What an operation asks for this input.
async fn permissions(app: &TestApp, service: &str, operation: &str, input: Value) -> Vec<Permission> {
    let hosted = app.services().iter().find(|hosted| hosted.spec().name == service).expect("it is hosted");
    let caller = Caller {
        principal: Principal::Anonymous,
        access_key_id: None,
        source: Source { ip: [127, 0, 0, 1].into(), user_agent: String::new(), secure: false },
    };
    let region = Region::parse("us-east-1").expect("a region");
    let scope = Scope { account: app.parts.installation.account, region };
    let asked = AskedOn { caller: &caller, scope: &scope, now: app.parts.clock.now() };
    let prepared = hosted.prepare(operation, Incoming::Value(input)).expect("the input is the operation's");
    match prepared.permissions(&asked) {
        Permissions::All(asked) | Permissions::Each(asked) => asked,
        Permissions::Lookup(lookup) | Permissions::LookupEach(lookup) => {
            app.parts.store.read(|tx| lookup(tx)).await.expect("what is looked up is there")
        }
        Permissions::Public | Permissions::AccessToken { .. } => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use homeport_core::Fault;
    use homeport_service::{Asked, Cx, Effect, Entry, Host, Operation, ServiceSpec, modelled};
    use serde_json::json;

    use super::*;

    struct Forgetful;

    struct CreateFunction;

    impl Operation for CreateFunction {
        type Service = Forgetful;
        type Input = Value;
        type Output = Value;
        type Error = Fault;

        const NAME: &'static str = "CreateFunction";
        const EFFECT: Effect = Effect::Writes;

        fn permissions(_: &Asked<'_, Forgetful>, _: &Value) -> Permissions {
            Permissions::one("lambda:CreateFunction", "*")
        }

        async fn run(_: Cx<Forgetful>, input: Value) -> Result<Value, Fault> {
            Ok(input)
        }
    }

    static FORGETFUL: &[Entry<Forgetful>] = &[modelled::<CreateFunction>()];

    #[tokio::test]
    #[should_panic(expected = "lambda:CreateFunction does not ask for iam:PassRole on Role")]
    async fn an_operation_that_forgets_to_ask_is_found() {
        let make = || {
            let spec = ServiceSpec { name: "lambda", event_source: "lambda", max_body: 1_024 };
            TestApp::new(|_| vec![Arc::new(Host::new(spec, Arc::new(Forgetful), FORGETFUL))])
        };
        let samples = [Sample::new("lambda", "CreateFunction", json!({}))];
        assert_roles_are_passed(make().services(), &samples, async |_| make()).await;
    }

    #[test]
    fn a_member_that_is_not_listed_is_found_and_one_that_is_gone() {
        assert_eq!(
            differing("events", &["PutTargets"]).first().map(String::as_str),
            Some("not listed: events:PutTargets Targets[].RoleArn")
        );
        assert_eq!(differing("events", &["ListRules"]), [""; 0]);
        assert_eq!(differing("lambda", &["CreateFunction", "Invoke"]), [""; 0]);
    }
}
