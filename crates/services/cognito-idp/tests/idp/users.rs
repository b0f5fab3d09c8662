use serde_json::{Value, json};

use crate::world::{PASSWORD, World, text};

#[tokio::test]
async fn a_deleted_user_leaves_nothing_but_the_mark_of_their_id() {
    let world = World::new().await;
    let sub = world.user("ann").await;
    world.admin("CreateGroup", json!({"GroupName": "g"})).await.ok();
    world.admin("AdminAddUserToGroup", json!({"Username": "ann", "GroupName": "g"})).await.ok();
    world.public("ForgotPassword", json!({"Username": "ann"})).await.ok();
    let revoked = world.tokens("ann").await["RefreshToken"].take();
    world.public("RevokeToken", json!({"Token": revoked})).await.ok();
    world.tokens("ann").await;
    world.admin("AdminDeleteUser", json!({"Username": "ann"})).await.ok();
    world.admin("AdminGetUser", json!({"Username": "ann"})).await.refused("UserNotFoundException", 400);
    let holds = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    let mut marks = 0;
    for (key, value) in world.app.rows().await {
        let name = String::from_utf8_lossy(&key).into_owned();
        if name.contains("outbox") {
            continue;
        }
        assert!(!holds(&value, "ann@example.com") && !holds(&key, "ann@example.com"), "{name}");
        if holds(&key, &sub) {
            marks += 1;
            assert!(name.contains("cognito-idp.gone"), "{name}");
        }
    }
    assert_eq!(marks, 1);
    assert_ne!(world.user("ann").await, sub);
}

#[tokio::test]
async fn users_delete_themselves() {
    let world = World::new().await;
    world.user("ann").await;
    let token = text(&world.tokens("ann").await["AccessToken"]);
    world.own("DeleteUser", &token, json!({})).await.ok();
    world.get_user(&token).await.refused("NotAuthorizedException", 400);
    world.sign_in("ann", PASSWORD).await.refused("NotAuthorizedException", 400);
}

#[tokio::test]
async fn a_disabled_user_is_let_in_again_when_enabled() {
    let world = World::new().await;
    world.user("ann").await;
    world.admin("AdminDisableUser", json!({"Username": "ann"})).await.ok();
    world.sign_in("ann", PASSWORD).await.refused("NotAuthorizedException", 400);
    world.admin("AdminEnableUser", json!({"Username": "ann"})).await.ok();
    world.sign_in("ann", PASSWORD).await.ok();
}

async fn names(world: &World, input: Value) -> Vec<String> {
    let (mut names, mut token) = (Vec::new(), Value::Null);
    loop {
        let mut asked = input.clone();
        if !token.is_null() {
            asked["PaginationToken"] = token;
        }
        let page = world.admin("ListUsers", asked).await.ok().json();
        names.extend(page["Users"].as_array().unwrap().iter().map(|user| text(&user["Username"])));
        token = page["PaginationToken"].clone();
        if token.is_null() {
            return names;
        }
    }
}

#[tokio::test]
async fn the_pages_of_a_list_make_up_the_whole() {
    let world = World::new().await;
    let all = ["ann", "bea", "bob", "carol", "dan", "eve", "fay"];
    for name in all {
        let quiet = json!({"Username": name, "MessageAction": "SUPPRESS",
            "UserAttributes": [{"Name": "email", "Value": format!("{name}@example.com")}]});
        world.admin("AdminCreateUser", quiet).await.ok();
    }
    for limit in [1, 2, 3, 7, 60] {
        assert_eq!(names(&world, json!({"Limit": limit})).await, all, "in pages of {limit}");
        let by_b = json!({"Limit": limit, "Filter": "username ^= \"b\""});
        assert_eq!(names(&world, by_b).await, ["bea", "bob"], "in pages of {limit}");
    }
    assert_eq!(names(&world, json!({"Filter": "email = \"dan@example.com\""})).await, ["dan"]);
    assert_eq!(names(&world, json!({"Filter": "username = \"eve\""})).await, ["eve"]);
    assert!(names(&world, json!({"Filter": "cognito:user_status = \"CONFIRMED\""})).await.is_empty());
    let only = json!({"AttributesToGet": ["email"], "Limit": 1});
    let page = world.admin("ListUsers", only).await.ok().json();
    assert_eq!(page["Users"][0]["Attributes"], json!([{"Name": "email", "Value": "ann@example.com"}]));
}

#[tokio::test]
async fn a_wrong_filter_or_token_is_refused() {
    let world = World::new().await;
    world.user("ann").await;
    world.user("bob").await;
    for input in [
        json!({"Filter": "custom:plan = \"free\""}),
        json!({"Filter": "email"}),
        json!({"PaginationToken": "forged"}),
    ] {
        world.admin("ListUsers", input).await.refused("InvalidParameterException", 400);
    }
    let page = world.admin("ListUsers", json!({"Limit": 1})).await.ok().json();
    let elsewhere = json!({"PaginationToken": page["PaginationToken"], "Filter": "email ^= \"a\""});
    world.admin("ListUsers", elsewhere).await.refused("InvalidParameterException", 400);
}

#[tokio::test]
async fn an_administrator_finds_a_user_by_any_name() {
    let world = World::with(json!({"AliasAttributes": ["email"]}), json!({})).await;
    let sub = world.user("ann").await;
    for name in ["ann", "ann@example.com", &sub] {
        let user = world.admin("AdminGetUser", json!({"Username": name})).await.ok().json();
        assert_eq!(user["Username"], "ann");
    }
    world.admin("AdminGetUser", json!({"Username": "bob"})).await.refused("UserNotFoundException", 400);
}

#[tokio::test]
async fn an_administrator_confirms_without_a_code_and_proves_nothing_by_it() {
    let world = World::new().await;
    world.sign_up("ann").await.ok();
    world.admin("AdminConfirmSignUp", json!({"Username": "ann"})).await.ok();
    assert_eq!(world.attributes("ann").await.get("email_verified").map(String::as_str), Some("false"));
    world.sign_in("ann", PASSWORD).await.ok();
    world
        .admin("AdminConfirmSignUp", json!({"Username": "ann"}))
        .await
        .refused("NotAuthorizedException", 400);
}
