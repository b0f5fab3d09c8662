//! A function's resource policy: who may invoke it besides those whom IAM allows.

use std::sync::Arc;

use homeport_core::{Account, Arn, Scope};
use homeport_policy::{
    Context, EvaluationSet, Policy, PolicyFault, PolicyKind, PrincipalKind, PrincipalView, Request,
    ResourceSide, evaluate,
};
use homeport_service::needs::{On, PoliciesOf, Unpinned};
use homeport_store::{StoreError, Tx};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::LambdaError;
use crate::names::{Named, function_arn};
use crate::records::{Function, Statement};

/// Bytes of a policy.
const LARGEST_POLICY: usize = 20_480;

const INVALID_PRINCIPAL: &str =
    "The provided principal was invalid. Please check the principal and try again.";

impl Statement {
    /// As AWS writes it into the policy.
    pub(crate) fn to_json(&self, resource: &str) -> Value {
        let mut condition = serde_json::Map::new();
        if let Some(account) = &self.source_account {
            condition.insert("StringEquals".to_owned(), json!({"AWS:SourceAccount": account}));
        }
        if let Some(arn) = &self.source_arn {
            condition.insert("ArnLike".to_owned(), json!({"AWS:SourceArn": arn}));
        }
        let mut statement = json!({
            "Sid": self.id,
            "Effect": "Allow",
            "Principal": self.principal_json(),
            "Action": self.action,
            "Resource": resource,
        });
        if !condition.is_empty() {
            statement["Condition"] = Value::Object(condition);
        }
        statement
    }

    /// As it is evaluated: a user or role that is deleted and made again is another than it means.
    fn pinned(&self) -> Self {
        let principal = self.principal_id.as_ref().unwrap_or(&self.principal).clone();
        Self { principal, ..self.clone() }
    }

    /// As it is shown: by the unique id where the ARN means nobody any more, or somebody else.
    async fn shown(&self, policies_of: &dyn PoliciesOf, tx: &Tx) -> Result<Self, StoreError> {
        let Some(id) = &self.principal_id else { return Ok(self.clone()) };
        match policies_of.unique_id(tx, &self.principal).await {
            Ok(Some(now)) if now == *id => Ok(self.clone()),
            Ok(_) | Err(Unpinned::UnknownPrincipal(_)) => Ok(self.pinned()),
            Err(Unpinned::Store(error)) => Err(error),
        }
    }

    fn principal_json(&self) -> Value {
        match self.principal.as_str() {
            "*" => json!("*"),
            service if service.contains(".amazonaws.com") => json!({"Service": service}),
            account if account.bytes().all(|b| b.is_ascii_digit()) => {
                json!({"AWS": format!("arn:aws:iam::{account}:root")})
            }
            arn => json!({"AWS": arn}),
        }
    }
}

/// The whole policy of a qualifier, as `GetPolicy` shows it; none without statements.
pub(crate) async fn shown(
    policies_of: &dyn PoliciesOf,
    tx: &Tx,
    resource: &Arn,
    statements: &[Statement],
) -> Result<Option<String>, StoreError> {
    let mut shown = Vec::new();
    for statement in statements {
        shown.push(statement.shown(policies_of, tx).await?);
    }
    Ok(document(resource, shown))
}

/// The policy of these statements; none without any.
fn document(resource: &Arn, statements: Vec<Statement>) -> Option<String> {
    let written = |statement: &Statement| statement.to_json(resource.as_str());
    let written: Vec<Value> = statements.iter().map(written).collect();
    let document = json!({"Version": "2012-10-17", "Id": "default", "Statement": written});
    (!written.is_empty()).then(|| document.to_string())
}

/// The statements of a qualifier's policy.
pub(crate) fn statements<'f>(function: &'f Function, qualifier: &str) -> &'f [Statement] {
    function.policies.get(qualifier).map(Vec::as_slice).unwrap_or_default()
}

/// The unique id of the user or role that the statement names; refused where nobody has that name.
pub(crate) async fn principal_id(
    policies_of: &dyn PoliciesOf,
    tx: &Tx,
    resource: &Arn,
    statement: &Statement,
) -> Result<Option<String>, LambdaError> {
    // Parsed, it tells the names of users and roles from `*`, services and accounts.
    let alone = document(resource, vec![statement.clone()]).unwrap_or_default();
    let alone = Policy::parse(&alone, PolicyKind::Resource).map_err(|fault| not_valid(&fault))?;
    let Some(name) = alone.named_identities().next() else { return Ok(None) };
    policies_of.unique_id(tx, name).await.map_err(|unpinned| match unpinned {
        Unpinned::UnknownPrincipal(_) => LambdaError::invalid(INVALID_PRINCIPAL),
        Unpinned::Store(error) => error.into(),
    })
}

fn not_valid(fault: &PolicyFault) -> LambdaError {
    match fault {
        PolicyFault::Principal(_) => LambdaError::invalid(INVALID_PRINCIPAL),
        fault => LambdaError::invalid(format!("The permission is not valid: {fault}")),
    }
}

/// What a policy of this qualifier is on.
pub(crate) fn resource(scope: &Scope, name: &str, qualifier: &str) -> Arn {
    match qualifier {
        "" => function_arn(scope, name),
        qualifier => scope.arn("lambda", &format!("function:{name}:{qualifier}")),
    }
}

