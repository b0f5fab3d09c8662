use serde_json::json;

use crate::srp_client::SrpClient;
use crate::world::{PASSWORD, World, text};

const NEXT: &str = "Correct-horse8";

#[tokio::test]
async fn a_forgotten_password_is_replaced_with_the_code() {
    let world = World::new().await;
    world.user("ann").await;
    let told = world.public("ForgotPassword", json!({"Username": "ann"})).await.ok().json();
    assert_eq!(told["CodeDeliveryDetails"]["Destination"], "a***@e***");
    let code = world.code("ann");
    let reset = |password: &str| json!({"Username": "ann", "ConfirmationCode": code, "Password": password});
    world.public("ConfirmForgotPassword", reset("weak")).await.refused("InvalidPasswordException", 400);
    world.public("ConfirmForgotPassword", reset(NEXT)).await.ok();
    world.sign_in("ann", PASSWORD).await.refused("NotAuthorizedException", 400);
    world.sign_in("ann", NEXT).await.ok();
    SrpClient::sign_in(&world, "ann", NEXT).await.ok();
    SrpClient::sign_in(&world, "ann", PASSWORD).await.refused("NotAuthorizedException", 400);
}

#[tokio::test]
async fn a_user_changes_their_own_password() {
    let world = World::new().await;
    world.user("ann").await;
    let token = text(&world.tokens("ann").await["AccessToken"]);
    let change = |from: &str, to: &str| {
        world.own("ChangePassword", &token, json!({"PreviousPassword": from, "ProposedPassword": to}))
    };
    change(NEXT, NEXT).await.refused("NotAuthorizedException", 400);
    change(PASSWORD, "weak-one").await.refused("InvalidPasswordException", 400);
    world.sign_in("ann", PASSWORD).await.ok();
    let token = text(&world.tokens("ann").await["AccessToken"]);
    let input = json!({"PreviousPassword": PASSWORD, "ProposedPassword": NEXT});
    world.own("ChangePassword", &token, input).await.ok();
    world.sign_in("ann", PASSWORD).await.refused("NotAuthorizedException", 400);
    world.sign_in("ann", NEXT).await.ok();
}

#[tokio::test]
async fn a_password_that_changed_meanwhile_ends_a_sign_in_under_way() {
    let world = World::new().await;
    world.user("ann").await;
    let client = SrpClient::new(1);
    let challenge = client.open(&world, "ann").await.ok().json();
    let answers = client.answers(&world, &challenge, PASSWORD);
    let set = json!({"Username": "ann", "Password": NEXT, "Permanent": true});
    world.admin("AdminSetUserPassword", set).await.ok();
    SrpClient::answer(&world, answers).await.refused("NotAuthorizedException", 400);
}

#[tokio::test]
async fn an_administrator_sets_a_password_for_good_or_for_a_start() {
    let world = World::new().await;
    world.user("ann").await;
    let set = |permanent: bool, password: &str| json!({"Username": "ann", "Password": password, "Permanent": permanent});
    world.admin("AdminSetUserPassword", set(true, "weak")).await.refused("InvalidPasswordException", 400);
    world.admin("AdminSetUserPassword", set(true, NEXT)).await.ok();
    assert_eq!(world.status("ann").await, "CONFIRMED");
    world.sign_in("ann", NEXT).await.ok();
    world.admin("AdminSetUserPassword", set(false, PASSWORD)).await.ok();
    assert_eq!(world.status("ann").await, "FORCE_CHANGE_PASSWORD");
    let asked = world.sign_in("ann", PASSWORD).await.ok().json();
    assert_eq!(asked["ChallengeName"], "NEW_PASSWORD_REQUIRED");
    assert!(asked.get("AuthenticationResult").is_none());
}

#[tokio::test]
async fn after_a_reset_only_the_code_helps() {
    let world = World::new().await;
    world.user("ann").await;
    world.admin("AdminResetUserPassword", json!({"Username": "ann"})).await.ok();
    assert_eq!(world.status("ann").await, "RESET_REQUIRED");
    world.sign_in("ann", PASSWORD).await.refused("PasswordResetRequiredException", 400);
    world.sign_in("ann", NEXT).await.refused("NotAuthorizedException", 400);
    let reset = json!({"Username": "ann", "ConfirmationCode": world.code("ann"), "Password": NEXT});
    world.public("ConfirmForgotPassword", reset).await.ok();
    world.sign_in("ann", NEXT).await.ok();
}

#[tokio::test]
async fn without_a_verified_address_there_is_no_reset() {
    let world = World::new().await;
    world.sign_up("ann").await.ok();
    world.admin("AdminConfirmSignUp", json!({"Username": "ann"})).await.ok();
    world
        .admin("AdminResetUserPassword", json!({"Username": "ann"}))
        .await
        .refused("InvalidParameterException", 400);
    let sent = world.app.messages.all().len();
    world.public("ForgotPassword", json!({"Username": "ann"})).await.ok();
    assert_eq!(world.app.messages.all().len(), sent);
}
