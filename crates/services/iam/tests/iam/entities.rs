use serde_json::json;

use crate::app::{ACCOUNT, LAMBDA_TRUST, admin, app, key_of, policy, user_with};

#[tokio::test]
async fn a_deleted_user_is_gone() {
    let app = app();
    admin(&app, "CreateUser", json!({"UserName": "ada", "Path": "/team/"})).await.ok();
    let shown = admin(&app, "GetUser", json!({"UserName": "ada"})).await.ok();
    assert_eq!(shown.element("Arn").unwrap(), format!("arn:aws:iam::{ACCOUNT}:user/team/ada"));
    assert!(shown.element("UserId").unwrap().starts_with("AIDA"));
    admin(&app, "DeleteUser", json!({"UserName": "ada"})).await.ok();
    let gone = admin(&app, "GetUser", json!({"UserName": "ada"})).await.refused("NoSuchEntity", 404);
    assert_eq!(gone.message(), "The user with name ada cannot be found.");
}

#[tokio::test]
async fn names_that_differ_in_case_only_are_the_same() {
    let app = app();
    for (create, member) in [("CreateUser", "UserName"), ("CreateGroup", "GroupName")] {
        admin(&app, create, json!({member: "Ada"})).await.ok();
        admin(&app, create, json!({member: "ADA"})).await.refused("EntityAlreadyExists", 409);
    }
}

#[tokio::test]
async fn a_user_that_owns_something_is_not_deleted() {
    let app = app();
    user_with(&app, "ada", &policy("Allow", "s3:*", "*")).await;
    let ada = || json!({"UserName": "ada"});
    admin(&app, "CreateGroup", json!({"GroupName": "g"})).await.ok();
    admin(&app, "AddUserToGroup", json!({"GroupName": "g", "UserName": "ada"})).await.ok();
    admin(&app, "DeleteUser", ada()).await.refused("DeleteConflict", 409);
    let keys = admin(&app, "ListAccessKeys", ada()).await.ok();
    let id = keys.element("AccessKeyId").unwrap();
    admin(&app, "DeleteAccessKey", json!({"UserName": "ada", "AccessKeyId": id})).await.ok();
    admin(&app, "DeleteUser", ada()).await.refused("DeleteConflict", 409);
    admin(&app, "DeleteGroup", json!({"GroupName": "g"})).await.refused("DeleteConflict", 409);
    admin(&app, "RemoveUserFromGroup", json!({"GroupName": "g", "UserName": "ada"})).await.ok();
    admin(&app, "DeleteGroup", json!({"GroupName": "g"})).await.ok();
    admin(&app, "DeleteUser", ada()).await.refused("DeleteConflict", 409);
    admin(&app, "DeleteUserPolicy", json!({"UserName": "ada", "PolicyName": "p"})).await.ok();
    admin(&app, "DeleteUser", ada()).await.ok();
}

#[tokio::test]
async fn a_renamed_user_keeps_what_it_has() {
    let app = app();
    let may_read = policy("Allow", "iam:Get*", "*");
    let caller = user_with(&app, "ada", &may_read).await;
    let id = admin(&app, "GetUser", json!({"UserName": "ada"})).await.element("UserId");
    let renamed = json!({"UserName": "ada", "NewUserName": "countess", "NewPath": "/l/"});
    admin(&app, "UpdateUser", renamed).await.ok();
    admin(&app, "GetUser", json!({"UserName": "ada"})).await.refused("NoSuchEntity", 404);
    let me = caller.call("iam", "GetUser", json!({})).await.ok();
    assert_eq!((me.element("UserName").as_deref(), me.element("UserId")), (Some("countess"), id));
    admin(&app, "CreateUser", json!({"UserName": "ada"})).await.ok();
    let taken = json!({"UserName": "ada", "NewUserName": "Countess"});
    admin(&app, "UpdateUser", taken).await.refused("EntityAlreadyExists", 409);
    admin(&app, "GetUser", json!({"UserName": "ada"})).await.ok();
}

