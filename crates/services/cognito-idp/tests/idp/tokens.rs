use homeport_jwt::SigningKey;
use homeport_service::needs::{TokenRefused, TokenUse};
use serde_json::{Value, json};

use crate::world::{PASSWORD, World, claims, text};

#[tokio::test]
async fn tokens_have_cognitos_claims() {
    let world = World::new().await;
    let sub = world.user("ann").await;
    let tokens = world.tokens("ann").await;
    let (access, id) = (claims(&tokens["AccessToken"]), claims(&tokens["IdToken"]));
    let issuer = format!("http://127.0.0.1:4566/{}", world.pool);
    for token in [&access, &id] {
        assert_eq!((&token["iss"], &token["sub"]), (&json!(issuer), &json!(sub)));
        assert_eq!(token["exp"].as_i64().unwrap() - token["iat"].as_i64().unwrap(), 3_600);
        for name in ["origin_jti", "event_id", "jti"] {
            assert_eq!(text(&token[name]).len(), 36, "{name}");
        }
    }
    assert_eq!(access["origin_jti"], id["origin_jti"]);
    assert_eq!((&access["token_use"], &access["client_id"]), (&json!("access"), &json!(world.client)));
    assert_eq!(
        (&access["scope"], &access["username"]),
        (&json!("aws.cognito.signin.user.admin"), &json!("ann"))
    );
    assert!(access.get("aud").is_none() && access.get("email").is_none());
    assert_eq!((&id["token_use"], &id["aud"]), (&json!("id"), &json!(world.client)));
    assert_eq!((&id["cognito:username"], &id["email_verified"]), (&json!("ann"), &json!(true)));
    assert!(id.get("scope").is_none() && id.get("client_id").is_none());
}

#[tokio::test]
async fn validity_is_the_clients() {
    let units = json!({"AccessToken": "minutes", "IdToken": "hours"});
    let client = json!({"AccessTokenValidity": 10, "IdTokenValidity": 2, "TokenValidityUnits": units});
    let world = World::with(json!({}), client).await;
    world.user("ann").await;
    let tokens = world.tokens("ann").await;
    assert_eq!(tokens["ExpiresIn"], 600);
    let life =
        |token: &Value| claims(token)["exp"].as_i64().unwrap() - claims(token)["iat"].as_i64().unwrap();
    assert_eq!((life(&tokens["AccessToken"]), life(&tokens["IdToken"])), (600, 7_200));
    world.app.clock.advance_seconds(599);
    world.get_user(&text(&tokens["AccessToken"])).await.ok();
    world.app.clock.advance_seconds(1);
    let expired = world.get_user(&text(&tokens["AccessToken"])).await.refused("NotAuthorizedException", 400);
    assert_eq!(expired.message(), "Access Token has expired");
}

#[tokio::test]
async fn a_pool_may_carry_awss_issuer_and_is_known_by_all_names() {
    let world = World::with(json!({"IssuerConfiguration": {"Type": "ORIGINAL"}}), json!({})).await;
    world.user("ann").await;
    let tokens = world.tokens("ann").await;
    let issuer = format!("https://cognito-idp.us-east-1.amazonaws.com/{}", world.pool);
    assert_eq!(claims(&tokens["IdToken"])["iss"], issuer);
    world.get_user(&text(&tokens["AccessToken"])).await.ok();
    assert_eq!(world.verifier().pool_of_issuer(&issuer).as_deref(), Some(world.pool.as_str()));
}

/// Every kind of token in the place where another is asked for.
#[tokio::test]
async fn each_place_takes_its_own_kind_of_token() {
    let world = World::new().await;
    world.user("ann").await;
    let tokens = world.tokens("ann").await;
    for name in ["IdToken", "RefreshToken"] {
        world.get_user(&text(&tokens[name])).await.refused("NotAuthorizedException", 400);
    }
    let kinds =
        [("IdToken", Some(TokenUse::Id)), ("AccessToken", Some(TokenUse::Access)), ("RefreshToken", None)];
    for (name, kind) in kinds {
        for place in [TokenUse::Id, TokenUse::Access] {
            let token = text(&tokens[name]);
            let verdict = world.verifier().verify_token(&token, place, &[], true).await;
            assert_eq!(verdict.is_ok(), kind == Some(place), "{name} as {place:?}");
        }
    }
}

