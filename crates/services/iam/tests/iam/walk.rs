use homeport_testkit::{Sample, assert_strangers_are_refused};
use serde_json::{Value, json};

use crate::app::{ACCOUNT, LAMBDA_TRUST, admin, app, key_of, policy};

const DOCUMENT: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;

fn sample(operation: &'static str, input: Value) -> Sample {
    Sample::new("iam", operation, input)
}

fn on_user(operation: &'static str, input: Value) -> Sample {
    sample(operation, input).after("CreateUser", json!({"UserName": "u"}))
}

fn on_group(operation: &'static str, input: Value) -> Sample {
    sample(operation, input).after("CreateGroup", json!({"GroupName": "g"}))
}

fn on_role(operation: &'static str, input: Value) -> Sample {
    let role = json!({"RoleName": "r", "AssumeRolePolicyDocument": LAMBDA_TRUST});
    sample(operation, input).after("CreateRole", role)
}

fn on_policy(operation: &'static str, input: Value) -> Sample {
    sample(operation, input).after("CreatePolicy", json!({"PolicyName": "p", "PolicyDocument": DOCUMENT}))
}

fn tags() -> Value {
    json!([{"Key": "k", "Value": "v"}])
}

fn users_and_groups() -> Vec<Sample> {
    let (u, g, member) =
        (json!({"UserName": "u"}), json!({"GroupName": "g"}), json!({"GroupName": "g", "UserName": "u"}));
    let both = |operation| on_user(operation, member.clone()).after("CreateGroup", g.clone());
    vec![
        sample("CreateUser", u.clone()),
        on_user("GetUser", u.clone()),
        on_user("UpdateUser", json!({"UserName": "u", "NewUserName": "n"})),
        on_user("DeleteUser", u.clone()),
        sample("ListUsers", json!({})),
        on_user("TagUser", json!({"UserName": "u", "Tags": tags()})),
        on_user("UntagUser", json!({"UserName": "u", "TagKeys": ["k"]})),
        on_user("ListUserTags", u.clone()),
        on_user("CreateAccessKey", u.clone()),
        on_user("ListAccessKeys", u.clone()),
        sample("CreateGroup", g.clone()),
        on_group("GetGroup", g.clone()),
        on_group("UpdateGroup", json!({"GroupName": "g", "NewGroupName": "n"})),
        on_group("DeleteGroup", g.clone()),
        sample("ListGroups", json!({})),
        both("AddUserToGroup"),
        both("RemoveUserFromGroup").after("AddUserToGroup", member.clone()),
        on_user("ListGroupsForUser", u),
    ]
}

fn roles() -> Vec<Sample> {
    let r = json!({"RoleName": "r"});
    vec![
        sample("CreateRole", json!({"RoleName": "r", "AssumeRolePolicyDocument": LAMBDA_TRUST})),
        on_role("GetRole", r.clone()),
        on_role("UpdateRole", json!({"RoleName": "r", "Description": "d"})),
        on_role("UpdateRoleDescription", json!({"RoleName": "r", "Description": "d"})),
        on_role("UpdateAssumeRolePolicy", json!({"RoleName": "r", "PolicyDocument": LAMBDA_TRUST})),
        on_role("DeleteRole", r.clone()),
        sample("ListRoles", json!({})),
        on_role("TagRole", json!({"RoleName": "r", "Tags": tags()})),
        on_role("UntagRole", json!({"RoleName": "r", "TagKeys": ["k"]})),
        on_role("ListRoleTags", r),
    ]
}

fn managed_policies() -> Vec<Sample> {
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/p");
    let p = json!({"PolicyArn": arn});
    let version = json!({"PolicyArn": arn, "VersionId": "v2"});
    let more = json!({"PolicyArn": arn, "PolicyDocument": policy("Deny", "s3:*", "*")});
    vec![
        sample("CreatePolicy", json!({"PolicyName": "p", "PolicyDocument": DOCUMENT})),
        on_policy("GetPolicy", p.clone()),
        on_policy("DeletePolicy", p.clone()),
        sample("ListPolicies", json!({})),
        on_policy("CreatePolicyVersion", more.clone()),
        on_policy("GetPolicyVersion", json!({"PolicyArn": arn, "VersionId": "v1"})),
        on_policy("SetDefaultPolicyVersion", version.clone()).after("CreatePolicyVersion", more.clone()),
        on_policy("DeletePolicyVersion", version).after("CreatePolicyVersion", more),
        on_policy("ListPolicyVersions", p.clone()),
        on_policy("ListEntitiesForPolicy", p),
    ]
}

