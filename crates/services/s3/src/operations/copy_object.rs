use std::collections::BTreeMap;

use homeport_core::Timestamp;
use homeport_service::{Asked, Cx, Effect, Operation, Permission, Permissions};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::put_object::{self, Described};
use crate::S3;
use crate::checksum::Algorithm;
use crate::conditions::{Conditions, Verdict};
use crate::copies;
use crate::error::S3Error;
use crate::object_headers::{self, ContentHeaders};
use crate::records::{self, Checksum, OBJECTS, Object, Part, object_key};
use crate::request::{MAX_KEY, object_arn, signed_for};
use crate::upload::MAX_UPLOAD;

/// `CopyObject` (S3 API reference): an object of at most 5 GiB to another place, with its metadata or new ones.
pub(crate) struct CopyObject;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    bucket: String,
    key: String,
    copy_source: String,
    metadata_directive: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    content_type: Option<String>,
    cache_control: Option<String>,
    content_disposition: Option<String>,
    content_encoding: Option<String>,
    content_language: Option<String>,
    expires: Option<String>,
    storage_class: Option<String>,
    server_side_encryption: Option<String>,
    checksum_algorithm: Option<String>,
    copy_source_if_match: Option<String>,
    copy_source_if_none_match: Option<String>,
    copy_source_if_modified_since: Option<f64>,
    copy_source_if_unmodified_since: Option<f64>,
    if_match: Option<String>,
    if_none_match: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    copy_object_result: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_side_encryption: Option<&'static str>,
}

/// Members that ask for what is not built.
const UNBUILT: [&str; 12] = [
    "ACL",
    "GrantFullControl",
    "GrantRead",
    "GrantReadACP",
    "GrantWriteACP",
    "SSEKMSKeyId",
    "SSECustomerAlgorithm",
    "CopySourceSSECustomerAlgorithm",
    "Tagging",
    "ObjectLockMode",
    "ObjectLockLegalHoldStatus",
    "WebsiteRedirectLocation",
];

impl Operation for CopyObject {
    type Service = S3;
    type Input = Input;
    type Output = Output;
    type Error = S3Error;

    const NAME: &'static str = "CopyObject";
    const EFFECT: Effect = Effect::WritesData;

    fn permissions(_: &Asked<'_, S3>, input: &Input) -> Permissions {
        let put = Permission::new("s3:PutObject", object_arn(&input.bucket, &input.key))
            .with("s3:x-amz-server-side-encryption", input.server_side_encryption.clone());
        let source = copies::source_arn(&input.copy_source);
        Permissions::All(vec![Permission::new("s3:GetObject", source), put])
    }

    async fn run(cx: Cx<S3>, input: Input) -> Result<Output, S3Error> {
        input.check()?;
        let (from_bucket, from_key) = copies::source(&input.copy_source)?;
        let (source, parts) = find(&cx, &from_bucket, &from_key).await?;
        input.check_source(&source)?;
        let described = input.described(&source)?;
        let region = signed_for(&cx);
        let bucket = put_object::begin(&cx, &input.bucket, region, &input.key, &described).await?;
        let named = input.checksum_algorithm.as_deref().map(algorithm).transpose()?;
        let algorithm = named.unwrap_or(source.checksum.algorithm);
        let copied = cx.service.copy_bytes(&source, &parts, None, algorithm, &**cx.randomness()).await?;
        let object = put_object::commit(&cx, &bucket, &input.key, copied, described).await?;
        let server_side_encryption = object_headers::encryption(object.sse);
        Ok(Output { copy_object_result: result(&object), server_side_encryption })
    }
}

/// An object that is copied from, with its parts.
pub(crate) async fn find(cx: &Cx<S3>, bucket: &str, key: &str) -> Result<(Object, Vec<Part>), S3Error> {
    cx.read(|tx| async move {
        let bucket = records::bucket(&tx, bucket, None).await?;
        let found = OBJECTS.get(&tx, object_key(&bucket.generation, key)).await?;
        let object = found.ok_or_else(|| S3Error::NoSuchKey { key: key.to_owned() })?;
        let parts = object.parts(&tx).await?;
        Ok((object, parts))
    })
    .await
}

