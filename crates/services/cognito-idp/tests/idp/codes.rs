use serde_json::json;

use crate::world::{PASSWORD, World};

async fn confirm(world: &World, code: &str) -> homeport_testkit::Reply {
    world.public("ConfirmSignUp", json!({"Username": "ann", "ConfirmationCode": code})).await
}

fn wrong(code: &str) -> String {
    let last = if code.ends_with('0') { '1' } else { '0' };
    format!("{}{last}", &code[..5])
}

#[tokio::test]
async fn a_wrong_code_confirms_nobody() {
    let world = World::new().await;
    world.sign_up("ann").await.ok();
    let code = world.code("ann");
    confirm(&world, &wrong(&code)).await.refused("CodeMismatchException", 400);
    assert_eq!(world.status("ann").await, "UNCONFIRMED");
    confirm(&world, &code).await.ok();
}

#[tokio::test]
async fn a_used_code_is_no_code() {
    let world = World::new().await;
    world.user("ann").await;
    let code = world.code("ann");
    confirm(&world, &code).await.refused("NotAuthorizedException", 400);
    let forgot = json!({"Username": "ann"});
    world.public("ForgotPassword", forgot).await.ok();
    let code = world.code("ann");
    let reset = |password: &str| json!({"Username": "ann", "ConfirmationCode": code, "Password": password});
    world.public("ConfirmForgotPassword", reset("Correct-horse8")).await.ok();
    world.public("ConfirmForgotPassword", reset("Correct-horse9")).await.refused("ExpiredCodeException", 400);
    world.sign_in("ann", "Correct-horse8").await.ok();
}

#[tokio::test]
async fn a_code_expires() {
    let world = World::new().await;
    world.sign_up("ann").await.ok();
    world.app.clock.advance_seconds(86_400);
    confirm(&world, &world.code("ann")).await.refused("ExpiredCodeException", 400);
}

#[tokio::test]
async fn strict_codes_live_ten_minutes() {
    let world = World::with(json!({"UserPoolTags": {"homeport:strict-codes": "true"}}), json!({})).await;
    world.sign_up("ann").await.ok();
    world.app.clock.advance_seconds(600);
    confirm(&world, &world.code("ann")).await.refused("ExpiredCodeException", 400);
}

#[tokio::test]
async fn five_wrong_tries_spend_a_code_whatever_the_sixth_is() {
    let world = World::new().await;
    world.sign_up("ann").await.ok();
    let code = world.code("ann");
    for _ in 0..5 {
        confirm(&world, &wrong(&code)).await.refused("CodeMismatchException", 400);
    }
    confirm(&world, &code).await.refused("LimitExceededException", 400);
    world.public("ResendConfirmationCode", json!({"Username": "ann"})).await.ok();
    confirm(&world, &world.code("ann")).await.ok();
}

#[tokio::test]
async fn twenty_tries_at_once_cost_twenty() {
    let world = World::new().await;
    world.sign_up("ann").await.ok();
    let code = world.code("ann");
    let guess = wrong(&code);
    let tries = (0..20).map(|_| confirm(&world, &guess));
    let replies = futures_util::future::join_all(tries).await;
    let judged = replies.iter().filter(|reply| reply.code() == "CodeMismatchException").count();
    assert_eq!(judged, 5);
    confirm(&world, &code).await.refused("LimitExceededException", 400);
}

#[tokio::test]
async fn a_new_code_ends_the_one_before() {
    let world = World::new().await;
    world.sign_up("ann").await.ok();
    let old = world.code("ann");
    world.public("ResendConfirmationCode", json!({"Username": "ann"})).await.ok();
    let new = world.code("ann");
    assert_ne!(old, new);
    confirm(&world, &old).await.refused("CodeMismatchException", 400);
    confirm(&world, &new).await.ok();
}

#[tokio::test]
async fn five_codes_an_hour_go_out() {
    let world = World::new().await;
    world.sign_up("ann").await.ok();
    for _ in 0..4 {
        world.public("ResendConfirmationCode", json!({"Username": "ann"})).await.ok();
    }
    let again = json!({"Username": "ann"});
    world.public("ResendConfirmationCode", again.clone()).await.refused("LimitExceededException", 400);
    assert_eq!(world.app.messages.all().len(), 5);
    world.app.clock.advance_seconds(3_600);
    world.public("ResendConfirmationCode", again).await.ok();
}

#[tokio::test]
async fn a_reset_goes_to_the_verified_address_only() {
    let world = World::new().await;
    world.user("ann").await;
    let set = |verified: &str| {
        json!({"Username": "ann", "UserAttributes": [{"Name": "email", "Value": "new@example.com"},
            {"Name": "email_verified", "Value": verified}]})
    };
    world.admin("AdminUpdateUserAttributes", set("false")).await.ok();
    let sent = world.app.messages.all().len();
    world.public("ForgotPassword", json!({"Username": "ann"})).await.ok();
    assert_eq!(world.app.messages.all().len(), sent);
    world.admin("AdminUpdateUserAttributes", set("true")).await.ok();
    world.public("ForgotPassword", json!({"Username": "ann"})).await.ok();
    assert_eq!(world.app.messages.all().last().unwrap().to, "new@example.com");
}

#[tokio::test]
async fn a_reset_code_ends_with_the_address_it_went_to() {
    let world = World::new().await;
    world.user("ann").await;
    world.public("ForgotPassword", json!({"Username": "ann"})).await.ok();
    let code = world.code("ann");
    let moved = json!({"Username": "ann", "UserAttributes": [{"Name": "email", "Value": "new@example.com"},
        {"Name": "email_verified", "Value": "true"}]});
    world.admin("AdminUpdateUserAttributes", moved).await.ok();
    let reset = json!({"Username": "ann", "ConfirmationCode": code, "Password": "Correct-horse8"});
    world.public("ConfirmForgotPassword", reset).await.refused("ExpiredCodeException", 400);
    world.sign_in("ann", PASSWORD).await.ok();
}

#[tokio::test]
async fn a_code_for_one_user_or_purpose_is_none_for_another() {
    let world = World::new().await;
    world.user("ann").await;
    world.sign_up("bob").await.ok();
    let bobs = world.code("bob");
    let reset = json!({"Username": "ann", "ConfirmationCode": bobs, "Password": "Correct-horse8"});
    world.public("ConfirmForgotPassword", reset).await.refused("ExpiredCodeException", 400);
    world.public("ForgotPassword", json!({"Username": "ann"})).await.ok();
    let anns = world.code("ann");
    if anns != bobs {
        let confirm = json!({"Username": "bob", "ConfirmationCode": anns});
        world.public("ConfirmSignUp", confirm).await.refused("CodeMismatchException", 400);
    }
}

#[tokio::test]
async fn codes_are_nowhere_in_plain_text() {
    let world = World::new().await;
    world.sign_up("ann").await.ok();
    let code = world.code("ann");
    let holds = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    for (key, value) in world.app.rows().await {
        assert!(!holds(&key, &code) && !holds(&value, &code), "{}", String::from_utf8_lossy(&key));
        assert!(!holds(&value, PASSWORD), "{}", String::from_utf8_lossy(&key));
    }
}
