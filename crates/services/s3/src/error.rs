use homeport_blobs::BlobError;
use homeport_core::Fault;
use homeport_service::needs::{Unmet, Unpinned};
use homeport_store::StoreError;

use crate::checksum::Algorithm;

/// Why S3 refuses.
#[derive(Debug, thiserror::Error)]
pub enum S3Error {
    /// The bucket does not exist.
    #[error("no such bucket")]
    NoSuchBucket {
        /// Its name.
        bucket: String,
    },
    /// The object does not exist.
    #[error("no such key")]
    NoSuchKey {
        /// Its key.
        key: String,
    },
    /// No bucket can have this name.
    #[error("invalid bucket name")]
    InvalidBucketName {
        /// The name.
        bucket: String,
    },
    /// The caller's own bucket has the name already.
    #[error("the bucket exists")]
    BucketAlreadyOwnedByYou {
        /// Its name.
        bucket: String,
    },
    /// Objects are in the bucket.
    #[error("the bucket is not empty")]
    BucketNotEmpty {
        /// Its name.
        bucket: String,
    },
    /// The account has as many buckets as it may.
    #[error("too many buckets")]
    TooManyBuckets,
    /// The location does not go with the region that was called.
    #[error("incompatible location")]
    IllegalLocationConstraint {
        /// The location; none was given: `unspecified`.
        location: String,
    },
    /// `us-east-1` is no location constraint.
    #[error("invalid location")]
    InvalidLocationConstraint,
    /// The call is signed for another region than the bucket's.
    #[error("the bucket is in another region")]
    WrongRegion {
        /// The region of the signature.
        called: String,
        /// The bucket's.
        bucket: String,
    },
    /// The bucket has no CORS configuration.
    #[error("no CORS configuration")]
    NoSuchCorsConfiguration,
    /// The bucket has no policy.
    #[error("no bucket policy")]
    NoSuchBucketPolicy,
    /// The policy is malformed, in AWS's words.
    #[error("malformed policy: {0}")]
    MalformedPolicy(String),
    /// The XML document does not say what it must.
    #[error("malformed XML")]
    MalformedXml,
    /// A request that S3 does not accept, in its words.
    #[error("{0}")]
    InvalidRequest(String),
    /// A parameter that S3 does not accept, in its words.
    #[error("{message}")]
    InvalidArgument {
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: String,
        /// S3's words.
        message: &'static str,
    },
    /// The path cannot be decoded.
    #[error("invalid URI")]
    InvalidUri,
    /// Keys have at most 1,024 bytes.
    #[error("the key is too long")]
    KeyTooLong,
    /// User metadata has at most 2 KiB.
    #[error("the metadata is too large")]
    MetadataTooLarge,
    /// A body without a length.
    #[error("missing content length")]
    MissingContentLength,
    /// The body is larger than one upload may be.
    #[error("the object is too large")]
    EntityTooLarge,
    /// Another encryption than `AES256` and those of KMS.
    #[error("no such encryption")]
    InvalidEncryptionAlgorithm,
    /// Fewer or more bytes than announced.
    #[error("the body ended early")]
    IncompleteBody,
    /// The body stopped coming.
    #[error("the body did not arrive: {0}")]
    Interrupted(String),
    /// `Content-MD5` is not the base64 of 16 bytes.
    #[error("invalid digest")]
    InvalidDigest,
    /// The body has another MD5.
    #[error("bad MD5")]
    BadMd5,
    /// The body has another checksum.
    #[error("bad checksum")]
    BadChecksum(Algorithm),
    /// A condition of the request does not hold.
    #[error("precondition failed")]
    PreconditionFailed {
        /// The header.
        condition: &'static str,
    },
    /// No byte of the object is in the range.
    #[error("invalid range")]
    InvalidRange {
        /// `Range` as it came.
        requested: String,
        /// The object's size.
        size: u64,
    },
    /// The object has one part.
    #[error("invalid part number")]
    InvalidPartNumber,
    /// The upload does not exist, or has ended.
    #[error("no such upload")]
    NoSuchUpload {
        /// Its id.
        upload: String,
    },
    /// A part that did not come, or came otherwise.
    #[error("invalid part")]
    InvalidPart,
    /// Parts are named in ascending order.
    #[error("invalid part order")]
    InvalidPartOrder,
    /// A part that is not the last is too small.
    #[error("a part is too small")]
    EntityTooSmall {
        /// Its size.
        size: u64,
        /// Its number.
        number: u64,
    },
    /// No such storage class.
    #[error("invalid storage class")]
    InvalidStorageClass,
    /// ACLs are not used: every bucket is its owner's (`BucketOwnerEnforced`).
    #[error("ACLs are not supported")]
    AclNotSupported,
    /// A header asks for something that is not built.
    #[error("not implemented: {header}")]
    NotImplemented {
        /// The header.
        header: String,
    },
    /// Another writer was in between.
    #[error("a conflicting operation")]
    ConditionalRequestConflict,
    /// What the edge found wrong with the body.
    #[error("{0}")]
    Fault(Fault),
    /// The blob store failed.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A need that nobody meets.
    #[error(transparent)]
    Unmet(#[from] Unmet),
}

impl S3Error {
    /// A policy that names somebody who can't be.
    pub(crate) fn invalid_principal() -> Self {
        Self::MalformedPolicy("Invalid principal in policy".to_owned())
    }