/// Seconds as the model gives them.
pub(crate) fn date(seconds: f64) -> Timestamp {
    Timestamp::from_millis((seconds * 1_000.0) as i64)
}

/// Whether the source is what the copy is to be of.
pub(crate) fn judge_source(conditions: &Conditions, source: &Object) -> Result<(), S3Error> {
    match conditions.judge(source) {
        Verdict::Proceed => Ok(()),
        Verdict::NotModified => {
            Err(S3Error::PreconditionFailed { condition: "x-amz-copy-source-If-None-Match" })
        }
        Verdict::Failed(_) => Err(S3Error::PreconditionFailed { condition: "x-amz-copy-source-If-Match" }),
    }
}

fn algorithm(name: &str) -> Result<Algorithm, S3Error> {
    let header = || S3Error::NotImplemented { header: "x-amz-checksum-algorithm".to_owned() };
    Algorithm::by_name(name).ok_or_else(header)
}

fn result(object: &Object) -> Map<String, Value> {
    let members = [
        ("ETag", Value::from(object.quoted_etag())),
        ("LastModified", Value::from(object.last_modified.seconds_f64())),
        ("ChecksumType", Value::from(Checksum::kind(object.checksum.composite))),
        (object.checksum.algorithm.member(), Value::from(object.checksum.value.clone())),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

impl Input {
    fn replaces(&self) -> bool {
        self.metadata_directive.as_deref() == Some("REPLACE")
    }

    fn check(&self) -> Result<(), S3Error> {
        if self.key.len() > MAX_KEY {
            return Err(S3Error::KeyTooLong);
        }
        if let Some(member) = UNBUILT.iter().find(|member| self.rest.contains_key(**member)) {
            return Err(S3Error::NotImplemented { header: (*member).to_owned() });
        }
        if (self.bucket.clone(), self.key.clone()) == copies::source(&self.copy_source)?
            && !self.replaces()
            && self.storage_class.is_none()
            && self.server_side_encryption.is_none()
        {
            let message = "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.";
            return Err(S3Error::InvalidRequest(message.to_owned()));
        }
        Ok(())
    }

    fn check_source(&self, source: &Object) -> Result<(), S3Error> {
        if source.size > MAX_UPLOAD {
            let message = "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120";
            return Err(S3Error::InvalidRequest(message.to_owned()));
        }
        let conditions = Conditions {
            if_match: self.copy_source_if_match.clone(),
            if_none_match: self.copy_source_if_none_match.clone(),
            if_modified_since: self.copy_source_if_modified_since.map(date),
            if_unmodified_since: self.copy_source_if_unmodified_since.map(date),
        };
        judge_source(&conditions, source)
    }

    fn described(&self, source: &Object) -> Result<Described, S3Error> {
        let conditions = Conditions {
            if_match: self.if_match.clone(),
            if_none_match: self.if_none_match.clone(),
            ..Conditions::default()
        };
        let storage_class = object_headers::storage_class(self.storage_class.as_deref())?;
        let sse = object_headers::asks_sse(self.server_side_encryption.as_deref())?;
        if !self.replaces() {
            let (content, metadata) = (source.content.clone(), source.metadata.clone());
            return Ok(Described { content, metadata, storage_class, sse, conditions });
        }
        object_headers::check_metadata(&self.metadata)?;
        let content = ContentHeaders {
            content_type: self.content_type.clone(),
            cache_control: self.cache_control.clone(),
            content_disposition: self.content_disposition.clone(),
            content_encoding: self.content_encoding.clone(),
            content_language: self.content_language.clone(),
            expires: self.expires.clone(),
        };
        let metadata =
            self.metadata.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
        Ok(Described { content, metadata, storage_class, sse, conditions })
    }
}
