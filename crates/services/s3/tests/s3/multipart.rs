use homeport_testkit::{Reply, TestApp};

use crate::given::{delete, get, header, put, with_bucket};

const MIB: usize = 1 << 20;

async fn begin(app: &TestApp, key: &str, headers: &[(&str, &str)]) -> String {
    let begun = app.admin().send("s3", "POST", &format!("/photos/{key}?uploads"), headers, b"").await.ok();
    assert!(begun.text().contains("<InitiateMultipartUploadResult xmlns="), "{}", begun.text());
    begun.element("UploadId").unwrap()
}

async fn part(app: &TestApp, key: &str, upload: &str, number: u32, body: &[u8]) -> Reply {
    put(&app.admin(), &format!("/photos/{key}?partNumber={number}&uploadId={upload}"), &[], body).await
}

async fn complete(app: &TestApp, key: &str, upload: &str, parts: &[(u32, &str)]) -> Reply {
    let part = |(number, etag): &(u32, &str)| {
        format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
    };
    let parts: String = parts.iter().map(part).collect();
    let xml = format!(
        "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{parts}</CompleteMultipartUpload>"
    );
    let target = format!("/photos/{key}?uploadId={upload}");
    app.admin().send("s3", "POST", &target, &[], xml.as_bytes()).await
}

fn bytes(length: usize, salt: usize) -> Vec<u8> {
    (0..length).map(|n| ((n * 7 + n / 251 + salt) % 256) as u8).collect()
}

