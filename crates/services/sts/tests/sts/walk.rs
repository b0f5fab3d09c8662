use std::sync::Arc;

use homeport_core::BoxFuture;
use homeport_policy::Policy;
use homeport_service::Needs;
use homeport_service::needs::ResourcePolicy;
use homeport_store::{StoreError, Tx};
use homeport_testkit::{Sample, TestApp, assert_strangers_are_refused};
use serde_json::json;

use crate::app::{ROLE, trusts_account};

/// The trust policies of the test's own roles.
struct Trust(Arc<Needs>);

impl ResourcePolicy for Trust {
    fn resource_policy<'a>(
        &'a self,
        tx: &'a Tx,
        arn: &'a str,
    ) -> BoxFuture<'a, Result<Option<Arc<Policy>>, StoreError>> {
        Box::pin(
            async move { Ok(self.0.policies_of.get().unwrap().role(tx, arn).await?.map(|role| role.trust)) },
        )
    }
}

fn app() -> TestApp {
    let app = TestApp::new(|parts| {
        let trust = Arc::new(Trust(parts.needs.clone()));
        parts.needs.resource_policies.set(vec![("iam", trust)]).ok();
        vec![homeport_sts::host(parts).1]
    });
    let trust = json!({"Version": "2012-10-17", "Statement": trusts_account()});
    app.iam.put_role("app", &trust.to_string());
    app
}

#[tokio::test]
async fn strangers_are_refused() {
    let assume = json!({"RoleArn": ROLE, "RoleSessionName": "one"});
    let samples = [
        Sample::new("sts", "AssumeRole", assume),
        // Who a caller is, anybody who can sign may ask; a user's session is the user's own to have; and a web
        // identity's token proves itself.
        Sample::new("sts", "GetCallerIdentity", json!({})).public(),
        Sample::new("sts", "GetSessionToken", json!({})).public(),
        Sample::new("sts", "AssumeRoleWithWebIdentity", json!({})).public(),
    ];
    assert_strangers_are_refused(app, &samples).await;
}
