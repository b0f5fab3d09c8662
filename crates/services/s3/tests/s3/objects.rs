use homeport_testkit::TestCaller;

use crate::given::{delete, delete_objects, get, header, put, with_bucket};

async fn head(caller: &TestCaller, target: &str) -> homeport_testkit::Reply {
    caller.send("s3", "HEAD", target, &[], b"").await
}

#[tokio::test]
async fn what_was_put_is_got_with_its_headers() {
    let app = with_bucket().await;
    let headers = [
        ("content-type", "text/plain"),
        ("cache-control", "max-age=60"),
        ("content-disposition", "attachment"),
        ("content-encoding", "aws-chunked,gzip"),
        ("x-amz-meta-Who", "ada"),
        ("content-md5", "XrY7u+Ae7tCTyyK7j1rNww=="),
    ];
    let done = put(&app.admin(), "/photos/a%20b/%C3%A9", &headers, b"hello world").await.ok();
    assert_eq!(header(&done, "etag"), "\"5eb63bbbe01eeed093cb22bb8f5acdc3\"");
    assert_eq!(header(&done, "x-amz-checksum-crc64nvme"), "jSnVw/bqjr4=");
    let got = get(&app.admin(), "/photos/a%20b/%C3%A9").await.ok();
    assert_eq!(got.body, "hello world");
    let expected = [
        ("content-type", "text/plain"),
        ("cache-control", "max-age=60"),
        ("content-disposition", "attachment"),
        ("content-encoding", "gzip"),
        ("x-amz-meta-who", "ada"),
        ("content-length", "11"),
        ("accept-ranges", "bytes"),
        ("etag", "\"5eb63bbbe01eeed093cb22bb8f5acdc3\""),
        ("content-security-policy", "sandbox"),
        ("x-content-type-options", "nosniff"),
    ];
    for (name, value) in expected {
        assert_eq!(header(&got, name), value, "{name}");
    }
    assert!(header(&got, "last-modified").ends_with(" GMT"));
    let head = head(&app.admin(), "/photos/a%20b/%C3%A9").await.ok();
    assert_eq!((head.body.len(), header(&head, "content-length")), (0, "11"));
    assert_eq!(header(&head, "etag"), header(&got, "etag"));
}

#[tokio::test]
async fn odd_keys_are_keys() {
    let app = with_bucket().await;
    for key in
        ["a//b", "./c", "../../etc/passwd", "d%2Fe", "f+g", "%F0%9F%A6%80", "h%00i", "trailing/", "%7Etilde*"]
    {
        put(&app.admin(), &format!("/photos/{key}"), &[], key.as_bytes()).await.ok();
    }
    for key in ["a//b", "./c", "../../etc/passwd", "f+g", "%F0%9F%A6%80", "h%00i", "trailing/", "%7Etilde*"] {
        assert_eq!(get(&app.admin(), &format!("/photos/{key}")).await.ok().body, key, "{key}");
    }
    assert_eq!(get(&app.admin(), "/photos/d/e").await.ok().body, "d%2Fe");
    let long = format!("/photos/{}", "k".repeat(1_024));
    put(&app.admin(), &long, &[], b"1").await.ok();
    put(&app.admin(), &format!("{long}k"), &[], b"1").await.refused("KeyTooLongError", 400);
}

#[tokio::test]
async fn an_object_without_a_type_is_bytes() {
    let app = with_bucket().await;
    put(&app.admin(), "/photos/a", &[], b"").await.ok();
    let got = get(&app.admin(), "/photos/a").await.ok();
    assert_eq!((header(&got, "content-type"), header(&got, "content-length")), ("binary/octet-stream", "0"));
}

#[tokio::test]
async fn a_part_of_an_object_is_served() {
    let app = with_bucket().await;
    put(&app.admin(), "/photos/a", &[], b"0123456789").await.ok();
    let range = async |range: &str| {
        let admin = app.admin();
        admin.send("s3", "GET", "/photos/a", &[("range", range)], b"").await
    };
    let middle = range("bytes=2-4").await;
    assert_eq!(
        (middle.status, middle.text(), header(&middle, "content-range")),
        (206, "234".into(), "bytes 2-4/10")
    );
    assert_eq!(header(&middle, "content-length"), "3");
    assert_eq!(range("bytes=-3").await.text(), "789");
    assert_eq!(range("bytes=7-").await.text(), "789");
    let whole = range("bytes=x").await;
    assert_eq!((whole.status, whole.text()), (200, "0123456789".into()));
    let outside = range("bytes=10-").await.refused("InvalidRange", 416);
    assert_eq!(outside.element("ActualObjectSize").as_deref(), Some("10"));
}

