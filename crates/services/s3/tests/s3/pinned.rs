//! Bucket policies mean those whom they named when they were put, and not whoever has the name next.

use homeport_blobs::Blobs;
use homeport_testkit::{Reply, TestApp, TestCaller};
use serde_json::{Value, json};

use crate::given::{get, put, put_rules};

const ROLE: &str = "arn:aws:iam::123456789012:role/reader";
const USER: &str = "arn:aws:iam::123456789012:user/reader";

/// S3 beside IAM and STS, with an object in the bucket `photos`.
async fn house() -> TestApp {
    let app = TestApp::new(|parts| {
        let (iam, iam_hosted) = homeport_iam::host(parts);
        let (sts, sts_hosted) = homeport_sts::host(parts);
        let (s3, s3_hosted) = homeport_s3::host(parts, &Blobs::in_memory("s3"));
        let needs = &parts.needs;
        needs.identify_users.set(iam.clone()).ok();
        needs.policies_of.set(iam.clone()).ok();
        needs.identify_sessions.set(sts).ok();
        needs.resource_policies.set(vec![("iam", iam), ("s3", s3)]).ok();
        vec![iam_hosted, sts_hosted, s3_hosted]
    });
    put(&app.admin(), "/photos", &[], b"").await.ok();
    put(&app.admin(), "/photos/1", &[], b"1").await.ok();
    app
}

async fn iam(app: &TestApp, operation: &str, input: Value) -> Reply {
    app.admin().call("iam", operation, input).await.ok()
}

/// Lets this principal read the bucket's objects.
fn policy(principal: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": principal},
        "Action": "s3:GetObject", "Resource": "arn:aws:s3:::photos/*"}]})
    .to_string()
}

async fn put_policy(app: &TestApp, principal: &str) -> Reply {
    put_rules(&app.admin(), "/photos?policy", policy(principal).as_bytes()).await
}

/// Makes the role, without a right of its own; answers its id and a session of it.
async fn make_role(app: &TestApp) -> (String, TestCaller) {
    let trust = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow",
        "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}});
    let role = json!({"RoleName": "reader", "AssumeRolePolicyDocument": trust.to_string()});
    let id = iam(app, "CreateRole", role).await.element("RoleId").unwrap();
    let asked = json!({"RoleArn": ROLE, "RoleSessionName": "one"});
    let made = app.admin().call("sts", "AssumeRole", asked).await.ok();
    let [key, secret, token] =
        ["AccessKeyId", "SecretAccessKey", "SessionToken"].map(|name| made.element(name).unwrap());
    (id, app.keys(&key, &secret, Some(&token)))
}

/// Makes the user, without a right of its own; answers its id, its key's and itself.
async fn make_user(app: &TestApp) -> (String, String, TestCaller) {
    let id = iam(app, "CreateUser", json!({"UserName": "reader"})).await.element("UserId").unwrap();
    let made = iam(app, "CreateAccessKey", json!({"UserName": "reader"})).await;
    let [key, secret] = ["AccessKeyId", "SecretAccessKey"].map(|name| made.element(name).unwrap());
    let user = app.keys(&key, &secret, None);
    (id, key, user)
}

async fn shown(app: &TestApp) -> Value {
    let policy: Value = serde_json::from_str(&get(&app.admin(), "/photos?policy").await.ok().text()).unwrap();
    policy["Statement"][0]["Principal"]["AWS"].clone()
}

#[tokio::test]
async fn a_role_made_again_is_not_the_one_that_was_let_in() {
    let app = house().await;
    let (id, session) = make_role(&app).await;
    get(&session, "/photos/1").await.refused("AccessDenied", 403);
    put_policy(&app, ROLE).await.ok();
    assert_eq!(get(&session, "/photos/1").await.ok().text(), "1");
    assert_eq!(shown(&app).await, ROLE);

    iam(&app, "DeleteRole", json!({"RoleName": "reader"})).await;
    assert_eq!(shown(&app).await, id);
    let (other, session) = make_role(&app).await;
    assert_ne!(other, id);
    get(&session, "/photos/1").await.refused("AccessDenied", 403);
    assert_eq!(shown(&app).await, id);

    // Put again, the policy means the role that has the name now.
    put_policy(&app, ROLE).await.ok();
    assert_eq!(get(&session, "/photos/1").await.ok().text(), "1");
    assert_eq!(shown(&app).await, ROLE);
}

#[tokio::test]
async fn a_user_made_again_is_not_the_one_that_was_let_in() {
    let app = house().await;
    let (id, key, user) = make_user(&app).await;
    put_policy(&app, USER).await.ok();
    get(&user, "/photos/1").await.ok();
    iam(&app, "DeleteAccessKey", json!({"UserName": "reader", "AccessKeyId": key})).await;
    iam(&app, "DeleteUser", json!({"UserName": "reader"})).await;
    let (_, _, user) = make_user(&app).await;
    get(&user, "/photos/1").await.refused("AccessDenied", 403);
    assert_eq!(shown(&app).await, id);
    put_policy(&app, USER).await.ok();
    get(&user, "/photos/1").await.ok();
}

#[tokio::test]
async fn a_user_keeps_what_it_was_granted_under_another_name() {
    let app = house().await;
    let (_, _, user) = make_user(&app).await;
    put_policy(&app, USER).await.ok();
    iam(&app, "UpdateUser", json!({"UserName": "reader", "NewUserName": "writer"})).await;
    get(&user, "/photos/1").await.ok();
}

#[tokio::test]
async fn a_bucket_policy_names_principals_that_exist() {
    let app = house().await;
    for unknown in [ROLE, USER, "arn:aws:iam::123456789012:group/readers", "AROA0NOSUCHROLE000000", "reader"]
    {
        let refused = put_policy(&app, unknown).await.refused("MalformedPolicy", 400);
        assert_eq!(refused.message(), "Invalid principal in policy", "{unknown}");
    }
    get(&app.admin(), "/photos?policy").await.refused("NoSuchBucketPolicy", 404);
    let (id, session) = make_role(&app).await;
    let of_session = "arn:aws:sts::123456789012:assumed-role/reader/one";
    for known in [ROLE, &id, of_session, "123456789012", "arn:aws:iam::210987654321:role/theirs", "*"] {
        put_policy(&app, known).await.ok();
        assert_eq!(shown(&app).await, known);
        let read = get(&session, "/photos/1").await;
        assert_eq!(read.status == 200, [ROLE, &id, of_session, "*"].contains(&known), "{known}");
    }
}
