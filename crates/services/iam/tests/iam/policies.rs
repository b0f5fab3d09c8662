use serde_json::json;

use crate::app::{ACCOUNT, LAMBDA_TRUST, admin, app, policy, user_with};

const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

fn own(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:policy/{name}")
}

#[tokio::test]
async fn an_inline_policy_is_written_read_and_deleted() {
    let app = app();
    admin(&app, "CreateUser", json!({"UserName": "ada"})).await.ok();
    admin(&app, "CreateGroup", json!({"GroupName": "ada"})).await.ok();
    admin(&app, "CreateRole", json!({"RoleName": "ada", "AssumeRolePolicyDocument": LAMBDA_TRUST}))
        .await
        .ok();
    for kind in ["User", "Group", "Role"] {
        let member = format!("{kind}Name");
        let named = json!({&member: "ada", "PolicyName": "p"});
        let operation = |verb: &str| format!("{verb}{kind}Policy");
        admin(&app, &operation("Get"), named.clone()).await.refused("NoSuchEntity", 404);
        let mut put = named.clone();
        put["PolicyDocument"] = json!(policy("Allow", "s3:*", "*"));
        admin(&app, &operation("Put"), put).await.ok();
        let shown = admin(&app, &operation("Get"), named.clone()).await.ok();
        assert_eq!(shown.element(&member).as_deref(), Some("ada"));
        assert!(shown.element("PolicyDocument").unwrap().contains("s3%3A%2A"));
        let listed = admin(&app, &format!("List{kind}Policies"), json!({&member: "ada"})).await.ok();
        assert!(listed.text().contains("<member>p</member>"));
        admin(&app, &operation("Delete"), named.clone()).await.ok();
        admin(&app, &operation("Delete"), named).await.refused("NoSuchEntity", 404);
    }
}

#[tokio::test]
async fn what_is_no_policy_is_refused() {
    let app = app();
    admin(&app, "CreateUser", json!({"UserName": "ada"})).await.ok();
    for (document, message) in [
        ("{", "Syntax errors in policy."),
        (
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*"}}"#,
            "Policy statement must contain resources.",
        ),
    ] {
        let put = json!({"UserName": "ada", "PolicyName": "p", "PolicyDocument": document});
        let refused = admin(&app, "PutUserPolicy", put).await.refused("MalformedPolicyDocument", 400);
        assert_eq!(refused.message(), message);
        let create = json!({"PolicyName": "p", "PolicyDocument": document});
        admin(&app, "CreatePolicy", create).await.refused("MalformedPolicyDocument", 400);
    }
}

#[tokio::test]
async fn inline_policies_share_one_quota() {
    let app = app();
    admin(&app, "CreateUser", json!({"UserName": "ada"})).await.ok();
    let filled = |length: usize| policy("Allow", "s3:*", &format!("arn:aws:s3:::{}", "b".repeat(length)));
    let put = |name: &str, length: usize| json!({"UserName": "ada", "PolicyName": name, "PolicyDocument": filled(length)});
    admin(&app, "PutUserPolicy", put("a", 1_000)).await.ok();
    admin(&app, "PutUserPolicy", put("b", 1_000)).await.refused("LimitExceeded", 409);
    admin(&app, "PutUserPolicy", put("a", 1_500)).await.ok();
    let create = json!({"PolicyName": "big", "PolicyDocument": filled(6_144)});
    admin(&app, "CreatePolicy", create).await.refused("LimitExceeded", 409);
}

