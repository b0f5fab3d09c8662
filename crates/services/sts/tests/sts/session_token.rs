use serde_json::json;

use crate::app::{MAY_ASSUME, allow, assume, call, house, list_users, trusts_account};

#[tokio::test]
async fn a_users_session_can_do_what_the_user_can_but_not_change_iam() {
    let house = house();
    let ada = house.user("ada", &allow(&["iam:*", "sts:*"])).await;
    house.role(trusts_account(), &["iam:ListUsers"]).await;
    list_users(&ada).await.ok();
    let session = house.session(&call(&ada, "GetSessionToken", json!({})).await.ok());
    let me = call(&session, "GetCallerIdentity", json!({})).await.ok();
    assert_eq!(me.element("Arn").as_deref(), Some("arn:aws:iam::123456789012:user/ada"));
    let refused = list_users(&session).await.refused("AccessDenied", 403);
    assert!(
        refused.message().ends_with("with an explicit deny in a session policy"),
        "{}",
        refused.message()
    );
    let assumed = house.session(&call(&session, "AssumeRole", assume()).await.ok());
    list_users(&assumed).await.ok();
}

#[tokio::test]
async fn a_session_makes_no_further_session_token() {
    let house = house();
    let ada = house.user("ada", MAY_ASSUME).await;
    let session = house.session(&call(&ada, "GetSessionToken", json!({})).await.ok());
    call(&session, "GetSessionToken", json!({})).await.refused("AccessDenied", 403);
    let coded = json!({"SerialNumber": "GAHT12345678", "TokenCode": "123456"});
    call(&ada, "GetSessionToken", coded).await.refused("AccessDenied", 403);
}

#[tokio::test]
async fn it_ends_with_its_time_and_with_its_user() {
    let house = house();
    let ada = house.user("ada", MAY_ASSUME).await;
    let session = house.session(&call(&ada, "GetSessionToken", json!({"DurationSeconds": 900})).await.ok());
    call(&session, "GetCallerIdentity", json!({})).await.ok();
    house.app.clock.advance_seconds(900);
    call(&session, "GetCallerIdentity", json!({})).await.refused("ExpiredToken", 403);

    let session = house.session(&call(&ada, "GetSessionToken", json!({})).await.ok());
    call(&session, "GetCallerIdentity", json!({})).await.ok();
    let keys = house.iam("ListAccessKeys", json!({"UserName": "ada"})).await;
    let id = keys.element("AccessKeyId").unwrap();
    house.iam("DeleteAccessKey", json!({"UserName": "ada", "AccessKeyId": id})).await;
    house.iam("DeleteUserPolicy", json!({"UserName": "ada", "PolicyName": "p"})).await;
    house.iam("DeleteUser", json!({"UserName": "ada"})).await;
    call(&session, "GetCallerIdentity", json!({})).await.refused("InvalidClientTokenId", 403);
}

#[tokio::test]
async fn it_is_the_users_whatever_the_user_is_called_now() {
    let house = house();
    let own = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*","Condition":{"StringEquals":{"aws:username":"ada"}}}]}"#;
    let ada = house.user("ada", own).await;
    house.role(trusts_account(), &["iam:ListUsers"]).await;
    let session = house.session(&call(&ada, "GetSessionToken", json!({})).await.ok());
    call(&session, "AssumeRole", assume()).await.ok();
    house.iam("UpdateUser", json!({"UserName": "ada", "NewUserName": "countess", "NewPath": "/l/"})).await;
    let me = call(&session, "GetCallerIdentity", json!({})).await.ok();
    assert_eq!(me.element("Arn").as_deref(), Some("arn:aws:iam::123456789012:user/l/countess"));
    call(&session, "AssumeRole", assume()).await.refused("AccessDenied", 403);
}
