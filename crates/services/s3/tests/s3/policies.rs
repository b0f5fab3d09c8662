use serde_json::json;

use crate::given::{delete, get, put, with_bucket};

fn policy(statement: serde_json::Value) -> String {
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

#[tokio::test]
async fn a_user_reaches_the_own_prefix_alone() {
    let app = with_bucket().await;
    let own =
        policy(json!({"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
        "Resource": "arn:aws:s3:::photos/private/ada/*"}));
    let list =
        policy(json!({"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::photos",
        "Condition": {"StringLike": {"s3:prefix": ["private/ada/*"]}}}));
    let ada = app.user("ADA", &[&own, &list]);
    put(&app.admin(), "/photos/private/bob/1", &[], b"bob's").await.ok();
    put(&ada, "/photos/private/ada/1", &[], b"hers").await.ok();
    assert_eq!(get(&ada, "/photos/private/ada/1").await.ok().text(), "hers");
    get(&ada, "/photos?list-type=2&prefix=private%2Fada%2F").await.ok();
    for target in [
        "/photos/private/bob/1",
        "/photos?list-type=2",
        "/photos?list-type=2&prefix=private%2F",
        "/photos?list-type=2&prefix=private%2Fbob%2F",
        "/photos/private/bob/none",
        "/photos/private/ada/../bob/1",
    ] {
        get(&ada, target).await.refused("AccessDenied", 403);
    }
    put(&ada, "/photos/private/bob/1", &[], b"x").await.refused("AccessDenied", 403);
    delete(&ada, "/photos/private/bob/1").await.refused("AccessDenied", 403);
    let copy = [("x-amz-copy-source", "photos/private/bob/1")];
    ada.send("s3", "PUT", "/photos/private/ada/2", &copy, b"").await.refused("AccessDenied", 403);
    let xml = b"<Delete><Object><Key>private/ada/1</Key></Object><Object><Key>private/bob/1</Key></Object></Delete>";
    ada.send("s3", "POST", "/photos?delete", &[], xml).await.refused("AccessDenied", 403);
    assert_eq!(get(&app.admin(), "/photos/private/bob/1").await.ok().text(), "bob's");
    get(&ada, "/photos/private/ada/1").await.ok();
}

#[tokio::test]
async fn who_may_not_list_does_not_learn_what_is_missing() {
    let app = with_bucket().await;
    let read =
        policy(json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::photos/*"}));
    let list =
        policy(json!({"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::photos"}));
    get(&app.user("READER", &[&read]), "/photos/missing").await.refused("AccessDenied", 403);
    get(&app.user("LISTER", &[&read, &list]), "/photos/missing").await.refused("NoSuchKey", 404);
}

#[tokio::test]
async fn a_bucket_policy_opens_and_closes() {
    let app = with_bucket().await;
    put(&app.admin(), "/photos/public/1", &[], b"1").await.ok();
    put(&app.admin(), "/photos/secret/1", &[], b"1").await.ok();
    get(&app.anonymous(), "/photos/public/1").await.refused("AccessDenied", 403);
    get(&app.admin(), "/photos?policy").await.refused("NoSuchBucketPolicy", 404);
    let open = policy(json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::photos/public/*"}));
    app.admin().send("s3", "PUT", "/photos?policy", &[], open.as_bytes()).await.ok();
    assert_eq!(get(&app.admin(), "/photos?policy").await.ok().text(), open);
    get(&app.anonymous(), "/photos/public/1").await.ok();
    get(&app.stranger(), "/photos/public/1").await.ok();
    get(&app.anonymous(), "/photos/secret/1").await.refused("AccessDenied", 403);
    put(&app.anonymous(), "/photos/public/2", &[], b"1").await.refused("AccessDenied", 403);
    get(&app.anonymous(), "/photos/public/1?response-content-type=text%2Fhtml")
        .await
        .refused("InvalidRequest", 400);
    let close = policy(json!({"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::photos/secret/*"}));
    app.admin().send("s3", "PUT", "/photos?policy", &[], close.as_bytes()).await.ok();
    get(&app.admin(), "/photos/secret/1").await.refused("AccessDenied", 403);
    get(&app.anonymous(), "/photos/public/1").await.refused("AccessDenied", 403);
    assert_eq!(delete(&app.admin(), "/photos?policy").await.status, 204);
    get(&app.admin(), "/photos/secret/1").await.ok();
}

#[tokio::test]
async fn a_malformed_policy_is_refused() {
    let app = with_bucket().await;
    let foreign = policy(
        json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::other/*"}),
    );
    for text in ["{", "{}", &foreign] {
        app.admin()
            .send("s3", "PUT", "/photos?policy", &[], text.as_bytes())
            .await
            .refused("MalformedPolicy", 400);
    }
}

#[tokio::test]
async fn another_owner_is_not_expected() {
    let app = with_bucket().await;
    let other = [("x-amz-expected-bucket-owner", "000000000001")];
    put(&app.admin(), "/photos/a", &other, b"1").await.refused("AccessDenied", 403);
    app.admin().send("s3", "GET", "/photos?list-type=2", &other, b"").await.refused("AccessDenied", 403);
}
