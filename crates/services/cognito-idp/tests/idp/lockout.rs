use serde_json::json;

use crate::srp_client::SrpClient;
use crate::world::{PASSWORD, World};

const WRONG: &str = "Wrong-horse7";

async fn fail(world: &World, name: &str, times: usize) {
    for _ in 0..times {
        let reply = world.sign_in(name, WRONG).await.refused("NotAuthorizedException", 400);
        assert_eq!(reply.message(), "Incorrect username or password.");
    }
}

async fn assert_locked(world: &World, name: &str, password: &str) {
    let reply = world.sign_in(name, password).await.refused("NotAuthorizedException", 400);
    assert_eq!(reply.message(), "Password attempts exceeded");
}

#[tokio::test]
async fn the_fifth_failure_locks_the_right_password_out_too() {
    let world = World::new().await;
    world.user("ann").await;
    fail(&world, "ann", 5).await;
    assert_locked(&world, "ann", PASSWORD).await;
    world.app.clock.advance_seconds(1);
    world.sign_in("ann", PASSWORD).await.ok();
}

#[tokio::test]
async fn a_success_forgets_failures() {
    let world = World::new().await;
    world.user("ann").await;
    for _ in 0..3 {
        fail(&world, "ann", 4).await;
        world.sign_in("ann", PASSWORD).await.ok();
    }
}

#[tokio::test]
async fn locks_grow_and_refused_attempts_do_not_count() {
    let world = World::new().await;
    world.user("ann").await;
    fail(&world, "ann", 5).await;
    for seconds in [1, 2, 4] {
        for _ in 0..10 {
            assert_locked(&world, "ann", WRONG).await;
        }
        world.app.clock.advance_seconds(seconds);
        fail(&world, "ann", 1).await;
    }
}

#[tokio::test]
async fn of_twenty_fresh_wrong_attempts_at_once_five_are_looked_at() {
    let world = World::new().await;
    world.user("ann").await;
    let replies = futures_util::future::join_all((0..20).map(|_| world.sign_in("ann", WRONG))).await;
    let judged = replies.iter().filter(|reply| reply.message() == "Incorrect username or password.").count();
    assert_eq!(judged, 5);
    assert!(replies.iter().all(|reply| reply.code() == "NotAuthorizedException"));
}

#[tokio::test]
async fn of_twenty_attempts_at_once_when_the_budget_is_spent_none_is_accepted() {
    let world = World::new().await;
    world.user("ann").await;
    fail(&world, "ann", 5).await;
    let attempts = (0..20).map(|n| world.sign_in("ann", if n == 10 { PASSWORD } else { WRONG }));
    let replies = futures_util::future::join_all(attempts).await;
    assert!(replies.iter().all(|reply| reply.message() == "Password attempts exceeded"));
}

#[tokio::test]
async fn srp_attempts_are_counted_the_same() {
    let world = World::new().await;
    world.user("ann").await;
    for _ in 0..5 {
        SrpClient::sign_in(&world, "ann", WRONG).await.refused("NotAuthorizedException", 400);
    }
    let locked = SrpClient::sign_in(&world, "ann", PASSWORD).await.refused("NotAuthorizedException", 400);
    assert_eq!(locked.message(), "Password attempts exceeded");
    assert_locked(&world, "ann", PASSWORD).await;
}

#[tokio::test]
async fn of_twenty_srp_answers_at_once_five_are_looked_at() {
    let world = World::new().await;
    world.user("ann").await;
    let mut answers = Vec::new();
    for n in 0..20 {
        let client = SrpClient::new(n);
        let challenge = client.open(&world, "ann").await.ok().json();
        answers.push(client.answers(&world, &challenge, WRONG));
    }
    let replies =
        futures_util::future::join_all(answers.into_iter().map(|answer| SrpClient::answer(&world, answer)))
            .await;
    let judged = replies.iter().filter(|reply| reply.message() == "Incorrect username or password.").count();
    assert_eq!(judged, 5);
}

#[tokio::test]
async fn the_present_password_is_locked_like_a_sign_in() {
    let world = World::new().await;
    world.user("ann").await;
    let token = crate::world::text(&world.tokens("ann").await["AccessToken"]);
    let change = json!({"PreviousPassword": WRONG, "ProposedPassword": "Correct-horse8"});
    for _ in 0..5 {
        world.own("ChangePassword", &token, change.clone()).await.refused("NotAuthorizedException", 400);
    }
    let right = json!({"PreviousPassword": PASSWORD, "ProposedPassword": "Correct-horse8"});
    world.own("ChangePassword", &token, right).await.refused("LimitExceededException", 400);
    assert_locked(&world, "ann", PASSWORD).await;
}

#[tokio::test]
async fn a_lock_holds_the_password_paths_only() {
    let world = World::new().await;
    world.user("ann").await;
    let tokens = world.tokens("ann").await;
    fail(&world, "ann", 5).await;
    world.refresh(&crate::world::text(&tokens["RefreshToken"])).await.ok();
    world.get_user(&crate::world::text(&tokens["AccessToken"])).await.ok();
}

#[tokio::test]
async fn three_hundred_failures_stop_an_address() {
    let world = World::new().await;
    world.user("ann").await;
    let from = |address: &str, password: &str| {
        let caller = world.app.anonymous().from(address);
        let input = json!({"ClientId": world.client, "AuthFlow": "USER_PASSWORD_AUTH",
            "AuthParameters": {"USERNAME": "ann", "PASSWORD": password}});
        async move { caller.call("cognito-idp", "InitiateAuth", input).await }
    };
    // Failures under many names, so that no single lock hides the address's own. Passwords of other lengths than a
    // hash would cost are enough: the attempt is counted before it is looked at.
    let key = homeport_store::Key::of("cognito-idp.address-failures")
        .i64(homeport_core::Clock::now(&*world.app.clock).seconds() / 300)
        .bytes([192, 0, 2, 1]);
    world.app.parts.store.count(&key, 299, 300).await.unwrap();
    from("192.0.2.1", WRONG).await.refused("NotAuthorizedException", 400);
    from("192.0.2.1", PASSWORD).await.refused("TooManyRequestsException", 400);
    from("192.0.2.2", PASSWORD).await.ok();
    world.app.clock.advance_seconds(300);
    from("192.0.2.1", PASSWORD).await.ok();
}
