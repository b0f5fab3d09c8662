use std::collections::BTreeMap;
use std::sync::Arc;

use homeport_core::BoxFuture;
use homeport_service::needs::{SignIn, TokenRefused, VerifyWebIdentity, WebIdentity};
use serde_json::{Value, json};

use crate::app::{House, ROLE, call, house_with, list_users, with};

const PROVIDER: &str = "cognito-identity.amazonaws.com";

/// An issuer whose tokens are `AUDIENCE/SUBJECT`, or one of two words.
struct Issuer;

impl VerifyWebIdentity for Issuer {
    fn verify_web_identity<'a>(
        &'a self,
        token: &'a str,
    ) -> BoxFuture<'a, Result<Option<WebIdentity>, TokenRefused>> {
        Box::pin(async move {
            match token {
                "expired" => return Err(TokenRefused::Expired),
                "revoked" => return Err(TokenRefused::Revoked),
                _ => {}
            }
            let Some((audience, subject)) = token.split_once('/') else { return Ok(None) };
            let key = |name: &str| format!("{PROVIDER}:{name}");
            Ok(Some(WebIdentity {
                provider: PROVIDER.to_owned(),
                subject: subject.to_owned(),
                audience: audience.to_owned(),
                context: BTreeMap::from([
                    (key("aud"), vec![audience.to_owned()]),
                    (key("sub"), vec![subject.to_owned()]),
                ]),
                cognito: None,
                sign_in: Some(SignIn {
                    user_pool_id: "us-east-1_pool".to_owned(),
                    sub: subject.to_owned(),
                    origin_jti: "jti".to_owned(),
                }),
            }))
        })
    }
}

async fn house() -> House {
    let house = house_with(vec![Arc::new(Issuer)]);
    let trust = json!({"Effect": "Allow", "Principal": {"Federated": PROVIDER}, "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {"cognito-identity.amazonaws.com:aud": "pool"}}});
    house.role(trust, &["iam:ListUsers"]).await;
    house
}

fn input(token: &str) -> Value {
    json!({"RoleArn": ROLE, "RoleSessionName": "web", "WebIdentityToken": token})
}

#[tokio::test]
async fn the_bearer_of_a_trusted_token_gets_the_role() {
    let house = house().await;
    let answer =
        call(&house.app.anonymous(), "AssumeRoleWithWebIdentity", input("pool/identity-1")).await.ok();
    assert_eq!(answer.element("SubjectFromWebIdentityToken").as_deref(), Some("identity-1"));
    assert_eq!(answer.element("Audience").as_deref(), Some("pool"));
    list_users(&house.session(&answer)).await.ok();
}

#[tokio::test]
async fn another_audience_a_missing_role_and_a_role_for_others_are_refused_alike() {
    let house = house().await;
    let nobody = house.app.anonymous();
    let mut messages = Vec::new();
    for refused in
        [input("other/identity-1"), with(input("pool/identity-1"), "RoleArn", json!(format!("{ROLE}-none")))]
    {
        let answer = call(&nobody, "AssumeRoleWithWebIdentity", refused).await;
        messages.push(answer.refused("AccessDenied", 403).message());
    }
    assert_eq!(messages[0], messages[1]);
}

#[tokio::test]
async fn a_token_that_proves_nothing_is_refused() {
    let house = house().await;
    let nobody = house.app.anonymous();
    for (token, code) in [
        ("nobodys", "InvalidIdentityToken"),
        ("revoked", "InvalidIdentityToken"),
        ("expired", "ExpiredTokenException"),
    ] {
        call(&nobody, "AssumeRoleWithWebIdentity", input(token)).await.refused(code, 400);
    }
}

#[tokio::test]
async fn the_role_is_not_to_be_had_without_the_token() {
    let house = house().await;
    let assume = json!({"RoleArn": ROLE, "RoleSessionName": "web"});
    call(&house.app.admin(), "AssumeRole", assume.clone()).await.refused("AccessDenied", 403);
    call(&house.app.anonymous(), "AssumeRole", assume).await.refused("MissingAuthenticationToken", 403);
}

#[tokio::test]
async fn its_session_too_is_no_longer_than_the_role_allows() {
    let house = house().await;
    let long = with(input("pool/identity-1"), "DurationSeconds", json!(7_200));
    call(&house.app.anonymous(), "AssumeRoleWithWebIdentity", long).await.refused("ValidationError", 400);
}

#[tokio::test]
async fn the_session_ends_with_the_sign_in_behind_the_token() {
    let house = house().await;
    let answer = call(&house.app.anonymous(), "AssumeRoleWithWebIdentity", input("pool/ada")).await.ok();
    let session = house.session(&answer);
    list_users(&session).await.ok();
    house.pools.signed_out.lock().unwrap().push("ada".to_owned());
    list_users(&session).await.refused("InvalidClientTokenId", 403);
}
