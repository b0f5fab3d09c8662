use serde_json::json;

use crate::world::{PASSWORD, World, text};

#[tokio::test]
async fn who_signs_up_confirms_with_the_code_and_signs_in() {
    let world = World::new().await;
    let answer = world.sign_up("ann").await.ok().json();
    assert_eq!(answer["UserConfirmed"], false);
    assert_eq!(
        answer["CodeDeliveryDetails"],
        json!({"Destination": "a***@e***", "DeliveryMedium": "EMAIL", "AttributeName": "email"})
    );
    assert_eq!(world.status("ann").await, "UNCONFIRMED");
    world.sign_in("ann", PASSWORD).await.refused("UserNotConfirmedException", 400);
    let code = world.code("ann");
    world.public("ConfirmSignUp", json!({"Username": "ann", "ConfirmationCode": code})).await.ok();
    assert_eq!(world.status("ann").await, "CONFIRMED");
    assert_eq!(world.attributes("ann").await["email_verified"], "true");
    world.sign_in("ann", PASSWORD).await.ok();
}

#[tokio::test]
async fn the_message_is_out_before_the_call_answers() {
    let template = json!({"VerificationMessageTemplate": {"EmailSubject": "Hello {username}",
        "EmailMessage": "<b>{username}</b>, your code: {####}"}});
    let world = World::with(template, json!({})).await;
    world.sign_up("ann").await.ok();
    let message = world.app.messages.all().pop().unwrap();
    let code = message.code.unwrap();
    assert_eq!((message.to.as_str(), message.subject.as_str()), ("ann@example.com", "Hello ann"));
    assert_eq!(message.body, format!("<b>ann</b>, your code: {code}"));
    assert!(message.html);
    assert_eq!(message.user_pool_id.as_deref(), Some(world.pool.as_str()));
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let world = World::new().await;
    world.sign_up("ann").await.ok();
    world.sign_up("ann").await.refused("UsernameExistsException", 400);
    world.sign_up("Ann").await.ok();
    let folding = World::with(json!({"UsernameConfiguration": {"CaseSensitive": false}}), json!({})).await;
    folding.user("ann").await;
    folding.sign_up("ANN").await.refused("UsernameExistsException", 400);
    folding.sign_in("Ann", PASSWORD).await.ok();
}

#[tokio::test]
async fn two_who_sign_up_at_once_under_one_name_are_not_both_taken() {
    let world = World::new().await;
    let (one, other) = tokio::join!(world.sign_up("ann"), world.sign_up("ann"));
    let taken = [one, other].iter().filter(|reply| reply.status == 200).count();
    assert_eq!(taken, 1);
}

#[tokio::test]
async fn passwords_that_the_policy_refuses_sign_nobody_up() {
    let world = World::new().await;
    for password in ["Sh0rt!", "correct-horse7", "Correct-horse", "Correcthorse7"] {
        let input = json!({"Username": "ann", "Password": password});
        world.public("SignUp", input).await.refused("InvalidPasswordException", 400);
    }
    world.admin("AdminGetUser", json!({"Username": "ann"})).await.refused("UserNotFoundException", 400);
}

#[tokio::test]
async fn required_attributes_are_asked_for() {
    let world = World::with(json!({"Schema": [{"Name": "name", "Required": true}]}), json!({})).await;
    world.sign_up("ann").await.refused("InvalidParameterException", 400);
}

#[tokio::test]
async fn nobody_verifies_themselves() {
    let world = World::new().await;
    let verdict =
        json!([{"Name": "email", "Value": "ann@example.com"}, {"Name": "email_verified", "Value": "true"}]);
    let input = json!({"Username": "ann", "Password": PASSWORD, "UserAttributes": verdict});
    world.public("SignUp", input).await.refused("NotAuthorizedException", 400);
}

#[tokio::test]
async fn a_closed_pool_signs_nobody_up() {
    let world =
        World::with(json!({"AdminCreateUserConfig": {"AllowAdminCreateUserOnly": true}}), json!({})).await;
    world.sign_up("ann").await.refused("NotAuthorizedException", 400);
}

