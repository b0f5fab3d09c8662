//! Bodies that are read whole: compared with what the call says of them, then read by the model.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use homeport_core::Fault;
use homeport_service::{Answer, Call, CallBody};
use homeport_wire::{Head, Models};
use http::HeaderMap;
use md5::{Digest, Md5};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::checksum::Expected;
use crate::error::S3Error;

/// What a call may say of its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Digests {
    /// `Content-MD5`: the checksums in the head are an object's.
    Md5,
    /// `Content-MD5` or a checksum, one of them at least (`httpChecksumRequired` in the service's model).
    Required,
}

/// The input of an operation that goes by the model but for its body's digests.
pub(crate) struct Read<T> {
    pub(crate) input: T,
    /// What CloudTrail may show of it.
    pub(crate) shown: Value,
}

/// Reads the input of a modelled operation whose body is what the call says it is.
pub(crate) fn decode<T: DeserializeOwned>(
    operation: &'static str,
    call: &Call,
    digests: Digests,
) -> Result<Read<T>, Fault> {
    let CallBody::Whole(body) = &call.body else {
        return Err(Fault::internal("a body that is read whole still arrives"));
    };
    check(&call.head.headers, body, digests)?;
    let model = Models::service("s3").ok_or_else(|| Fault::internal("no model of S3"))?;
    let operation = model.operation(operation).ok_or_else(|| Fault::internal("no such operation"))?;
    let head = Head {
        method: call.head.method.as_str(),
        path: &call.path,
        query: call.head.uri.query().unwrap_or_default(),
        headers: &call.head.headers,
    };
    let value = homeport_wire::decode(operation, model.protocol, &head, body)?;
    let shown = homeport_wire::redact(model, operation, &value);
    let input =
        serde_json::from_value(value).map_err(|error| Fault::from(S3Error::MalformedXml).because(error))?;
    Ok(Read { input, shown })
}

/// The answer by the model.
pub(crate) fn encode(output: impl Serialize) -> Result<Answer, Fault> {
    serde_json::to_value(output).map(Answer::Value).map_err(Fault::internal)
}

/// The MD5 that a call gives of its body.
pub(crate) fn content_md5(headers: &HeaderMap) -> Result<Option<[u8; 16]>, S3Error> {
    let given = headers.get("content-md5").map(|value| {
        let bytes = STANDARD.decode(value.as_bytes()).ok();
        bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(S3Error::InvalidDigest)
    });
    given.transpose()
}

fn check(headers: &HeaderMap, body: &[u8], digests: Digests) -> Result<(), S3Error> {
    let md5 = content_md5(headers)?;
    if md5.is_some_and(|md5| md5[..] != Md5::digest(body)[..]) {
        return Err(S3Error::BadMd5);
    }
    if digests == Digests::Md5 {
        return Ok(());
    }
    let expected = Expected::read(headers)?;
    match &expected {
        Expected::Trailer(_) => Err(S3Error::NotImplemented { header: "x-amz-trailer".to_owned() }),
        Expected::Nothing if md5.is_none() => {
            let message = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*";
            Err(S3Error::InvalidRequest(message.to_owned()))
        }
        _ => {
            let mut hasher = expected.algorithm().hasher();
            hasher.update(body);
            expected.check(&hasher.finish(), None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"123456789";

    fn checked(pairs: &[(&'static str, &'static str)], digests: Digests) -> Option<String> {
        let header = |(name, value): &(&'static str, &'static str)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
        };
        let headers = pairs.iter().map(header).collect();
        check(&headers, BODY, digests).err().map(|error| Fault::from(error).code.into_owned())
    }

    #[test]
    fn a_body_is_what_its_digests_say() {
        let (md5, other_md5) = ("JfnnlDI7RTiF9RgfG2JNCw==", "xMpCOKC5I4INzFCab3WEmw==");
        let (crc, other_crc) = ("y/Q5Jg==", "AAAAAA==");
        let cases = [
            (&[("content-md5", md5)][..], None),
            (&[("content-md5", other_md5)], Some("BadDigest")),
            (&[("content-md5", "AAAA")], Some("InvalidDigest")),
            (&[("content-md5", "?")], Some("InvalidDigest")),
            (&[("x-amz-checksum-crc32", crc)], None),
            (&[("x-amz-checksum-crc32", other_crc)], Some("BadDigest")),
            (&[("content-md5", md5), ("x-amz-checksum-crc32", other_crc)], Some("BadDigest")),
            (&[("content-md5", other_md5), ("x-amz-checksum-crc32", crc)], Some("BadDigest")),
            (&[("x-amz-trailer", "x-amz-checksum-crc32")], Some("NotImplemented")),
        ];
        for (headers, code) in cases {
            assert_eq!(checked(headers, Digests::Required).as_deref(), code, "{headers:?}");
        }
        assert_eq!(checked(&[], Digests::Md5), None);
        assert_eq!(checked(&[], Digests::Required).as_deref(), Some("InvalidRequest"));
    }

    #[test]
    fn an_objects_checksum_is_not_its_bodys() {
        assert_eq!(checked(&[("x-amz-checksum-crc32", "AAAAAA==")], Digests::Md5), None);
        let wrong = [("content-md5", "xMpCOKC5I4INzFCab3WEmw==")];
        assert_eq!(checked(&wrong, Digests::Md5).as_deref(), Some("BadDigest"));
    }
}
