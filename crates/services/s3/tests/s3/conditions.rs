use crate::given::{delete, get, header, put, with_bucket};

const ETAG: &str = "\"5d41402abc4b2a76b9719d911017c592\"";

#[tokio::test]
async fn reads_are_conditional() {
    let app = with_bucket().await;
    put(&app.admin(), "/photos/a", &[], b"hello").await.ok();
    let asked = async |name: &str, value: &str| {
        let admin = app.admin();
        admin.send("s3", "GET", "/photos/a", &[(name, value)], b"").await
    };
    let same = asked("if-none-match", ETAG).await;
    assert_eq!((same.status, same.body.len(), header(&same, "etag")), (304, 0, ETAG));
    assert_eq!(asked("if-none-match", "\"other\"").await.status, 200);
    assert_eq!(asked("if-match", ETAG).await.status, 200);
    asked("if-match", "\"other\"").await.refused("PreconditionFailed", 412);
    let modified = get(&app.admin(), "/photos/a").await;
    assert_eq!(asked("if-modified-since", header(&modified, "last-modified")).await.status, 304);
    assert_eq!(asked("if-unmodified-since", header(&modified, "last-modified")).await.status, 200);
    asked("if-unmodified-since", "Sun, 30 Aug 2015 12:36:00 GMT").await.refused("PreconditionFailed", 412);
}

#[tokio::test]
async fn writes_are_conditional() {
    let app = with_bucket().await;
    let only_new = [("if-none-match", "*")];
    put(&app.admin(), "/photos/a", &only_new, b"hello").await.ok();
    put(&app.admin(), "/photos/a", &only_new, b"again").await.refused("PreconditionFailed", 412);
    put(&app.admin(), "/photos/a", &[("if-match", "\"other\"")], b"again")
        .await
        .refused("PreconditionFailed", 412);
    put(&app.admin(), "/photos/b", &[("if-match", ETAG)], b"again").await.refused("NoSuchKey", 404);
    assert_eq!(get(&app.admin(), "/photos/a").await.text(), "hello");
    put(&app.admin(), "/photos/a", &[("if-match", ETAG)], b"again").await.ok();
    assert_eq!(get(&app.admin(), "/photos/a").await.text(), "again");
    app.admin()
        .send("s3", "DELETE", "/photos/a", &[("if-match", ETAG)], b"")
        .await
        .refused("PreconditionFailed", 412);
    assert_eq!(delete(&app.admin(), "/photos/a").await.status, 204);
}

#[tokio::test]
async fn of_many_that_want_to_be_first_one_is() {
    let app = with_bucket().await;
    let admin = app.admin();
    let only_new = [("if-none-match", "*")];
    let (a, b, c) = tokio::join!(
        put(&admin, "/photos/a", &only_new, b"1"),
        put(&admin, "/photos/a", &only_new, b"2"),
        put(&admin, "/photos/a", &only_new, b"3"),
    );
    assert_eq!([&a, &b, &c].iter().filter(|reply| reply.status == 200).count(), 1);
    assert_eq!([&a, &b, &c].iter().filter(|reply| reply.status == 412).count(), 2);
}
