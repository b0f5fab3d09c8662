use serde_json::json;

use crate::app::{admin, app, policy, user_with, wire};

#[tokio::test]
async fn what_changes_on_one_node_bites_on_the_other() {
    let one = app();
    let other = one.beside(|parts| {
        let (iam, hosted) = homeport_iam::host(parts);
        wire(parts, &iam);
        (vec![hosted], Vec::new())
    });
    user_with(&one, "ada", &policy("Allow", "iam:Get*", "*")).await;
    let made = admin(&one, "CreateAccessKey", json!({"UserName": "ada"})).await.ok();
    let (id, secret) = (made.element("AccessKeyId").unwrap(), made.element("SecretAccessKey").unwrap());
    let ada = other.keys(&id, &secret, None);
    ada.call("iam", "GetUser", json!({})).await.ok();

    let changed = json!({"UserName": "ada", "PolicyName": "p", "PolicyDocument": policy("Deny", "*", "*")});
    admin(&one, "PutUserPolicy", changed).await.ok();
    ada.call("iam", "GetUser", json!({})).await.refused("AccessDenied", 403);
    admin(&one, "DeleteAccessKey", json!({"UserName": "ada", "AccessKeyId": id})).await.ok();
    ada.call("iam", "GetUser", json!({})).await.refused("InvalidClientTokenId", 403);
}
