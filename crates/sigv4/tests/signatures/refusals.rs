use homeport_core::Timestamp;
use homeport_sigv4::{BodyForm, Dialect, Refusal, SignedPayload};
use http::{HeaderMap, HeaderValue};

use crate::given::{AT, S3, check, check_standard, headers, signer};

const BODY: &[u8] = b"{}";

fn signed() -> HeaderMap {
    let mut headers = headers(&[("host", "127.0.0.1:4566"), ("x-amz-target", "DynamoDB_20120810.GetItem")]);
    signer("service").sign("POST", "/", &mut headers, SignedPayload::Bytes(BODY)).unwrap();
    headers
}

fn answer(headers: &HeaderMap) -> Result<BodyForm, Refusal> {
    check_standard("POST", "/", headers, BODY, AT)
}

fn refusal(headers: &HeaderMap) -> Refusal {
    answer(headers).unwrap_err()
}

fn with(name: &'static str, value: &str) -> HeaderMap {
    let mut headers = signed();
    headers.append(name, HeaderValue::from_str(value).unwrap());
    headers
}

fn replaced(from: &str, to: &str) -> HeaderMap {
    let mut headers = signed();
    let changed = headers["authorization"].to_str().unwrap().replace(from, to);
    headers.insert("authorization", HeaderValue::from_str(&changed).unwrap());
    headers
}

#[test]
fn what_was_signed_is_accepted() {
    assert!(matches!(answer(&signed()), Ok(BodyForm::Verified)));
}

#[test]
fn an_unsigned_request_is_told_so() {
    let unsigned = refusal(&headers(&[("host", "h")]));
    assert_eq!(unsigned, Refusal::MissingAuthenticationToken);
    assert_eq!(unsigned.fault(Dialect::Json).code, "MissingAuthenticationTokenException");
    assert_eq!(unsigned.fault(Dialect::Query).status, 403);
    assert_eq!(unsigned.fault(Dialect::S3).code, "AccessDenied");
}

#[test]
fn what_decides_may_not_stand_twice() {
    for name in ["authorization", "host", "x-amz-date", "x-amz-target"] {
        let value = signed()[name].to_str().unwrap().to_owned();
        assert!(matches!(refusal(&with(name, &value)), Refusal::Duplicate { .. }), "{name}");
    }
    for name in ["x-amz-security-token", "x-amz-content-sha256"] {
        let mut headers = with(name, "a");
        headers.append(name, HeaderValue::from_static("a"));
        assert!(matches!(refusal(&headers), Refusal::Duplicate { .. }), "{name}");
    }
}

#[test]
fn one_mechanism_only() {
    for parameter in ["X-Amz-Signature=a", "X-Amz-Algorithm=AWS4-HMAC-SHA256", "AWSAccessKeyId=a"] {
        let target = format!("/?{parameter}");
        let answer = check_standard("POST", &target, &signed(), BODY, AT);
        assert!(matches!(answer, Err(Refusal::TwoMechanisms)), "{parameter}");
    }
}

#[test]
fn s3_has_words_of_its_own_for_what_others_call_no_token_or_two() {
    let told = |refusal: &Refusal, dialect| {
        let fault = refusal.fault(dialect);
        format!("{} {}", fault.code, fault.message)
    };
    let bearer = refusal(&replaced("AWS4-HMAC-SHA256", "Bearer"));
    assert_eq!(
        told(&bearer, Dialect::Json),
        "MissingAuthenticationTokenException Request is missing Authentication Token"
    );
    assert_eq!(told(&bearer, Dialect::S3), "InvalidArgument Unsupported Authorization Type");
    assert_eq!(
        told(&Refusal::TwoMechanisms, Dialect::Json),
        "InvalidSignatureException Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."
    );
    assert!(
        told(&Refusal::TwoMechanisms, Dialect::S3).starts_with("InvalidArgument Only one auth mechanism")
    );
}