#[tokio::test]
async fn a_group_gives_its_policies_to_its_users() {
    let app = app();
    let ada = user_with(&app, "ada", &policy("Allow", "s3:*", "*")).await;
    let read = json!({"UserName": "ada"});
    ada.call("iam", "GetUser", read.clone()).await.refused("AccessDenied", 403);
    admin(&app, "CreateGroup", json!({"GroupName": "readers"})).await.ok();
    let granted = json!({"GroupName": "readers", "PolicyName": "r", "PolicyDocument": policy("Allow", "iam:Get*", "*")});
    admin(&app, "PutGroupPolicy", granted).await.ok();
    let member = json!({"GroupName": "readers", "UserName": "ada"});
    admin(&app, "AddUserToGroup", member.clone()).await.ok();
    ada.call("iam", "GetUser", read.clone()).await.ok();
    let group = admin(&app, "GetGroup", json!({"GroupName": "readers"})).await.ok();
    assert_eq!(group.element("UserName").as_deref(), Some("ada"));
    let groups = admin(&app, "ListGroupsForUser", json!({"UserName": "ada"})).await.ok();
    assert_eq!(groups.element("GroupName").as_deref(), Some("readers"));
    admin(&app, "RemoveUserFromGroup", member.clone()).await.ok();
    ada.call("iam", "GetUser", read).await.refused("AccessDenied", 403);
    admin(&app, "RemoveUserFromGroup", member).await.refused("NoSuchEntity", 404);
}

#[tokio::test]
async fn lists_come_in_pages_below_a_path() {
    let app = app();
    for n in 0..7 {
        let path = if n % 2 == 0 { "/even/" } else { "/odd/" };
        admin(&app, "CreateUser", json!({"UserName": format!("u{n}"), "Path": path})).await.ok();
    }
    let mut seen = Vec::new();
    let mut marker: Option<String> = None;
    loop {
        let mut input = json!({"PathPrefix": "/even/", "MaxItems": 3});
        if let Some(marker) = &marker {
            input["Marker"] = json!(marker);
        }
        let page = admin(&app, "ListUsers", input).await.ok();
        let text = page.text();
        let names = text.split("<UserName>").skip(1).map(|part| part.split('<').next().unwrap().to_owned());
        seen.extend(names);
        marker = page.element("Marker");
        assert_eq!(
            page.element("IsTruncated").as_deref(),
            Some(if marker.is_some() { "true" } else { "false" })
        );
        if marker.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["u0", "u2", "u4", "u6"]);
    let foreign = json!({"Marker": "bm90IG91cnM"});
    admin(&app, "ListUsers", foreign).await.refused("ValidationError", 400);
}

#[tokio::test]
async fn tags_are_set_removed_and_bounded() {
    let app = app();
    let tag = |key: &str, value: &str| json!({"Key": key, "Value": value});
    let twice = json!({"UserName": "ada", "Tags": [tag("a", "1"), tag("A", "2")]});
    admin(&app, "CreateUser", twice).await.refused("InvalidInput", 400);
    admin(&app, "CreateUser", json!({"UserName": "ada", "Tags": [tag("team", "x")]})).await.ok();
    admin(&app, "TagUser", json!({"UserName": "ada", "Tags": [tag("Team", "y"), tag("b", "2")]})).await.ok();
    let listed = admin(&app, "ListUserTags", json!({"UserName": "ada"})).await.ok().text();
    assert!(listed.contains("<Value>y</Value>") && !listed.contains("<Value>x</Value>"), "{listed}");
    admin(&app, "UntagUser", json!({"UserName": "ada", "TagKeys": ["team"]})).await.ok();
    let listed = admin(&app, "ListUserTags", json!({"UserName": "ada"})).await.ok().text();
    assert!(!listed.contains("<Value>y</Value>") && listed.contains("<Key>b</Key>"), "{listed}");
    let many: Vec<_> = (0..50).map(|n| tag(&format!("k{n}"), "v")).collect();
    admin(&app, "TagUser", json!({"UserName": "ada", "Tags": many})).await.refused("LimitExceeded", 409);
}