#[tokio::test]
async fn an_attached_policy_counts_until_it_is_detached() {
    let app = app();
    let ada = user_with(&app, "ada", &policy("Allow", "s3:*", "*")).await;
    let made = json!({"PolicyName": "readers", "PolicyDocument": policy("Allow", "iam:List*", "*")});
    admin(&app, "CreatePolicy", made.clone()).await.ok();
    admin(&app, "CreatePolicy", made).await.refused("EntityAlreadyExists", 409);
    ada.call("iam", "ListUsers", json!({})).await.refused("AccessDenied", 403);
    let attachment = json!({"UserName": "ada", "PolicyArn": own("readers")});
    admin(&app, "AttachUserPolicy", attachment.clone()).await.ok();
    admin(&app, "AttachUserPolicy", attachment.clone()).await.ok();
    ada.call("iam", "ListUsers", json!({})).await.ok();
    let shown = admin(&app, "GetPolicy", json!({"PolicyArn": own("readers")})).await.ok();
    assert_eq!(shown.element("AttachmentCount").as_deref(), Some("1"));
    let held = admin(&app, "ListEntitiesForPolicy", json!({"PolicyArn": own("readers")})).await.ok();
    assert_eq!(held.element("UserName").as_deref(), Some("ada"));
    let roles = json!({"PolicyArn": own("readers"), "EntityFilter": "Role"});
    assert_eq!(admin(&app, "ListEntitiesForPolicy", roles).await.ok().element("UserName"), None);
    let listed = admin(&app, "ListAttachedUserPolicies", json!({"UserName": "ada"})).await.ok();
    assert_eq!(listed.element("PolicyName").as_deref(), Some("readers"));
    admin(&app, "DeletePolicy", json!({"PolicyArn": own("readers")})).await.refused("DeleteConflict", 409);
    admin(&app, "DetachUserPolicy", attachment.clone()).await.ok();
    ada.call("iam", "ListUsers", json!({})).await.refused("AccessDenied", 403);
    admin(&app, "DetachUserPolicy", attachment).await.refused("NoSuchEntity", 404);
    admin(&app, "DeletePolicy", json!({"PolicyArn": own("readers")})).await.ok();
    admin(&app, "GetPolicy", json!({"PolicyArn": own("readers")})).await.refused("NoSuchEntity", 404);
}

#[tokio::test]
async fn ten_policies_are_attached_at_most_and_only_those_that_exist() {
    let app = app();
    admin(&app, "CreateGroup", json!({"GroupName": "g"})).await.ok();
    let attach = |arn: String| json!({"GroupName": "g", "PolicyArn": arn});
    admin(&app, "AttachGroupPolicy", attach(own("none"))).await.refused("NoSuchEntity", 404);
    for n in 0..11 {
        let made = json!({"PolicyName": format!("p{n}"), "PolicyDocument": policy("Allow", "s3:*", "*")});
        admin(&app, "CreatePolicy", made).await.ok();
        let answer = admin(&app, "AttachGroupPolicy", attach(own(&format!("p{n}")))).await;
        if n < 10 {
            answer.ok()
        } else {
            answer.refused("LimitExceeded", 409)
        };
    }
}

#[tokio::test]
async fn the_default_version_is_the_one_that_counts() {
    let app = app();
    let ada = user_with(&app, "ada", &policy("Allow", "s3:*", "*")).await;
    let arn = own("v");
    let made = json!({"PolicyName": "v", "PolicyDocument": policy("Allow", "iam:ListUsers", "*")});
    admin(&app, "CreatePolicy", made).await.ok();
    admin(&app, "AttachUserPolicy", json!({"UserName": "ada", "PolicyArn": arn})).await.ok();
    let version = |document: String, default: bool| json!({"PolicyArn": arn, "PolicyDocument": document, "SetAsDefault": default});
    let roles = policy("Allow", "iam:ListRoles", "*");
    admin(&app, "CreatePolicyVersion", version(roles.clone(), false)).await.ok();
    ada.call("iam", "ListUsers", json!({})).await.ok();
    ada.call("iam", "ListRoles", json!({})).await.refused("AccessDenied", 403);
    let named = |id: &str| json!({"PolicyArn": arn, "VersionId": id});
    admin(&app, "SetDefaultPolicyVersion", named("v2")).await.ok();
    ada.call("iam", "ListUsers", json!({})).await.refused("AccessDenied", 403);
    ada.call("iam", "ListRoles", json!({})).await.ok();
    admin(&app, "DeletePolicyVersion", named("v2")).await.refused("DeleteConflict", 409);
    admin(&app, "DeletePolicyVersion", named("v1")).await.ok();
    admin(&app, "GetPolicyVersion", named("v1")).await.refused("NoSuchEntity", 404);
    let shown = admin(&app, "GetPolicyVersion", named("v2")).await.ok();
    assert!(shown.element("Document").unwrap().contains("ListRoles"));
    for _ in 0..4 {
        admin(&app, "CreatePolicyVersion", version(roles.clone(), false)).await.ok();
    }
    admin(&app, "CreatePolicyVersion", version(roles, true)).await.refused("LimitExceeded", 409);
    let listed = admin(&app, "ListPolicyVersions", json!({"PolicyArn": arn})).await.ok();
    assert_eq!(listed.element("VersionId").as_deref(), Some("v6"));
}

