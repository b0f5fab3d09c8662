use crate::given::{app, delete, get, header, put, put_rules, with_bucket};

#[tokio::test]
async fn a_bucket_is_made_found_listed_and_removed() {
    let app = app();
    let admin = app.admin();
    let made = admin.send("s3", "PUT", "/photos", &[], b"").await.ok();
    assert_eq!(header(&made, "location"), "/photos");
    let head = admin.send("s3", "HEAD", "/photos", &[], b"").await.ok();
    assert_eq!(header(&head, "x-amz-bucket-region"), "us-east-1");
    let listed = get(&admin, "/").await.ok().text();
    assert!(
        listed.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListAllMyBucketsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"),
        "{listed}"
    );
    assert!(listed.contains("<Bucket>") && listed.contains("<Name>photos</Name>"), "{listed}");
    assert!(listed.contains("<CreationDate>2026-"), "{listed}");
    let location = get(&admin, "/photos?location").await.ok().text();
    assert!(location.contains("<LocationConstraint xmlns="), "{location}");
    assert_eq!(delete(&admin, "/photos").await.status, 204);
    get(&admin, "/photos?location").await.refused("NoSuchBucket", 404);
    delete(&admin, "/photos").await.refused("NoSuchBucket", 404);
    assert!(!get(&admin, "/").await.ok().text().contains("photos"));
}

#[tokio::test]
async fn ones_own_bucket_made_again_is_no_error_in_us_east_1_alone() {
    let app = app();
    let (virginia, ireland) = (app.admin(), app.admin().in_region("eu-west-1"));
    virginia.send("s3", "PUT", "/photos", &[], b"").await.ok();
    virginia.send("s3", "PUT", "/photos", &[], b"").await.ok();
    let xml = b"<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
    ireland.send("s3", "PUT", "/letters", &[], xml).await.ok();
    ireland.send("s3", "PUT", "/letters", &[], xml).await.refused("BucketAlreadyOwnedByYou", 409);
    virginia.send("s3", "PUT", "/other", &[], xml).await.refused("IllegalLocationConstraintException", 400);
    ireland.send("s3", "PUT", "/other", &[], b"").await.refused("IllegalLocationConstraintException", 400);
}

#[tokio::test]
async fn a_bucket_answers_in_its_own_region() {
    let app = with_bucket().await;
    let elsewhere = app.admin().in_region("eu-west-1");
    let refused = get(&elsewhere, "/photos?list-type=2").await.refused("AuthorizationHeaderMalformed", 400);
    assert_eq!(refused.element("Region").as_deref(), Some("us-east-1"));
    get(&elsewhere, "/photos/a").await.refused("AuthorizationHeaderMalformed", 400);
    get(&elsewhere, "/photos?location").await.ok();
}

#[tokio::test]
async fn names_that_no_bucket_has_are_refused() {
    let app = app();
    for name in ["Ab", "a_b_c", "192.168.1.1", "xn--photos"] {
        app.admin().send("s3", "PUT", &format!("/{name}"), &[], b"").await.refused("InvalidBucketName", 400);
    }
}

#[tokio::test]
async fn a_bucket_with_objects_stays() {
    let app = with_bucket().await;
    put(&app.admin(), "/photos/a", &[], b"1").await.ok();
    delete(&app.admin(), "/photos").await.refused("BucketNotEmpty", 409);
    delete(&app.admin(), "/photos/a").await;
    assert_eq!(delete(&app.admin(), "/photos").await.status, 204);
}

#[tokio::test]
async fn a_bucket_made_again_has_nothing_of_the_old_one() {
    let app = with_bucket().await;
    let cors = b"<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>";
    put_rules(&app.admin(), "/photos?cors", cors).await.ok();
    delete(&app.admin(), "/photos").await;
    app.admin().send("s3", "PUT", "/photos", &[], b"").await.ok();
    get(&app.admin(), "/photos?cors").await.refused("NoSuchCORSConfiguration", 404);
}

#[tokio::test]
async fn cors_rules_are_kept_as_they_were_put() {
    let app = with_bucket().await;
    let admin = app.admin();
    get(&admin, "/photos?cors").await.refused("NoSuchCORSConfiguration", 404);
    let put = b"<CORSConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><CORSRule><ID>web</ID><AllowedHeader>*</AllowedHeader><AllowedMethod>PUT</AllowedMethod><AllowedMethod>GET</AllowedMethod><AllowedOrigin>https://a.example</AllowedOrigin><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>30</MaxAgeSeconds></CORSRule></CORSConfiguration>";
    put_rules(&admin, "/photos?cors", put).await.ok();
    let got = get(&admin, "/photos?cors").await.ok().text();
    for part in [
        "<ID>web</ID>",
        "<AllowedMethod>PUT</AllowedMethod><AllowedMethod>GET</AllowedMethod>",
        "<MaxAgeSeconds>30</MaxAgeSeconds>",
    ] {
        assert!(got.contains(part), "{got}");
    }
    let wrong = String::from_utf8(put.to_vec()).unwrap().replace("PUT", "PATCH");
    put_rules(&admin, "/photos?cors", wrong.as_bytes()).await.refused("InvalidRequest", 400);
    assert_eq!(delete(&admin, "/photos?cors").await.status, 204);
    get(&admin, "/photos?cors").await.refused("NoSuchCORSConfiguration", 404);
}

#[tokio::test]
async fn pages_of_buckets_make_up_the_whole() {
    let app = app();
    for n in 0..7 {
        app.admin().send("s3", "PUT", &format!("/bucket-{n}"), &[], b"").await.ok();
    }
    let (mut found, mut token) = (Vec::new(), String::new());
    loop {
        let page = get(&app.admin(), &format!("/?max-buckets=3{token}")).await.ok();
        let text = page.text();
        found.extend(text.split("<Name>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()));
        match page.element("ContinuationToken") {
            Some(next) => token = format!("&continuation-token={next}"),
            None => break,
        }
    }
    assert_eq!(found, (0..7).map(|n| format!("bucket-{n}")).collect::<Vec<_>>());
    get(&app.admin(), "/?continuation-token=Ly8v").await.refused("InvalidArgument", 400);
}