#[tokio::test]
async fn a_token_is_verified_for_the_pools_that_are_accepted() {
    let world = World::new().await;
    world.user("ann").await;
    let token = text(&world.tokens("ann").await["IdToken"]);
    let arn = format!("arn:aws:cognito-idp:us-east-1:123456789012:userpool/{}", world.pool);
    for accepted in [vec![world.pool.clone()], vec![arn], vec!["us-east-1_Other".into(), world.pool.clone()]]
    {
        let verified = world.verifier().verify_token(&token, TokenUse::Id, &accepted, true).await.unwrap();
        assert_eq!(
            (verified.user_pool_id.as_str(), verified.username.as_str()),
            (world.pool.as_str(), "ann")
        );
        assert_eq!(verified.client_id, world.client);
    }
    let foreign = vec!["us-east-1_Other".to_owned()];
    let refused = world.verifier().verify_token(&token, TokenUse::Id, &foreign, true).await;
    assert!(matches!(refused, Err(TokenRefused::Invalid)));
}

#[tokio::test]
async fn forged_tokens_are_refused() {
    use base64::Engine;
    let encode = |bytes: &[u8]| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
    let world = World::new().await;
    world.user("ann").await;
    let good = text(&world.tokens("ann").await["AccessToken"]);
    let parts: Vec<&str> = good.split('.').collect();
    let foreign = SigningKey::generate().unwrap();
    let mut other_claims = claims(&json!(good));
    other_claims["username"] = json!("bob");
    let none = encode(br#"{"alg":"none"}"#);
    let forged = [
        foreign.sign(&claims(&json!(good))).unwrap(),
        format!("{}.{}.{}", parts[0], encode(other_claims.to_string().as_bytes()), parts[2]),
        format!("{none}.{}.", parts[1]),
        format!("{}.{}.", parts[0], parts[1]),
        good[..good.len() - 4].to_owned(),
        format!("{good}AAAA"),
    ];
    for token in forged {
        world.get_user(&token).await.refused("NotAuthorizedException", 400);
        let verdict = world.verifier().verify_token(&token, TokenUse::Access, &[], false).await;
        assert!(verdict.is_err(), "{token}");
    }
    world.get_user(&good).await.ok();
}

#[tokio::test]
async fn a_foreign_pools_token_is_no_token_of_ours() {
    let (world, other) = (World::new().await, World::new().await);
    other.user("ann").await;
    world.user("ann").await;
    let token = text(&other.tokens("ann").await["AccessToken"]);
    world.get_user(&token).await.refused("NotAuthorizedException", 400);
}

#[tokio::test]
async fn a_deleted_clients_tokens_verify_no_more() {
    let world = World::new().await;
    world.user("ann").await;
    let token = text(&world.tokens("ann").await["IdToken"]);
    assert!(world.verifier().verify_token(&token, TokenUse::Id, &[], false).await.is_ok());
    world.admin("DeleteUserPoolClient", json!({"ClientId": world.client})).await.ok();
    assert!(world.verifier().verify_token(&token, TokenUse::Id, &[], false).await.is_err());
}

/// Who remembers verified tokens forgets them with it: every change counts, and what users do all day does not.
#[tokio::test]
async fn the_epoch_of_pools_moves_with_pools_and_clients_alone() {
    let world = World::new().await;
    let epoch = || world.verifier().pools_epoch();
    let made = epoch();
    world.user("ann").await;
    let tokens = world.tokens("ann").await;
    world.get_user(&text(&tokens["AccessToken"])).await.ok();
    world.refresh(&text(&tokens["RefreshToken"])).await.ok();
    assert_eq!(epoch(), made);
    let changes = [
        ("UpdateUserPool", json!({})),
        ("DeleteUserPoolClient", json!({"ClientId": world.client})),
        ("DeleteUserPool", json!({})),
    ];
    for (operation, input) in changes {
        let before = epoch();
        world.admin(operation, input).await.ok();
        assert!(epoch() > before, "{operation}");
    }
}

/// What ends a user's tokens at once, and that nothing else of theirs does.
#[tokio::test]
async fn whoever_is_signed_out_disabled_or_deleted_is_refused_at_once() {
    for (operation, gone) in
        [("AdminUserGlobalSignOut", false), ("AdminDisableUser", true), ("AdminDeleteUser", true)]
    {
        let world = World::new().await;
        let sub = world.user("ann").await;
        world.user("bob").await;
        let (anns, bobs) = (world.tokens("ann").await, world.tokens("bob").await);
        let origin = text(&claims(&anns["IdToken"])["origin_jti"]);
        let now = homeport_core::Clock::now(&*world.app.clock);
        assert!(world.verifier().sign_in_stands(&world.pool, &sub, &origin, now).await.unwrap());
        world.admin(operation, json!({"Username": "ann"})).await.ok();
        world.get_user(&text(&anns["AccessToken"])).await.refused("NotAuthorizedException", 400);
        world.refresh(&text(&anns["RefreshToken"])).await.refused("NotAuthorizedException", 400);
        let verdict = world.verifier().verify_token(&text(&anns["IdToken"]), TokenUse::Id, &[], true).await;
        assert!(matches!(verdict, Err(TokenRefused::Revoked)), "{operation}");
        assert!(!world.verifier().sign_in_stands(&world.pool, &sub, &origin, now).await.unwrap());
        world.get_user(&text(&bobs["AccessToken"])).await.ok();
        assert_eq!(world.sign_in("ann", PASSWORD).await.status == 200, !gone, "{operation}");
    }
}

#[tokio::test]
async fn who_signs_out_everywhere_can_sign_in_again() {
    let world = World::new().await;
    world.user("ann").await;
    let tokens = world.tokens("ann").await;
    world.own("GlobalSignOut", &text(&tokens["AccessToken"]), json!({})).await.ok();
    world.get_user(&text(&tokens["AccessToken"])).await.refused("NotAuthorizedException", 400);
    let again = world.tokens("ann").await;
    world.get_user(&text(&again["AccessToken"])).await.ok();
}

#[tokio::test]
async fn a_pool_opts_in_to_revocation_at_gateways() {
    let world = World::new().await;
    assert!(!world.verifier().revokes_at_gateways(&world.pool).await.unwrap());
    world
        .admin("UpdateUserPool", json!({"UserPoolTags": {"homeport:revoke-at-gateways": "true"}}))
        .await
        .ok();
    assert!(world.verifier().revokes_at_gateways(&world.pool).await.unwrap());
    assert!(!world.verifier().revokes_at_gateways("us-east-1_Unheard").await.unwrap());
}

#[tokio::test]
async fn signing_keys_are_nowhere_in_plain_text() {
    let world = World::new().await;
    for (_, value) in world.app.rows().await {
        // What every PKCS#8 RSA key holds: the object identifier of rsaEncryption.
        let oid = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
        assert!(!value.windows(oid.len()).any(|window| window == oid));
    }
}

/// The names of the keys that a pool publishes.
async fn published(world: &World) -> Vec<String> {
    let path = format!("/{}/.well-known/jwks.json", world.pool);
    let keys = world.app.anonymous().send("", "GET", &path, &[], b"").await.ok().json()["keys"].take();
    keys.as_array().unwrap().iter().map(|key| text(&key["kid"])).collect()
}

/// Signs in until the change that it sets off is seen, since it happens beside the call.
pub(crate) async fn published_once(world: &World, is_so: impl Fn(&[String]) -> bool) -> Vec<String> {
    for _ in 0..2_000 {
        world.tokens("ann").await;
        let keys = published(world).await;
        if is_so(&keys) {
            return keys;
        }
    }
    panic!("the keys were not changed");
}

#[tokio::test]
async fn keys_are_replaced_with_overlap_and_then_deleted() {
    let world = World::new().await;
    world.user("ann").await;
    let first = published(&world).await;
    world.app.clock.advance_seconds(90 * 86_400 - 60);
    let old = text(&world.tokens("ann").await["AccessToken"]);
    assert_eq!(published(&world).await, first);
    world.app.clock.advance_seconds(60);
    let both = published_once(&world, |keys| keys.len() == 2).await;
    assert_eq!(both[1], first[0]);
    world.get_user(&old).await.ok();
    let new = text(&world.tokens("ann").await["AccessToken"]);
    world.get_user(&new).await.ok();
    world.app.clock.advance_seconds(86_400);
    let last = published_once(&world, |keys| keys.len() == 1).await;
    assert_eq!(last[0], both[0]);
}

/// The keys that are stored, published or not.
async fn stored(world: &World) -> usize {
    let table = homeport_store::Key::of("cognito-idp.keys");
    let rows = world.app.rows().await;
    let (_, row) = rows.iter().find(|(key, _)| key.starts_with(table.as_bytes())).unwrap();
    let record: Value = serde_json::from_slice(&row[2..]).unwrap();
    record["keys"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_retired_key_goes_by_the_clock_though_nobody_signs_in() {
    let world = World::new().await;
    world.user("ann").await;
    world.app.clock.advance_seconds(90 * 86_400);
    let both = published_once(&world, |keys| keys.len() == 2).await;
    let token = text(&world.tokens("ann").await["AccessToken"]);
    world.app.clock.advance_seconds(86_399);
    assert_eq!(published(&world).await, both);
    world.app.clock.advance_seconds(1);
    assert_eq!(published(&world).await, both[..1]);
    assert_eq!(stored(&world).await, 2);
    // Whoever asks for the keys on the next day sets that day's sweep off.
    world.app.clock.advance_seconds(86_400);
    for _ in 0..2_000 {
        assert_eq!(published(&world).await, both[..1]);
        if stored(&world).await == 1 {
            break;
        }
    }
    assert_eq!(stored(&world).await, 1);
    world.get_user(&token).await.refused("NotAuthorizedException", 400);
    let new = text(&world.tokens("ann").await["AccessToken"]);
    world.get_user(&new).await.ok();
}
