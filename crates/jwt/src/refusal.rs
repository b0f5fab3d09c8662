/// Why a token is not accepted. For the server's log and for choosing an answer; it never quotes the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Longer than [`crate::MAX_TOKEN_BYTES`].
    #[error("the token is too long")]
    TooLong,
    /// Header or claims nest deeper than [`crate::MAX_DEPTH`].
    #[error("the token nests too deeply")]
    TooDeep,
    /// Not three base64url parts of which the first two are JSON objects.
    #[error("the token is not a JSON Web Token")]
    Malformed,
    /// Signed by another algorithm than RS256, or not at all; or the header asks for an extension (`crit`).
    #[error("the token's algorithm is not accepted")]
    Algorithm,
    /// The expected issuer has no such key.
    #[error("the token's key is not one of the issuer's")]
    UnknownKey,
    /// The signature is not the key's over these bytes.
    #[error("the token's signature is wrong")]
    Signature,
    /// `iss` is missing or another.
    #[error("the token's issuer is another")]
    Issuer,
    /// `exp` is missing or has passed.
    #[error("the token has expired")]
    Expired,
    /// `iat` or `nbf` lies in the future.
    #[error("the token is not valid yet")]
    NotYet,
}
