//! An installation with S3, and one bucket in it.

use homeport_blobs::Blobs;
use homeport_testkit::{Reply, TestApp, TestCaller};

/// Blobs in memory: the folder has tests of its own.
pub(crate) fn app() -> TestApp {
    TestApp::new(|parts| {
        let (s3, hosted) = homeport_s3::host(parts, &Blobs::in_memory("s3"));
        parts.needs.resource_policies.set(vec![("s3", s3.clone())]).ok();
        parts.needs.bucket_cors.set(s3).ok();
        vec![hosted]
    })
}

/// With the administrator's bucket `photos`.
pub(crate) async fn with_bucket() -> TestApp {
    let app = app();
    app.admin().send("s3", "PUT", "/photos", &[], b"").await.ok();
    app
}

pub(crate) async fn get(caller: &TestCaller, target: &str) -> Reply {
    caller.send("s3", "GET", target, &[], b"").await
}

pub(crate) async fn delete(caller: &TestCaller, target: &str) -> Reply {
    caller.send("s3", "DELETE", target, &[], b"").await
}

/// Puts an object with further headers.
pub(crate) async fn put(caller: &TestCaller, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let length = body.len().to_string();
    let headers = [headers, &[("content-length", length.as_str())]].concat();
    caller.send("s3", "PUT", target, &headers, body).await
}

pub(crate) fn header<'r>(reply: &'r Reply, name: &str) -> &'r str {
    reply.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

/// Deletes the keys that a body names.
pub(crate) async fn delete_objects(caller: &TestCaller, target: &str, body: &[u8]) -> Reply {
    caller.send("s3", "POST", target, &[("content-md5", &md5(body))], body).await
}

/// Puts a bucket's rules, `?cors` or `?policy`.
pub(crate) async fn put_rules(caller: &TestCaller, target: &str, body: &[u8]) -> Reply {
    caller.send("s3", "PUT", target, &[("content-md5", &md5(body))], body).await
}

/// `Content-MD5` of a body.
pub(crate) fn md5(body: &[u8]) -> String {
    use base64::Engine;
    use md5::{Digest, Md5};
    base64::engine::general_purpose::STANDARD.encode(Md5::digest(body))
}