/// The policy, parsed; a statement that can't be is refused when it is added.
pub(crate) fn parsed(
    scope: &Scope,
    function: &Function,
    qualifier: &str,
) -> Result<Option<Arc<Policy>>, LambdaError> {
    let pinned = statements(function, qualifier).iter().map(Statement::pinned).collect();
    let document = document(&resource(scope, &function.name, qualifier), pinned);
    let Some(document) = document else { return Ok(None) };
    if document.len() > LARGEST_POLICY {
        return Err(LambdaError::PolicyLengthExceeded);
    }
    let policy = Policy::parse(&document, PolicyKind::Resource).map_err(|fault| not_valid(&fault))?;
    Ok(Some(Arc::new(policy.named(format!("the policy of {}", function.name)))))
}

/// A service that acts, and for what: what a function's policy is evaluated against, now or when a queued event runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Acting {
    pub(crate) service: String,
    source_arn: Arn,
    source_account: Account,
}

impl From<&On> for Acting {
    fn from(on: &On) -> Self {
        Self {
            service: on.service.to_owned(),
            source_arn: on.source_arn.clone(),
            source_account: on.source_account,
        }
    }
}

/// Whether the function's policy lets this service invoke it.
pub(crate) fn permitted(
    scope: &Scope,
    function: &Function,
    named: &Named,
    acting: &Acting,
) -> Result<bool, LambdaError> {
    let policy = parsed(scope, function, named.qualifier.as_deref().unwrap_or_default())?;
    let resource = named.arn(scope);
    Ok(policy.is_some_and(|policy| permits(&policy, acting, scope.account, resource.as_str())))
}

/// Whether the policy lets this service invoke the function for this source.
fn permits(policy: &Arc<Policy>, acting: &Acting, account: Account, resource: &str) -> bool {
    let view = PrincipalView { arn: &acting.service, account: "", user_id: "", kind: PrincipalKind::Service };
    let mut context = Context::of(&view);
    context.set("aws:SourceArn", acting.source_arn.as_str());
    context.set("aws:SourceAccount", acting.source_account.to_string());
    let account = account.to_string();
    let set = EvaluationSet {
        identity: &[],
        boundary: None,
        session: &[],
        resource: ResourceSide::Grants(policy),
        resource_account: &account,
    };
    let request = Request { principal: &view, action: "lambda:InvokeFunction", resource, context: &context };
    evaluate(&set, &request).is_allowed()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use homeport_core::{Region, Timestamp};

    use super::*;
    use crate::records::{Code, Configuration};

    fn function(statement: Statement) -> Function {
        let latest = Configuration {
            version: "$LATEST".into(),
            description: String::new(),
            role: String::new(),
            runtime: String::new(),
            handler: String::new(),
            timeout: 3,
            memory_size: 128,
            tmp_size: 512,
            architecture: "x86_64".into(),
            tracing: "PassThrough".into(),
            environment: None,
            code: Code { blob: String::new(), sha256: String::new(), size: 0 },
            revision_id: String::new(),
            last_modified: Timestamp::from_seconds(0),
        };
        Function {
            account: "123456789012".into(),
            region: "us-east-1".into(),
            name: "f".into(),
            id: "id".into(),
            latest,
            last_version: 0,
            tags: BTreeMap::new(),
            policies: BTreeMap::from([(String::new(), vec![statement])]),
            policy_revision: String::new(),
        }
    }

    fn asks(statement: Statement, service: &'static str, source: &str, account: u64) -> bool {
        let scope =
            Scope { account: Account::from_number(123_456_789_012), region: Region::default_region() };
        let policy = parsed(&scope, &function(statement), "").expect("parses").expect("a policy");
        let acting = Acting {
            service: service.to_owned(),
            source_arn: Arn::parse(source).expect("arn"),
            source_account: Account::from_number(account),
        };
        permits(&policy, &acting, scope.account, function_arn(&scope, "f").as_str())
    }

    #[test]
    fn source_arn_and_account_are_honoured() {
        let statement = Statement {
            id: "s".into(),
            action: "lambda:InvokeFunction".into(),
            principal: "apigateway.amazonaws.com".into(),
            principal_id: None,
            source_arn: Some("arn:aws:execute-api:us-east-1:123456789012:a/*/GET/notes".into()),
            source_account: Some("123456789012".into()),
        };
        let right = "arn:aws:execute-api:us-east-1:123456789012:a/prod/GET/notes";
        assert!(asks(statement.clone(), "apigateway.amazonaws.com", right, 123_456_789_012));
        for (service, source, account) in [
            ("s3.amazonaws.com", right, 123_456_789_012),
            (
                "apigateway.amazonaws.com",
                "arn:aws:execute-api:us-east-1:123456789012:b/prod/GET/notes",
                123_456_789_012,
            ),
            (
                "apigateway.amazonaws.com",
                "arn:aws:execute-api:us-east-1:123456789012:a/prod/POST/notes",
                123_456_789_012,
            ),
            (
                "apigateway.amazonaws.com",
                "arn:aws:execute-api:us-east-1:123456789012:a/authorizers/x",
                123_456_789_012,
            ),
            ("apigateway.amazonaws.com", right, 999_999_999_999),
        ] {
            assert!(!asks(statement.clone(), service, source, account), "{service} {source} {account}");
        }
    }

    #[test]
    fn a_permission_to_do_something_else_is_none_to_invoke() {
        let statement = Statement {
            id: "s".into(),
            action: "lambda:GetFunction".into(),
            principal: "*".into(),
            principal_id: None,
            source_arn: None,
            source_account: None,
        };
        assert!(!asks(statement, "apigateway.amazonaws.com", "arn:aws:execute-api:us-east-1:1:a", 1));
    }
}
