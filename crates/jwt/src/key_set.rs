use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;

use crate::Refusal;

/// The public half of a signing key (RFC 7518 section 6.3.1).
#[derive(Clone)]
pub struct PublicKey {
    kid: String,
    /// base64url of the modulus, big-endian, without leading zeros.
    n: String,
    /// base64url of the exponent, likewise.
    e: String,
    pub(crate) decoding: DecodingKey,
}

impl PublicKey {
    /// A key from its modulus and exponent, big-endian without leading zeros. `kid` is the key's RFC 7638
    /// thumbprint, so that the same key has the same name wherever it is read.
    pub fn from_components(modulus: &[u8], exponent: &[u8]) -> Self {
        let (n, e) = (URL_SAFE_NO_PAD.encode(modulus), URL_SAFE_NO_PAD.encode(exponent));
        let canonical = format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#);
        let kid = URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()));
        Self { kid, n, e, decoding: DecodingKey::from_rsa_raw_components(modulus, exponent) }
    }

    /// Reads a key of another issuer: `kty` RSA, `use` (if any) `sig`, `alg` (if any) RS256.
    pub fn from_jwk(jwk: &Jwk) -> Result<Self, Refusal> {
        let usable = jwk.kty == "RSA"
            && jwk.alg.as_deref().is_none_or(|alg| alg == "RS256")
            && jwk.usage.as_deref().is_none_or(|usage| usage == "sig");
        if !usable {
            return Err(Refusal::Algorithm);
        }
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| Refusal::Malformed);
        let mut key = Self::from_components(&decode(&jwk.n)?, &decode(&jwk.e)?);
        if let Some(kid) = &jwk.kid {
            key.kid.clone_from(kid);
        }
        Ok(key)
    }

    /// The key's name in tokens and in the key set.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The key as a key set shows it.
    pub fn jwk(&self) -> Jwk {
        Jwk {
            alg: Some("RS256".into()),
            e: self.e.clone(),
            kid: Some(self.kid.clone()),
            kty: "RSA".into(),
            n: self.n.clone(),
            usage: Some("sig".into()),
        }
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PublicKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// A JSON Web Key (RFC 7517) with an RSA public key in it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Jwk {
    /// `RS256`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub alg: Option<String>,
    /// base64url of the exponent.
    pub e: String,
    /// The key's name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kid: Option<String>,
    /// `RSA`.
    pub kty: String,
    /// base64url of the modulus.
    pub n: String,
    /// `sig`.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none", default)]
    pub usage: Option<String>,
}

/// A JSON Web Key Set (RFC 7517 section 5), as `/.well-known/jwks.json` answers it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Jwks {
    /// The keys, the newest first.
    pub keys: Vec<Jwk>,
}

/// The keys of one issuer: the current one and those retired that still verify.
#[derive(Clone, Debug, Default)]
pub struct KeySet(Vec<PublicKey>);

impl KeySet {
    /// A set of these keys.
    pub fn new(keys: Vec<PublicKey>) -> Self {
        Self(keys)
    }

    /// The key of this name; where the token names none, the only key of a set of one.
    pub fn find(&self, kid: Option<&str>) -> Option<&PublicKey> {
        match (kid, self.0.as_slice()) {
            (Some(kid), keys) => keys.iter().find(|key| key.kid == kid),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }

    /// The set as it is published.
    pub fn jwks(&self) -> Jwks {
        Jwks { keys: self.0.iter().map(PublicKey::jwk).collect() }
    }
}
