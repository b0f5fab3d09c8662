use std::sync::Arc;

use homeport_core::BoxFuture;
use homeport_service::needs::{GoneUser, UserGone};
use homeport_store::{Key, StoreError, Tx};
use serde_json::json;

use crate::world::{PASSWORD, World, text};

#[tokio::test]
async fn a_new_pool_is_described_with_its_defaults() {
    let world = World::new().await;
    let pool = world.admin("DescribeUserPool", json!({})).await.ok().json()["UserPool"].take();
    assert_eq!(pool["Arn"], format!("arn:aws:cognito-idp:us-east-1:123456789012:userpool/{}", world.pool));
    assert_eq!(pool["Policies"]["PasswordPolicy"]["MinimumLength"], 8);
    assert_eq!(pool["Policies"]["PasswordPolicy"]["RequireSymbols"], true);
    assert_eq!((&pool["MfaConfiguration"], &pool["DeletionProtection"]), (&json!("OFF"), &json!("INACTIVE")));
    assert_eq!(pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"], false);
    assert_eq!(pool["SchemaAttributes"].as_array().unwrap().len(), 21);
    assert_eq!(pool["EstimatedNumberOfUsers"], 0);
    world.user("ann").await;
    let pool = world.admin("DescribeUserPool", json!({})).await.ok().json()["UserPool"].take();
    assert_eq!(pool["EstimatedNumberOfUsers"], 1);
}

#[tokio::test]
async fn an_update_brings_back_the_defaults_of_what_it_does_not_name() {
    let policy = json!({"PasswordPolicy": {"MinimumLength": 12}});
    let world = World::with(json!({"Policies": policy, "UserPoolTags": {"stage": "test"}}), json!({})).await;
    let short = json!({"Username": "ann", "Password": PASSWORD.get(..11), "UserAttributes": []});
    world.public("SignUp", short.clone()).await.refused("InvalidPasswordException", 400);
    world.admin("UpdateUserPool", json!({"AutoVerifiedAttributes": []})).await.ok();
    let pool = world.admin("DescribeUserPool", json!({})).await.ok().json()["UserPool"].take();
    assert_eq!(pool["Policies"]["PasswordPolicy"]["MinimumLength"], 8);
    assert!(pool.get("UserPoolTags").is_none_or(|tags| tags == &json!({})));
}

#[tokio::test]
async fn what_is_not_built_is_refused_and_not_dropped() {
    let world = World::new().await;
    let trigger = "arn:aws:lambda:us-east-1:123456789012:function:f";
    for member in [
        json!({"LambdaConfig": {"PreSignUp": trigger}}),
        json!({"MfaConfiguration": "ON"}),
        json!({"DeviceConfiguration": {"ChallengeRequiredOnNewDevice": true}}),
        json!({"UserPoolAddOns": {"AdvancedSecurityMode": "ENFORCED"}}),
        json!({"Policies": {"PasswordPolicy": {"PasswordHistorySize": 3}}}),
        json!({"VerificationMessageTemplate": {"DefaultEmailOption": "CONFIRM_WITH_LINK"}}),
    ] {
        world.admin("UpdateUserPool", member).await.refused("FeatureUnavailableInTierException", 400);
    }
    for member in [
        json!({"LambdaConfig": {}}),
        json!({"MfaConfiguration": "OFF"}),
        json!({"UserPoolAddOns": {"AdvancedSecurityMode": "OFF"}}),
    ] {
        world.admin("UpdateUserPool", member).await.ok();
    }
}

#[tokio::test]
async fn pools_are_listed_in_pages() {
    let world = World::new().await;
    for name in ["a", "b"] {
        world.app.admin().call("cognito-idp", "CreateUserPool", json!({"PoolName": name})).await.ok();
    }
    let (mut names, mut token) = (Vec::new(), json!(null));
    loop {
        let mut input = json!({"MaxResults": 2});
        if !token.is_null() {
            input["NextToken"] = token;
        }
        let page = world.app.admin().call("cognito-idp", "ListUserPools", input).await.ok().json();
        names.extend(page["UserPools"].as_array().unwrap().iter().map(|pool| text(&pool["Name"])));
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    names.sort();
    assert_eq!(names, ["a", "b", "notes"]);
    let elsewhere = world.app.admin().in_region("eu-west-1");
    let page = elsewhere.call("cognito-idp", "ListUserPools", json!({"MaxResults": 2})).await.ok().json();
    assert_eq!(page["UserPools"], json!([]));
    let forged = json!({"MaxResults": 2, "NextToken": "AAAA"});
    world
        .app
        .admin()
        .call("cognito-idp", "ListUserPools", forged)
        .await
        .refused("InvalidParameterException", 400);
}

#[tokio::test]
async fn a_pool_is_known_in_its_own_region_only() {
    let world = World::new().await;
    let elsewhere = world.app.admin().in_region("eu-west-1");
    let input = json!({"UserPoolId": world.pool});
    elsewhere.call("cognito-idp", "DescribeUserPool", input).await.refused("ResourceNotFoundException", 400);
}

#[tokio::test]
async fn a_deleted_pool_signs_nobody_in_and_verifies_nothing() {
    let world = World::new().await;
    world.user("ann").await;
    let tokens = world.tokens("ann").await;
    world.get_user(&text(&tokens["AccessToken"])).await.ok();
    world.admin("UpdateUserPool", json!({"DeletionProtection": "ACTIVE"})).await.ok();
    world.admin("DeleteUserPool", json!({})).await.refused("InvalidParameterException", 400);
    world.admin("UpdateUserPool", json!({"DeletionProtection": "INACTIVE"})).await.ok();
    world.admin("DeleteUserPool", json!({})).await.ok();
    world.get_user(&text(&tokens["AccessToken"])).await.refused("NotAuthorizedException", 400);
    world.sign_in("ann", PASSWORD).await.refused("ResourceNotFoundException", 400);
    world.admin("AdminGetUser", json!({"Username": "ann"})).await.refused("ResourceNotFoundException", 400);
    for _ in 0..2_000 {
        let rows = world.app.rows().await;
        let needle = b"ann@example.com";
        if !rows.iter().any(|(_, value)| value.windows(needle.len()).any(|window| window == needle)) {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the deleted pool's users are still in the store");
}

#[tokio::test]
async fn a_deleted_pool_leaves_no_client_however_large_they_are() {
    let world = World::new().await;
    // Together more than the store gives on one page, which is a MiB.
    let urls: Vec<String> =
        (0..100).map(|n| format!("https://{n}.example.com/{}", "x".repeat(990))).collect();
    for n in 0..12 {
        let client = json!({"ClientName": format!("c{n}"), "CallbackURLs": urls});
        world.admin("CreateUserPoolClient", client).await.ok();
    }
    let kept = async || {
        let rows = world.app.rows().await;
        rows.iter().filter(|(_, value)| value.windows(14).any(|window| window == b"42.example.com")).count()
    };
    assert_eq!(kept().await, 12);
    world.admin("DeleteUserPool", json!({})).await.ok();
    assert_eq!(kept().await, 0);
}

/// Notes who went, where a transaction that deletes users says so.
struct Noted;

impl UserGone for Noted {
    fn user_gone<'a>(&'a self, tx: &'a Tx, user: &'a GoneUser) -> BoxFuture<'a, Result<(), StoreError>> {
        let noted = tx.put(&Key::of("noted").str(&user.username), user.sub.clone().into_bytes());
        Box::pin(async move { noted })
    }
}

#[tokio::test]
async fn others_forget_a_user_who_is_deleted_and_those_of_a_deleted_pool() {
    let world = World::new().await;
    assert!(world.app.parts.needs.users_gone.set(vec![Arc::new(Noted)]).is_ok());
    let noted = async || {
        let rows = world.app.rows().await;
        let noted = Key::of("noted");
        rows.iter().filter(|(key, _)| key.starts_with(noted.as_bytes())).count()
    };
    for name in ["ann", "bob", "eve"] {
        world.user(name).await;
    }
    assert_eq!(noted().await, 0);
    world.admin("AdminDeleteUser", json!({"Username": "ann"})).await.ok();
    assert_eq!(noted().await, 1);
    world.admin("DeleteUserPool", json!({})).await.ok();
    for _ in 0..2_000 {
        if noted().await == 3 {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("nobody was told of the deleted pool's users");
}

#[tokio::test]
async fn tags_are_set_and_taken_away() {
    let world = World::new().await;
    let arn = format!("arn:aws:cognito-idp:us-east-1:123456789012:userpool/{}", world.pool);
    let admin = world.app.admin();
    let tags = json!({"ResourceArn": arn, "Tags": {"a": "1", "b": "2"}});
    admin.call("cognito-idp", "TagResource", tags).await.ok();
    let keys = json!({"ResourceArn": arn, "TagKeys": ["a"]});
    admin.call("cognito-idp", "UntagResource", keys).await.ok();
    let listed =
        admin.call("cognito-idp", "ListTagsForResource", json!({"ResourceArn": arn})).await.ok().json();
    assert_eq!(listed["Tags"], json!({"b": "2"}));
    let other = json!({"ResourceArn": arn.replace("123456789012", "210987654321")});
    admin.call("cognito-idp", "ListTagsForResource", other).await.refused("AccessDeniedException", 400);
    let elsewhere = json!({"ResourceArn": arn.replace("us-east-1", "eu-west-1")});
    admin
        .call("cognito-idp", "ListTagsForResource", elsewhere)
        .await
        .refused("ResourceNotFoundException", 400);
}

#[tokio::test]
async fn app_clients_are_made_changed_listed_and_deleted() {
    let world = World::new().await;
    let secret = world.new_client(json!({"GenerateSecret": true, "ClientName": "server"})).await;
    assert!(text(&secret["ClientSecret"]).len() >= 24);
    let input = json!({"ClientId": secret["ClientId"]});
    let described = world.admin("DescribeUserPoolClient", input.clone()).await.ok().json();
    assert_eq!(described["UserPoolClient"]["ClientSecret"], secret["ClientSecret"]);
    assert_eq!(described["UserPoolClient"]["PreventUserExistenceErrors"], "ENABLED");
    let change = json!({"ClientId": secret["ClientId"], "AccessTokenValidity": 5, "TokenValidityUnits":
        {"AccessToken": "minutes"}});
    let changed = world.admin("UpdateUserPoolClient", change).await.ok().json();
    assert_eq!(changed["UserPoolClient"]["ClientName"], "server");
    assert_eq!(changed["UserPoolClient"]["AccessTokenValidity"], 5);
    let listed = world.admin("ListUserPoolClients", json!({"MaxResults": 60})).await.ok().json();
    assert_eq!(listed["UserPoolClients"].as_array().unwrap().len(), 2);
    world.admin("DeleteUserPoolClient", input.clone()).await.ok();
    world.admin("DescribeUserPoolClient", input).await.refused("ResourceNotFoundException", 400);
}

#[tokio::test]
async fn a_client_cannot_ask_for_what_makes_no_sense() {
    let world = World::new().await;
    for members in [
        json!({"AccessTokenValidity": 1, "TokenValidityUnits": {"AccessToken": "seconds"}}),
        json!({"RefreshTokenValidity": 59, "TokenValidityUnits": {"RefreshToken": "minutes"}}),
        json!({"ReadAttributes": ["custom:unheard"]}),
        json!({"WriteAttributes": ["email_verified"]}),
        json!({"ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH", "USER_PASSWORD_AUTH"]}),
        json!({"ExplicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH"], "RefreshTokenRotation": {"Feature": "ENABLED"}}),
    ] {
        let mut asked = json!({"ClientName": "bad"});
        for (name, value) in members.as_object().unwrap() {
            asked[name] = value.clone();
        }
        world.admin("CreateUserPoolClient", asked).await.refused("InvalidParameterException", 400);
    }
}

#[tokio::test]
async fn custom_attributes_are_added_for_good() {
    let world = World::new().await;
    let plan = json!({"CustomAttributes": [{"Name": "plan", "AttributeDataType": "String"}]});
    world.admin("AddCustomAttributes", plan.clone()).await.ok();
    world.admin("AddCustomAttributes", plan).await.refused("InvalidParameterException", 400);
    world.user("ann").await;
    let set = json!({"Username": "ann", "UserAttributes": [{"Name": "custom:plan", "Value": "free"}]});
    world.admin("AdminUpdateUserAttributes", set).await.ok();
    assert_eq!(world.attributes("ann").await["custom:plan"], "free");
}

#[tokio::test]
async fn a_role_for_sms_needs_pass_role_and_its_trust() {
    let world = World::new().await;
    let sms = json!({"SmsConfiguration": {"SnsCallerArn": "arn:aws:iam::123456789012:role/nobody"}});
    world.admin("UpdateUserPool", sms).await.refused("InvalidParameterValueException", 400);
}

#[tokio::test]
async fn mfa_is_off() {
    let world = World::new().await;
    let mfa = world.admin("GetUserPoolMfaConfig", json!({})).await.ok().json();
    assert_eq!(mfa["MfaConfiguration"], "OFF");
}