#[tokio::test]
async fn awss_own_policies_are_there_and_not_to_be_changed() {
    let app = app();
    let ada = user_with(&app, "ada", &policy("Allow", "s3:*", "*")).await;
    ada.call("iam", "CreateUser", json!({"UserName": "x"})).await.refused("AccessDenied", 403);
    admin(&app, "AttachUserPolicy", json!({"UserName": "ada", "PolicyArn": ADMINISTRATOR})).await.ok();
    ada.call("iam", "CreateUser", json!({"UserName": "x"})).await.ok();
    let change =
        json!({"PolicyArn": ADMINISTRATOR, "PolicyDocument": policy("Deny", "*", "*"), "SetAsDefault": true});
    admin(&app, "CreatePolicyVersion", change).await.refused("AccessDenied", 403);
    admin(&app, "DeletePolicy", json!({"PolicyArn": ADMINISTRATOR})).await.refused("AccessDenied", 403);
    let attached = admin(&app, "ListPolicies", json!({"OnlyAttached": true, "Scope": "AWS"})).await.ok();
    assert_eq!(attached.text().matches("<PolicyName>").count(), 1);
    assert_eq!(attached.element("PolicyName").as_deref(), Some("AdministratorAccess"));
    let local = admin(&app, "ListPolicies", json!({"Scope": "Local"})).await.ok();
    assert_eq!(local.element("PolicyName"), None);
    let page = admin(&app, "ListPolicies", json!({"Scope": "AWS", "MaxItems": 2})).await.ok();
    let next = json!({"Scope": "AWS", "MaxItems": 1000, "Marker": page.element("Marker").unwrap()});
    let rest = admin(&app, "ListPolicies", next).await.ok();
    let seen = format!("<PolicyName>{}</PolicyName>", page.element("PolicyName").unwrap());
    assert!(!rest.text().contains(&seen) && rest.text().contains("AdministratorAccess"));
}

#[tokio::test]
async fn a_boundary_limits_what_policies_grant() {
    let app = app();
    let ada = user_with(&app, "ada", &policy("Allow", "iam:List*", "*")).await;
    let made = json!({"PolicyName": "b", "PolicyDocument": policy("Allow", "iam:ListRoles", "*")});
    admin(&app, "CreatePolicy", made).await.ok();
    ada.call("iam", "ListUsers", json!({})).await.ok();
    let bound = json!({"UserName": "ada", "PermissionsBoundary": own("b")});
    admin(&app, "PutUserPermissionsBoundary", bound).await.ok();
    let refused = ada.call("iam", "ListUsers", json!({})).await.refused("AccessDenied", 403);
    assert!(
        refused.message().ends_with("because no permissions boundary allows the iam:ListUsers action"),
        "{}",
        refused.message()
    );
    ada.call("iam", "ListRoles", json!({})).await.ok();
    ada.call("iam", "GetUser", json!({})).await.refused("AccessDenied", 403);
    admin(&app, "DeletePolicy", json!({"PolicyArn": own("b")})).await.refused("DeleteConflict", 409);
    let shown = admin(&app, "GetUser", json!({"UserName": "ada"})).await.ok();
    assert_eq!(shown.element("PermissionsBoundaryArn"), Some(own("b")));
    admin(&app, "DeleteUserPermissionsBoundary", json!({"UserName": "ada"})).await.ok();
    ada.call("iam", "ListUsers", json!({})).await.ok();
    admin(&app, "DeleteUserPermissionsBoundary", json!({"UserName": "ada"}))
        .await
        .refused("NoSuchEntity", 404);
    admin(&app, "DeletePolicy", json!({"PolicyArn": own("b")})).await.ok();
}

#[tokio::test]
async fn who_may_attach_can_be_held_to_one_policy() {
    let app = app();
    let held = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:AttachUserPolicy",
        "Resource": "*", "Condition": {"ArnEquals": {"iam:PolicyARN": own("small")}}}});
    let ada = user_with(&app, "ada", &held.to_string()).await;
    let made = json!({"PolicyName": "small", "PolicyDocument": policy("Allow", "s3:*", "*")});
    admin(&app, "CreatePolicy", made).await.ok();
    let attach = |arn: &str| json!({"UserName": "ada", "PolicyArn": arn});
    ada.call("iam", "AttachUserPolicy", attach(&own("small"))).await.ok();
    ada.call("iam", "AttachUserPolicy", attach(ADMINISTRATOR)).await.refused("AccessDenied", 403);
}
