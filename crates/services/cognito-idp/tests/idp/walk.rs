//! Strangers are refused by every operation.

use homeport_testkit::{Sample, assert_strangers_are_refused};
use serde_json::{Value, json};

use crate::world::{app, text};

fn pool_input() -> Value {
    json!({"PoolName": "notes", "AutoVerifiedAttributes": ["email"]})
}

fn client_input(pool: &str) -> Value {
    json!({"UserPoolId": pool, "ClientName": "app", "ExplicitAuthFlows": ["ALLOW_ADMIN_USER_PASSWORD_AUTH"]})
}

/// Ids of what the first two calls of an app make: they follow from its seed.
async fn ids() -> (String, String) {
    let (app, _service) = app();
    let made = app.admin().call("cognito-idp", "CreateUserPool", pool_input()).await.ok().json();
    let pool = text(&made["UserPool"]["Id"]);
    let made = app.admin().call("cognito-idp", "CreateUserPoolClient", client_input(&pool)).await.ok().json();
    (pool, text(&made["UserPoolClient"]["ClientId"]))
}

/// A call on a pool with a client, a confirmed user and a group.
fn on(pool: &str, operation: &'static str, mut input: Value) -> Sample {
    input["UserPoolId"] = json!(pool);
    prepared(pool, operation, input)
}

fn prepared(pool: &str, operation: &'static str, input: Value) -> Sample {
    let user = json!({"UserPoolId": pool, "Username": "ann", "MessageAction": "SUPPRESS",
        "UserAttributes": [{"Name": "email", "Value": "ann@example.com"}, {"Name": "email_verified", "Value": "true"}]});
    let password =
        json!({"UserPoolId": pool, "Username": "ann", "Password": crate::world::PASSWORD, "Permanent": true});
    Sample::new("cognito-idp", operation, input)
        .after("CreateUserPool", pool_input())
        .after("CreateUserPoolClient", client_input(pool))
        .after("AdminCreateUser", user)
        .after("AdminSetUserPassword", password)
        .after("CreateGroup", json!({"UserPoolId": pool, "GroupName": "g"}))
}

