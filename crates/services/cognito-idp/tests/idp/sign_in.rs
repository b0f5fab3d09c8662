use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use homeport_testkit::Reply;
use serde_json::{Value, json};

use crate::srp_client::SrpClient;
use crate::world::{PASSWORD, World, claims, text};

#[tokio::test]
async fn srp_signs_in_who_knows_the_password() {
    let world = World::new().await;
    world.user("ann").await;
    let answer = SrpClient::sign_in(&world, "ann", PASSWORD).await.ok().json();
    let result = &answer["AuthenticationResult"];
    assert_eq!((&result["TokenType"], &result["ExpiresIn"]), (&json!("Bearer"), &json!(3_600)));
    world.get_user(&text(&result["AccessToken"])).await.ok();
    let wrong =
        SrpClient::sign_in(&world, "ann", "Wrong-horse7").await.refused("NotAuthorizedException", 400);
    assert_eq!(wrong.message(), "Incorrect username or password.");
}

#[tokio::test]
async fn a_secret_block_is_good_once() {
    let world = World::new().await;
    world.user("ann").await;
    let client = SrpClient::new(1);
    let challenge = client.open(&world, "ann").await.ok().json();
    let answers = client.answers(&world, &challenge, PASSWORD);
    let (one, other) =
        tokio::join!(SrpClient::answer(&world, answers.clone()), SrpClient::answer(&world, answers.clone()));
    assert_eq!([one, other].iter().filter(|reply| reply.status == 200).count(), 1);
    SrpClient::answer(&world, answers).await.refused("NotAuthorizedException", 400);
}

#[tokio::test]
async fn a_secret_block_lives_three_minutes() {
    let world = World::new().await;
    world.user("ann").await;
    let client = SrpClient::new(1);
    let challenge = client.open(&world, "ann").await.ok().json();
    let answers = client.answers(&world, &challenge, PASSWORD);
    world.app.clock.advance_seconds(180);
    SrpClient::answer(&world, answers).await.refused("NotAuthorizedException", 400);
}

#[tokio::test]
async fn a_secret_block_is_bound_to_client_and_user() {
    let world = World::new().await;
    world.user("ann").await;
    world.user("bob").await;
    let client = SrpClient::new(1);
    let challenge = client.open(&world, "ann").await.ok().json();
    let answers = client.answers(&world, &challenge, PASSWORD);
    let other = text(&world.new_client(json!({})).await["ClientId"]);
    let input =
        json!({"ClientId": other, "ChallengeName": "PASSWORD_VERIFIER", "ChallengeResponses": answers});
    let foreign = world.app.anonymous().call("cognito-idp", "RespondToAuthChallenge", input).await;
    foreign.refused("NotAuthorizedException", 400);
    let mut as_bob = answers.clone();
    as_bob["USERNAME"] = json!("bob");
    SrpClient::answer(&world, as_bob).await.refused("NotAuthorizedException", 400);
    let mut altered = answers.clone();
    let block = text(&answers["PASSWORD_CLAIM_SECRET_BLOCK"]);
    let mut bytes = STANDARD.decode(block).unwrap();
    bytes[60] ^= 1;
    altered["PASSWORD_CLAIM_SECRET_BLOCK"] = json!(STANDARD.encode(bytes));
    SrpClient::answer(&world, altered).await.refused("NotAuthorizedException", 400);
    SrpClient::answer(&world, answers).await.ok();
}

#[tokio::test]
async fn a_public_value_of_zero_is_refused() {
    let world = World::new().await;
    world.user("ann").await;
    for srp_a in ["0", "00", &"0".repeat(768), "xyz", &"f".repeat(768), &"f".repeat(2_000)] {
        let parameters = json!({"USERNAME": "ann", "SRP_A": srp_a});
        let input = json!({"AuthFlow": "USER_SRP_AUTH", "AuthParameters": parameters});
        world.public("InitiateAuth", input).await.refused("InvalidParameterException", 400);
    }
}

