use serde_json::json;

use crate::world::{World, claims, text};

const REVOKED: &str = "Refresh Token has been revoked";
const INVALID: &str = "Invalid Refresh Token.";

/// Why a refresh token gives nothing.
async fn refusal(world: &World, token: &str) -> String {
    world.refresh(token).await.refused("NotAuthorizedException", 400).message()
}

/// The rows that are kept of revoked tokens.
async fn revocations(world: &World) -> usize {
    let table = homeport_store::Key::of("cognito-idp.revocations");
    world.app.rows().await.iter().filter(|(key, _)| key.starts_with(table.as_bytes())).count()
}

/// Waits for what a sweep removes beside the call.
async fn forgotten(world: &World) {
    for _ in 0..2_000 {
        if revocations(world).await == 0 {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("revoked tokens are still in the store");
}

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
    assert_eq!(refusal(&world, &text(&revoked["RefreshToken"])).await, REVOKED);
    assert_eq!(refusal(&world, "unheard-of").await, INVALID);
    let get = world.get_user(&text(&revoked["AccessToken"])).await.refused("NotAuthorizedException", 400);
    assert_eq!(get.message(), "Access Token has been revoked");
    world.get_user(&text(&other["AccessToken"])).await.ok();
    world.refresh(&text(&other["RefreshToken"])).await.ok();
}

#[tokio::test]
async fn a_client_learns_nothing_of_what_another_revoked() {
    let world = World::new().await;
    world.user("ann").await;
    let token = text(&world.tokens("ann").await["RefreshToken"]);
    world.public("RevokeToken", json!({"Token": token})).await.ok();
    let other = text(&world.new_client(json!({})).await["ClientId"]);
    let refused = async |client: &str| {
        let input = json!({"ClientId": client, "RefreshToken": token});
        let reply = world.app.anonymous().call("cognito-idp", "GetTokensFromRefreshToken", input).await;
        reply.refused("NotAuthorizedException", 400).message()
    };
    assert_eq!(refused(&world.client).await, REVOKED);
    assert_eq!(refused(&other).await, INVALID);
}

#[tokio::test]
async fn signing_out_everywhere_revokes_every_refresh_token() {
    let world = World::new().await;
    world.user("ann").await;
    for by_administrator in [false, true] {
        let (one, other) = (world.tokens("ann").await, world.tokens("ann").await);
        if by_administrator {
            world.admin("AdminUserGlobalSignOut", json!({"Username": "ann"})).await.ok();
        } else {
            world.own("GlobalSignOut", &text(&one["AccessToken"]), json!({})).await.ok();
        }
        for tokens in [&one, &other] {
            assert_eq!(refusal(&world, &text(&tokens["RefreshToken"])).await, REVOKED);
        }
        world.app.clock.advance_seconds(1);
        let new = world.tokens("ann").await;
        world.refresh(&text(&new["RefreshToken"])).await.ok();
    }
}

#[tokio::test]
async fn both_tokens_of_a_rotation_are_revoked() {
    let client = json!({"ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"],
        "RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 60}});
    let world = World::with(json!({}), client).await;
    world.user("ann").await;
    let first = text(&world.tokens("ann").await["RefreshToken"]);
    let rotate = |token: &str| world.public("GetTokensFromRefreshToken", json!({"RefreshToken": token}));
    let second = text(&rotate(&first).await.ok().json()["AuthenticationResult"]["RefreshToken"]);
    world.public("RevokeToken", json!({"Token": second})).await.ok();
    for token in [&first, &second] {
        assert_eq!(rotate(token).await.refused("NotAuthorizedException", 400).message(), REVOKED);
    }
}

#[tokio::test]
async fn a_revoked_token_is_forgotten_when_it_has_expired() {
    let client = json!({"RefreshTokenValidity": 60, "TokenValidityUnits": {"RefreshToken": "minutes"}});
    let world = World::with(json!({}), client).await;
    world.user("ann").await;
    let token = text(&world.tokens("ann").await["RefreshToken"]);
    world.public("RevokeToken", json!({"Token": token})).await.ok();
    world.app.clock.advance_seconds(3_599);
    assert_eq!(refusal(&world, &token).await, REVOKED);
    world.app.clock.advance_seconds(1);
    assert_eq!(refusal(&world, &token).await, INVALID);
    assert_eq!(revocations(&world).await, 1);
    // The next day's first sign-in sweeps: what has expired goes, what has not stays.
    world.app.clock.advance_seconds(86_400);
    let late = text(&world.tokens("ann").await["RefreshToken"]);
    world.public("RevokeToken", json!({"Token": late})).await.ok();
    for _ in 0..2_000 {
        if revocations(&world).await == 1 {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!((refusal(&world, &late).await.as_str(), revocations(&world).await), (REVOKED, 1));
}

#[tokio::test]
async fn a_deleted_pool_forgets_what_was_revoked() {
    let world = World::new().await;
    world.user("ann").await;
    let token = text(&world.tokens("ann").await["RefreshToken"]);
    world.public("RevokeToken", json!({"Token": token})).await.ok();
    assert_eq!(revocations(&world).await, 1);
    world.admin("DeleteUserPool", json!({})).await.ok();
    forgotten(&world).await;
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
