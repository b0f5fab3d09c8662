//! Answers do not tell whether a user exists (security decisions 13, 14 and 17).

use serde_json::{Value, json};

use crate::srp_client::SrpClient;
use crate::world::{PASSWORD, World, text};

const WRONG: &str = "Wrong-horse7";

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_are_answered_alike() {
    let world = World::new().await;
    world.user("ann").await;
    let known = world.sign_in("ann", WRONG).await.refused("NotAuthorizedException", 400);
    let unknown = world.sign_in("bob", WRONG).await.refused("NotAuthorizedException", 400);
    assert_eq!(known.text(), unknown.text());
}

#[tokio::test]
async fn an_unknown_name_locks_like_a_user() {
    let world = World::new().await;
    for name in ["bob", "carol"] {
        for _ in 0..5 {
            world.sign_in(name, WRONG).await.refused("NotAuthorizedException", 400);
        }
        let locked = world.sign_in(name, WRONG).await.refused("NotAuthorizedException", 400);
        assert_eq!(locked.message(), "Password attempts exceeded");
    }
    world.app.clock.advance_seconds(1);
    let again = world.sign_in("bob", WRONG).await;
    assert_eq!(again.message(), "Incorrect username or password.");
}

#[tokio::test]
async fn an_unknown_name_is_challenged_like_a_user() {
    let world = World::new().await;
    world.user("ann").await;
    let client = SrpClient::new(1);
    let known = client.open(&world, "ann").await.ok().json();
    let unknown = client.open(&world, "bob").await.ok().json();
    let shape = |challenge: &Value| {
        let parameters = challenge["ChallengeParameters"].as_object().unwrap();
        let names: Vec<String> = parameters.keys().cloned().collect();
        (names, text(&parameters["SALT"]).len(), challenge["ChallengeName"].clone())
    };
    assert_eq!(shape(&known), shape(&unknown));
    assert_eq!(unknown["ChallengeParameters"]["USER_ID_FOR_SRP"], "bob");
    let again = client.open(&world, "bob").await.ok().json();
    assert_eq!(again["ChallengeParameters"]["SALT"], unknown["ChallengeParameters"]["SALT"]);
    assert_ne!(again["ChallengeParameters"]["SRP_B"], unknown["ChallengeParameters"]["SRP_B"]);
    let answers = client.answers(&world, &unknown, PASSWORD);
    let refused = SrpClient::answer(&world, answers).await.refused("NotAuthorizedException", 400);
    assert_eq!(refused.message(), "Incorrect username or password.");
}

#[tokio::test]
async fn where_users_have_other_names_a_decoy_has_an_id_too() {
    let world = World::with(json!({"AliasAttributes": ["email"]}), json!({})).await;
    world.user("ann").await;
    let client = SrpClient::new(1);
    let mut ids = Vec::new();
    for name in ["ann", "ann@example.com", "bob", "bob@example.com"] {
        let challenge = client.open(&world, name).await.ok().json();
        let id = text(&challenge["ChallengeParameters"]["USER_ID_FOR_SRP"]);
        assert_eq!((id.len(), id.matches('-').count()), (36, 4), "{name}: {id}");
        ids.push(id);
    }
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[2], ids[3]);
}

#[tokio::test]
async fn a_decoy_tells_names_apart_as_the_pool_does() {
    for (pool, folds) in [
        (json!({}), false),
        (json!({"UsernameConfiguration": {"CaseSensitive": false}}), true),
        (json!({"AliasAttributes": ["email"]}), true),
    ] {
        let world = World::with(pool.clone(), json!({})).await;
        let client = SrpClient::new(1);
        let mut salts = Vec::new();
        for name in ["Bob@example.com", "bob@example.com"] {
            let challenge = client.open(&world, name).await.ok().json();
            salts.push(text(&challenge["ChallengeParameters"]["SALT"]));
        }
        assert_eq!(salts[0] == salts[1], folds, "{pool}");
    }
}

#[tokio::test]
async fn an_unknown_name_forgets_its_password_like_a_user() {
    let world = World::new().await;
    let forgot = json!({"Username": "bob"});
    let first = world.public("ForgotPassword", forgot.clone()).await.ok().json();
    let second = world.public("ForgotPassword", forgot.clone()).await.ok().json();
    assert_eq!(first, second);
    assert_eq!(first["CodeDeliveryDetails"]["AttributeName"], "email");
    assert!(world.app.messages.all().is_empty());
    assert_eq!(world.app.messages.pretended(), 2, "the work of sending is done for nobody too");
    for _ in 0..3 {
        world.public("ForgotPassword", forgot.clone()).await.ok();
    }
    world.public("ForgotPassword", forgot).await.refused("LimitExceededException", 400);
    let reset = json!({"Username": "bob", "ConfirmationCode": "123456", "Password": PASSWORD});
    for _ in 0..5 {
        world.public("ConfirmForgotPassword", reset.clone()).await.refused("CodeMismatchException", 400);
    }
    world.public("ConfirmForgotPassword", reset).await.refused("LimitExceededException", 400);
}

#[tokio::test]
async fn an_unknown_name_is_confirmed_by_nothing() {
    let world = World::new().await;
    world.public("ResendConfirmationCode", json!({"Username": "bob"})).await.ok();
    let confirm = json!({"Username": "bob", "ConfirmationCode": "123456"});
    world.public("ConfirmSignUp", confirm).await.refused("CodeMismatchException", 400);
    let carol = json!({"Username": "carol", "ConfirmationCode": "123456"});
    world.public("ConfirmSignUp", carol).await.refused("ExpiredCodeException", 400);
}

#[tokio::test]
async fn a_legacy_client_says_who_is_unknown() {
    let world = World::with(json!({}), json!({"PreventUserExistenceErrors": "LEGACY"})).await;
    world.sign_in("bob", WRONG).await.refused("UserNotFoundException", 400);
    SrpClient::new(1).open(&world, "bob").await.refused("UserNotFoundException", 400);
    world.public("ForgotPassword", json!({"Username": "bob"})).await.refused("UserNotFoundException", 400);
}

#[tokio::test]
async fn a_disabled_user_is_told_so_only_with_the_right_password() {
    let world = World::new().await;
    world.user("ann").await;
    world.admin("AdminDisableUser", json!({"Username": "ann"})).await.ok();
    let wrong = world.sign_in("ann", WRONG).await.refused("NotAuthorizedException", 400);
    assert_eq!(wrong.message(), "Incorrect username or password.");
    let right = world.sign_in("ann", PASSWORD).await.refused("NotAuthorizedException", 400);
    assert_eq!(right.message(), "User is disabled.");
}
