use crate::given::{get, put, with_bucket};
use homeport_testkit::{Reply, TestApp};

async fn with_keys(keys: &[&str]) -> TestApp {
    let app = with_bucket().await;
    for key in keys {
        put(&app.admin(), &format!("/photos/{key}"), &[], b"1").await.ok();
    }
    app
}

fn all(reply: &Reply, element: &str) -> Vec<String> {
    let text = reply.text();
    text.split(&format!("<{element}>"))
        .skip(1)
        .map(|rest| rest.split('<').next().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_listing_is_written_as_aws_writes_it() {
    let app = with_keys(&["a.txt", "b/c"]).await;
    let listed = get(&app.admin(), "/photos?list-type=2&delimiter=%2F").await.ok().text();
    let (before, behind) = listed.split_once("<LastModified>").unwrap();
    assert!(
        before.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"),
        "{listed}"
    );
    assert!(before.contains("<Key>a.txt</Key>"), "{listed}");
    assert_eq!(behind.split('<').next().unwrap().len(), "2026-11-18T15:06:40.000Z".len());
    for part in [
        "<ETag>&quot;c4ca4238a0b923820dcc509a6f75849b&quot;</ETag>",
        "<Size>1</Size>",
        "<StorageClass>STANDARD</StorageClass>",
        "<CommonPrefixes><Prefix>b/</Prefix></CommonPrefixes>",
        "<KeyCount>2</KeyCount>",
        "<MaxKeys>1000</MaxKeys>",
        "<IsTruncated>false</IsTruncated>",
        "<Name>photos</Name>",
        "<Prefix></Prefix>",
    ] {
        assert!(listed.contains(part), "{part} is not in {listed}");
    }
}

#[tokio::test]
async fn pages_make_up_the_whole_in_both_forms() {
    let app = with_keys(&["a", "b/1", "b/2", "b/3", "c", "d/1", "e"]).await;
    let (mut keys, mut prefixes, mut token) = (Vec::new(), Vec::new(), String::new());
    loop {
        let page =
            get(&app.admin(), &format!("/photos?list-type=2&delimiter=%2F&max-keys=2{token}")).await.ok();
        keys.extend(all(&page, "Key"));
        prefixes.extend(all(&page, "CommonPrefixes><Prefix"));
        match page.element("NextContinuationToken") {
            Some(next) => token = format!("&continuation-token={next}"),
            None => break,
        }
    }
    assert_eq!((keys.join(" "), prefixes.join(" ")), ("a c e".into(), "b/ d/".into()));
    let (mut keys, mut prefixes, mut marker) = (Vec::new(), Vec::new(), String::new());
    loop {
        let page = get(&app.admin(), &format!("/photos?delimiter=%2F&max-keys=2&marker={marker}")).await.ok();
        keys.extend(all(&page, "Key"));
        prefixes.extend(all(&page, "CommonPrefixes><Prefix"));
        match page.element("NextMarker") {
            Some(next) => marker = next.replace('/', "%2F"),
            None => break,
        }
    }
    assert_eq!((keys.join(" "), prefixes.join(" ")), ("a c e".into(), "b/ d/".into()));
}

#[tokio::test]
async fn prefixes_and_starting_points_narrow_a_listing() {
    let app = with_keys(&["a", "b/1", "b/2", "c"]).await;
    let keys = async |query: &str| {
        all(&get(&app.admin(), &format!("/photos?list-type=2&{query}")).await.ok(), "Key").join(" ")
    };
    assert_eq!(keys("prefix=b%2F").await, "b/1 b/2");
    assert_eq!(keys("start-after=b%2F1").await, "b/2 c");
    assert_eq!(keys("prefix=x").await, "");
    assert_eq!(keys("max-keys=0").await, "");
    assert_eq!(keys("max-keys=99999").await, "a b/1 b/2 c");
    get(&app.admin(), "/photos?list-type=2&max-keys=-1").await.refused("InvalidArgument", 400);
    get(&app.admin(), "/photos?list-type=2&continuation-token=%21").await.refused("InvalidArgument", 400);
    get(&app.admin(), "/nowhere?list-type=2").await.refused("NoSuchBucket", 404);
}

#[tokio::test]
async fn odd_keys_can_be_asked_for_in_url_form() {
    let app = with_keys(&["a%20b%2B%26%3C%C3%A9", "c%01"]).await;
    let page = get(&app.admin(), "/photos?list-type=2&encoding-type=url").await.ok();
    assert_eq!(all(&page, "Key"), ["a%20b%2B%26%3C%C3%A9", "c%01"]);
    let page = get(&app.admin(), "/photos?list-type=2&prefix=a").await.ok();
    assert_eq!(all(&page, "Key"), ["a b+&amp;&lt;é"]);
}