#[tokio::test]
async fn where_addresses_are_names_the_user_has_an_id_of_their_own() {
    let pool = json!({"UsernameAttributes": ["email"], "UsernameConfiguration": {"CaseSensitive": false}});
    let world = World::with(pool, json!({})).await;
    let input = json!({"Username": "ann@example.com", "Password": PASSWORD});
    let sub = text(&world.public("SignUp", input.clone()).await.ok().json()["UserSub"]);
    world.public("SignUp", input).await.refused("UsernameExistsException", 400);
    let not_mail = json!({"Username": "ann", "Password": PASSWORD});
    world.public("SignUp", not_mail).await.refused("InvalidParameterException", 400);
    let code = world.code("ann");
    world
        .public("ConfirmSignUp", json!({"Username": "ann@example.com", "ConfirmationCode": code}))
        .await
        .ok();
    let tokens = world.tokens("Ann@Example.com").await;
    let claims = crate::world::claims(&tokens["IdToken"]);
    assert_eq!((&claims["cognito:username"], &claims["email"]), (&json!(sub), &json!("ann@example.com")));
    crate::srp_client::SrpClient::sign_in(&world, "ann@example.com", PASSWORD).await.ok();
}

#[tokio::test]
async fn an_alias_counts_when_it_is_proved_and_belongs_to_one_user() {
    let world = World::with(json!({"AliasAttributes": ["email"]}), json!({})).await;
    let sign_up = |name: &str| {
        world.public(
            "SignUp",
            json!({"Username": name, "Password": PASSWORD,
                "UserAttributes": [{"Name": "email", "Value": "shared@example.com"}]}),
        )
    };
    sign_up("ann").await.ok();
    world.sign_in("shared@example.com", PASSWORD).await.refused("NotAuthorizedException", 400);
    let code = world.code("shared");
    world.public("ConfirmSignUp", json!({"Username": "ann", "ConfirmationCode": code})).await.ok();
    world.sign_in("shared@example.com", PASSWORD).await.ok();
    crate::srp_client::SrpClient::sign_in(&world, "shared@example.com", PASSWORD).await.ok();
    sign_up("bob").await.ok();
    let mut confirm = json!({"Username": "bob", "ConfirmationCode": world.code("shared")});
    world.public("ConfirmSignUp", confirm.clone()).await.refused("AliasExistsException", 400);
    confirm["ForceAliasCreation"] = json!(true);
    world.public("ConfirmSignUp", confirm).await.ok();
    assert_eq!(world.attributes("ann").await["email_verified"], "false");
    let mail = json!({"Username": "carol@example.com", "Password": PASSWORD});
    world.public("SignUp", mail).await.refused("InvalidParameterException", 400);
}

#[tokio::test]
async fn a_code_that_met_a_taken_alias_still_stands_only_its_five_tries() {
    let world = World::with(json!({"AliasAttributes": ["email"]}), json!({})).await;
    for name in ["ann", "bob"] {
        let shared = json!([{"Name": "email", "Value": "shared@example.com"}]);
        let given = json!({"Username": name, "Password": PASSWORD, "UserAttributes": shared});
        world.public("SignUp", given).await.ok();
        let confirm = json!({"Username": name, "ConfirmationCode": world.code("shared")});
        if name == "ann" {
            world.public("ConfirmSignUp", confirm).await.ok();
            continue;
        }
        for _ in 0..5 {
            world.public("ConfirmSignUp", confirm.clone()).await.refused("AliasExistsException", 400);
        }
        world.public("ConfirmSignUp", confirm).await.refused("LimitExceededException", 400);
    }
}

#[tokio::test]
async fn sign_ups_from_one_address_are_limited() {
    let world = World::new().await;
    let mut refused = 0;
    for _ in 0..201 {
        let reply = world.public("SignUp", json!({"Username": "ann", "Password": "short"})).await;
        refused += usize::from(reply.code() == "TooManyRequestsException");
    }
    assert_eq!(refused, 1);
}
