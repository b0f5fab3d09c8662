use std::sync::Arc;

use homeport_iam::Iam;
use homeport_service::Parts;
use homeport_testkit::{Reply, TestApp, TestCaller};
use serde_json::{Value, json};

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const LAMBDA_TRUST: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}"#;

/// A policy of one statement.
pub(crate) fn policy(effect: &str, action: &str, resource: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": resource}]})
        .to_string()
}

pub(crate) fn wire(parts: &Parts, iam: &Arc<Iam>) {
    parts.needs.identify_users.set(iam.clone()).ok();
    parts.needs.policies_of.set(iam.clone()).ok();
    parts.needs.resource_policies.set(vec![("iam", iam.clone())]).ok();
}

/// IAM alone, with its own users known beside the test's.
pub(crate) fn app() -> TestApp {
    TestApp::new(|parts| {
        let (iam, hosted) = homeport_iam::host(parts);
        wire(parts, &iam);
        vec![hosted]
    })
}

pub(crate) async fn admin(app: &TestApp, operation: &str, input: Value) -> Reply {
    app.admin().call("iam", operation, input).await
}

/// A user of IAM's own with this inline policy, and its keys.
pub(crate) async fn user_with(app: &TestApp, name: &str, document: &str) -> TestCaller {
    admin(app, "CreateUser", json!({"UserName": name})).await.ok();
    admin(app, "PutUserPolicy", json!({"UserName": name, "PolicyName": "p", "PolicyDocument": document}))
        .await
        .ok();
    key_of(app, name).await.0
}

/// A new key of the user, and its id.
pub(crate) async fn key_of(app: &TestApp, name: &str) -> (TestCaller, String) {
    let made = admin(app, "CreateAccessKey", json!({"UserName": name})).await.ok();
    let (id, secret) = (made.element("AccessKeyId").unwrap(), made.element("SecretAccessKey").unwrap());
    (app.keys(&id, &secret, None), id)
}