fn samples(pool: &str, client: &str) -> Vec<Sample> {
    let arn = format!("arn:aws:cognito-idp:us-east-1:123456789012:userpool/{pool}");
    let ann = || json!({"Username": "ann"});
    let auth = json!({"ClientId": client, "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
        "AuthParameters": {"USERNAME": "ann", "PASSWORD": crate::world::PASSWORD}});
    let mut all = vec![
        Sample::new("cognito-idp", "CreateUserPool", pool_input()),
        Sample::new("cognito-idp", "ListUserPools", json!({"MaxResults": 10})),
        on(pool, "AddCustomAttributes", json!({"CustomAttributes": [{"Name": "plan"}]})),
        on(pool, "AdminAddUserToGroup", json!({"Username": "ann", "GroupName": "g"})),
        on(pool, "AdminCreateUser", json!({"Username": "bob"})),
        on(pool, "AdminDeleteUser", ann()),
        on(pool, "AdminDeleteUserAttributes", json!({"Username": "ann", "UserAttributeNames": ["email"]})),
        on(pool, "AdminDisableUser", ann()),
        on(pool, "AdminEnableUser", ann()),
        on(pool, "AdminGetUser", ann()),
        on(pool, "AdminInitiateAuth", auth),
        on(pool, "AdminListGroupsForUser", ann()),
        on(pool, "AdminRemoveUserFromGroup", json!({"Username": "ann", "GroupName": "g"})),
        on(pool, "AdminResetUserPassword", ann()),
        on(pool, "AdminSetUserPassword", json!({"Username": "ann", "Password": "Another-horse7"})),
        on(
            pool,
            "AdminUpdateUserAttributes",
            json!({"Username": "ann", "UserAttributes": [{"Name": "name", "Value": "A"}]}),
        ),
        on(pool, "AdminUserGlobalSignOut", ann()),
        on(pool, "CreateGroup", json!({"GroupName": "h"})),
        on(pool, "CreateUserPoolClient", json!({"ClientName": "other"})),
        on(pool, "DeleteGroup", json!({"GroupName": "g"})),
        on(pool, "DeleteUserPool", json!({})),
        on(pool, "DeleteUserPoolClient", json!({"ClientId": client})),
        on(pool, "DescribeUserPool", json!({})),
        on(pool, "DescribeUserPoolClient", json!({"ClientId": client})),
        on(pool, "GetGroup", json!({"GroupName": "g"})),
        on(pool, "GetUserPoolMfaConfig", json!({})),
        on(pool, "ListGroups", json!({})),
        on(pool, "ListUserPoolClients", json!({"MaxResults": 10})),
        on(pool, "ListUsers", json!({})),
        on(pool, "ListUsersInGroup", json!({"GroupName": "g"})),
        on(pool, "UpdateGroup", json!({"GroupName": "g", "Precedence": 1})),
        on(pool, "UpdateUserPool", json!({})),
        on(pool, "UpdateUserPoolClient", json!({"ClientId": client})),
        prepared(pool, "ListTagsForResource", json!({"ResourceArn": arn})),
        prepared(pool, "TagResource", json!({"ResourceArn": arn, "Tags": {"a": "1"}})),
        prepared(pool, "UntagResource", json!({"ResourceArn": arn, "TagKeys": ["a"]})),
        on(pool, "AdminConfirmSignUp", json!({"Username": "bob"})).after(
            "SignUp",
            json!({"ClientId": client, "Username": "bob", "Password": crate::world::PASSWORD}),
        ),
    ];
    // Needs a session that a call before answered: its refusal is a test of its own below.
    const OF_TOKENS_AND_CODES: [&str; 18] = [
        "AdminRespondToAuthChallenge",
        "ChangePassword",
        "ConfirmForgotPassword",
        "ConfirmSignUp",
        "DeleteUser",
        "DeleteUserAttributes",
        "ForgotPassword",
        "GetTokensFromRefreshToken",
        "GetUser",
        "GetUserAttributeVerificationCode",
        "GlobalSignOut",
        "InitiateAuth",
        "ResendConfirmationCode",
        "RespondToAuthChallenge",
        "RevokeToken",
        "SignUp",
        "UpdateUserAttributes",
        "VerifyUserAttribute",
    ];
    all.extend(OF_TOKENS_AND_CODES.map(|name| Sample::new("cognito-idp", name, json!({})).public()));
    all
}

#[tokio::test]
async fn strangers_are_refused() {
    let (pool, client) = ids().await;
    assert_strangers_are_refused(|| app().0, &samples(&pool, &client)).await;
}

#[tokio::test]
async fn a_stranger_answers_no_administrators_challenge() {
    let world = crate::world::World::new().await;
    let input = json!({"UserPoolId": world.pool, "ClientId": world.client,
        "ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": "A".repeat(40),
        "ChallengeResponses": {"USERNAME": "ann", "NEW_PASSWORD": crate::world::PASSWORD}});
    let before = world.app.rows().await;
    let call = |caller: homeport_testkit::TestCaller| {
        let input = input.clone();
        async move { caller.call("cognito-idp", "AdminRespondToAuthChallenge", input).await }
    };
    call(world.app.stranger()).await.refused("AccessDeniedException", 400);
    let anonymous = call(world.app.anonymous()).await;
    assert!(anonymous.code().starts_with("MissingAuthenticationToken"), "{}", anonymous.text());
    assert!(before == world.app.rows().await);
    call(world.app.admin()).await.refused("NotAuthorizedException", 400);
}

#[tokio::test]
async fn self_service_without_a_token_is_refused() {
    let world = crate::world::World::new().await;
    for (operation, mut input) in [
        ("GetUser", json!({})),
        ("DeleteUser", json!({})),
        ("GlobalSignOut", json!({})),
        ("ChangePassword", json!({"PreviousPassword": "x", "ProposedPassword": "y"})),
        ("UpdateUserAttributes", json!({"UserAttributes": []})),
        ("DeleteUserAttributes", json!({"UserAttributeNames": ["name"]})),
        ("VerifyUserAttribute", json!({"AttributeName": "email", "Code": "123456"})),
        ("GetUserAttributeVerificationCode", json!({"AttributeName": "email"})),
    ] {
        input["AccessToken"] = json!("not.a.token");
        let reply = world.app.anonymous().call("cognito-idp", operation, input).await;
        reply.refused("NotAuthorizedException", 400);
    }
}
