use std::sync::{Arc, OnceLock};

use homeport_iam::Iam;
use homeport_testkit::TestApp;
use serde_json::json;

use crate::app::wire;

fn app_with_iam() -> (TestApp, Arc<Iam>) {
    let made: OnceLock<Arc<Iam>> = OnceLock::new();
    let app = TestApp::new(|parts| {
        let (iam, hosted) = homeport_iam::host(parts);
        wire(parts, &iam);
        made.set(iam).ok();
        vec![hosted]
    });
    let iam = made.get().unwrap().clone();
    (app, iam)
}

#[tokio::test]
async fn the_first_start_makes_an_administrator_and_no_later_one_does() {
    let (app, iam) = app_with_iam();
    assert!(iam.ensure_administrator().await.unwrap());
    assert!(!iam.ensure_administrator().await.unwrap());
    let keys = iam.administrator_keys().await.unwrap().unwrap();
    let caller = app.keys(&keys.access_key_id, keys.secret_access_key.expose_text().unwrap(), None);
    let me = caller.call("iam", "GetUser", json!({})).await.ok();
    assert_eq!(me.element("UserName").as_deref(), Some("administrator"));
    caller.call("iam", "CreateUser", json!({"UserName": "ada"})).await.ok();
}

#[tokio::test]
async fn a_deleted_administrator_does_not_come_back_by_itself() {
    let (app, iam) = app_with_iam();
    iam.ensure_administrator().await.unwrap();
    let id = iam.administrator_keys().await.unwrap().unwrap().access_key_id;
    let admin = app.admin();
    let named = json!({"UserName": "administrator"});
    admin.call("iam", "DeleteAccessKey", json!({"UserName": "administrator", "AccessKeyId": id})).await.ok();
    let arn = "arn:aws:iam::aws:policy/AdministratorAccess";
    admin.call("iam", "DetachUserPolicy", json!({"UserName": "administrator", "PolicyArn": arn})).await.ok();
    admin.call("iam", "DeleteUser", named).await.ok();
    assert!(!iam.ensure_administrator().await.unwrap());
    assert!(iam.administrator_keys().await.unwrap().is_none());
    assert!(iam.rotate_administrator().await.unwrap().is_none());
}

#[tokio::test]
async fn rotating_ends_the_keys_before() {
    let (app, iam) = app_with_iam();
    iam.ensure_administrator().await.unwrap();
    let old = iam.administrator_keys().await.unwrap().unwrap();
    let new = iam.rotate_administrator().await.unwrap().unwrap();
    let caller = |keys: &homeport_iam::AdministratorKeys| {
        app.keys(&keys.access_key_id, keys.secret_access_key.expose_text().unwrap(), None)
    };
    caller(&old).call("iam", "GetUser", json!({})).await.refused("InvalidClientTokenId", 403);
    caller(&new).call("iam", "GetUser", json!({})).await.ok();
}