    /// A parameter that is not accepted.
    pub(crate) fn argument(name: &'static str, value: impl Into<String>, message: &'static str) -> Self {
        Self::InvalidArgument { name, value: value.into(), message }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl From<Unpinned> for S3Error {
    fn from(unpinned: Unpinned) -> Self {
        match unpinned {
            Unpinned::UnknownPrincipal(_) => Self::invalid_principal(),
            Unpinned::Store(error) => error.into(),
        }
    }
}

impl From<S3Error> for Fault {
    fn from(error: S3Error) -> Self {
        let fault = |code: &'static str, status, message: String| Fault::with_status(code, status, message);
        let in_bucket = |fault: Fault, bucket: &str| fault.with_member("BucketName", quoted(bucket));
        match error {
            S3Error::NoSuchBucket { bucket } => {
                in_bucket(fault("NoSuchBucket", 404, "The specified bucket does not exist".into()), &bucket)
            }
            S3Error::NoSuchKey { key } => fault("NoSuchKey", 404, "The specified key does not exist.".into())
                .with_member("Key", quoted(&key)),
            S3Error::InvalidBucketName { bucket } => {
                in_bucket(fault("InvalidBucketName", 400, "The specified bucket is not valid.".into()), &bucket)
            }
            S3Error::BucketAlreadyOwnedByYou { bucket } => in_bucket(
                fault(
                    "BucketAlreadyOwnedByYou",
                    409,
                    "Your previous request to create the named bucket succeeded and you already own it.".into(),
                ),
                &bucket,
            ),
            S3Error::BucketNotEmpty { bucket } => in_bucket(
                fault("BucketNotEmpty", 409, "The bucket you tried to delete is not empty".into()),
                &bucket,
            ),
            S3Error::TooManyBuckets => {
                fault("TooManyBuckets", 400, "You have attempted to create more buckets than allowed".into())
            }
            S3Error::IllegalLocationConstraint { location } => fault(
                "IllegalLocationConstraintException",
                400,
                format!(
                    "The {location} location constraint is incompatible for the region specific endpoint this request was sent to."
                ),
            ),
            S3Error::InvalidLocationConstraint => {
                fault("InvalidLocationConstraint", 400, "The specified location-constraint is not valid".into())
            }
            S3Error::WrongRegion { called, bucket } => fault(
                "AuthorizationHeaderMalformed",
                400,
                format!("The authorization header is malformed; the region '{called}' is wrong; expecting '{bucket}'"),
            )
            .with_member("Region", quoted(&bucket)),
            S3Error::NoSuchCorsConfiguration => {
                fault("NoSuchCORSConfiguration", 404, "The CORS configuration does not exist".into())
            }
            S3Error::NoSuchBucketPolicy => {
                fault("NoSuchBucketPolicy", 404, "The bucket policy does not exist".into())
            }
            S3Error::MalformedPolicy(message) => fault("MalformedPolicy", 400, message),
            S3Error::MalformedXml => fault(
                "MalformedXML",
                400,
                "The XML you provided was not well-formed or did not validate against our published schema".into(),
            ),
            S3Error::InvalidRequest(message) => fault("InvalidRequest", 400, message),
            S3Error::InvalidArgument { name, value, message } => fault("InvalidArgument", 400, message.into())
                .with_member("ArgumentName", quoted(name))
                .with_member("ArgumentValue", quoted(&value)),
            S3Error::InvalidUri => fault("InvalidURI", 400, "Couldn't parse the specified URI.".into()),
            S3Error::KeyTooLong => fault("KeyTooLongError", 400, "Your key is too long".into()),
            S3Error::MetadataTooLarge => fault(
                "MetadataTooLarge",
                400,
                "Your metadata headers exceed the maximum allowed metadata size".into(),
            ),
            S3Error::MissingContentLength => {
                fault("MissingContentLength", 411, "You must provide the Content-Length HTTP header.".into())
            }
            S3Error::EntityTooLarge => {
                fault("EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size".into())
            }
            S3Error::IncompleteBody => fault(
                "IncompleteBody",
                400,
                "You did not provide the number of bytes specified by the Content-Length HTTP header".into(),
            ),
            S3Error::Interrupted(cause) => fault(
                "RequestTimeout",
                400,
                "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.".into(),
            )
            .because(cause),
            S3Error::InvalidDigest => {
                fault("InvalidDigest", 400, "The Content-MD5 you specified was invalid.".into())
            }
            S3Error::BadMd5 => {
                fault("BadDigest", 400, "The Content-MD5 you specified did not match what we received.".into())
            }
            S3Error::BadChecksum(algorithm) => fault(
                "BadDigest",
                400,
                format!("The {} you specified did not match the calculated checksum.", algorithm.name()),
            ),
            S3Error::PreconditionFailed { condition } => fault(
                "PreconditionFailed",
                412,
                "At least one of the pre-conditions you specified did not hold".into(),
            )
            .with_member("Condition", quoted(condition)),
            S3Error::InvalidRange { requested, size } => {
                fault("InvalidRange", 416, "The requested range is not satisfiable".into())
                    .with_member("RangeRequested", quoted(&requested))
                    .with_member("ActualObjectSize", size.to_string())
            }
            S3Error::InvalidPartNumber => {
                fault("InvalidPartNumber", 416, "The requested partnumber is not satisfiable".into())
            }
            S3Error::NoSuchUpload { upload } => fault(
                "NoSuchUpload",
                404,
                "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.".into(),
            )
            .with_member("UploadId", quoted(&upload)),
            S3Error::InvalidPart => fault(
                "InvalidPart",
                400,
                "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.".into(),
            ),
            S3Error::InvalidPartOrder => fault(
                "InvalidPartOrder",
                400,
                "The list of parts was not in ascending order. Parts must be ordered by part number.".into(),
            ),
            S3Error::EntityTooSmall { size, number } => fault(
                "EntityTooSmall",
                400,
                "Your proposed upload is smaller than the minimum allowed size".into(),
            )
            .with_member("ProposedSize", size.to_string())
            .with_member("MinSizeAllowed", (5 << 20).to_string())
            .with_member("PartNumber", number.to_string()),
            S3Error::InvalidStorageClass => {
                fault("InvalidStorageClass", 400, "The storage class you specified is not valid".into())
            }
            S3Error::InvalidEncryptionAlgorithm => fault(
                "InvalidEncryptionAlgorithmError",
                400,
                "The encryption request that you specified is not valid. The valid value is AES256.".into(),
            ),
            S3Error::AclNotSupported => {
                fault("AccessControlListNotSupported", 400, "The bucket does not allow ACLs".into())
            }
            S3Error::NotImplemented { header } => fault(
                "NotImplemented",
                501,
                "A header you provided implies functionality that is not implemented".into(),
            )
            .with_member("Header", quoted(&header)),
            S3Error::ConditionalRequestConflict => fault(
                "ConditionalRequestConflict",
                409,
                "The conditional request cannot succeed due to a conflicting operation against this resource.".into(),
            ),
            S3Error::Fault(fault) => fault,
            S3Error::Store(StoreError::Conflict) => {
                fault("SlowDown", 503, "Please reduce your request rate.".into())
            }
            S3Error::Blob(error) => Fault::internal(error),
            S3Error::Store(error) => Fault::internal(error),
            S3Error::Unmet(error) => Fault::internal(error),
        }
    }
}