#[tokio::test]
async fn malformed_answers_are_refused() {
    let world = World::new().await;
    world.user("ann").await;
    let client = SrpClient::new(1);
    let challenge = client.open(&world, "ann").await.ok().json();
    let answers = client.answers(&world, &challenge, PASSWORD);
    let with = |name: &str, value: &str| {
        let mut changed = answers.clone();
        changed[name] = json!(value);
        SrpClient::answer(&world, changed)
    };
    with("TIMESTAMP", "now").await.refused("InvalidParameterException", 400);
    with("PASSWORD_CLAIM_SECRET_BLOCK", "AAAA").await.refused("NotAuthorizedException", 400);
    with("PASSWORD_CLAIM_SECRET_BLOCK", "").await.refused("InvalidParameterException", 400);
    with("PASSWORD_CLAIM_SIGNATURE", "%").await.refused("NotAuthorizedException", 400);
}

#[tokio::test]
async fn an_unanswered_challenge_leaves_no_row() {
    let world = World::new().await;
    world.user("ann").await;
    let before = world.app.rows().await;
    SrpClient::new(1).open(&world, "ann").await.ok();
    SrpClient::new(1).open(&world, "bob").await.ok();
    assert!(before == world.app.rows().await);
}

#[tokio::test]
async fn flows_that_a_client_does_not_allow_are_refused() {
    let world = World::with(json!({}), json!({"ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH"]})).await;
    world.user("ann").await;
    world.sign_in("ann", PASSWORD).await.refused("InvalidParameterException", 400);
    world.refresh("x").await.refused("InvalidParameterException", 400);
    SrpClient::sign_in(&world, "ann", PASSWORD).await.ok();
    for flow in ["CUSTOM_AUTH", "ADMIN_USER_PASSWORD_AUTH", "USER_AUTH"] {
        let input = json!({"AuthFlow": flow, "AuthParameters": {"USERNAME": "ann"}});
        world.public("InitiateAuth", input).await.refused("InvalidParameterException", 400);
    }
}

#[tokio::test]
async fn a_client_that_names_no_flow_allows_srp_and_refresh() {
    let world = World::with(json!({}), json!({"ExplicitAuthFlows": null})).await;
    world.user("ann").await;
    world.sign_in("ann", PASSWORD).await.refused("InvalidParameterException", 400);
    let answer = SrpClient::sign_in(&world, "ann", PASSWORD).await.ok().json();
    world.refresh(&text(&answer["AuthenticationResult"]["RefreshToken"])).await.ok();
}

async fn admin_sign_in(world: &World, caller: homeport_testkit::TestCaller) -> Reply {
    let input = json!({"UserPoolId": world.pool, "ClientId": world.client,
        "AuthFlow": "ADMIN_USER_PASSWORD_AUTH", "AuthParameters": {"USERNAME": "ann", "PASSWORD": PASSWORD}});
    caller.call("cognito-idp", "AdminInitiateAuth", input).await
}

#[tokio::test]
async fn a_server_with_credentials_signs_a_user_in() {
    let world = World::new().await;
    world.user("ann").await;
    let answer = admin_sign_in(&world, world.app.admin()).await.ok().json();
    world.get_user(&text(&answer["AuthenticationResult"]["AccessToken"])).await.ok();
    admin_sign_in(&world, world.app.stranger()).await.refused("AccessDeniedException", 400);
}

#[tokio::test]
async fn a_permission_on_one_pool_is_none_on_another() {
    let world = World::new().await;
    world.user("ann").await;
    let on = |pool: &str| {
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "cognito-idp:AdminGetUser",
            "Resource": format!("arn:aws:cognito-idp:us-east-1:123456789012:userpool/{pool}")}]})
        .to_string()
    };
    let here = world.app.user("here", &[&on(&world.pool)]);
    let there = world.app.user("there", &[&on("us-east-1_AnotherOne")]);
    let input = json!({"UserPoolId": world.pool, "Username": "ann"});
    here.call("cognito-idp", "AdminGetUser", input.clone()).await.ok();
    there.call("cognito-idp", "AdminGetUser", input).await.refused("AccessDeniedException", 400);
}

