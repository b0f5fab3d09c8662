use std::collections::BTreeMap;

use homeport_core::{Fault, Timestamp};
use homeport_service::{
    Answer, Asked, Body, ByHand, Call, CallBody, Cx, Effect, Operation, Permissions, empty,
};
use homeport_store::{StoreError, Tx};
use http::{HeaderMap, Response};

use crate::S3;
use crate::conditions::Conditions;
use crate::error::S3Error;
use crate::object_headers::{self, ContentHeaders};
use crate::records::{self, Bucket, OBJECTS, Object, Stored, object_key};
use crate::request::{self, Target};
use crate::upload::{self, Announced, Uploaded};

/// `PutObject` (S3 API reference): an object in one piece. Its bytes become a blob first, whole, verified and
/// durable; then one transaction puts the object in place of the one before.
pub(crate) struct PutObject;

pub(crate) struct Input {
    target: Target,
    headers: HeaderMap,
    announced: Announced,
    described: Described,
    body: Body,
}

/// What a write says of an object beside its bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Described {
    pub(crate) content: ContentHeaders,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) storage_class: Option<String>,
    pub(crate) sse: bool,
    pub(crate) conditions: Conditions,
}

impl Operation for PutObject {
    type Service = S3;
    type Input = Input;
    type Output = Response<Body>;
    type Error = S3Error;

    const NAME: &'static str = "PutObject";
    const EFFECT: Effect = Effect::WritesData;

    fn permissions(_: &Asked<'_, S3>, input: &Input) -> Permissions {
        let text = |name: &str| object_headers::text(&input.headers, name);
        let permission = input.target.permission("s3:PutObject");
        Permissions::All(vec![
            permission
                .with("s3:x-amz-acl", text("x-amz-acl"))
                .with("s3:x-amz-storage-class", text("x-amz-storage-class"))
                .with("s3:x-amz-server-side-encryption", text(object_headers::ENCRYPTION))
                .with("s3:if-match", text("if-match"))
                .with("s3:if-none-match", text("if-none-match")),
        ])
    }

    async fn run(cx: Cx<S3>, input: Input) -> Result<Response<Body>, S3Error> {
        let region = input.target.signed_for(&cx);
        let bucket = begin(&cx, &input.target.bucket, region, &input.target.key, &input.described).await?;
        let uploaded =
            upload::receive(&cx.service.blobs, &**cx.randomness(), input.body, &input.announced).await?;
        let object = commit(&cx, &bucket, &input.target.key, uploaded, input.described).await?;
        let mut response = Response::new(empty());
        object_headers::set(response.headers_mut(), http::header::ETAG, &object.quoted_etag());
        object_headers::write_checksum(&object, response.headers_mut());
        object_headers::write_encryption(object.sse, response.headers_mut());
        Ok(response)
    }
}

impl ByHand for PutObject {
    const STREAMS: bool = true;

    fn decode(call: Call) -> Result<Input, Fault> {
        let target = Target::of(&call)?;
        let headers = request::headers(&call, &target);
        object_headers::refuse_unbuilt(&headers)?;
        let class = headers.get("x-amz-storage-class").map(|value| String::from_utf8_lossy(value.as_bytes()));
        let encryption = object_headers::text(&headers, object_headers::ENCRYPTION);
        let described = Described {
            content: ContentHeaders::read(&headers),
            metadata: object_headers::metadata(&headers)?,
            storage_class: object_headers::storage_class(class.as_deref())?,
            sse: object_headers::asks_sse(encryption.as_deref())?,
            conditions: Conditions::read(&headers),
        };
        let announced = Announced::read(&headers)?;
        let body = match call.body {
            CallBody::Stream(body) => body,
            CallBody::Whole(bytes) => homeport_service::full(bytes),
        };
        Ok(Input { target, headers, announced, described, body })
    }

    fn encode(output: Response<Body>) -> Result<Answer, Fault> {
        Ok(Answer::Response(output))
    }
}

/// Finds the bucket, and whether the write's conditions hold so far: before a body is asked for.
pub(crate) async fn begin(
    cx: &Cx<S3>,
    bucket: &str,
    region: Option<&str>,
    key: &str,
    described: &Described,
) -> Result<Bucket, S3Error> {
    cx.read(|tx| async move {
        let bucket = records::bucket(&tx, bucket, region).await?;
        let before = OBJECTS.get(&tx, object_key(&bucket.generation, key)).await?;
        described.conditions.judge_write(before.as_ref(), key)?;
        Ok(bucket)
    })
    .await
}

/// An object as it is to be, now that its bytes are a blob.
pub(crate) fn object(
    bucket: &Bucket,
    key: &str,
    uploaded: Uploaded,
    described: Described,
    now: Timestamp,
) -> Object {
    Object {
        generation: bucket.generation.clone(),
        key: key.to_owned(),
        stored: Stored::Blob(uploaded.blob.to_string()),
        size: uploaded.size,
        etag: uploaded.md5,
        last_modified: Timestamp::from_seconds(now.seconds()),
        content: described.content,
        metadata: described.metadata,
        checksum: uploaded.checksum,
        storage_class: described.storage_class,
        sse: described.sse,
    }
}

/// Puts the object in place of the one before, if the bucket is still the same and the conditions hold; the blobs
/// that are nobody's then.
pub(crate) async fn replace(
    tx: &Tx,
    bucket: &Bucket,
    new: &Object,
    conditions: &Conditions,
) -> Result<Vec<String>, S3Error> {
    let now = records::bucket(tx, &bucket.name, None).await?;
    if now.generation != bucket.generation {
        return Err(S3Error::NoSuchBucket { bucket: bucket.name.clone() });
    }
    let before = OBJECTS.get(tx, object_key(&new.generation, &new.key)).await?;
    conditions.judge_write(before.as_ref(), &new.key)?;
    if let Stored::Blob(blob) = &new.stored {
        records::name_blob(tx, &new.generation, blob)?;
    }
    Ok(records::put_object(tx, new, before.as_ref()).await?)
}

/// Puts the object. The blob that is nobody's then is deleted: the old one, or, where nothing was put, the new one.
pub(crate) async fn commit(
    cx: &Cx<S3>,
    bucket: &Bucket,
    key: &str,
    uploaded: Uploaded,
    described: Described,
) -> Result<Object, S3Error> {
    let (blob, conditions) = (uploaded.blob.clone(), &described.conditions.clone());
    let object = object(bucket, key, uploaded, described, cx.clock().now());
    let new = &object;
    let written = cx.write(|tx| async move { replace(&tx, bucket, new, conditions).await }).await;
    match written {
        Ok(old) => {
            cx.service.discard(old).await;
            Ok(object)
        }
        Err(error) => {
            cx.service.discard_unwritten(blob.as_str(), &error).await;
            let conditional = conditions.if_match.is_some() || conditions.if_none_match.is_some();
            match error {
                S3Error::Store(StoreError::Conflict) if conditional => {
                    Err(S3Error::ConditionalRequestConflict)
                }
                other => Err(other),
            }
        }
    }
}
