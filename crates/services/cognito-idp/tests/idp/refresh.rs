use serde_json::json;

use crate::world::{World, claims, text};

#[tokio::test]
async fn a_refresh_token_gives_new_tokens_of_the_same_sign_in() {
    let world = World::new().await;
    world.user("ann").await;
    let tokens = world.tokens("ann").await;
    let result =
        world.refresh(&text(&tokens["RefreshToken"])).await.ok().json()["AuthenticationResult"].take();
    assert!(result.get("RefreshToken").is_none());
    let (before, after) = (claims(&tokens["AccessToken"]), claims(&result["AccessToken"]));
    assert_eq!(before["origin_jti"], after["origin_jti"]);
    assert_ne!(before["jti"], after["jti"]);
    world.get_user(&text(&result["AccessToken"])).await.ok();
}

#[tokio::test]
async fn what_is_no_refresh_token_refreshes_nothing() {
    let world = World::new().await;
    world.user("ann").await;
    let tokens = world.tokens("ann").await;
    for token in ["x", &text(&tokens["AccessToken"]), &text(&tokens["IdToken"]), &"x".repeat(5_000)] {
        world.refresh(token).await.refused("NotAuthorizedException", 400);
    }
}

#[tokio::test]
async fn a_refresh_token_of_one_client_is_none_of_another() {
    let world = World::new().await;
    world.user("ann").await;
    let tokens = world.tokens("ann").await;
    let other = text(&world.new_client(json!({})).await["ClientId"]);
    let input = json!({"ClientId": other, "AuthFlow": "REFRESH_TOKEN_AUTH",
        "AuthParameters": {"REFRESH_TOKEN": tokens["RefreshToken"]}});
    world
        .app
        .anonymous()
        .call("cognito-idp", "InitiateAuth", input)
        .await
        .refused("NotAuthorizedException", 400);
    let revoke = json!({"ClientId": other, "Token": tokens["RefreshToken"]});
    world
        .app
        .anonymous()
        .call("cognito-idp", "RevokeToken", revoke)
        .await
        .refused("UnauthorizedException", 400);
    world.refresh(&text(&tokens["RefreshToken"])).await.ok();
}

#[tokio::test]
async fn a_refresh_token_expires() {
    let client = json!({"RefreshTokenValidity": 60, "TokenValidityUnits": {"RefreshToken": "minutes"}});
    let world = World::with(json!({}), client).await;
    world.user("ann").await;
    let tokens = world.tokens("ann").await;
    world.app.clock.advance_seconds(3_599);
    world.refresh(&text(&tokens["RefreshToken"])).await.ok();
    world.app.clock.advance_seconds(1);
    world.refresh(&text(&tokens["RefreshToken"])).await.refused("NotAuthorizedException", 400);
}

#[tokio::test]
async fn a_revoked_sign_in_ends_with_all_its_tokens() {
    let world = World::new().await;
    world.user("ann").await;
    let (revoked, other) = (world.tokens("ann").await, world.tokens("ann").await);
    world.public("RevokeToken", json!({"Token": revoked["RefreshToken"]})).await.ok();
    world.refresh(&text(&revoked["RefreshToken"])).await.refused("NotAuthorizedException", 400);
    let get = world.get_user(&text(&revoked["AccessToken"])).await.refused("NotAuthorizedException", 400);
    assert_eq!(get.message(), "Access Token has been revoked");
    world.get_user(&text(&other["AccessToken"])).await.ok();
    world.refresh(&text(&other["RefreshToken"])).await.ok();
}

#[tokio::test]
async fn revoking_what_is_no_token_is_no_error_and_an_access_token_is_one() {
    let world = World::new().await;
    world.user("ann").await;
    let tokens = world.tokens("ann").await;
    world.public("RevokeToken", json!({"Token": "unheard-of"})).await.ok();
    let access = json!({"Token": tokens["AccessToken"]});
    world.public("RevokeToken", access).await.refused("UnsupportedTokenTypeException", 400);
    world.get_user(&text(&tokens["AccessToken"])).await.ok();
}

#[tokio::test]
async fn a_client_without_revocation_revokes_nothing() {
    let world = World::with(json!({}), json!({"EnableTokenRevocation": false})).await;
    world.user("ann").await;
    let tokens = world.tokens("ann").await;
    let revoke = json!({"Token": tokens["RefreshToken"]});
    world.public("RevokeToken", revoke).await.refused("UnsupportedOperationException", 400);
}

#[tokio::test]
async fn rotation_replaces_the_token_and_leaves_a_grace() {
    let client = json!({"ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"],
        "RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 10}});
    let world = World::with(json!({}), client).await;
    world.user("ann").await;
    let first = text(&world.tokens("ann").await["RefreshToken"]);
    let rotate = |token: String| world.public("GetTokensFromRefreshToken", json!({"RefreshToken": token}));
    let second = text(&rotate(first.clone()).await.ok().json()["AuthenticationResult"]["RefreshToken"]);
    assert_ne!(first, second);
    world.app.clock.advance_seconds(9);
    rotate(first.clone()).await.ok();
    world.app.clock.advance_seconds(11);
    rotate(first).await.refused("NotAuthorizedException", 400);
    world.refresh(&second).await.refused("InvalidParameterException", 400);
}

#[tokio::test]
async fn refresh_tokens_are_nowhere_in_plain_text() {
    let world = World::new().await;
    world.user("ann").await;
    let token = text(&world.tokens("ann").await["RefreshToken"]);
    for (key, value) in world.app.rows().await {
        let holds = |bytes: &[u8]| bytes.windows(token.len()).any(|window| window == token.as_bytes());
        assert!(!holds(&key) && !holds(&value), "{}", String::from_utf8_lossy(&key));
    }
}

#[tokio::test]
async fn sessions_that_have_ended_are_cleared_away() {
    let client = json!({"RefreshTokenValidity": 60, "TokenValidityUnits": {"RefreshToken": "minutes"}});
    let world = World::with(json!({}), client).await;
    world.user("ann").await;
    let prefix = homeport_store::Key::of("cognito-idp.sessions").as_bytes().to_vec();
    for _ in 0..3 {
        world.tokens("ann").await;
    }
    world.app.clock.advance_seconds(3_600);
    world.tokens("ann").await;
    let rows = world.app.rows().await;
    assert_eq!(rows.iter().filter(|(key, _)| key.starts_with(&prefix)).count(), 1);
}
