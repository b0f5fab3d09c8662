use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use homeport_core::Timestamp;
use jsonwebtoken::{Algorithm, Validation};

use crate::bounds::{check_depth, check_length};
use crate::{Claims, KeySet, Refusal};

/// How far `iat` and `nbf` may lie ahead of our clock, in seconds.
const AHEAD_SECONDS: i64 = 60;

/// What a token must be to be accepted.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The issuer's names, any of which `iss` may be (a pool has several).
    pub issuers: &'a [String],
    /// The issuer's keys.
    pub keys: &'a KeySet,
    /// Now.
    pub now: Timestamp,
}

/// Verifies a compact JWS: its bounds, RS256, a key of the expected set, the signature, `iss`, `exp` (without
/// leeway) and `iat`/`nbf` (at most 60 seconds ahead). Which kind of token it is, and for whom, is the caller's
/// to check.
pub fn verify(token: &str, expected: &Expected<'_>) -> Result<Claims, Refusal> {
    check_length(token)?;
    let key = choose_key(token, expected.keys)?;
    let decoded = jsonwebtoken::decode::<Claims>(token, &key.decoding, &only_the_signature());
    let claims = decoded.map_err(|error| refusal_of(&error))?.claims;
    check_issuer(&claims, expected.issuers)?;
    check_times(&claims, expected.now)?;
    Ok(claims)
}

/// Finds the key that the header names in the issuer's set. Nothing else of the header is heard: no key in it
/// (`jwk`, `x5c`), no address of one (`jku`, `x5u`).
fn choose_key<'k>(token: &str, keys: &'k KeySet) -> Result<&'k crate::PublicKey, Refusal> {
    #[derive(serde::Deserialize)]
    struct Header {
        alg: String,
        kid: Option<String>,
        crit: Option<serde::de::IgnoredAny>,
    }

    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Refusal::Malformed);
    };
    for part in [header, claims] {
        check_depth(&URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Malformed)?)?;
    }
    let json = URL_SAFE_NO_PAD.decode(header).map_err(|_| Refusal::Malformed)?;
    let header: Header = serde_json::from_slice(&json).map_err(|_| Refusal::Malformed)?;
    if header.alg != "RS256" || header.crit.is_some() {
        return Err(Refusal::Algorithm);
    }
    keys.find(header.kid.as_deref()).ok_or(Refusal::UnknownKey)
}

/// The library checks form, algorithm and signature; the claims are checked here, by the clock that was passed in.
fn only_the_signature() -> Validation {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

fn refusal_of(error: &jsonwebtoken::errors::Error) -> Refusal {
    use jsonwebtoken::errors::ErrorKind;

    match error.kind() {
        ErrorKind::InvalidSignature => Refusal::Signature,
        ErrorKind::InvalidAlgorithm | ErrorKind::UnsupportedAlgorithm => Refusal::Algorithm,
        _ => Refusal::Malformed,
    }
}

fn check_issuer(claims: &Claims, issuers: &[String]) -> Result<(), Refusal> {
    let issuer = claims.text("iss").ok_or(Refusal::Issuer)?;
    if issuers.iter().any(|expected| expected == issuer) { Ok(()) } else { Err(Refusal::Issuer) }
}

fn check_times(claims: &Claims, now: Timestamp) -> Result<(), Refusal> {
    if claims.moment("exp").is_none_or(|expires| expires <= now) {
        return Err(Refusal::Expired);
    }
    let latest = now.plus_seconds(AHEAD_SECONDS);
    for name in ["iat", "nbf"] {
        let present = claims.get(name).is_some();
        if present && claims.moment(name).is_none_or(|start| start > latest) {
            return Err(Refusal::NotYet);
        }
    }
    Ok(())
}
