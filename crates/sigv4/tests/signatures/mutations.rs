use homeport_core::{Randomness, SeededRandomness};
use homeport_sigv4::{BodyForm, Head, Query, SignedPayload, decode_path, uri_encode};
use http::{HeaderMap, HeaderValue};

use crate::given::{AT, S3, check, check_standard, headers, signer};

struct Signed {
    target: String,
    headers: HeaderMap,
    body: Vec<u8>,
    s3: bool,
}

impl Signed {
    fn draw(random: &SeededRandomness, s3: bool) -> Self {
        let mut bytes = [0; 24];
        random.fill(&mut bytes);
        let text = |range: std::ops::Range<usize>| -> String {
            bytes[range].iter().map(|b| char::from_u32(0x21 + u32::from(*b)).unwrap()).collect()
        };
        let path = uri_encode(&format!("/bucket/{}", text(0..8).replace(['/', '.'], "_")), true);
        let query = format!("a={}&b={}", uri_encode(&text(8..12), false), uri_encode(&text(12..16), false));
        let note = hex::encode(&bytes[16..20]);
        let mut headers =
            headers(&[("host", "127.0.0.1:4566"), ("x-amz-meta-note", &note), ("content-type", "a/b")]);
        let (target, body) = (format!("{path}?{query}"), bytes[20..].to_vec());
        let payload = if s3 { SignedPayload::hashed(&body) } else { SignedPayload::Bytes(&body) };
        signer(if s3 { "s3" } else { "service" }).sign("PUT", &target, &mut headers, payload).unwrap();
        Self { target, headers, body, s3 }
    }

    fn accepted(&self, method: &str, target: &str, headers: &HeaderMap, body: &[u8]) -> bool {
        if !self.s3 {
            return check_standard(method, target, headers, body, AT).is_ok();
        }
        let sha256 = crate::given::sha256(body);
        matches!(check(method, target, headers, AT, &S3), Ok(BodyForm::Sha256(declared)) if declared == sha256)
    }
}

/// Two spellings of one path and query, such as `%2f` and `%2F`, are one request.
fn means(target: &str) -> Option<(String, Query)> {
    let head = Head { method: "PUT", target, headers: &HeaderMap::new() };
    Some((decode_path(head.raw_path()).ok()?, head.query().ok()?))
}

#[test]
fn any_changed_byte_is_refused() {
    let random = SeededRandomness::new(20_150_830);
    for round in 0..60 {
        let signed = Signed::draw(&random, round % 2 == 0);
        assert!(signed.accepted("PUT", &signed.target, &signed.headers, &signed.body));
        assert!(!signed.accepted("POST", &signed.target, &signed.headers, &signed.body));
        for at in 1..signed.target.len() {
            let mut target = signed.target.clone().into_bytes();
            target[at] ^= 1;
            let target = String::from_utf8(target).unwrap();
            let same = signed.s3 && means(&target) == means(&signed.target)
                || means(&target) == means(&signed.target)
                    && target.split('?').next() == signed.target.split('?').next();
            assert!(same || !signed.accepted("PUT", &target, &signed.headers, &signed.body), "{target}");
        }
        for (name, value) in &signed.headers {
            for at in 0..value.len() {
                let mut changed = value.as_bytes().to_vec();
                changed[at] ^= 1;
                let mut headers = signed.headers.clone();
                headers.insert(name, HeaderValue::from_bytes(&changed).unwrap());
                assert!(!signed.accepted("PUT", &signed.target, &headers, &signed.body), "{name}: byte {at}");
            }
        }
        for at in 0..signed.body.len() {
            let mut body = signed.body.clone();
            body[at] ^= 1;
            assert!(!signed.accepted("PUT", &signed.target, &signed.headers, &body), "body: byte {at}");
        }
    }
}

#[test]
fn any_changed_byte_of_a_presigned_url_is_refused() {
    let host = headers(&[("host", "127.0.0.1:4566")]);
    let target = signer("s3").presign("GET", "/bucket/a%20b?response-expires=x%2By", &host, 60).unwrap();
    assert!(check("GET", &target, &host, AT, &S3).is_ok());
    for at in 1..target.len() {
        let mut changed = target.clone().into_bytes();
        changed[at] ^= 1;
        let changed = String::from_utf8(changed).unwrap();
        let same = means(&changed) == means(&target);
        assert!(same || check("GET", &changed, &host, AT, &S3).is_err(), "{changed}");
    }
}
