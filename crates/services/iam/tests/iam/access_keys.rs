use serde_json::json;

use crate::app::{admin, app, key_of, policy, user_with};

const MAY_READ: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:Get*","Resource":"*"}}"#;

#[tokio::test]
async fn a_key_signs_for_its_user_and_no_longer_once_deleted() {
    let app = app();
    let ada = user_with(&app, "ada", MAY_READ).await;
    let me = ada.call("iam", "GetUser", json!({})).await.ok();
    assert_eq!(me.element("UserName").as_deref(), Some("ada"));
    assert_eq!(me.element("Arn").as_deref(), Some("arn:aws:iam::123456789012:user/ada"));

    let (second, id) = key_of(&app, "ada").await;
    second.call("iam", "GetUser", json!({})).await.ok();
    admin(&app, "DeleteAccessKey", json!({"UserName": "ada", "AccessKeyId": id})).await.ok();
    second.call("iam", "GetUser", json!({})).await.refused("InvalidClientTokenId", 403);
    ada.call("iam", "GetUser", json!({})).await.ok();
}

#[tokio::test]
async fn an_inactive_key_signs_nothing_until_it_is_active_again() {
    let app = app();
    user_with(&app, "ada", MAY_READ).await;
    let (caller, id) = key_of(&app, "ada").await;
    let set = |status: &str| json!({"UserName": "ada", "AccessKeyId": id, "Status": status});
    admin(&app, "UpdateAccessKey", set("Inactive")).await.ok();
    caller.call("iam", "GetUser", json!({})).await.refused("InvalidClientTokenId", 403);
    let listed = admin(&app, "ListAccessKeys", json!({"UserName": "ada"})).await.ok().text();
    assert!(listed.contains("<Status>Inactive</Status>") && !listed.contains("Secret"), "{listed}");
    admin(&app, "UpdateAccessKey", set("Active")).await.ok();
    caller.call("iam", "GetUser", json!({})).await.ok();
}

#[tokio::test]
async fn a_user_has_two_keys_at_most() {
    let app = app();
    user_with(&app, "ada", MAY_READ).await;
    key_of(&app, "ada").await;
    admin(&app, "CreateAccessKey", json!({"UserName": "ada"})).await.refused("LimitExceeded", 409);
}

#[tokio::test]
async fn another_users_key_is_not_found() {
    let app = app();
    user_with(&app, "ada", MAY_READ).await;
    user_with(&app, "eve", MAY_READ).await;
    let (_, id) = key_of(&app, "ada").await;
    let swapped = json!({"UserName": "eve", "AccessKeyId": id});
    admin(&app, "DeleteAccessKey", swapped).await.refused("NoSuchEntity", 404);
}

#[tokio::test]
async fn a_user_manages_its_own_keys_where_a_variable_lets_it() {
    let app = app();
    let own = policy("Allow", "iam:*AccessKey*", "arn:aws:iam::*:user/${aws:username}");
    let ada = user_with(&app, "ada", &own).await;
    user_with(&app, "eve", &own).await;
    ada.call("iam", "ListAccessKeys", json!({})).await.ok();
    ada.call("iam", "ListAccessKeys", json!({"UserName": "eve"})).await.refused("AccessDenied", 403);
    // The name's case can't be played with: the ARN is that of the user found.
    ada.call("iam", "ListAccessKeys", json!({"UserName": "EVE"})).await.refused("AccessDenied", 403);
}

#[tokio::test]
async fn the_secret_is_nowhere_in_the_store() {
    let app = app();
    admin(&app, "CreateUser", json!({"UserName": "ada"})).await.ok();
    let made = admin(&app, "CreateAccessKey", json!({"UserName": "ada"})).await.ok();
    let secret = made.element("SecretAccessKey").unwrap();
    assert_eq!(secret.len(), 40);
    let planted = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
    assert!(!app.rows().await.iter().any(|(key, value)| planted(key) || planted(value)));
}
