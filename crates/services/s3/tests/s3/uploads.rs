use bytes::Bytes;
use homeport_core::Clock;
use homeport_service::{Body, BoxError};
use homeport_sigv4::{Credentials, DeclaredPayload, SignedPayload, Signer};
use homeport_testkit::{ADMIN_KEY, Reply, TestApp, TestIam};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::given::{get, header, md5, put, with_bucket};

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let named = |(name, value): &(&str, &str)| {
        (HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap())
    };
    pairs.iter().map(named).collect()
}

fn signed<T>(app: &TestApp, sign: impl FnOnce(&Signer<'_>) -> T) -> T {
    let secret = TestIam::secret_of(ADMIN_KEY);
    let credentials =
        Credentials { access_key_id: ADMIN_KEY, secret_access_key: &secret, session_token: None };
    sign(&Signer { credentials, region: "us-east-1", service: "s3", at: app.clock.now() })
}

/// Sends a body in chunks, signed or not, with a CRC32 trailer; `spoil` changes the wire.
async fn chunked(app: &TestApp, is_signed: bool, crc32: &str, spoil: impl FnOnce(&mut Vec<u8>)) -> Reply {
    let body = vec![b'x'; 20_000];
    let mut head = headers(&[
        ("host", "127.0.0.1:4566"),
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "20000"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
        ("x-amz-sdk-checksum-algorithm", "CRC32"),
    ]);
    let payload = if is_signed {
        DeclaredPayload::SignedChunks { trailer: true }
    } else {
        DeclaredPayload::UnsignedChunks
    };
    let mut chunks = signed(app, |signer| {
        signer.sign("PUT", "/photos/a", &mut head, SignedPayload::Declared(payload)).unwrap()
    });
    let mut wire = Vec::new();
    if is_signed {
        body.chunks(8_192).for_each(|part| wire.extend(chunks.chunk(part)));
        wire.extend(chunks.finish(&[("x-amz-checksum-crc32", crc32)]));
    } else {
        body.chunks(7_000).for_each(|part| {
            wire.extend(format!("{:x}\r\n", part.len()).into_bytes());
            wire.extend([part, b"\r\n"].concat());
        });
        wire.extend(format!("0\r\nx-amz-checksum-crc32:{crc32}\r\n\r\n").into_bytes());
    }
    spoil(&mut wire);
    app.anonymous().send_raw("PUT", "/photos/a", head, &wire).await
}

const CRC32: &str = "QWVHAw==";

#[tokio::test]
async fn chunks_and_trailers_make_an_object() {
    for is_signed in [true, false] {
        let app = with_bucket().await;
        let done = chunked(&app, is_signed, CRC32, |_| {}).await.ok();
        assert_eq!(header(&done, "x-amz-checksum-crc32"), CRC32);
        let asked = [("x-amz-checksum-mode", "ENABLED")];
        let got = app.admin().send("s3", "GET", "/photos/a", &asked, b"").await.ok();
        assert_eq!((got.body.len(), header(&got, "x-amz-checksum-crc32")), (20_000, CRC32));
        assert_eq!(
            (header(&got, "content-encoding"), header(&got, "x-amz-checksum-type")),
            ("", "FULL_OBJECT")
        );
    }
}

#[tokio::test]
async fn a_spoilt_upload_leaves_the_old_object() {
    let app = with_bucket().await;
    put(&app.admin(), "/photos/a", &[], b"old").await.ok();
    for is_signed in [true, false] {
        chunked(&app, is_signed, "AAAAAA==", |_| {}).await.refused("BadDigest", 400);
        chunked(&app, is_signed, CRC32, |wire| wire.truncate(wire.len() - 2))
            .await
            .refused("IncompleteBody", 400);
        chunked(&app, is_signed, CRC32, |wire| wire.truncate(15_000)).await.refused("IncompleteBody", 400);
    }
    chunked(&app, true, CRC32, |wire| wire[200] ^= 1).await.refused("SignatureDoesNotMatch", 403);
    chunked(&app, false, CRC32, |wire| wire[200] ^= 1).await.refused("BadDigest", 400);
    assert_eq!(get(&app.admin(), "/photos/a").await.ok().text(), "old");
}

#[tokio::test]
async fn checksums_in_the_head_are_verified_and_given_back() {
    let app = with_bucket().await;
    let right = [
        ("x-amz-checksum-crc32", "y/Q5Jg=="),
        ("x-amz-checksum-crc32c", "4waSgw=="),
        ("x-amz-checksum-crc64nvme", "rosUhgp5mIg="),
        ("x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKeuNEE="),
        ("x-amz-checksum-sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
    ];
    for (name, value) in right {
        let done = put(&app.admin(), "/photos/a", &[(name, value)], b"123456789").await.ok();
        assert_eq!(header(&done, name), value);
        put(&app.admin(), "/photos/b", &[(name, value)], b"123456780").await.refused("BadDigest", 400);
    }
    put(&app.admin(), "/photos/b", &[("content-md5", "XrY7u+Ae7tCTyyK7j1rNww==")], b"1")
        .await
        .refused("BadDigest", 400);
    put(&app.admin(), "/photos/b", &[("content-md5", "short")], b"1").await.refused("InvalidDigest", 400);
    get(&app.admin(), "/photos/b").await.refused("NoSuchKey", 404);
}

#[tokio::test]
async fn a_body_that_was_not_signed_is_refused() {
    let app = with_bucket().await;
    let mut head = headers(&[("host", "127.0.0.1:4566"), ("content-length", "3")]);
    signed(&app, |signer| {
        signer.sign("PUT", "/photos/a", &mut head, SignedPayload::hashed(b"abc")).map(|_| ())
    })
    .unwrap();
    app.anonymous()
        .send_raw("PUT", "/photos/a", head.clone(), b"abd")
        .await
        .refused("XAmzContentSHA256Mismatch", 400);
    get(&app.admin(), "/photos/a").await.refused("NoSuchKey", 404);
    app.anonymous().send_raw("PUT", "/photos/a", head, b"abc").await.ok();
}

#[tokio::test]
async fn more_or_less_than_announced_is_refused() {
    let app = with_bucket().await;
    for length in ["2", "4"] {
        let headers = [("content-length", length)];
        app.admin().send("s3", "PUT", "/photos/a", &headers, b"abc").await.refused("IncompleteBody", 400);
    }
    app.admin().send("s3", "PUT", "/photos/a", &[], b"abc").await.refused("MissingContentLength", 411);
    let headers = [("content-length", "5368709121")];
    app.admin().send("s3", "PUT", "/photos/a", &headers, b"abc").await.refused("EntityTooLarge", 400);
}

#[tokio::test]
async fn what_is_not_built_is_refused_and_not_ignored() {
    let app = with_bucket().await;
    for name in ["x-amz-tagging", "x-amz-object-lock-mode", "x-amz-checksum-xxhash3"] {
        put(&app.admin(), "/photos/a", &[(name, "AES256")], b"1").await.refused("NotImplemented", 501);
    }
    put(&app.admin(), "/photos/a", &[("x-amz-acl", "public-read")], b"1")
        .await
        .refused("AccessControlListNotSupported", 400);
    put(&app.admin(), "/photos/a", &[("x-amz-storage-class", "GLACIER")], b"1")
        .await
        .refused("InvalidStorageClass", 400);
    get(&app.admin(), "/photos/a").await.refused("NoSuchKey", 404);
}

#[tokio::test]
async fn a_presigned_url_puts_and_gets_until_it_ends() {
    let app = with_bucket().await;
    let host = headers(&[("host", "127.0.0.1:4566")]);
    let target = |method: &str, target: &str| {
        signed(&app, |signer| signer.presign(method, target, &host, 60).unwrap())
    };
    let with_length = headers(&[("host", "127.0.0.1:4566"), ("content-length", "5")]);
    let upload = target("PUT", "/photos/a?x-amz-meta-who=ada&x-amz-checksum-crc32=AAAAAA%3D%3D");
    app.anonymous().send_raw("PUT", &upload, with_length.clone(), b"hello").await.ok();
    let download = target("GET", "/photos/a?response-content-type=text%2Fplain");
    let got = app.anonymous().send_raw("GET", &download, host.clone(), b"").await.ok();
    assert_eq!(
        (got.text(), header(&got, "content-type"), header(&got, "x-amz-meta-who")),
        ("hello".into(), "text/plain", "ada")
    );
    app.anonymous()
        .send_raw("GET", &download.replace("/a?", "/b?"), host.clone(), b"")
        .await
        .refused("SignatureDoesNotMatch", 403);
    app.anonymous()
        .send_raw("DELETE", &download, host.clone(), b"")
        .await
        .refused("SignatureDoesNotMatch", 403);
    app.clock.advance_seconds(61);
    app.anonymous().send_raw("GET", &download, host, b"").await.refused("AccessDenied", 403);
    app.anonymous().send_raw("PUT", &upload, with_length, b"hello").await.refused("AccessDenied", 403);
}

#[tokio::test]
async fn a_body_is_asked_for_only_once_the_call_is_allowed() {
    struct Asked(std::sync::Arc<std::sync::atomic::AtomicBool>);
    impl http_body::Body for Asked {
        type Data = Bytes;
        type Error = BoxError;
        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, BoxError>>> {
            self.0.store(true, std::sync::atomic::Ordering::SeqCst);
            std::task::Poll::Ready(None)
        }
    }
    let app = with_bucket().await;
    let stranger = app.stranger();
    let polled = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let body: Body = http_body_util::BodyExt::boxed_unsync(Asked(polled.clone()));
    let mut head = headers(&[("host", "127.0.0.1:4566"), ("content-length", "3")]);
    let secret = TestIam::secret_of(homeport_testkit::STRANGER_KEY);
    let credentials = Credentials {
        access_key_id: homeport_testkit::STRANGER_KEY,
        secret_access_key: &secret,
        session_token: None,
    };
    let signer = Signer { credentials, region: "us-east-1", service: "s3", at: app.clock.now() };
    signer.sign("PUT", "/photos/a", &mut head, SignedPayload::hashed(b"abc")).unwrap();
    stranger.send_streamed("PUT", "/photos/a", head, body).await.refused("AccessDenied", 403);
    assert!(!polled.load(std::sync::atomic::Ordering::SeqCst));
}

/// Sends `DeleteObjects` signed for one body and without a type, as a form of perhaps another body.
async fn deleted_as_form(app: &TestApp, signed_for: &[u8], body: &[u8]) -> Reply {
    let mut head = headers(&[("host", "127.0.0.1:4566"), ("content-md5", &md5(body))]);
    signed(app, |signer| {
        signer.sign("POST", "/photos?delete", &mut head, SignedPayload::Bytes(signed_for)).unwrap()
    });
    head.insert("content-type", HeaderValue::from_static("application/x-www-form-urlencoded"));
    app.anonymous().send_raw("POST", "/photos?delete", head, body).await
}

#[tokio::test]
async fn a_form_is_held_to_its_signature() {
    let app = with_bucket().await;
    for key in ["a", "b"] {
        put(&app.admin(), &format!("/photos/{key}"), &[], b"1").await.ok();
    }
    let keys = |key: &str| format!("<Delete><Object><Key>{key}</Key></Object></Delete>").into_bytes();
    deleted_as_form(&app, &keys("a"), &keys("b")).await.refused("XAmzContentSHA256Mismatch", 400);
    get(&app.admin(), "/photos/b").await.ok();
    let deleted = deleted_as_form(&app, &keys("a"), &keys("a")).await.ok().text();
    assert!(deleted.contains("<Deleted><Key>a</Key></Deleted>"), "{deleted}");
    get(&app.admin(), "/photos/a").await.refused("NoSuchKey", 404);
}

#[tokio::test]
async fn an_object_may_have_a_forms_type() {
    let app = with_bucket().await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let large = vec![b'x'; 2 << 20];
    put(&app.admin(), "/photos/a", &form, &large).await.ok();
    let got = get(&app.admin(), "/photos/a").await.ok();
    assert_eq!((got.body.len(), header(&got, "content-type")), (large.len(), form[0].1));
    let begun = app.admin().send("s3", "POST", "/photos/b?uploads", &form, b"").await.ok();
    let upload = format!("/photos/b?uploadId={}", begun.element("UploadId").unwrap());
    let part = put(&app.admin(), &format!("{upload}&partNumber=1"), &[], b"1").await.ok();
    // Longer than a form may be, within what S3 takes.
    let completed = format!(
        "<CompleteMultipartUpload>{}<Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part></CompleteMultipartUpload>",
        " ".repeat(3 << 19),
        header(&part, "etag")
    );
    app.admin().send("s3", "POST", &upload, &form, completed.as_bytes()).await.ok();
    let got = get(&app.admin(), "/photos/b").await.ok();
    assert_eq!((got.text().as_str(), header(&got, "content-type")), ("1", form[0].1));
}
