use serde_json::json;

use crate::given::{delete, delete_objects, get, put, put_rules, with_bucket};

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
    let deleted = delete_objects(&ada, "/photos?delete", xml).await.ok().text();
    assert!(deleted.contains("<Deleted><Key>private/ada/1</Key></Deleted>"), "{deleted}");
    let error =
        "<Error><Code>AccessDenied</Code><Key>private/bob/1</Key><Message>Access Denied</Message></Error>";
    assert!(deleted.contains(error) && deleted.matches("<Error>").count() == 1, "{deleted}");
    assert_eq!(get(&app.admin(), "/photos/private/bob/1").await.ok().text(), "bob's");
    get(&app.admin(), "/photos/private/ada/1").await.refused("NoSuchKey", 404);
}

#[tokio::test]
async fn each_key_to_delete_is_decided_for_itself() {
    let app = with_bucket().await;
    let keys = ["a", "b", "c", "d"];
    let body = |keys: &[&str], quiet: bool| {
        let objects: String = keys.iter().map(|key| format!("<Object><Key>{key}</Key></Object>")).collect();
        format!("<Delete><Quiet>{quiet}</Quiet>{objects}</Delete>").into_bytes()
    };
    for key in keys {
        put(&app.admin(), &format!("/photos/{key}"), &[], b"1").await.ok();
    }
    let statement = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::photos/*"},
        {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::photos/c"}]});
    let some = app.user("SOME", &[&statement.to_string()]);
    let open = policy(json!({"Effect": "Allow", "Principal": "*", "Action": "s3:DeleteObject",
        "Resource": "arn:aws:s3:::photos/d"}));
    put_rules(&app.admin(), "/photos?policy", open.as_bytes()).await.ok();
    let told = |reply: &str, before: &str| -> Vec<String> {
        let begin = format!("{before}<Key>");
        let parts = reply.split(&begin).skip(1);
        parts.map(|part| part.split('<').next().unwrap().to_owned()).collect()
    };
    let (gone, denied) = ("<Deleted>", "<Error><Code>AccessDenied</Code>");
    for (caller, deletes) in
        [(app.anonymous(), &["d"][..]), (app.stranger(), &["d"]), (some, &["a", "b", "d"])]
    {
        put(&app.admin(), "/photos/d", &[], b"1").await.ok();
        let reply = delete_objects(&caller, "/photos?delete", &body(&keys, false)).await.ok().text();
        assert_eq!(told(&reply, gone), deletes);
        let kept: Vec<_> = keys.into_iter().filter(|key| !deletes.contains(key)).collect();
        assert_eq!(told(&reply, denied), kept);
        for key in keys {
            let got = get(&app.admin(), &format!("/photos/{key}")).await;
            assert_eq!(got.status, if deletes.contains(&key) { 404 } else { 200 }, "{key}");
        }
    }
    // A quiet call tells of errors alone; too many keys are refused before any is decided.
    let reply = delete_objects(&app.stranger(), "/photos?delete", &body(&["c", "d"], true)).await.ok();
    assert_eq!((told(&reply.text(), gone).len(), told(&reply.text(), denied)), (0, vec!["c".to_owned()]));
    let many = body(&["c"; 1_001], false);
    delete_objects(&app.stranger(), "/photos?delete", &many).await.refused("MalformedXML", 400);
    assert_eq!(get(&app.admin(), "/photos/c").await.ok().text(), "1");
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
    put_rules(&app.admin(), "/photos?policy", open.as_bytes()).await.ok();
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
    put_rules(&app.admin(), "/photos?policy", close.as_bytes()).await.ok();
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
        put_rules(&app.admin(), "/photos?policy", text.as_bytes()).await.refused("MalformedPolicy", 400);
    }
}

#[tokio::test]
async fn a_bucket_may_ask_for_encryption() {
    let app = with_bucket().await;
    let statement = json!({"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::photos/*",
        "Condition": {"StringNotEquals": {"s3:x-amz-server-side-encryption": "AES256"}}});
    put_rules(&app.admin(), "/photos?policy", policy(statement).as_bytes()).await.ok();
    let aes = ("x-amz-server-side-encryption", "AES256");
    for (target, copied) in [("/photos/a", None), ("/photos/b", Some(("x-amz-copy-source", "photos/a")))] {
        let headers: Vec<_> = copied.into_iter().collect();
        put(&app.admin(), target, &headers, b"").await.refused("AccessDenied", 403);
        put(&app.admin(), target, &[&headers[..], &[aes]].concat(), b"").await.ok();
    }
    app.admin().send("s3", "POST", "/photos/c?uploads", &[], b"").await.refused("AccessDenied", 403);
    app.admin().send("s3", "POST", "/photos/c?uploads", &[aes], b"").await.ok();
}
