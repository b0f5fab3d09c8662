use std::error::Error;

/// How much of a cluster's answer an error repeats, in characters.
const MOST_TOLD: usize = 400;

/// Why a blob was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// There is no such blob (any more).
    #[error("the blob is not there")]
    NotFound,
    /// It is longer than the caller takes.
    #[error("the blob has more than {limit} bytes")]
    TooLarge {
        /// What the caller takes, in bytes.
        limit: u64,
    },
    /// No owner is called so: lower-case letters, digits and `-` make a name, at most 32 of them.
    #[error("`{0}` is no owner's name")]
    NoOwner(String),
    /// The place given for blobs is none, or can't be used; the text says what to do.
    #[error("{0}")]
    Place(String),
    /// The folder or the cluster failed.
    #[error("the blob store failed: {0}")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

/// An error that the cluster answered with, by S3's code.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {message}")]
struct Answered {
    code: String,
    message: String,
}

impl BlobError {
    pub(crate) fn failed(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Failed(Box::new(error))
    }

    /// The same where something was written: what isn't there then is the place, not the blob.
    pub(crate) fn of_writing(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::Failed(told(error)),
            other => other.into(),
        }
    }

    /// S3's code, if the cluster answered with one.
    pub(crate) fn code(&self) -> Option<&str> {
        let Self::Failed(error) = self else { return None };
        error.downcast_ref::<Answered>().map(|answered| answered.code.as_str())
    }
}

impl From<object_store::Error> for BlobError {
    fn from(error: object_store::Error) -> Self {
        let is_blob = |error: &object_store::Error| !error.to_string().contains("<Code>NoSuchBucket</Code>");
        match error {
            object_store::Error::NotFound { .. } if is_blob(&error) => Self::NotFound,
            other => Self::Failed(told(other)),
        }
    }
}

/// An S3 error is a document in the midst of a long text: its code and message are what an operator needs.
fn told(error: object_store::Error) -> Box<dyn Error + Send + Sync> {
    let text = error.to_string();
    match element(&text, "Code") {
        Some(code) => Box::new(Answered {
            code: code.chars().take(MOST_TOLD).collect(),
            message: element(&text, "Message").unwrap_or_default().chars().take(MOST_TOLD).collect(),
        }),
        None => Box::new(error),
    }
}

fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    Some(rest.split_once("</")?.0)
}
