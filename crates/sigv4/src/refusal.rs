use crate::encode::MalformedTarget;

/// Why a request's signature is not accepted. The text is AWS's message where AWS has one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request carries no signature at all.
    #[error("Request is missing Authentication Token")]
    MissingAuthenticationToken,
    /// A part of the `Authorization` header or of the presigned query is missing or malformed.
    #[error("{0}")]
    IncompleteSignature(String),
    /// `Authorization` is of another scheme than AWS's signatures. It counts as a signature all the same: the call is
    /// not one of nobody.
    #[error("Unsupported Authorization Type")]
    OtherScheme,
    /// `Authorization` names a signature version that is not accepted here.
    #[error("Unsupported AWS 'algorithm'; use AWS4-HMAC-SHA256.")]
    UnsupportedAlgorithm,
    /// A signature in the header and one in the query.
    #[error(
        "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified"
    )]
    TwoMechanisms,
    /// Something that decides who signs what stands twice.
    #[error("'{name}' must not be given more than once.")]
    Duplicate {
        /// The header's or parameter's name.
        name: String,
    },
    /// A header that takes part is not visible ASCII.
    #[error("The header '{name}' is malformed.")]
    MalformedHeader {
        /// The header's name.
        name: &'static str,
    },
    /// The target cannot be decoded.
    #[error(transparent)]
    MalformedTarget(#[from] MalformedTarget),
    /// A header that must be signed is not.
    #[error("There were headers present in the request which were not signed: {name}")]
    HeaderNotSigned {
        /// The header's name.
        name: String,
    },
    /// Neither `X-Amz-Date` nor `Date`, or neither can be read.
    #[error(
        "Date must be in ISO-8601 'basic format'. AWS-auth requires a valid X-Amz-Date or Date header or parameter."
    )]
    MissingDate,
    /// The scope's day is not the request's.
    #[error(
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{scope}' != '{request}'."
    )]
    WrongDay {
        /// The scope's day.
        scope: String,
        /// The request's day.
        request: String,
    },
    /// The scope names another service than the one that is called.
    #[error("Credential should be scoped to correct service: '{expected}'.")]
    WrongService {
        /// The signing name of the service that is called.
        expected: String,
    },
    /// Signed too long ago.
    #[error("Signature expired: {signed} is now earlier than {earliest} ({now} - {minutes} min.)")]
    SignatureExpired {
        /// When it was signed.
        signed: String,
        /// The earliest moment that would do.
        earliest: String,
        /// The server's time.
        now: String,
        /// The skew allowed.
        minutes: i64,
    },
    /// Signed in the future.
    #[error("Signature not yet current: {signed} is still later than {latest} ({now} + {minutes} min.)")]
    SignatureNotYetCurrent {
        /// When it was signed.
        signed: String,
        /// The latest moment that would do.
        latest: String,
        /// The server's time.
        now: String,
        /// The skew allowed.
        minutes: i64,
    },
    /// A presigned request is past its `X-Amz-Expires` or `Expires`.
    #[error("Request has expired")]
    RequestExpired,
    /// `X-Amz-Expires` is not within 1 to 604,800 seconds.
    #[error("X-Amz-Expires must be a number from 1 to less than or equal to a week (604800 seconds)")]
    ExpiresOutOfRange,
    /// An S3 request signed in its header without `x-amz-content-sha256`.
    #[error("Missing required header for this request: x-amz-content-sha256")]
    MissingContentSha256,
    /// `x-amz-content-sha256` is neither a hash nor a form that the service takes.
    #[error(
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value."
    )]
    InvalidContentSha256,
    /// A chunked body without a readable `x-amz-decoded-content-length`.
    #[error("You must provide the Content-Length HTTP header.")]
    MissingContentLength,
    /// SigV2 for anything but GET, HEAD or PUT of an object.
    #[error("The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.")]
    SigV2NotAccepted,
    /// The signature is not that of this request by this key.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
    )]
    SignatureDoesNotMatch,
}

impl Refusal {
    pub(crate) fn incomplete(message: impl Into<String>) -> Self {
        Self::IncompleteSignature(message.into())
    }
}