fn secret_hash(secret: &str, name: &str, client: &str) -> String {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
    STANDARD.encode(aws_lc_rs::hmac::sign(&key, format!("{name}{client}").as_bytes()))
}

#[tokio::test]
async fn a_client_with_a_secret_proves_it_with_each_call() {
    let world = World::new().await;
    world.user("ann").await;
    let client = world.new_client(json!({"GenerateSecret": true})).await;
    let (id, secret) = (text(&client["ClientId"]), text(&client["ClientSecret"]));
    let sign_in = |hash: Value| {
        let mut parameters = json!({"USERNAME": "ann", "PASSWORD": PASSWORD});
        if !hash.is_null() {
            parameters["SECRET_HASH"] = hash;
        }
        let input = json!({"ClientId": id, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters});
        let caller = world.app.anonymous();
        async move { caller.call("cognito-idp", "InitiateAuth", input).await }
    };
    sign_in(json!(null)).await.refused("NotAuthorizedException", 400);
    sign_in(json!(secret_hash(&secret, "bob", &id))).await.refused("NotAuthorizedException", 400);
    sign_in(json!(secret_hash("guessed", "ann", &id))).await.refused("NotAuthorizedException", 400);
    let answer = sign_in(json!(secret_hash(&secret, "ann", &id))).await.ok().json();
    let refresh = |hash: String| {
        let token = answer["AuthenticationResult"]["RefreshToken"].clone();
        let input = json!({"ClientId": id, "AuthFlow": "REFRESH_TOKEN_AUTH",
            "AuthParameters": {"REFRESH_TOKEN": token, "SECRET_HASH": hash}});
        let caller = world.app.anonymous();
        async move { caller.call("cognito-idp", "InitiateAuth", input).await }
    };
    refresh(secret_hash(&secret, "bob", &id)).await.refused("NotAuthorizedException", 400);
    refresh(secret_hash(&secret, "ann", &id)).await.ok();
    let bare = json!({"Username": "bob", "Password": PASSWORD, "ClientId": id});
    world.app.anonymous().call("cognito-idp", "SignUp", bare).await.refused("NotAuthorizedException", 400);
}

#[tokio::test]
async fn a_hash_without_a_secret_is_wrong() {
    let world = World::new().await;
    world.user("ann").await;
    let parameters = json!({"USERNAME": "ann", "PASSWORD": PASSWORD, "SECRET_HASH": "AAAA"});
    let input = json!({"AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters});
    world.public("InitiateAuth", input).await.refused("NotAuthorizedException", 400);
}

#[tokio::test]
async fn an_unknown_client_signs_nobody_in() {
    let world = World::new().await;
    let input = json!({"ClientId": "0123456789abcdefghijklmnop", "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": {"USERNAME": "ann", "PASSWORD": PASSWORD}});
    let reply = world.app.anonymous().call("cognito-idp", "InitiateAuth", input).await;
    reply.refused("ResourceNotFoundException", 400);
}

#[tokio::test]
async fn a_password_beyond_all_length_is_not_hashed() {
    let world = World::new().await;
    world.user("ann").await;
    for _ in 0..10 {
        world.sign_in("ann", &"x".repeat(257)).await.refused("NotAuthorizedException", 400);
    }
    world.sign_in("ann", PASSWORD).await.ok();
}

#[tokio::test]
async fn auth_time_is_the_sign_ins_and_not_the_refreshs() {
    let world = World::new().await;
    world.user("ann").await;
    let tokens = world.tokens("ann").await;
    let signed_in = claims(&tokens["AccessToken"])["auth_time"].clone();
    world.app.clock.advance_seconds(60);
    let refreshed = world.refresh(&text(&tokens["RefreshToken"])).await.ok().json();
    let claims = claims(&refreshed["AuthenticationResult"]["AccessToken"]);
    assert_eq!(claims["auth_time"], signed_in);
    assert_ne!(claims["iat"], signed_in);
}
