use homeport_testkit::{Reply, TestApp};

use crate::given::{md5, put, with_bucket};

const OWN: &str = "123456789012";
const ANOTHER: &str = "000000000001";

/// Calls of a bucket `photos` with an object `a`, in an order in which all succeed.
const OF_A_BUCKET: [(&str, &str, &str); 18] = [
    ("HEAD", "/photos", ""),
    ("GET", "/photos?location", ""),
    ("GET", "/photos", ""),
    ("GET", "/photos?list-type=2", ""),
    ("GET", "/photos?uploads", ""),
    ("PUT", "/photos/a", "1"),
    ("GET", "/photos/a", ""),
    ("HEAD", "/photos/a", ""),
    ("GET", "/photos/a?tagging", ""),
    (
        "PUT",
        "/photos?cors",
        "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>",
    ),
    ("GET", "/photos?cors", ""),
    ("DELETE", "/photos?cors", ""),
    (
        "PUT",
        "/photos?policy",
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::photos/x"}}"#,
    ),
    ("GET", "/photos?policy", ""),
    ("DELETE", "/photos?policy", ""),
    ("POST", "/photos?delete", "<Delete><Object><Key>b</Key></Object></Delete>"),
    ("DELETE", "/photos/a", ""),
    ("DELETE", "/photos", ""),
];

async fn call_with(app: &TestApp, call: (&str, &str, &str), further: &[(&str, &str)]) -> Reply {
    let (method, target, body) = call;
    let (length, digest) = (body.len().to_string(), md5(body.as_bytes()));
    let own = [("content-length", length.as_str()), ("content-md5", digest.as_str())];
    let headers = if body.is_empty() { further.to_vec() } else { [further, &own].concat() };
    app.admin().send("s3", method, target, &headers, body.as_bytes()).await
}

fn assert_denied(reply: Reply) {
    match reply.body.is_empty() {
        true => assert_eq!(reply.status, 403),
        false => drop(reply.refused("AccessDenied", 403)),
    }
}

#[tokio::test]
async fn another_owner_is_not_expected() {
    const EXPECTED: &str = "x-amz-expected-bucket-owner";
    let app = with_bucket().await;
    let begun = call_with(&app, ("POST", "/photos/up?uploads", ""), &[]).await.ok();
    let upload = format!("/photos/up?uploadId={}", begun.element("UploadId").unwrap());
    let part = format!("{upload}&partNumber=1");
    let completed = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part></CompleteMultipartUpload>",
        "c4ca4238a0b923820dcc509a6f75849b"
    );
    let aborted = call_with(&app, ("POST", "/photos/up?uploads", ""), &[]).await.ok();
    let aborted = format!("/photos/up?uploadId={}", aborted.element("UploadId").unwrap());
    let uploads = [
        ("PUT", part.as_str(), "1"),
        ("GET", &upload, ""),
        ("POST", &upload, &completed),
        ("DELETE", &aborted, ""),
        ("DELETE", "/photos/up", ""),
    ];
    for call in uploads.into_iter().chain(OF_A_BUCKET) {
        assert_denied(call_with(&app, call, &[(EXPECTED, ANOTHER)]).await);
        let presigned =
            format!("{}{}{EXPECTED}={ANOTHER}", call.1, if call.1.contains('?') { '&' } else { '?' });
        assert_denied(call_with(&app, (call.0, &presigned, call.2), &[]).await);
        let done = call_with(&app, call, &[(EXPECTED, OWN)]).await;
        assert!(done.status < 300, "{call:?}: {} {}", done.status, done.text());
    }
    // What names no bucket expects no owner.
    call_with(&app, ("GET", "/", ""), &[(EXPECTED, ANOTHER)]).await.ok();
}

#[tokio::test]
async fn a_copys_source_is_whose_it_is_expected_to_be() {
    let app = with_bucket().await;
    put(&app.admin(), "/photos/a", &[], b"1").await.ok();
    let begun = call_with(&app, ("POST", "/photos/up?uploads", ""), &[]).await.ok();
    let part = format!("/photos/up?partNumber=1&uploadId={}", begun.element("UploadId").unwrap());
    let source = ("x-amz-copy-source", "photos/a");
    for target in ["/photos/b", &part] {
        for name in ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"] {
            let copy =
                async |owner: &str| call_with(&app, ("PUT", target, ""), &[source, (name, owner)]).await;
            copy(ANOTHER).await.refused("AccessDenied", 403);
            copy("").await.refused("AccessDenied", 403);
            copy(OWN).await.ok();
        }
    }
}