#[tokio::test]
async fn parts_become_an_object() {
    let app = with_bucket().await;
    let upload = begin(&app, "a", &[("content-type", "image/png"), ("x-amz-meta-who", "ada")]).await;
    let (first, second, unused) = (bytes(5 * MIB, 1), bytes(3_000, 2), bytes(10, 3));
    part(&app, "a", &upload, 2, &bytes(10, 9)).await.ok();
    let replaced = part(&app, "a", &upload, 2, &second).await.ok();
    let one = part(&app, "a", &upload, 1, &first).await.ok();
    part(&app, "a", &upload, 3, &unused).await.ok();
    get(&app.admin(), "/photos/a").await.refused("NoSuchKey", 404);
    let parts = get(&app.admin(), &format!("/photos/a?uploadId={upload}&max-parts=2")).await.ok();
    assert_eq!(
        (parts.text().matches("<Part>").count(), parts.element("NextPartNumberMarker").unwrap()),
        (2, "2".to_owned())
    );
    let uploads = get(&app.admin(), "/photos?uploads").await.ok();
    assert_eq!(uploads.element("UploadId").as_ref(), Some(&upload));

    let done =
        complete(&app, "a", &upload, &[(1, header(&one, "etag")), (2, header(&replaced, "etag"))]).await.ok();
    assert!(done.element("ETag").unwrap().ends_with("-2\""), "{}", done.text());
    assert_eq!(done.element("Location").as_deref(), Some("http://127.0.0.1:4566/photos/a"));
    let whole = [first.clone(), second.clone()].concat();
    let got = get(&app.admin(), "/photos/a").await.ok();
    assert_eq!(
        (got.body == whole, header(&got, "content-type"), header(&got, "x-amz-meta-who")),
        (true, "image/png", "ada")
    );
    let edge = [("range", "bytes=5242875-5242884")];
    let over = app.admin().send("s3", "GET", "/photos/a", &edge, b"").await;
    assert_eq!((over.status, &over.body[..]), (206, &whole[5_242_875..5_242_885]));
    let numbered = get(&app.admin(), "/photos/a?partNumber=2").await;
    assert_eq!(
        (numbered.status, &numbered.body[..], header(&numbered, "x-amz-mp-parts-count")),
        (206, &second[..], "2")
    );
    let asked = [("x-amz-checksum-mode", "ENABLED")];
    let head = app.admin().send("s3", "HEAD", "/photos/a", &asked, b"").await.ok();
    put(&app.admin(), "/photos/one", &[], &whole).await.ok();
    let one_piece = app.admin().send("s3", "HEAD", "/photos/one", &asked, b"").await.ok();
    assert_eq!(header(&head, "x-amz-checksum-crc64nvme"), header(&one_piece, "x-amz-checksum-crc64nvme"));
    assert_ne!(header(&head, "x-amz-checksum-crc64nvme"), "");

    get(&app.admin(), &format!("/photos/a?uploadId={upload}")).await.refused("NoSuchUpload", 404);
    part(&app, "a", &upload, 1, b"late").await.refused("NoSuchUpload", 404);
    let copy = [("x-amz-copy-source", "photos/a")];
    app.admin().send("s3", "PUT", "/photos/copy", &copy, b"").await.ok();
    assert_eq!(delete(&app.admin(), "/photos/a").await.status, 204);
    assert_eq!(get(&app.admin(), "/photos/copy").await.ok().body, whole);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_the_upload_goes_on() {
    let app = with_bucket().await;
    let upload = begin(&app, "a", &[]).await;
    let one = part(&app, "a", &upload, 1, b"small").await.ok();
    let two = part(&app, "a", &upload, 2, b"last").await.ok();
    let (one, two) = (header(&one, "etag"), header(&two, "etag"));
    complete(&app, "a", &upload, &[(1, one), (2, two)]).await.refused("EntityTooSmall", 400);
    complete(&app, "a", &upload, &[(2, two), (1, one)]).await.refused("InvalidPartOrder", 400);
    complete(&app, "a", &upload, &[(1, two)]).await.refused("InvalidPart", 400);
    complete(&app, "a", &upload, &[(3, one)]).await.refused("InvalidPart", 400);
    complete(&app, "a", &upload, &[]).await.refused("MalformedXML", 400);
    complete(&app, "b", &upload, &[(1, one)]).await.refused("NoSuchUpload", 404);
    complete(&app, "a", "nothing", &[(1, one)]).await.refused("NoSuchUpload", 404);
    part(&app, "a", &upload, 0, b"1").await.refused("InvalidArgument", 400);
    part(&app, "a", &upload, 10_001, b"1").await.refused("InvalidArgument", 400);
    complete(&app, "a", &upload, &[(1, one)]).await.ok();
    assert_eq!(get(&app.admin(), "/photos/a").await.ok().text(), "small");
}

#[tokio::test]
async fn an_aborted_upload_leaves_nothing() {
    let app = with_bucket().await;
    let before = app.rows().await;
    let upload = begin(&app, "a", &[]).await;
    part(&app, "a", &upload, 1, b"1").await.ok();
    assert_eq!(delete(&app.admin(), &format!("/photos/a?uploadId={upload}")).await.status, 204);
    assert!(app.rows().await == before);
    delete(&app.admin(), &format!("/photos/a?uploadId={upload}")).await.refused("NoSuchUpload", 404);
}

#[tokio::test]
async fn an_object_in_parts_leaves_nothing_when_it_is_replaced() {
    let app = with_bucket().await;
    let upload = begin(&app, "a", &[]).await;
    let one = part(&app, "a", &upload, 1, b"1").await.ok();
    complete(&app, "a", &upload, &[(1, header(&one, "etag"))]).await.ok();
    put(&app.admin(), "/photos/a", &[], b"new").await.ok();
    assert_eq!(get(&app.admin(), "/photos/a").await.ok().text(), "new");
    assert_eq!(delete(&app.admin(), "/photos/a").await.status, 204);
    let upload = begin(&app, "b", &[]).await;
    part(&app, "b", &upload, 1, b"1").await.ok();
    assert_eq!(delete(&app.admin(), "/photos").await.status, 204);
    let rows = app.rows().await;
    let names = rows.iter().map(|(key, _)| String::from_utf8_lossy(key).into_owned());
    let expected = ["\u{2}s3-blobs", "\u{2}s3-bucket-count"];
    let is_left =
        |name: &String| name.starts_with("\u{2}s3-") && !expected.iter().any(|known| name.starts_with(known));
    let left: Vec<_> = names.filter(is_left).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn composite_checksums_are_verified_part_by_part() {
    let app = with_bucket().await;
    let upload = begin(&app, "a", &[("x-amz-checksum-algorithm", "SHA256")]).await;
    let target = format!("/photos/a?partNumber=1&uploadId={upload}");
    let sum = ("x-amz-checksum-sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=");
    put(&app.admin(), &target, &[sum], b"123456780").await.refused("BadDigest", 400);
    put(&app.admin(), &target, &[("x-amz-checksum-crc32", "y/Q5Jg==")], b"123456789")
        .await
        .refused("InvalidRequest", 400);
    let one = put(&app.admin(), &target, &[sum], b"123456789").await.ok();
    assert_eq!(header(&one, "x-amz-checksum-sha256"), sum.1);
    let done = complete(&app, "a", &upload, &[(1, header(&one, "etag"))]).await.ok();
    assert!(done.element("ChecksumSHA256").unwrap().ends_with("=-1"), "{}", done.text());
    assert_eq!(done.element("ChecksumType").as_deref(), Some("COMPOSITE"));
}

#[tokio::test]
async fn a_part_may_be_a_range_of_an_object() {
    let app = with_bucket().await;
    put(&app.admin(), "/photos/source", &[], b"0123456789").await.ok();
    let upload = begin(&app, "a", &[]).await;
    let target = format!("/photos/a?partNumber=1&uploadId={upload}");
    let copy = async |range: &str| {
        let admin = app.admin();
        let headers = [("x-amz-copy-source", "photos/source"), ("x-amz-copy-source-range", range)];
        admin.send("s3", "PUT", &target, &headers, b"").await
    };
    for bad in ["bytes=5-10", "bytes=5-", "5-6"] {
        copy(bad).await.refused("InvalidArgument", 400);
    }
    let copied = copy("bytes=2-5").await.ok();
    assert!(copied.text().contains("<CopyPartResult xmlns="), "{}", copied.text());
    complete(&app, "a", &upload, &[(1, &copied.element("ETag").unwrap())]).await.ok();
    assert_eq!(get(&app.admin(), "/photos/a").await.ok().text(), "2345");
}
