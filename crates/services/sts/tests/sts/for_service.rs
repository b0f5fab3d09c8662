use std::collections::BTreeMap;
use std::sync::Arc;

use homeport_policy::{Policy, PolicyKind};
use homeport_service::CognitoSession;
use homeport_service::needs::{Assume, AssumeForService, AssumeRefused, AssumedBy, Credentials};
use homeport_testkit::TestCaller;
use serde_json::{Value, json};

use crate::app::{House, ROLE, allow, assume, call, house, list_users, trusts_account};

const IDENTITY: &str = "us-east-1:00000000-0000-4000-8000-000000000001";

fn trusts_service(service: &str) -> Value {
    json!({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})
}

fn trusts_pool() -> Value {
    json!({"Effect": "Allow", "Principal": {"Federated": "cognito-identity.amazonaws.com"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {"cognito-identity.amazonaws.com:aud": "us-east-1:pool"},
                      "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "authenticated"}}})
}

fn for_lambda() -> Assume {
    Assume {
        role_arn: ROLE.to_owned(),
        by: AssumedBy::Service("lambda.amazonaws.com"),
        session_name: "notes".to_owned(),
        session_policies: Vec::new(),
        tags: BTreeMap::new(),
        seconds: 3_600,
        context: BTreeMap::new(),
        cognito: None,
    }
}

fn for_identity(amr: &str) -> Assume {
    let context = [("sub", IDENTITY), ("aud", "us-east-1:pool"), ("amr", amr)];
    let key = |name: &str| format!("cognito-identity.amazonaws.com:{name}");
    Assume {
        by: AssumedBy::Federated("cognito-identity.amazonaws.com"),
        context: context.into_iter().map(|(name, value)| (key(name), vec![value.to_owned()])).collect(),
        cognito: Some(CognitoSession {
            identity_pool_id: "us-east-1:pool".to_owned(),
            identity_id: IDENTITY.to_owned(),
            provider: None,
            user_pool_id: Some("us-east-1_pool".to_owned()),
            sub: Some("ada".to_owned()),
            origin_jti: Some("jti".to_owned()),
        }),
        ..for_lambda()
    }
}

fn caller(house: &House, credentials: &Credentials) -> TestCaller {
    let secret = credentials.secret_access_key.expose_text().unwrap();
    house.app.keys(&credentials.access_key_id, secret, credentials.session_token.expose_text())
}

#[tokio::test]
async fn a_service_takes_on_a_role_that_trusts_it() {
    let house = house();
    house.role(trusts_service("lambda.amazonaws.com"), &["iam:ListUsers"]).await;
    let session = caller(&house, &house.sts.assume(for_lambda()).await.unwrap());
    list_users(&session).await.ok();
    let me = call(&session, "GetCallerIdentity", json!({})).await.ok();
    assert_eq!(me.element("Arn").as_deref(), Some("arn:aws:sts::123456789012:assumed-role/app/notes"));
}

#[tokio::test]
async fn no_role_that_does_not_trust_it_and_none_that_is_not_there() {
    let house = house();
    house.role(trusts_service("apigateway.amazonaws.com"), &["iam:ListUsers"]).await;
    assert!(matches!(house.sts.assume(for_lambda()).await, Err(AssumeRefused::NotTrusted)));
    let missing = Assume { role_arn: format!("{ROLE}-none"), ..for_lambda() };
    assert!(matches!(house.sts.assume(missing).await, Err(AssumeRefused::NoSuchRole)));
    let tags = BTreeMap::from([("team".to_owned(), "blue".to_owned())]);
    let by = AssumedBy::Service("apigateway.amazonaws.com");
    assert!(house.sts.assume(Assume { by, ..for_lambda() }).await.is_ok());
    let tagged = Assume { by, tags, ..for_lambda() };
    assert!(matches!(house.sts.assume(tagged).await, Err(AssumeRefused::NotTrusted)));
}

#[tokio::test]
async fn an_identity_is_held_to_the_trust_policys_conditions() {
    let house = house();
    house.role(trusts_pool(), &["iam:ListUsers"]).await;
    assert!(house.sts.assume(for_identity("authenticated")).await.is_ok());
    let refused = house.sts.assume(for_identity("unauthenticated")).await;
    assert!(matches!(refused, Err(AssumeRefused::NotTrusted)));
    let mut elsewhere = for_identity("authenticated");
    elsewhere
        .context
        .insert("cognito-identity.amazonaws.com:aud".to_owned(), vec!["us-east-1:other".to_owned()]);
    assert!(matches!(house.sts.assume(elsewhere).await, Err(AssumeRefused::NotTrusted)));
    assert!(matches!(house.sts.assume(for_lambda()).await, Err(AssumeRefused::NotTrusted)));
}

#[tokio::test]
async fn the_identity_is_there_for_policy_variables() {
    let house = house();
    house.role(trusts_pool(), &["s3:*"]).await;
    let own = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:GetUser",
        "Resource": "arn:aws:iam::*:user/${cognito-identity.amazonaws.com:sub}"}});
    house
        .iam(
            "PutRolePolicy",
            json!({"RoleName": "app", "PolicyName": "own", "PolicyDocument": own.to_string()}),
        )
        .await;
    let session = caller(&house, &house.sts.assume(for_identity("authenticated")).await.unwrap());
    let mine = session.call("iam", "GetUser", json!({"UserName": "someone-else"})).await;
    mine.refused("AccessDenied", 403);
}