#[tokio::test]
async fn a_deleted_object_is_gone() {
    let app = with_bucket().await;
    put(&app.admin(), "/photos/a", &[], b"1").await.ok();
    assert_eq!(delete(&app.admin(), "/photos/a").await.status, 204);
    let gone = get(&app.admin(), "/photos/a").await.refused("NoSuchKey", 404);
    assert_eq!(gone.element("Key").as_deref(), Some("a"));
    assert_eq!(head(&app.admin(), "/photos/a").await.status, 404);
    assert_eq!(delete(&app.admin(), "/photos/a").await.status, 204);
    get(&app.admin(), "/nowhere/a").await.refused("NoSuchBucket", 404);
    put(&app.admin(), "/nowhere/a", &[], b"1").await.refused("NoSuchBucket", 404);
}

#[tokio::test]
async fn many_objects_are_deleted_at_once() {
    let app = with_bucket().await;
    for key in ["a", "b%20c", "d"] {
        put(&app.admin(), &format!("/photos/{key}"), &[], b"1").await.ok();
    }
    let xml = b"<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a</Key></Object><Object><Key>b c</Key></Object><Object><Key>never</Key></Object></Delete>";
    let done = delete_objects(&app.admin(), "/photos?delete", xml).await.ok().text();
    assert!(done.contains("<Deleted><Key>a</Key></Deleted><Deleted><Key>b c</Key></Deleted>"), "{done}");
    assert_eq!(get(&app.admin(), "/photos/a").await.status, 404);
    get(&app.admin(), "/photos/d").await.ok();
    let quiet = b"<Delete><Object><Key>d</Key></Object><Quiet>true</Quiet></Delete>";
    let done = delete_objects(&app.admin(), "/photos?delete", quiet).await.ok().text();
    assert!(!done.contains("<Deleted>"), "{done}");
    delete_objects(&app.admin(), "/photos?delete", b"<Delete></Delete>").await.refused("MalformedXML", 400);
}

#[tokio::test]
async fn a_copy_has_the_bytes_and_the_metadata_or_new_ones() {
    let app = with_bucket().await;
    put(
        &app.admin(),
        "/photos/a%20b",
        &[("x-amz-meta-who", "ada"), ("content-type", "text/plain")],
        b"bytes",
    )
    .await
    .ok();
    let copy = async |target: &str, headers: &[(&str, &str)]| {
        let admin = app.admin();
        admin.send("s3", "PUT", target, headers, b"").await
    };
    let source = ("x-amz-copy-source", "photos/a%20b");
    let done = copy("/photos/c", &[source]).await.ok();
    assert_eq!(done.element("ETag").as_deref(), Some("\"4b3a6218bb3e3a7303e8a171a60fcf92\""));
    let got = get(&app.admin(), "/photos/c").await.ok();
    assert_eq!(
        (got.text(), header(&got, "x-amz-meta-who"), header(&got, "content-type")),
        ("bytes".into(), "ada", "text/plain")
    );
    let replace = ("x-amz-metadata-directive", "REPLACE");
    copy("/photos/c", &[source, replace, ("x-amz-meta-new", "1"), ("content-type", "a/b")]).await.ok();
    let got = get(&app.admin(), "/photos/c").await.ok();
    assert_eq!(
        (header(&got, "x-amz-meta-who"), header(&got, "x-amz-meta-new"), header(&got, "content-type")),
        ("", "1", "a/b")
    );
    let expires = ("expires", "Wed, 21 Oct 2026 07:28:00 GMT");
    copy("/photos/e", &[source, replace, expires]).await.ok();
    assert_eq!(header(&get(&app.admin(), "/photos/e").await.ok(), "expires"), expires.1);
    copy("/photos/f", &[("x-amz-copy-source", "photos/e"), replace]).await.ok();
    assert_eq!(header(&get(&app.admin(), "/photos/f").await.ok(), "expires"), "");
    copy("/photos/a%20b", &[source]).await.refused("InvalidRequest", 400);
    copy("/photos/a%20b", &[source, replace]).await.ok();
    assert_eq!(get(&app.admin(), "/photos/a%20b").await.ok().text(), "bytes");
    copy("/photos/d", &[("x-amz-copy-source", "photos/never")]).await.refused("NoSuchKey", 404);
    copy("/photos/d", &[source, ("x-amz-copy-source-if-match", "\"x\"")])
        .await
        .refused("PreconditionFailed", 412);
}

#[tokio::test]
async fn a_signed_reader_may_say_how_it_is_served() {
    let app = with_bucket().await;
    put(&app.admin(), "/photos/a", &[("content-type", "text/html")], b"1").await.ok();
    let got = get(
        &app.admin(),
        "/photos/a?response-content-type=text%2Fcsv&response-content-disposition=attachment",
    )
    .await
    .ok();
    assert_eq!(
        (header(&got, "content-type"), header(&got, "content-disposition")),
        ("text/csv", "attachment")
    );
}

