use serde_json::{Value, json};

use crate::srp_client::SrpClient;
use crate::world::{PASSWORD, World, text};

fn invitation() -> Value {
    json!({"Username": "ann", "DesiredDeliveryMediums": ["EMAIL"],
        "UserAttributes": [{"Name": "email", "Value": "ann@example.com"}, {"Name": "email_verified", "Value": "true"}]})
}

async fn answer(world: &World, session: &Value, password: &str) -> homeport_testkit::Reply {
    let input = json!({"ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": session,
        "ChallengeResponses": {"USERNAME": "ann", "NEW_PASSWORD": password, "userAttributes.name": "Ann"}});
    world.public("RespondToAuthChallenge", input).await
}

#[tokio::test]
async fn who_is_invited_chooses_a_password_and_is_in() {
    let world = World::new().await;
    let user = world.admin("AdminCreateUser", invitation()).await.ok().json()["User"].take();
    assert_eq!(user["UserStatus"], "FORCE_CHANGE_PASSWORD");
    let temporary = world.code("ann");
    let message = world.app.messages.all().pop().unwrap();
    assert_eq!(message.body, format!("Your username is ann and temporary password is {temporary}."));
    let asked = world.sign_in("ann", &temporary).await.ok().json();
    assert_eq!(asked["ChallengeName"], "NEW_PASSWORD_REQUIRED");
    assert_eq!(asked["ChallengeParameters"]["USER_ID_FOR_SRP"], "ann");
    answer(&world, &asked["Session"], "weak").await.refused("InvalidPasswordException", 400);
    let done = answer(&world, &asked["Session"], PASSWORD).await.ok().json();
    world.get_user(&text(&done["AuthenticationResult"]["AccessToken"])).await.ok();
    assert_eq!(world.status("ann").await, "CONFIRMED");
    assert_eq!(world.attributes("ann").await["name"], "Ann");
    answer(&world, &asked["Session"], "Another-horse7").await.refused("NotAuthorizedException", 400);
    world.sign_in("ann", &temporary).await.refused("NotAuthorizedException", 400);
    world.sign_in("ann", PASSWORD).await.ok();
}

#[tokio::test]
async fn srp_leads_to_the_same_challenge() {
    let world = World::new().await;
    world.admin("AdminCreateUser", invitation()).await.ok();
    let asked = SrpClient::sign_in(&world, "ann", &world.code("ann")).await.ok().json();
    assert_eq!(asked["ChallengeName"], "NEW_PASSWORD_REQUIRED");
    answer(&world, &asked["Session"], PASSWORD).await.ok();
}

#[tokio::test]
async fn a_challenge_is_bound_and_ends() {
    let world = World::new().await;
    world.admin("AdminCreateUser", invitation()).await.ok();
    let temporary = world.code("ann");
    let asked = world.sign_in("ann", &temporary).await.ok().json();
    let other = text(&world.new_client(json!({})).await["ClientId"]);
    let foreign = json!({"ClientId": other, "ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": asked["Session"],
        "ChallengeResponses": {"USERNAME": "ann", "NEW_PASSWORD": PASSWORD}});
    let reply = world.app.anonymous().call("cognito-idp", "RespondToAuthChallenge", foreign).await;
    reply.refused("NotAuthorizedException", 400);
    answer(&world, &json!("A".repeat(40)), PASSWORD).await.refused("NotAuthorizedException", 400);
    world.app.clock.advance_seconds(180);
    answer(&world, &asked["Session"], PASSWORD).await.refused("NotAuthorizedException", 400);
}

#[tokio::test]
async fn a_temporary_password_ends() {
    let world = World::new().await;
    world.admin("AdminCreateUser", invitation()).await.ok();
    let temporary = world.code("ann");
    world.app.clock.advance_seconds(7 * 86_400);
    let reply = world.sign_in("ann", &temporary).await.refused("NotAuthorizedException", 400);
    assert!(reply.message().starts_with("Temporary password has expired"));
    let mut again = invitation();
    again["MessageAction"] = json!("RESEND");
    world.admin("AdminCreateUser", again).await.ok();
    let next = world.code("ann");
    assert_ne!(temporary, next);
    world.sign_in("ann", &temporary).await.refused("NotAuthorizedException", 400);
    world.sign_in("ann", &next).await.ok();
}

#[tokio::test]
async fn an_invitation_is_sent_again_only_to_who_has_not_come() {
    let world = World::new().await;
    let mut again = invitation();
    again["MessageAction"] = json!("RESEND");
    world.admin("AdminCreateUser", again.clone()).await.refused("UserNotFoundException", 400);
    world.user("ann").await;
    world.admin("AdminCreateUser", again).await.refused("UnsupportedUserStateException", 400);
    world.admin("AdminCreateUser", invitation()).await.refused("UsernameExistsException", 400);
}

#[tokio::test]
async fn a_suppressed_invitation_sends_nothing() {
    let world = World::new().await;
    let mut quiet = invitation();
    quiet["MessageAction"] = json!("SUPPRESS");
    quiet["TemporaryPassword"] = json!(PASSWORD);
    world.admin("AdminCreateUser", quiet).await.ok();
    assert!(world.app.messages.all().is_empty());
    let asked = world.sign_in("ann", PASSWORD).await.ok().json();
    assert_eq!(asked["ChallengeName"], "NEW_PASSWORD_REQUIRED");
    let weak = json!({"Username": "bob", "TemporaryPassword": "weak-one"});
    world.admin("AdminCreateUser", weak).await.refused("InvalidPasswordException", 400);
}

#[tokio::test]
async fn required_attributes_are_asked_with_the_new_password() {
    let world = World::with(json!({"Schema": [{"Name": "family_name", "Required": true}]}), json!({})).await;
    world.admin("AdminCreateUser", invitation()).await.ok();
    let asked = world.sign_in("ann", &world.code("ann")).await.ok().json();
    assert_eq!(asked["ChallengeParameters"]["requiredAttributes"], r#"["userAttributes.family_name"]"#);
    answer(&world, &asked["Session"], PASSWORD).await.refused("InvalidParameterException", 400);
    let input = json!({"ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": asked["Session"],
        "ChallengeResponses": {"USERNAME": "ann", "NEW_PASSWORD": PASSWORD, "userAttributes.family_name": "Lee"}});
    world.public("RespondToAuthChallenge", input).await.ok();
}

#[tokio::test]
async fn a_challenge_proves_no_address() {
    let world = World::new().await;
    let mut unproved = invitation();
    unproved["UserAttributes"] = json!([{"Name": "email", "Value": "ann@example.com"}]);
    world.admin("AdminCreateUser", unproved).await.ok();
    let asked = world.sign_in("ann", &world.code("ann")).await.ok().json();
    let input = json!({"ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": asked["Session"], "ChallengeResponses":
        {"USERNAME": "ann", "NEW_PASSWORD": PASSWORD, "userAttributes.email_verified": "true"}});
    world.public("RespondToAuthChallenge", input).await.refused("NotAuthorizedException", 400);
}
