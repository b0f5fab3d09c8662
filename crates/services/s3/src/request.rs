//! Reading the calls of objects by hand.

use homeport_core::Fault;
use homeport_service::{Call, Cx, Permission, Principal};
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

use crate::error::S3Error;

/// Keys have at most so many bytes.
pub(crate) const MAX_KEY: usize = 1_024;

/// Which object a call is about, and how it was called.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) bucket: String,
    pub(crate) key: String,
    /// Whether the bucket's content is served under a host that others share.
    pub(crate) shared_host: bool,
    /// Whether the call's region is the one it was signed for.
    region_is_signed: bool,
    /// Whether nobody signed.
    pub(crate) anonymous: bool,
    query: Vec<(String, String)>,
}

impl Target {
    /// Reads `/BUCKET/KEY`. Objects have no versions but `null`.
    pub(crate) fn of(call: &Call) -> Result<Self, Fault> {
        let path = call.path.strip_prefix('/').unwrap_or(&call.path);
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let (bucket, key) = (decoded(bucket)?, decoded(key)?);
        if key.len() > MAX_KEY {
            return Err(S3Error::KeyTooLong.into());
        }
        let query = query(call)?;
        let has = |name: &str| query.iter().any(|(n, _)| n == name);
        let region_is_signed =
            call.head.headers.contains_key(http::header::AUTHORIZATION) || has("X-Amz-Signature");
        let target = Self {
            bucket,
            key,
            shared_host: call.virtual_bucket.is_none(),
            region_is_signed,
            anonymous: matches!(call.caller.principal, Principal::Anonymous),
            query,
        };
        match target.parameter("versionId") {
            None | Some("null") => Ok(target),
            Some(version) => {
                Err(S3Error::argument("versionId", version, "Invalid version id specified").into())
            }
        }
    }

    /// A parameter of the query, decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The region that the call was signed for.
    pub(crate) fn signed_for<'a, S>(&self, cx: &'a Cx<S>) -> Option<&'a str> {
        self.region_is_signed.then(|| cx.scope().region.as_str())
    }

    /// An action on the object.
    pub(crate) fn permission(&self, action: &'static str) -> Permission {
        Permission::new(action, object_arn(&self.bucket, &self.key))
    }
}

/// The region that a call of a modelled operation was signed for: all that are signed are so with version 4.
pub(crate) fn signed_for<S>(cx: &Cx<S>) -> Option<&str> {
    cx.caller().access_key_id.is_some().then(|| cx.scope().region.as_str())
}

/// `arn:aws:s3:::BUCKET`
pub(crate) fn bucket_arn(bucket: &str) -> String {
    format!("arn:aws:s3:::{bucket}")
}

/// `arn:aws:s3:::BUCKET/KEY`
pub(crate) fn object_arn(bucket: &str, key: &str) -> String {
    format!("arn:aws:s3:::{bucket}/{key}")
}

/// The call's headers; what a presigned URL carries of them in its query counts as one, as it is signed. Checksums
/// do not: the SDK for JavaScript presigns that of an empty body.
pub(crate) fn headers(call: &Call, target: &Target) -> HeaderMap {
    const OWN: [&str; 9] = [
        "x-amz-algorithm",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-expires",
        "x-amz-signedheaders",
        "x-amz-signature",
        "x-amz-security-token",
        "x-amz-content-sha256",
        "x-amz-user-agent",
    ];
    let mut headers = call.head.headers.clone();
    let presigned = ["X-Amz-Signature", "Signature"].iter().any(|name| target.parameter(name).is_some());
    for (name, value) in target.query.iter().filter(|_| presigned) {
        let name = name.to_ascii_lowercase();
        let counts = name.starts_with("x-amz-") && !OWN.contains(&&*name) && !name.contains("checksum-");
        let mode = name == "x-amz-checksum-mode";
        let signed_by_v2 = name == "content-type";
        let parsed = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value));
        if let ((Ok(name), Ok(value)), true) = (parsed, counts || mode || signed_by_v2) {
            headers.entry(name).or_insert(value);
        }
    }
    headers
}

fn decoded(text: &str) -> Result<String, Fault> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(std::borrow::Cow::into_owned).map_err(|_| S3Error::InvalidUri.into())
}

fn query(call: &Call) -> Result<Vec<(String, String)>, Fault> {
    let query = call.head.uri.query().unwrap_or_default();
    let text = |text: &str| decoded(&text.replace('+', " "));
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Ok((text(name)?, text(value)?))
    });
    pairs.collect()
}