#[tokio::test]
async fn a_session_policy_that_a_service_hands_over_narrows() {
    let house = house();
    house.role(trusts_pool(), &["iam:List*"]).await;
    let policy = Policy::parse(&allow(&["iam:ListUsers"]), PolicyKind::Session).unwrap();
    let assume = Assume { session_policies: vec![Arc::new(policy)], ..for_identity("authenticated") };
    let session = caller(&house, &house.sts.assume(assume).await.unwrap());
    list_users(&session).await.ok();
    session.call("iam", "ListRoles", json!({})).await.refused("AccessDenied", 403);
}

#[tokio::test]
async fn a_user_who_was_signed_out_loses_the_session_at_once() {
    let house = house();
    house.role(trusts_pool(), &["iam:ListUsers"]).await;
    let session = caller(&house, &house.sts.assume(for_identity("authenticated")).await.unwrap());
    list_users(&session).await.ok();
    house.pools.signed_out.lock().unwrap().push("ada".to_owned());
    list_users(&session).await.refused("InvalidClientTokenId", 403);
}

#[tokio::test]
async fn a_deleted_identity_loses_its_session_at_once() {
    let house = house();
    house.role(trusts_pool(), &["iam:ListUsers"]).await;
    let session = caller(&house, &house.sts.assume(for_identity("authenticated")).await.unwrap());
    list_users(&session).await.ok();
    house.pools.deleted_identities.lock().unwrap().push(IDENTITY.to_owned());
    list_users(&session).await.refused("InvalidClientTokenId", 403);
}

#[tokio::test]
async fn what_was_assumed_with_a_users_session_ends_with_the_user() {
    type End = fn(&House);
    let ends: [End; 2] = [
        |house| house.pools.signed_out.lock().unwrap().push("ada".to_owned()),
        |house| house.pools.deleted_identities.lock().unwrap().push(IDENTITY.to_owned()),
    ];
    for end in ends {
        let house = house();
        house.role(json!([trusts_pool(), trusts_account()]), &["iam:ListUsers", "sts:AssumeRole"]).await;
        let first = caller(&house, &house.sts.assume(for_identity("authenticated")).await.unwrap());
        let second = house.session(&call(&first, "AssumeRole", assume()).await.ok());
        let third = house.session(&call(&second, "AssumeRole", assume()).await.ok());
        let own = house.user("own", &allow(&["sts:AssumeRole"])).await;
        let other = house.session(&call(&own, "AssumeRole", assume()).await.ok());
        for session in [&first, &second, &third, &other] {
            list_users(session).await.ok();
        }
        end(&house);
        for session in [&first, &second, &third] {
            list_users(session).await.refused("InvalidClientTokenId", 403);
        }
        list_users(&other).await.ok();
    }
}

#[tokio::test]
async fn a_services_session_is_no_longer_than_the_role_allows() {
    let house = house();
    house.role(trusts_service("lambda.amazonaws.com"), &["iam:ListUsers"]).await;
    let long = Assume { seconds: 43_200, ..for_lambda() };
    let credentials = house.sts.assume(long).await.unwrap();
    let now = homeport_core::Clock::now(&*house.app.clock);
    assert_eq!(credentials.expiration.seconds_since(now), 3_600);
}