#[tokio::test]
async fn a_users_tags_count_in_conditions() {
    let app = app();
    let tagged = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:GetUser",
        "Resource": "*", "Condition": {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}}});
    let ada = user_with(&app, "ada", &tagged.to_string()).await;
    admin(&app, "CreateUser", json!({"UserName": "bob", "Tags": [{"Key": "team", "Value": "blue"}]}))
        .await
        .ok();
    let read = json!({"UserName": "bob"});
    ada.call("iam", "GetUser", read.clone()).await.refused("AccessDenied", 403);
    admin(&app, "TagUser", json!({"UserName": "ada", "Tags": [{"Key": "team", "Value": "blue"}]})).await.ok();
    ada.call("iam", "GetUser", read.clone()).await.ok();
    admin(&app, "TagUser", json!({"UserName": "ada", "Tags": [{"Key": "team", "Value": "red"}]})).await.ok();
    ada.call("iam", "GetUser", read).await.refused("AccessDenied", 403);
}

#[tokio::test]
async fn a_role_is_made_changed_and_deleted() {
    let app = app();
    let make = json!({"RoleName": "fn", "AssumeRolePolicyDocument": LAMBDA_TRUST, "Description": "d"});
    let made = admin(&app, "CreateRole", make.clone()).await.ok();
    assert_eq!(made.element("MaxSessionDuration").as_deref(), Some("3600"));
    let document = made.element("AssumeRolePolicyDocument").unwrap();
    assert!(document.starts_with("%7B%22Version%22%3A%222012-10-17%22"), "{document}");
    admin(&app, "CreateRole", make).await.refused("EntityAlreadyExists", 409);
    admin(&app, "UpdateRole", json!({"RoleName": "fn", "MaxSessionDuration": 7200})).await.ok();
    let shown = admin(&app, "GetRole", json!({"RoleName": "fn"})).await.ok();
    assert_eq!(shown.element("MaxSessionDuration").as_deref(), Some("7200"));
    assert_eq!(shown.element("Description"), None);
    let malformed = json!({"RoleName": "fn", "PolicyDocument": policy("Allow", "sts:AssumeRole", "*")});
    admin(&app, "UpdateAssumeRolePolicy", malformed).await.refused("MalformedPolicyDocument", 400);
    admin(&app, "DeleteRole", json!({"RoleName": "fn"})).await.ok();
    admin(&app, "GetRole", json!({"RoleName": "fn"})).await.refused("NoSuchEntity", 404);
}

#[tokio::test]
async fn a_trust_policy_names_principals_that_exist() {
    let app = app();
    let trust = |arn: &str| {
        json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": arn},
            "Action": "sts:AssumeRole"}})
        .to_string()
    };
    let make = |arn: &str| json!({"RoleName": "r", "AssumeRolePolicyDocument": trust(arn)});
    let nobody = format!("arn:aws:iam::{ACCOUNT}:user/nobody");
    let refused = admin(&app, "CreateRole", make(&nobody)).await.refused("MalformedPolicyDocument", 400);
    assert_eq!(refused.message(), format!("Invalid principal in policy: \"AWS\":\"{nobody}\""));
    admin(&app, "CreateUser", json!({"UserName": "nobody"})).await.ok();
    admin(&app, "CreateRole", make(&nobody)).await.ok();
}

#[tokio::test]
async fn every_change_of_rights_holds_from_the_next_call_on() {
    let app = app();
    let ada = user_with(&app, "ada", &policy("Allow", "iam:ListUsers", "*")).await;
    for _ in 0..3 {
        ada.call("iam", "ListUsers", json!({})).await.ok();
        admin(&app, "DeleteUserPolicy", json!({"UserName": "ada", "PolicyName": "p"})).await.ok();
        ada.call("iam", "ListUsers", json!({})).await.refused("AccessDenied", 403);
        let again = json!({"UserName": "ada", "PolicyName": "p", "PolicyDocument": policy("Allow", "iam:ListUsers", "*")});
        admin(&app, "PutUserPolicy", again).await.ok();
    }
    let (other, _) = key_of(&app, "ada").await;
    other.call("iam", "ListUsers", json!({})).await.ok();
}

#[tokio::test]
async fn renaming_needs_the_right_to_both_names() {
    let app = app();
    let held = policy("Allow", "iam:UpdateUser", "arn:aws:iam::*:user/dev-*");
    let ada = user_with(&app, "dev-ada", &held).await;
    let to = |name: &str| json!({"UserName": "dev-ada", "NewUserName": name});
    ada.call("iam", "UpdateUser", to("root-ada")).await.refused("AccessDenied", 403);
    ada.call("iam", "UpdateUser", to("dev-countess")).await.ok();
}