#[tokio::test]
async fn a_bucket_in_the_host_is_a_bucket_and_a_host_of_its_own() {
    let app = with_bucket().await;
    put(&app.admin(), "/photos/a/b", &[], b"1").await.ok();
    let host = [("host", "photos.localhost:4566")];
    let got = app.admin().send("s3", "GET", "/a/b", &host, b"").await.ok();
    assert_eq!((got.text(), header(&got, "content-security-policy")), ("1".into(), ""));
    let listed = app.admin().send("s3", "GET", "/?list-type=2", &host, b"").await.ok();
    assert!(listed.text().contains("<Key>a/b</Key>"));
}

#[tokio::test]
async fn versions_and_parts_that_are_not_there_are_refused() {
    let app = with_bucket().await;
    put(&app.admin(), "/photos/a", &[], b"1").await.ok();
    get(&app.admin(), "/photos/a?versionId=null").await.ok();
    get(&app.admin(), "/photos/a?versionId=7").await.refused("InvalidArgument", 400);
    get(&app.admin(), "/photos/a?partNumber=1").await.ok();
    get(&app.admin(), "/photos/a?partNumber=2").await.refused("InvalidPartNumber", 416);
}

#[tokio::test]
async fn who_asks_for_encryption_is_told_of_it() {
    let app = with_bucket().await;
    let (admin, aes) = (app.admin(), ("x-amz-server-side-encryption", "AES256"));
    let said = |reply: &homeport_testkit::Reply| header(reply, aes.0).to_owned();
    assert_eq!(said(&put(&admin, "/photos/asked", &[aes], b"1").await.ok()), "AES256");
    assert_eq!(said(&put(&admin, "/photos/plain", &[], b"1").await.ok()), "");
    for (key, told) in [("asked", "AES256"), ("plain", "")] {
        assert_eq!(said(&get(&admin, &format!("/photos/{key}")).await.ok()), told);
        assert_eq!(said(&head(&admin, &format!("/photos/{key}")).await.ok()), told);
    }
    let copy = async |headers: &[(&str, &str)]| {
        let headers = [&[("x-amz-copy-source", "photos/asked")], headers].concat();
        admin.send("s3", "PUT", "/photos/copy", &headers, b"").await
    };
    assert_eq!(said(&copy(&[]).await.ok()), "");
    assert_eq!(said(&copy(&[aes]).await.ok()), "AES256");
    assert_eq!(said(&get(&admin, "/photos/copy").await.ok()), "AES256");

    let begun = admin.send("s3", "POST", "/photos/parts?uploads", &[aes], b"").await.ok();
    let upload = begun.element("UploadId").unwrap();
    let part = put(&admin, &format!("/photos/parts?partNumber=1&uploadId={upload}"), &[], b"1").await.ok();
    let etag = header(&part, "etag");
    let xml = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    );
    let done =
        admin.send("s3", "POST", &format!("/photos/parts?uploadId={upload}"), &[], xml.as_bytes()).await.ok();
    let got = get(&admin, "/photos/parts").await.ok();
    assert_eq!([&begun, &part, &done, &got].map(said), ["AES256"; 4].map(str::to_owned));
}

#[tokio::test]
async fn other_encryption_is_refused_and_nothing_is_put() {
    let app = with_bucket().await;
    let admin = app.admin();
    put(&admin, "/photos/a", &[], b"1").await.ok();
    let header = "x-amz-server-side-encryption";
    let refused = [
        (vec![(header, "aws:kms")], "NotImplemented", 501),
        (
            vec![(header, "aws:kms"), ("x-amz-server-side-encryption-aws-kms-key-id", "k")],
            "NotImplemented",
            501,
        ),
        (vec![("x-amz-server-side-encryption-customer-algorithm", "AES256")], "NotImplemented", 501),
    ];
    for (headers, code, status) in refused {
        put(&admin, "/photos/b", &headers, b"1").await.refused(code, status);
        admin.send("s3", "POST", "/photos/b?uploads", &headers, b"").await.refused(code, status);
        let copy = [&[("x-amz-copy-source", "photos/a")], &headers[..]].concat();
        admin.send("s3", "PUT", "/photos/b", &copy, b"").await.refused(code, status);
    }
    let unknown = [(header, "ROT13")];
    put(&admin, "/photos/b", &unknown, b"1").await.refused("InvalidEncryptionAlgorithmError", 400);
    get(&admin, "/photos/b").await.refused("NoSuchKey", 404);
    let upload =
        admin.send("s3", "POST", "/photos/b?uploads", &[], b"").await.ok().element("UploadId").unwrap();
    let part = format!("/photos/b?partNumber=1&uploadId={upload}");
    put(&admin, &part, &[(header, "AES256")], b"1").await.refused("InvalidArgument", 400);
    put(&admin, &part, &[], b"1").await.ok();
}
