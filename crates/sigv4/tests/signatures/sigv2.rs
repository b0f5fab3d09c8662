use homeport_sigv4::{BodyForm, Head, Presented, Refusal, Rules};
use http::HeaderMap;

use crate::given::{self, AT, S3, headers};

/// Made by boto3 1.44: `get_object` of `examplebucket`/`a b/é~.txt` for an hour at 2015-08-30T12:36:00Z.
const GET: &str = "/examplebucket/a%20b/%C3%A9~.txt?response-content-type=text%2Fplain%3B%20x%3D1&AWSAccessKeyId=AKIDEXAMPLE&Signature=snbIcm%2FLjGmKq6sEFunO9rgmhx0%3D&Expires=1440941760";
/// The same with a session token, a content type and metadata: `put_object`, virtual-hosted.
const PUT: &str = "/a%20b/%C3%A9~.txt?AWSAccessKeyId=AKIDEXAMPLE&Signature=wlNSyFIgnFJHDP5wVzZ3kuggQx4%3D&content-type=text%2Fplain&x-amz-meta-who=me%20%20and%20you&x-amz-security-token=token%2F%2B%3D&Expires=1440941760";

fn check(method: &str, target: &str, headers: &HeaderMap, rules: &Rules<'_>) -> Result<BodyForm, Refusal> {
    given::check(method, target, headers, AT, rules)
}

#[test]
fn a_url_of_boto3_is_accepted() {
    let host = headers(&[("host", "127.0.0.1:4566")]);
    assert!(matches!(check("GET", GET, &host, &S3), Ok(BodyForm::Unsigned)));
    let virtual_bucket = Rules::S3 { virtual_bucket: Some("examplebucket"), sigv2: true };
    let answer = check("PUT", PUT, &host, &virtual_bucket);
    assert!(matches!(answer, Ok(BodyForm::Unsigned)), "{answer:?}");
    let sent = headers(&[("host", "h"), ("content-type", "text/plain"), ("x-amz-meta-who", "me  and you")]);
    assert!(check("PUT", PUT, &sent, &virtual_bucket).is_ok());
    let other = headers(&[("host", "h"), ("content-type", "text/html")]);
    assert!(matches!(check("PUT", PUT, &other, &virtual_bucket), Err(Refusal::Duplicate { .. })));
    let head = Head { method: "PUT", target: PUT, headers: &host };
    assert_eq!(Presented::read(&head).unwrap().security_token(), Some("token/+="));
}

#[test]
fn any_changed_byte_of_the_url_is_refused() {
    let host = headers(&[("host", "127.0.0.1:4566")]);
    for at in 1..GET.len() {
        let mut bytes = GET.as_bytes().to_vec();
        bytes[at] ^= 1;
        let target = String::from_utf8(bytes).unwrap();
        let same = Head { method: "GET", target: GET, headers: &host }.query().ok()
            == Head { method: "GET", target: &target, headers: &host }.query().ok()
            && GET.split('?').next() == target.split('?').next();
        assert!(same || check("GET", &target, &host, &S3).is_err(), "{target}");
    }
}

#[test]
fn only_objects_and_only_reading_and_putting_them() {
    let host = headers(&[("host", "127.0.0.1:4566")]);
    let extra = headers(&[("host", "127.0.0.1:4566"), ("x-amz-acl", "public-read")]);
    let refused = |method: &str, target: &str, headers: &HeaderMap, rules: &Rules<'_>| {
        check(method, target, headers, rules).unwrap_err()
    };
    assert_eq!(refused("DELETE", GET, &host, &S3), Refusal::SigV2NotAccepted);
    assert_eq!(refused("HEAD", GET, &host, &S3), Refusal::SignatureDoesNotMatch);
    assert_eq!(refused("GET", &GET.replace("/a%20b/%C3%A9~.txt", ""), &host, &S3), Refusal::SigV2NotAccepted);
    assert_eq!(refused("GET", &format!("{GET}&tagging"), &host, &S3), Refusal::SigV2NotAccepted);
    assert_eq!(refused("GET", &format!("{GET}&versionId=1"), &host, &S3), Refusal::SignatureDoesNotMatch);
    assert_eq!(refused("GET", GET, &extra, &S3), Refusal::SignatureDoesNotMatch);
    let off = Rules::S3 { virtual_bucket: None, sigv2: false };
    assert_eq!(refused("GET", GET, &host, &off), Refusal::SigV2NotAccepted);
    let standard = Rules::Standard { service: "dynamodb", body_sha256: &[0; 32] };
    assert_eq!(refused("GET", GET, &host, &standard), Refusal::SigV2NotAccepted);
    let signed_too = headers(&[("host", "h"), ("authorization", "AWS4-HMAC-SHA256 Credential=a")]);
    assert_eq!(refused("GET", GET, &signed_too, &S3), Refusal::TwoMechanisms);
}

#[test]
fn a_url_ends_and_lives_at_most_a_week() {
    let host = headers(&[("host", "127.0.0.1:4566")]);
    let at = |seconds: i64| given::check("GET", GET, &host, AT.plus_seconds(seconds), &S3).map(|_| ());
    assert_eq!(at(3_600), Ok(()));
    assert_eq!(at(3_601), Err(Refusal::RequestExpired));
    assert_eq!(at(3_600 - 604_801), Err(Refusal::ExpiresOutOfRange));
}