/// Attached and inline policies, and boundaries, of one kind of holder.
fn policies_of(kind: &str, on: fn(&'static str, Value) -> Sample, names: [&'static str; 7]) -> Vec<Sample> {
    let member = format!("{kind}Name");
    let name = kind[..1].to_lowercase();
    let [put, get, delete, list, attach, detach, list_attached] = names;
    let whole = json!({&member: name, "PolicyName": "p", "PolicyDocument": DOCUMENT});
    let named = json!({&member: name, "PolicyName": "p"});
    let holder = json!({&member: name});
    let attachment = json!({&member: name, "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"});
    vec![
        on(put, whole.clone()),
        on(get, named.clone()).after(put, whole.clone()),
        on(delete, named).after(put, whole),
        on(list, holder.clone()),
        on(attach, attachment.clone()),
        on(detach, attachment.clone()).after(attach, attachment),
        on(list_attached, holder),
    ]
}

fn boundaries() -> Vec<Sample> {
    let arn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    let (user, role) = (
        json!({"UserName": "u", "PermissionsBoundary": arn}),
        json!({"RoleName": "r", "PermissionsBoundary": arn}),
    );
    vec![
        on_user("PutUserPermissionsBoundary", user.clone()),
        on_user("DeleteUserPermissionsBoundary", json!({"UserName": "u"}))
            .after("PutUserPermissionsBoundary", user),
        on_role("PutRolePermissionsBoundary", role.clone()),
        on_role("DeleteRolePermissionsBoundary", json!({"RoleName": "r"}))
            .after("PutRolePermissionsBoundary", role),
    ]
}

/// The id that the first key has in a new app: chance comes from a seed there.
async fn first_key_id() -> String {
    let app = app();
    admin(&app, "CreateUser", json!({"UserName": "u"})).await.ok();
    key_of(&app, "u").await.1
}

async fn keys() -> Vec<Sample> {
    let id = first_key_id().await;
    let on_key =
        |operation, input| on_user(operation, input).after("CreateAccessKey", json!({"UserName": "u"}));
    vec![
        on_key("UpdateAccessKey", json!({"UserName": "u", "AccessKeyId": id, "Status": "Inactive"})),
        on_key("DeleteAccessKey", json!({"UserName": "u", "AccessKeyId": id})),
    ]
}

fn oidc_providers() -> Vec<Sample> {
    let create = json!({"Url": "https://auth.example/us-east-1_pool", "ClientIDList": ["a"]});
    let arn = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/auth.example/us-east-1_pool");
    let named = json!({"OpenIDConnectProviderArn": arn});
    let client = json!({"OpenIDConnectProviderArn": arn, "ClientID": "b"});
    let prints = json!({"OpenIDConnectProviderArn": arn, "ThumbprintList": ["f".repeat(40)]});
    let on = |operation, input| sample(operation, input).after("CreateOpenIDConnectProvider", create.clone());
    vec![
        sample("CreateOpenIDConnectProvider", create.clone()),
        on("GetOpenIDConnectProvider", named.clone()),
        on("ListOpenIDConnectProviders", json!({})),
        on("DeleteOpenIDConnectProvider", named),
        on("AddClientIDToOpenIDConnectProvider", client.clone()),
        on("RemoveClientIDFromOpenIDConnectProvider", client),
        on("UpdateOpenIDConnectProviderThumbprint", prints),
    ]
}

#[tokio::test]
async fn strangers_are_refused() {
    let mut samples = users_and_groups();
    samples.extend(roles());
    samples.extend(managed_policies());
    samples.extend(boundaries());
    samples.extend(keys().await);
    samples.extend(oidc_providers());
    let of_user = [
        "PutUserPolicy",
        "GetUserPolicy",
        "DeleteUserPolicy",
        "ListUserPolicies",
        "AttachUserPolicy",
        "DetachUserPolicy",
        "ListAttachedUserPolicies",
    ];
    let of_group = [
        "PutGroupPolicy",
        "GetGroupPolicy",
        "DeleteGroupPolicy",
        "ListGroupPolicies",
        "AttachGroupPolicy",
        "DetachGroupPolicy",
        "ListAttachedGroupPolicies",
    ];
    let of_role = [
        "PutRolePolicy",
        "GetRolePolicy",
        "DeleteRolePolicy",
        "ListRolePolicies",
        "AttachRolePolicy",
        "DetachRolePolicy",
        "ListAttachedRolePolicies",
    ];
    samples.extend(policies_of("User", on_user, of_user));
    samples.extend(policies_of("Group", on_group, of_group));
    samples.extend(policies_of("Role", on_role, of_role));
    assert_strangers_are_refused(|| crate::oidc::app().0, &samples).await;
}
