use std::sync::{Arc, Mutex};

use homeport_core::{BoxFuture, Timestamp};
use homeport_service::Parts;
use homeport_service::needs::{
    IdentityStands, TokenRefused, TokenUse, Verified, VerifyToken, VerifyWebIdentity,
};
use homeport_store::StoreError;
use homeport_sts::Sts;
use homeport_testkit::{Reply, TestApp, TestCaller};
use serde_json::{Value, json};

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const ROLE: &str = "arn:aws:iam::123456789012:role/app";
pub(crate) const MAY_ASSUME: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"],"Resource":"*"}}"#;

/// IAM and STS together, and what a test holds of them.
pub(crate) struct House {
    pub(crate) app: TestApp,
    pub(crate) sts: Arc<Sts>,
    pub(crate) pools: Arc<Pools>,
}

/// User pools and identity pools of which a test says whose sign-in and which identity stands.
#[derive(Default)]
pub(crate) struct Pools {
    pub(crate) signed_out: Mutex<Vec<String>>,
    pub(crate) deleted_identities: Mutex<Vec<String>>,
}

impl IdentityStands for Pools {
    fn identity_stands<'a>(
        &'a self,
        _: &'a str,
        identity: &'a str,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(
            async move { Ok(!self.deleted_identities.lock().unwrap().iter().any(|gone| gone == identity)) },
        )
    }
}

impl VerifyToken for Pools {
    fn verify_token<'a>(
        &'a self,
        _: &'a str,
        _: TokenUse,
        _: &'a [String],
        _: bool,
    ) -> BoxFuture<'a, Result<Verified, TokenRefused>> {
        Box::pin(async { Err(TokenRefused::Invalid) })
    }

    fn sign_in_stands<'a>(
        &'a self,
        _: &'a str,
        sub: &'a str,
        _: &'a str,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move { Ok(!self.signed_out.lock().unwrap().iter().any(|gone| gone == sub)) })
    }

    fn pools_epoch(&self) -> u64 {
        0
    }

    fn revokes_at_gateways<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async { Ok(false) })
    }

    fn pool_of_issuer(&self, _: &str) -> Option<String> {
        None
    }
}

pub(crate) fn house() -> House {
    house_with(Vec::new())
}

pub(crate) fn house_with(issuers: Vec<Arc<dyn VerifyWebIdentity>>) -> House {
    let (made, pools) = (std::sync::OnceLock::new(), Arc::new(Pools::default()));
    let app = TestApp::new(|parts: &Parts| {
        let (iam, iam_hosted) = homeport_iam::host(parts);
        let (sts, sts_hosted) = homeport_sts::host(parts);
        let needs = &parts.needs;
        needs.identify_users.set(iam.clone()).ok();
        needs.policies_of.set(iam.clone()).ok();
        needs.resource_policies.set(vec![("iam", iam)]).ok();
        needs.identify_sessions.set(sts.clone()).ok();
        needs.verify_token.set(pools.clone()).ok();
        needs.identities.set(pools.clone()).ok();
        needs.web_identities.set(issuers).ok();
        made.set(sts).ok();
        vec![iam_hosted, sts_hosted]
    });
    let sts = made.get().unwrap().clone();
    House { app, sts, pools }
}

impl House {
    pub(crate) async fn iam(&self, operation: &str, input: Value) -> Reply {
        self.app.admin().call("iam", operation, input).await.ok()
    }

    /// A user of IAM's with this inline policy, by its key.
    pub(crate) async fn user(&self, name: &str, document: &str) -> TestCaller {
        self.iam("CreateUser", json!({"UserName": name})).await;
        self.iam("PutUserPolicy", json!({"UserName": name, "PolicyName": "p", "PolicyDocument": document}))
            .await;
        let made = self.iam("CreateAccessKey", json!({"UserName": name})).await;
        self.app.keys(&made.element("AccessKeyId").unwrap(), &made.element("SecretAccessKey").unwrap(), None)
    }

    /// The role `app`, with this trust policy's statement, that may do these actions.
    pub(crate) async fn role(&self, trust: Value, actions: &[&str]) {
        let trust = json!({"Version": "2012-10-17", "Statement": trust}).to_string();
        self.iam("CreateRole", json!({"RoleName": "app", "AssumeRolePolicyDocument": trust})).await;
        let document = allow(actions);
        self.iam("PutRolePolicy", json!({"RoleName": "app", "PolicyName": "p", "PolicyDocument": document}))
            .await;
    }

    /// Whoever has the credentials of an answer.
    pub(crate) fn session(&self, answer: &Reply) -> TestCaller {
        let part = |name: &str| answer.element(name).unwrap();
        self.app.keys(&part("AccessKeyId"), &part("SecretAccessKey"), Some(&part("SessionToken")))
    }
}

/// A policy that allows these actions on everything.
pub(crate) fn allow(actions: &[&str]) -> String {
    json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": actions, "Resource": "*"}})
        .to_string()
}

/// A statement of a trust policy that admits the whole account.
pub(crate) fn trusts_account() -> Value {
    json!({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]})
}

/// The input of `AssumeRole` for the role `app`.
pub(crate) fn assume() -> Value {
    json!({"RoleArn": ROLE, "RoleSessionName": "one"})
}

/// The input with one more member.
pub(crate) fn with(mut input: Value, member: &str, value: Value) -> Value {
    input[member] = value;
    input
}

pub(crate) async fn call(caller: &TestCaller, operation: &str, input: Value) -> Reply {
    caller.call("sts", operation, input).await
}

pub(crate) async fn list_users(caller: &TestCaller) -> Reply {
    caller.call("iam", "ListUsers", json!({})).await
}
