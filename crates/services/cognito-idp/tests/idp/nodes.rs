//! One pool on two nodes, which share a store and nothing else.

use homeport_service::needs::TokenUse;
use homeport_store::Key;
use serde_json::json;

use crate::srp_client::SrpClient;
use crate::tokens::published_once;
use crate::world::{PASSWORD, World, text};

const WRONG: &str = "Wrong-horse7";

async fn two() -> [World; 2] {
    let world = World::new().await;
    let other = world.beside();
    [world, other]
}

#[tokio::test]
async fn what_began_on_one_node_goes_on_on_the_other() {
    let [one, other] = two().await;
    one.sign_up("ann").await.ok();
    let code = one.code("ann");
    other.public("ConfirmSignUp", json!({"Username": "ann", "ConfirmationCode": code})).await.ok();
    let tokens = one.tokens("ann").await;
    let access = text(&tokens["AccessToken"]);
    other.get_user(&access).await.ok();
    other.refresh(&text(&tokens["RefreshToken"])).await.ok();
    one.admin("AdminDisableUser", json!({"Username": "ann"})).await.ok();
    other.sign_in("ann", PASSWORD).await.refused("NotAuthorizedException", 400);
    other.get_user(&access).await.refused("NotAuthorizedException", 400);
}

#[tokio::test]
async fn wrong_passwords_are_counted_over_all_nodes() {
    let nodes = two().await;
    nodes[0].user("ann").await;
    let attempts = (0..20).map(|n| nodes[n % 2].sign_in("ann", WRONG));
    let replies = futures_util::future::join_all(attempts).await;
    let judged = replies.iter().filter(|reply| reply.message() == "Incorrect username or password.").count();
    assert_eq!(judged, 5);
    for node in &nodes {
        let locked = node.sign_in("ann", PASSWORD).await.refused("NotAuthorizedException", 400);
        assert_eq!(locked.message(), "Password attempts exceeded");
    }
}

#[tokio::test]
async fn the_tries_of_a_code_are_counted_over_all_nodes() {
    let nodes = two().await;
    nodes[0].sign_up("ann").await.ok();
    let code = nodes[0].code("ann");
    let wrong = format!("{}{}", &code[..5], if code.ends_with('0') { '1' } else { '0' });
    for n in 0..5 {
        let tried = json!({"Username": "ann", "ConfirmationCode": wrong});
        nodes[n % 2].public("ConfirmSignUp", tried).await.refused("CodeMismatchException", 400);
    }
    for node in &nodes {
        let tried = json!({"Username": "ann", "ConfirmationCode": code});
        assert_eq!(node.public("ConfirmSignUp", tried).await.status, 400);
    }
}

#[tokio::test]
async fn a_secret_block_of_one_node_is_good_once_on_the_other() {
    let [one, other] = two().await;
    one.user("ann").await;
    let client = SrpClient::new(7);
    let challenge = client.open(&one, "ann").await.ok().json();
    let answers = client.answers(&one, &challenge, PASSWORD);
    SrpClient::answer(&other, answers.clone()).await.ok();
    SrpClient::answer(&one, answers).await.refused("NotAuthorizedException", 400);
}

#[tokio::test]
async fn a_signing_key_that_one_node_replaced_verifies_on_the_other() {
    let [one, other] = two().await;
    one.user("ann").await;
    let access = text(&one.tokens("ann").await["AccessToken"]);
    other.get_user(&access).await.ok();
    one.app.clock.advance_seconds(90 * 86_400);
    published_once(&one, |keys| keys.len() == 2).await;
    let access = text(&one.tokens("ann").await["AccessToken"]);
    other.get_user(&access).await.ok();
}

#[tokio::test]
async fn what_was_verified_on_one_node_ends_with_a_client_that_the_other_deletes() {
    let [one, other] = two().await;
    one.user("ann").await;
    let token = text(&one.tokens("ann").await["IdToken"]);
    let pools = std::slice::from_ref(&one.pool);
    other.verifier().verify_token(&token, TokenUse::Id, pools, false).await.unwrap();
    let epoch = other.verifier().pools_epoch();
    one.admin("DeleteUserPoolClient", json!({"ClientId": one.client})).await.ok();
    assert_ne!(other.verifier().pools_epoch(), epoch);
    assert!(other.verifier().verify_token(&token, TokenUse::Id, pools, false).await.is_err());
}

#[tokio::test]
async fn what_a_node_that_is_gone_left_of_a_pool_is_removed_by_another() {
    let [one, other] = two().await;
    one.user("ann").await;
    let rows = async |name: &str| {
        let table = Key::of(name);
        one.app.rows().await.iter().filter(|(key, _)| key.starts_with(table.as_bytes())).count()
    };
    other.sign_in("ann", PASSWORD).await.ok();
    let mark =
        &Key::of("cognito-idp.graves").str(one.app.parts.installation.account.to_string()).str(&one.pool);
    let left = one.app.parts.store.write(|tx| async move { tx.put(mark, Vec::new()) });
    left.await.unwrap();
    for _ in 0..5 {
        other.sign_in("ann", PASSWORD).await.ok();
    }
    assert_eq!((rows("cognito-idp.users").await, rows("cognito-idp.graves").await), (1, 1));
    one.app.clock.advance_seconds(3_600);
    other.sign_in("ann", PASSWORD).await;
    for _ in 0..2_000 {
        if rows("cognito-idp.graves").await == 0 {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!((rows("cognito-idp.users").await, rows("cognito-idp.graves").await), (0, 0));
}
