use homeport_core::{BoxFuture, Scope};

use crate::{Body, KeptCaller};

/// For whom a service works on a bucket's objects, behind a call's answer.
#[derive(Clone, Copy, Debug)]
pub struct InBucket<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// The account that the bucket is expected to be of.
    pub owner: Option<&'a str>,
    /// Who asked: what is done needs this caller's rights, those of today.
    pub by: &'a KeptCaller,
    /// The service that works, such as `dynamodb.amazonaws.com`: `aws:CalledVia`.
    pub via: &'static str,
    /// Where the service was asked.
    pub scope: &'a Scope,
}

/// An object that was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutObject {
    /// Its ETag, without quotes: the MD5 of its bytes in hexadecimal.
    pub etag: String,
    /// How many bytes it has.
    pub size: u64,
}

/// An object whose bytes are about to be read.
pub struct OpenedObject {
    /// Its ETag, without quotes.
    pub etag: String,
    /// Its bytes.
    pub body: Body,
}

/// Why nothing was done with an object.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ObjectsRefused {
    /// S3 refuses, and will again: in the words that its clients show.
    #[error("{message} (Service: Amazon S3; Status Code: {status}; Error Code: {code})")]
    Refused {
        /// S3's code, such as `NoSuchBucket`.
        code: String,
        /// The HTTP status that goes with it.
        status: u16,
        /// S3's message.
        message: String,
    },
    /// It could not be done now; to be tried again.
    #[error("{0}")]
    Unavailable(String),
}

/// Bucket and key → bytes, in and out. Each decides anew, by the caller's policies and the bucket's, whether it may.
pub trait Objects: Send + Sync {
    /// Puts an object of at most 5 GiB, in place of the one before; it is durable when this returns.
    fn put_object<'a>(
        &'a self,
        place: InBucket<'a>,
        key: &'a str,
        body: Body,
    ) -> BoxFuture<'a, Result<PutObject, ObjectsRefused>>;

    /// Keys that begin with `prefix`, in their order, behind `after`: at most 1,000; none at the end.
    fn list_objects<'a>(
        &'a self,
        place: InBucket<'a>,
        prefix: &'a str,
        after: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Vec<String>, ObjectsRefused>>;

    /// Opens an object, to be read from its begin.
    fn open_object<'a>(
        &'a self,
        place: InBucket<'a>,
        key: &'a str,
    ) -> BoxFuture<'a, Result<OpenedObject, ObjectsRefused>>;
}
