//! An object on its way out.

use std::ops::Range;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use homeport_blobs::{BlobError, BlobId, BlobReader};
use homeport_service::{Body, BoxError, empty};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};

use crate::S3;
use crate::conditions::Verdict;
use crate::error::S3Error;
use crate::object_headers;
use crate::range;
use crate::records::{Object, Part, Stored};
use crate::request::Target;

/// Parameters by which a signed read overrides headers of its answer.
const OVERRIDES: [(&str, HeaderName); 6] = [
    ("response-content-type", http::header::CONTENT_TYPE),
    ("response-content-language", http::header::CONTENT_LANGUAGE),
    ("response-expires", http::header::EXPIRES),
    ("response-cache-control", http::header::CACHE_CONTROL),
    ("response-content-disposition", http::header::CONTENT_DISPOSITION),
    ("response-content-encoding", http::header::CONTENT_ENCODING),
];

/// The bytes of an object as they are read.
pub(crate) type ObjectBytes = BoxStream<'static, Result<Bytes, BlobError>>;

impl S3 {
    /// Opens an object's bytes, or a part of them. What lies in one blob is read to its end whatever happens to the
    /// object; where there are parts, the object's deletion ends the stream with an error.
    pub(crate) async fn open(
        &self,
        object: &Object,
        parts: &[Part],
        range: Option<Range<u64>>,
    ) -> Result<ObjectBytes, BlobError> {
        let whole = range.unwrap_or(0..object.size);
        if let Stored::Blob(blob) = &object.stored {
            return Ok(self.open_blob(blob, whole).await?.boxed());
        }
        let mut wanted = pieces(parts, &whole).into_iter();
        let Some((first, range)) = wanted.next() else { return Ok(stream::empty().boxed()) };
        let first = self.open_blob(&first, range).await?;
        let service = self.clone();
        let rest = stream::iter(wanted).then(move |(blob, range)| {
            let service = service.clone();
            async move { service.open_blob(&blob, range).await }
        });
        Ok(first.chain(rest.try_flatten()).boxed())
    }

    async fn open_blob(&self, blob: &str, range: Range<u64>) -> Result<BlobReader, BlobError> {
        match BlobId::parse(blob) {
            // An empty range is none to a blob store.
            Some(blob) => self.blobs.read(&blob, Some(range).filter(|range| !range.is_empty())).await,
            None => Err(BlobError::NotFound),
        }
    }
}

/// Which blobs hold a range of an object that is in parts, and which range of each.
fn pieces(parts: &[Part], wanted: &Range<u64>) -> Vec<(String, Range<u64>)> {
    let (mut pieces, mut at) = (Vec::new(), 0);
    for part in parts {
        let from = wanted.start.max(at) - at;
        let to = wanted.end.min(at + part.size).saturating_sub(at);
        if from < to {
            pieces.push((part.blob.clone(), from..to));
        }
        at += part.size;
    }
    pieces
}

/// The part of the object that is asked for; none for the whole.
pub(crate) fn part(
    object: &Object,
    parts: &[Part],
    target: &Target,
    headers: &HeaderMap,
) -> Result<Option<Range<u64>>, S3Error> {
    if let Some(number) = target.parameter("partNumber") {
        return numbered(object, parts, number);
    }
    match headers.get(http::header::RANGE).and_then(|value| value.to_str().ok()) {
        Some(header) => range::parse(header, object.size),
        None => Ok(None),
    }
}

/// The n-th part of an object; one that was put in one piece is its only part.
fn numbered(object: &Object, parts: &[Part], number: &str) -> Result<Option<Range<u64>>, S3Error> {
    let index = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    match (&object.stored, index) {
        (Stored::Blob(_), Some(0)) => Ok(None),
        (Stored::Parts(_), Some(index)) if index < parts.len() => {
            let from: u64 = parts[..index].iter().map(|part| part.size).sum();
            Ok(Some(from..from + parts[index].size))
        }
        _ => Err(S3Error::InvalidPartNumber),
    }
}

/// The head of the answer to a read: all of the object's headers, by the caller's overrides.
pub(crate) fn head(
    object: &Object,
    target: &Target,
    headers: &HeaderMap,
    part: Option<&Range<u64>>,
    count: usize,
) -> Result<Response<()>, S3Error> {
    let mut response = Response::new(());
    let answer = response.headers_mut();
    object_headers::write(object, answer);
    let with_checksum = headers.get("x-amz-checksum-mode").is_some_and(|mode| mode == "ENABLED");
    if with_checksum && part.is_none() {
        object_headers::write_checksum(object, answer);
    }
    override_headers(target, answer)?;
    protect(target, answer);
    if target.parameter("partNumber").is_some() && count > 0 {
        answer.insert("x-amz-mp-parts-count", HeaderValue::from(count));
    }
    let length = part.map_or(object.size, |part| part.end - part.start);
    answer.insert(http::header::CONTENT_LENGTH, HeaderValue::from(length));
    if let Some(part) = part {
        let range = format!("bytes {}-{}/{}", part.start, part.end - 1, object.size);
        object_headers::set(answer, http::header::CONTENT_RANGE, &range);
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

/// The answer where a condition ends a read, if it does.
pub(crate) fn ended_by(
    verdict: Verdict,
    object: &Object,
    target: &Target,
) -> Result<Option<Response<Body>>, S3Error> {
    match verdict {
        Verdict::Proceed => Ok(None),
        Verdict::Failed(condition) => Err(S3Error::PreconditionFailed { condition }),
        Verdict::NotModified => {
            let mut response = Response::new(empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            let answer = response.headers_mut();
            object_headers::write(object, answer);
            answer.remove(http::header::CONTENT_TYPE);
            protect(target, answer);
            Ok(Some(response))
        }
    }
}

/// A body that reads as it is sent.
pub(crate) fn streamed(bytes: ObjectBytes) -> Body {
    let frames = bytes.map(|chunk| chunk.map(Frame::data).map_err(|error| Box::new(error) as BoxError));
    BodyExt::boxed_unsync(StreamBody::new(frames))
}

fn override_headers(target: &Target, answer: &mut HeaderMap) -> Result<(), S3Error> {
    for (parameter, header) in OVERRIDES {
        let Some(value) = target.parameter(parameter) else { continue };
        if target.anonymous {
            let message = "Request specific response headers cannot be used for anonymous GET requests.";
            return Err(S3Error::InvalidRequest(message.to_owned()));
        }
        object_headers::set(answer, header, value);
    }
    Ok(())
}

/// What people upload must not act as a page of a host that others share (security decision 21).
fn protect(target: &Target, answer: &mut HeaderMap) {
    if target.shared_host {
        answer.insert(http::header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
        answer.insert(http::header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
}
