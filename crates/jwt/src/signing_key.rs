use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::PublicKey;

/// A private key as PKCS#8 DER, to be sealed; wiped when dropped.
pub type Pkcs8 = Zeroizing<Vec<u8>>;

/// A key could not be made, read or used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// The library could not make a key.
    #[error("no RSA key could be generated")]
    Generate,
    /// Not a PKCS#8 RSA private key of at least 2,048 bits.
    #[error("not an RSA private key in PKCS#8")]
    Read,
    /// The claims are no JSON object, or the library refused to sign.
    #[error("the token could not be signed")]
    Sign,
}

/// An RSA-2048 key that signs tokens, parsed once. Signing takes about a millisecond of one core and needs no
/// lock, so any thread may call it; making a key takes about a tenth of a second and belongs on a blocking pool.
pub struct SigningKey {
    pair: RsaKeyPair,
    public: PublicKey,
    /// base64url of the header, which is the same for all tokens of the key.
    header: String,
}

impl SigningKey {
    /// A new random key (from the library's own generator, which the operating system seeds).
    pub fn generate() -> Result<Self, KeyFault> {
        RsaKeyPair::generate(KeySize::Rsa2048).map(Self::of).map_err(|_| KeyFault::Generate)
    }

    /// Reads what [`SigningKey::to_pkcs8`] wrote.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyFault> {
        RsaKeyPair::from_pkcs8(der).map(Self::of).map_err(|_| KeyFault::Read)
    }

    fn of(pair: RsaKeyPair) -> Self {
        let components = pair.public_key();
        let public = PublicKey::from_components(
            components.modulus().big_endian_without_leading_zero(),
            components.exponent().big_endian_without_leading_zero(),
        );
        let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"kid":"{}","alg":"RS256"}}"#, public.kid()));
        Self { pair, public, header }
    }

    /// The private key, to be sealed.
    pub fn to_pkcs8(&self) -> Result<Pkcs8, KeyFault> {
        let der = self.pair.as_der().map_err(|_| KeyFault::Generate)?;
        Ok(Zeroizing::new(der.as_ref().to_vec()))
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// A compact JWS over the claims, its header `{"kid":…,"alg":"RS256"}`.
    pub fn sign(&self, claims: &impl serde::Serialize) -> Result<String, KeyFault> {
        let json = serde_json::to_vec(claims).map_err(|_| KeyFault::Sign)?;
        let mut token = format!("{}.{}", self.header, URL_SAFE_NO_PAD.encode(json));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature)
            .map_err(|_| KeyFault::Sign)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.public.kid()).finish_non_exhaustive()
    }
}