#[test]
fn all_that_a_presigned_request_lacks_is_told_at_once() {
    let target = "/?X-Amz-Algorithm=a&X-Amz-Credential=b";
    let answer = check_standard("POST", target, &HeaderMap::new(), BODY, AT);
    assert_eq!(
        answer.unwrap_err().to_string(),
        "AWS query-string parameters must include 'X-Amz-Signature'. AWS query-string parameters must include \
         'X-Amz-SignedHeaders'. AWS query-string parameters must include 'X-Amz-Date'. Re-examine the query-string \
         parameters."
    );
}

#[test]
fn host_and_every_amz_header_are_signed() {
    let unsigned = refusal(&with("x-amz-security-token", "token"));
    assert_eq!(unsigned, Refusal::HeaderNotSigned { name: "x-amz-security-token".to_owned() });
    let host = refusal(&replaced("SignedHeaders=host;", "SignedHeaders="));
    assert_eq!(host, Refusal::HeaderNotSigned { name: "host".to_owned() });
    let mut date_only = signed();
    date_only.remove("x-amz-date");
    date_only.insert("date", HeaderValue::from_static("Sun, 30 Aug 2015 12:36:00 GMT"));
    assert_eq!(refusal(&date_only), Refusal::HeaderNotSigned { name: "date".to_owned() });
}

#[test]
fn a_signed_header_that_does_not_come_is_missed() {
    let mut headers = signed();
    headers.remove("x-amz-target");
    assert_eq!(refusal(&headers), Refusal::SignatureDoesNotMatch);
}

#[test]
fn malformed_parts_are_named() {
    let incomplete = |headers: &HeaderMap| matches!(refusal(headers), Refusal::IncompleteSignature(_));
    assert!(incomplete(&replaced("Credential=", "Credentials=")));
    assert!(incomplete(&replaced("/aws4_request", "")));
    assert!(incomplete(&replaced("aws4_request", "aws5_request")));
    assert!(incomplete(&replaced("host;", "Host;")));
    assert!(incomplete(&replaced("host;", "x-amz-target;host;")));
    assert!(incomplete(&replaced("Signature=", "Signature=0")));
    assert_eq!(refusal(&replaced("AWS4-HMAC-SHA256", "Bearer")), Refusal::OtherScheme);
    assert_eq!(
        refusal(&replaced("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256")),
        Refusal::UnsupportedAlgorithm
    );
    assert!(matches!(refusal(&replaced("20150830/", "20150829/")), Refusal::WrongDay { .. }));
    assert!(matches!(refusal(&replaced("/service/", "/iam/")), Refusal::WrongService { .. }));
    assert_eq!(refusal(&replaced("us-east-1", "us-west-1")), Refusal::SignatureDoesNotMatch);
    assert_eq!(
        refusal(&replaced("AKIDEXAMPLE", "AKIDEXAMPLF")).fault(Dialect::Query).code,
        "SignatureDoesNotMatch"
    );
}

#[test]
fn clocks_may_differ_by_five_minutes_and_by_fifteen_for_s3() {
    let standard = |seconds: i64| check_standard("POST", "/", &signed(), BODY, AT.plus_seconds(seconds));
    assert!(standard(300).is_ok() && standard(-300).is_ok());
    let late = standard(301).unwrap_err();
    assert_eq!(
        late.to_string(),
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)"
    );
    assert!(matches!(standard(-301), Err(Refusal::SignatureNotYetCurrent { .. })));

    let mut headers = headers(&[("host", "h")]);
    signer("s3").sign("GET", "/b/k", &mut headers, SignedPayload::hashed(b"")).unwrap();
    let s3 = |seconds: i64| check("GET", "/b/k", &headers, AT.plus_seconds(seconds), &S3);
    assert!(s3(900).is_ok() && s3(-900).is_ok());
    assert_eq!(s3(901).unwrap_err().fault(Dialect::S3).code, "RequestTimeTooSkewed");
    assert!(s3(-901).is_err());
}

