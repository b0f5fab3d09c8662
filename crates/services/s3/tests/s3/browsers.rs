use homeport_testkit::{Reply, TestApp};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::given::{header, put, put_rules, with_bucket};

const RULES: &[u8] = b"<CORSConfiguration><CORSRule><AllowedHeader>*</AllowedHeader><AllowedMethod>PUT</AllowedMethod><AllowedMethod>GET</AllowedMethod><AllowedOrigin>https://a.example</AllowedOrigin><ExposeHeader>ETag</ExposeHeader></CORSRule></CORSConfiguration>";

async fn send(app: &TestApp, method: &str, target: &str, pairs: &[(&str, &str)]) -> Reply {
    let host = ("host", "127.0.0.1:4566");
    let named = |(name, value): &(&str, &str)| {
        (HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap())
    };
    let headers: HeaderMap = pairs.iter().chain([&host]).map(named).collect();
    app.anonymous().send_raw(method, target, headers, b"").await
}

async fn preflight(app: &TestApp, target: &str, origin: &str, method: &str) -> Reply {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", method),
        ("access-control-request-headers", "authorization,x-amz-date"),
    ];
    send(app, "OPTIONS", target, &headers).await
}

#[tokio::test]
async fn a_preflight_is_answered_by_the_buckets_rules() {
    let app = with_bucket().await;
    preflight(&app, "/photos/a", "https://a.example", "PUT").await.refused("AccessForbidden", 403);
    put_rules(&app.admin(), "/photos?cors", RULES).await.ok();
    let allowed = preflight(&app, "/photos/a", "https://a.example", "PUT").await.ok();
    assert_eq!(header(&allowed, "access-control-allow-origin"), "https://a.example");
    assert_eq!(header(&allowed, "access-control-allow-methods"), "PUT, GET");
    assert_eq!(header(&allowed, "access-control-allow-headers"), "authorization, x-amz-date");
    for (origin, method) in [("https://b.example", "PUT"), ("https://a.example", "DELETE")] {
        let refused = preflight(&app, "/photos/a", origin, method).await.refused("AccessForbidden", 403);
        assert!(!refused.headers.contains_key("access-control-allow-origin"));
    }
}

#[tokio::test]
async fn an_answer_has_the_headers_of_the_buckets_rules_and_no_others() {
    let app = with_bucket().await;
    put(&app.admin(), "/photos/a", &[], b"1").await.ok();
    let from = async |origin: &str| {
        let admin = app.admin();
        admin.send("s3", "GET", "/photos/a", &[("origin", origin)], b"").await.ok()
    };
    assert!(!from("https://a.example").await.headers.contains_key("access-control-allow-origin"));
    put_rules(&app.admin(), "/photos?cors", RULES).await.ok();
    let answer = from("https://a.example").await;
    assert_eq!(header(&answer, "access-control-allow-origin"), "https://a.example");
    assert_eq!(header(&answer, "access-control-expose-headers"), "ETag");
    assert!(!from("https://b.example").await.headers.contains_key("access-control-allow-origin"));
    let refused =
        send(&app, "GET", "/photos/a", &[("origin", "https://a.example")]).await.refused("AccessDenied", 403);
    assert_eq!(header(&refused, "access-control-allow-origin"), "https://a.example");
}

#[tokio::test]
async fn what_is_no_bucket_is_not_asked() {
    let app = with_bucket().await;
    let other = preflight(&app, "/2015-03-31/functions/", "https://a.example", "GET").await.ok();
    assert_eq!(header(&other, "access-control-allow-origin"), "*");
}
