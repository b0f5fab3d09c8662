use serde_json::{Value, json};

use crate::world::{PASSWORD, World, claims, text};

fn set(name: &str, value: &str) -> Value {
    json!({"UserAttributes": [{"Name": name, "Value": value}]})
}

#[tokio::test]
async fn a_new_address_is_unproved_until_its_code_comes_back() {
    let world = World::new().await;
    world.user("ann").await;
    let token = text(&world.tokens("ann").await["AccessToken"]);
    let told = world.own("UpdateUserAttributes", &token, set("email", "new@example.com")).await.ok().json();
    assert_eq!(told["CodeDeliveryDetailsList"][0]["Destination"], "n***@e***");
    let attributes = world.attributes("ann").await;
    assert_eq!(
        (attributes["email"].as_str(), attributes["email_verified"].as_str()),
        ("new@example.com", "false")
    );
    let code = world.app.messages.last_code("new@example.com").unwrap();
    let old = world.code("ann");
    let verify = |code: &str| json!({"AttributeName": "email", "Code": code});
    if old != code {
        world.own("VerifyUserAttribute", &token, verify(&old)).await.refused("CodeMismatchException", 400);
    }
    world.own("VerifyUserAttribute", &token, verify(&code)).await.ok();
    assert_eq!(world.attributes("ann").await["email_verified"], "true");
    world.own("VerifyUserAttribute", &token, verify(&code)).await.refused("ExpiredCodeException", 400);
}

#[tokio::test]
async fn where_the_pool_asks_a_new_address_waits_for_its_proof() {
    let settings = json!({"AttributesRequireVerificationBeforeUpdate": ["email"]});
    let world = World::with(json!({"UserAttributeUpdateSettings": settings}), json!({})).await;
    world.user("ann").await;
    let token = text(&world.tokens("ann").await["AccessToken"]);
    world.own("UpdateUserAttributes", &token, set("email", "new@example.com")).await.ok();
    let attributes = world.attributes("ann").await;
    assert_eq!(
        (attributes["email"].as_str(), attributes["email_verified"].as_str()),
        ("ann@example.com", "true")
    );
    let code = world.app.messages.last_code("new@example.com").unwrap();
    world.own("VerifyUserAttribute", &token, json!({"AttributeName": "email", "Code": code})).await.ok();
    let attributes = world.attributes("ann").await;
    assert_eq!(
        (attributes["email"].as_str(), attributes["email_verified"].as_str()),
        ("new@example.com", "true")
    );
}

#[tokio::test]
async fn a_code_is_sent_again_on_demand() {
    let world = World::new().await;
    world.user("ann").await;
    let token = text(&world.tokens("ann").await["AccessToken"]);
    let ask =
        |name: &str| world.own("GetUserAttributeVerificationCode", &token, json!({"AttributeName": name}));
    let told = ask("email").await.ok().json();
    assert_eq!(told["CodeDeliveryDetails"]["AttributeName"], "email");
    ask("phone_number").await.refused("InvalidParameterException", 400);
    let code = world.code("ann");
    world.own("VerifyUserAttribute", &token, json!({"AttributeName": "email", "Code": code})).await.ok();
}

#[tokio::test]
async fn an_app_reads_and_writes_what_its_client_may() {
    let pool = json!({"Schema": [{"Name": "plan", "AttributeDataType": "String"}]});
    let client = json!({"ReadAttributes": ["email"], "WriteAttributes": ["name"]});
    let world = World::with(pool, client).await;
    let quiet = json!({"Username": "ann", "MessageAction": "SUPPRESS", "UserAttributes": [
        {"Name": "email", "Value": "ann@example.com"}, {"Name": "custom:plan", "Value": "free"}]});
    world.admin("AdminCreateUser", quiet).await.ok();
    let permanent = json!({"Username": "ann", "Password": PASSWORD, "Permanent": true});
    world.admin("AdminSetUserPassword", permanent).await.ok();
    let tokens = world.tokens("ann").await;
    let token = text(&tokens["AccessToken"]);
    let id = claims(&tokens["IdToken"]);
    assert_eq!((id.get("email").is_some(), id.get("custom:plan").is_some()), (true, false));
    let user = world.get_user(&token).await.ok().json();
    let names: Vec<String> =
        user["UserAttributes"].as_array().unwrap().iter().map(|attribute| text(&attribute["Name"])).collect();
    assert_eq!(names, ["sub", "email"]);
    world.own("UpdateUserAttributes", &token, set("name", "Ann")).await.ok();
    world
        .own("UpdateUserAttributes", &token, set("custom:plan", "paid"))
        .await
        .refused("NotAuthorizedException", 400);
    let drop = json!({"UserAttributeNames": ["custom:plan"]});
    world.own("DeleteUserAttributes", &token, drop).await.refused("NotAuthorizedException", 400);
    assert_eq!(world.attributes("ann").await["custom:plan"], "free");
}

#[tokio::test]
async fn attributes_are_taken_away() {
    let world = World::new().await;
    world.user("ann").await;
    let token = text(&world.tokens("ann").await["AccessToken"]);
    world.own("UpdateUserAttributes", &token, set("name", "Ann")).await.ok();
    world.own("DeleteUserAttributes", &token, json!({"UserAttributeNames": ["name"]})).await.ok();
    assert!(!world.attributes("ann").await.contains_key("name"));
    let both = json!({"Username": "ann", "UserAttributeNames": ["email"]});
    world.admin("AdminDeleteUserAttributes", both).await.ok();
    let attributes = world.attributes("ann").await;
    assert!(!attributes.contains_key("email") && !attributes.contains_key("email_verified"));
}

#[tokio::test]
async fn nobody_takes_an_alias_that_another_holds() {
    let world = World::with(json!({"AliasAttributes": ["preferred_username"]}), json!({})).await;
    world.user("ann").await;
    world.user("bob").await;
    let (ann, bob) = (world.tokens("ann").await, world.tokens("bob").await);
    let nick = set("preferred_username", "nick");
    world.own("UpdateUserAttributes", &text(&ann["AccessToken"]), nick.clone()).await.ok();
    world
        .own("UpdateUserAttributes", &text(&bob["AccessToken"]), nick)
        .await
        .refused("AliasExistsException", 400);
    world.sign_in("nick", PASSWORD).await.ok();
}

#[tokio::test]
async fn unknown_and_malformed_values_are_refused() {
    let world = World::new().await;
    world.user("ann").await;
    for (name, value) in [
        ("custom:unheard", "x"),
        ("email", "no address"),
        ("phone_number", "0123"),
        ("sub", "mine"),
        ("birthdate", "yesterday"),
    ] {
        let mut input = set(name, value);
        input["Username"] = json!("ann");
        world.admin("AdminUpdateUserAttributes", input).await.refused("InvalidParameterException", 400);
    }
}
