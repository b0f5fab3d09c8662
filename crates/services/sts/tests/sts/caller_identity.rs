use homeport_testkit::TestApp;
use serde_json::json;

fn app() -> TestApp {
    TestApp::new(|parts| vec![homeport_sts::host(parts).1])
}

#[tokio::test]
async fn a_caller_learns_who_it_is() {
    let reply = app().admin().call("sts", "GetCallerIdentity", json!({})).await.ok();
    assert_eq!(reply.element("Account").as_deref(), Some("123456789012"));
    assert_eq!(reply.element("Arn").as_deref(), Some("arn:aws:iam::123456789012:user/testadmin0000000"));
}

#[tokio::test]
async fn a_stranger_without_any_policy_learns_it_too() {
    app().stranger().call("sts", "GetCallerIdentity", json!({})).await.ok();
}

#[tokio::test]
async fn nobody_has_no_identity() {
    app()
        .anonymous()
        .call("sts", "GetCallerIdentity", json!({}))
        .await
        .refused("MissingAuthenticationToken", 403);
}

#[tokio::test]
async fn a_wrong_secret_is_refused() {
    let app = app();
    let forger = app.keys(homeport_testkit::ADMIN_KEY, "guessed", None);
    forger.call("sts", "GetCallerIdentity", json!({})).await.refused("SignatureDoesNotMatch", 403);
}

#[tokio::test]
async fn an_unknown_key_is_refused() {
    let app = app();
    let unknown = app.keys("AKIANOBODY0000000000", "x", None);
    unknown.call("sts", "GetCallerIdentity", json!({})).await.refused("InvalidClientTokenId", 403);
}

#[tokio::test]
async fn a_clock_may_be_wrong_by_five_minutes_and_no_more() {
    let app = app();
    for wrong in [-299, 299] {
        app.admin().with_clock_error(wrong).call("sts", "GetCallerIdentity", json!({})).await.ok();
    }
    for wrong in [-301, 301] {
        let refused = app.admin().with_clock_error(wrong).call("sts", "GetCallerIdentity", json!({})).await;
        refused.refused("SignatureDoesNotMatch", 403);
    }
}

#[tokio::test]
async fn what_sts_does_not_know_is_an_invalid_action() {
    let reply = app()
        .admin()
        .send(
            "sts",
            "POST",
            "/",
            &[("content-type", "application/x-www-form-urlencoded")],
            b"Action=Frob&Version=2011-06-15",
        )
        .await;
    reply.refused("InvalidAction", 400);
}