#[test]
fn the_body_received_is_what_was_signed() {
    assert!(matches!(
        check_standard("POST", "/", &signed(), b"{ }", AT),
        Err(Refusal::SignatureDoesNotMatch)
    ));
    for declared in
        ["UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"]
    {
        let mut headers = headers(&[("host", "h"), ("x-amz-content-sha256", declared)]);
        signer("service").sign("POST", "/", &mut headers, SignedPayload::Bytes(BODY)).unwrap();
        assert_eq!(refusal(&headers), Refusal::InvalidContentSha256, "{declared}");
    }
}

#[test]
fn s3_says_what_binds_the_body() {
    let hash = crate::given::sha256(BODY);
    let mut bound = headers(&[("host", "h")]);
    signer("s3").sign("PUT", "/b/k", &mut bound, SignedPayload::hashed(BODY)).unwrap();
    assert!(matches!(check("PUT", "/b/k", &bound, AT, &S3), Ok(BodyForm::Sha256(h)) if h == hash));
    bound.remove("x-amz-content-sha256");
    assert!(matches!(check("PUT", "/b/k", &bound, AT, &S3), Err(Refusal::MissingContentSha256)));
    bound.insert("x-amz-content-sha256", HeaderValue::from_static("abc"));
    assert!(matches!(check("PUT", "/b/k", &bound, AT, &S3), Err(Refusal::InvalidContentSha256)));
}

#[test]
fn a_presigned_request_lives_as_long_as_it_says() {
    let host = headers(&[("host", "h")]);
    let presign = |expires: u32| signer("s3").presign("GET", "/b/k?x-id=GetObject", &host, expires).unwrap();
    let at = |target: &str, now: Timestamp| check("GET", target, &host, now, &S3).map(|_| ());
    let target = presign(60);
    assert_eq!(at(&target, AT), Ok(()));
    assert_eq!(at(&target, AT.plus_seconds(60)), Ok(()));
    assert_eq!(at(&target, AT.plus_seconds(61)), Err(Refusal::RequestExpired));
    assert_eq!(at(&target, AT.plus_seconds(-900)), Ok(()));
    assert!(matches!(at(&target, AT.plus_seconds(-901)), Err(Refusal::SignatureNotYetCurrent { .. })));
    assert_eq!(at(&presign(604_800), AT.plus_seconds(604_800)), Ok(()));
    assert_eq!(at(&presign(0), AT), Err(Refusal::ExpiresOutOfRange));
    assert_eq!(at(&presign(604_801), AT), Err(Refusal::ExpiresOutOfRange));
    let doubled = format!("{target}&x-amz-expires=60");
    assert!(matches!(at(&doubled, AT), Err(Refusal::Duplicate { .. })));
    let half = target.split("&X-Amz-Signature").next().unwrap();
    assert!(matches!(at(half, AT), Err(Refusal::IncompleteSignature(_))));
    let with_token = headers(&[("host", "h"), ("x-amz-security-token", "t")]);
    let answer = check("GET", &target, &with_token, AT, &S3);
    assert!(matches!(answer, Err(Refusal::HeaderNotSigned { .. })));
}

#[test]
fn a_target_that_cannot_be_decoded_is_refused() {
    for target in ["/?a=%zz", "/?a=%ff"] {
        let answer = check_standard("POST", target, &signed(), BODY, AT);
        assert!(matches!(answer, Err(Refusal::MalformedTarget(_))), "{target}");
    }
}

#[test]
fn nothing_secret_is_printed() {
    let signer = signer("s3");
    let mut headers = headers(&[("host", "h")]);
    let chunks = signer.sign("PUT", "/b/k", &mut headers, SignedPayload::hashed(b"")).unwrap();
    let printed = format!("{signer:?} {chunks:?}");
    assert!(!printed.contains(crate::given::SECRET), "{printed}");
}
