use homeport_testkit::Reply;

use crate::given::{delete, get, header, md5, put, with_bucket};

const KEYS: &str = "<Delete><Object><Key>a</Key></Object></Delete>";
const CORS: &str = "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>";
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::photos/x"}}"#;

#[tokio::test]
async fn a_body_that_is_not_what_its_digests_say_is_refused() {
    let app = with_bucket().await;
    put(&app.admin(), "/photos/a", &[], b"1").await.ok();
    let calls = [
        ("POST", "/photos?delete", KEYS, "v6Ysrw=="),
        ("PUT", "/photos?cors", CORS, "rLOIHw=="),
        ("PUT", "/photos?policy", POLICY, "1XuSVQ=="),
    ];
    for (method, target, body, crc32) in calls {
        let send = async |name: &str, value: &str| -> Reply {
            app.admin().send("s3", method, target, &[(name, value)], body.as_bytes()).await
        };
        let others = md5(b"others");
        send("content-md5", &others).await.refused("BadDigest", 400);
        send("content-md5", "AAAA").await.refused("InvalidDigest", 400);
        send("x-amz-checksum-crc32", "AAAAAA==").await.refused("BadDigest", 400);
        send("x-amz-checksum-crc32", "AAAA").await.refused("InvalidRequest", 400);
        get(&app.admin(), "/photos/a").await.ok();
        get(&app.admin(), "/photos?cors").await.refused("NoSuchCORSConfiguration", 404);
        get(&app.admin(), "/photos?policy").await.refused("NoSuchBucketPolicy", 404);
        for (name, value) in [("content-md5", md5(body.as_bytes()).as_str()), ("x-amz-checksum-crc32", crc32)]
        {
            let done = send(name, value).await;
            assert!(done.status < 300, "{target}: {}", done.text());
        }
        match method {
            "PUT" => drop(delete(&app.admin(), target).await),
            _ => drop(put(&app.admin(), "/photos/a", &[], b"1").await.ok()),
        }
    }
}

#[tokio::test]
async fn keys_and_rules_come_with_a_digest() {
    let app = with_bucket().await;
    put(&app.admin(), "/photos/a", &[], b"1").await.ok();
    for (method, target, body) in
        [("PUT", "/photos?cors", CORS), ("PUT", "/photos?policy", POLICY), ("POST", "/photos?delete", KEYS)]
    {
        let send = async |headers: &[(&str, &str)]| {
            app.admin().send("s3", method, target, headers, body.as_bytes()).await
        };
        let refused = send(&[]).await.refused("InvalidRequest", 400);
        let message = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*";
        assert_eq!(refused.message(), message, "{target}");
        send(&[("x-amz-trailer", "x-amz-checksum-crc32")]).await.refused("NotImplemented", 501);
        match method {
            "PUT" => assert_eq!(get(&app.admin(), target).await.status, 404, "{target}"),
            _ => drop(get(&app.admin(), "/photos/a").await.ok()),
        }
        let done = send(&[("content-md5", &md5(body.as_bytes()))]).await;
        assert!(done.status < 300, "{target}: {}", done.text());
    }
    get(&app.admin(), "/photos/a").await.refused("NoSuchKey", 404);
}

#[tokio::test]
async fn checksums_of_an_upload_that_ends_are_its_objects() {
    let app = with_bucket().await;
    let begun = [("x-amz-checksum-algorithm", "CRC32"), ("x-amz-checksum-type", "FULL_OBJECT")];
    let begun = app.admin().send("s3", "POST", "/photos/a?uploads", &begun, b"").await.ok();
    let upload = format!("/photos/a?uploadId={}", begun.element("UploadId").unwrap());
    let part = put(&app.admin(), &format!("{upload}&partNumber=1"), &[], b"123456789").await.ok();
    let etag = header(&part, "etag");
    let body = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    );
    let end = async |digest: &str, crc32: &str| {
        let headers = [("content-md5", digest), ("x-amz-checksum-crc32", crc32)];
        app.admin().send("s3", "POST", &upload, &headers, body.as_bytes()).await
    };
    let own = md5(body.as_bytes());
    end(&md5(b"others"), "y/Q5Jg==").await.refused("BadDigest", 400);
    end(&own, "AAAAAA==").await.refused("BadDigest", 400);
    end(&own, "y/Q5Jg==").await.ok();
}
