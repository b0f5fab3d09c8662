use homeport_core::{Fault, Timestamp};
use homeport_service::{
    Answer, Asked, Body, ByHand, Call, CallBody, Cx, Effect, Operation, Permissions, empty,
};
use http::Response;

use crate::S3;
use crate::error::S3Error;
use crate::multipart::MAX_PARTS;
use crate::object_headers;
use crate::records::{self, PARTS, Part, UPLOADS, Upload, upload_key};
use crate::request::{self, Target};
use crate::upload::{self, Announced, Uploaded};

/// `UploadPart` (S3 API reference): one part of an upload, in place of the one with its number.
pub(crate) struct UploadPart;

pub(crate) struct Input {
    target: Target,
    announced: Announced,
    upload: String,
    number: u64,
    body: Body,
}

impl Operation for UploadPart {
    type Service = S3;
    type Input = Input;
    type Output = Response<Body>;
    type Error = S3Error;

    const NAME: &'static str = "UploadPart";
    const EFFECT: Effect = Effect::WritesData;

    fn permissions(_: &Asked<'_, S3>, input: &Input) -> Permissions {
        Permissions::All(vec![input.target.permission("s3:PutObject")])
    }

    async fn run(cx: Cx<S3>, input: Input) -> Result<Response<Body>, S3Error> {
        let Input { target, announced, upload: id, number, body } = input;
        let region = target.signed_for(&cx);
        let (target, id) = (&target, &id);
        let upload = cx
            .read(|tx| async move {
                let bucket = records::bucket(&tx, &target.bucket, region).await?;
                find(&tx, &bucket.generation, &target.key, id).await
            })
            .await?;
        let announced = announced.of_part(upload.algorithm)?;
        let uploaded = upload::receive(&cx.service.blobs, &**cx.randomness(), body, &announced).await?;
        let part = commit(&cx, &upload, number, uploaded).await?;
        let mut response = Response::new(empty());
        object_headers::set(response.headers_mut(), http::header::ETAG, &format!("\"{}\"", part.etag));
        let name = http::HeaderName::from_static(upload.algorithm.header());
        object_headers::set(response.headers_mut(), name, &part.checksum);
        object_headers::write_encryption(upload.sse, response.headers_mut());
        Ok(response)
    }
}

impl ByHand for UploadPart {
    const STREAMS: bool = true;

    fn decode(call: Call) -> Result<Input, Fault> {
        let target = Target::of(&call)?;
        let headers = request::headers(&call, &target);
        object_headers::refuse_unbuilt(&headers)?;
        if let Some(encryption) = object_headers::text(&headers, object_headers::ENCRYPTION) {
            let message = "x-amz-server-side-encryption header is not supported for this operation.";
            return Err(S3Error::argument(object_headers::ENCRYPTION, encryption, message).into());
        }
        let announced = Announced::read(&headers)?;
        let text = target.parameter("partNumber").unwrap_or_default();
        let number =
            text.parse().ok().filter(|number| (1..=MAX_PARTS).contains(number)).ok_or_else(|| {
                let message = "Part number must be an integer between 1 and 10000, inclusive";
                S3Error::argument("partNumber", text, message)
            })?;
        let upload = target.parameter("uploadId").unwrap_or_default().to_owned();
        let body = match call.body {
            CallBody::Stream(body) => body,
            CallBody::Whole(bytes) => homeport_service::full(bytes),
        };
        Ok(Input { target, announced, upload, number, body })
    }

    fn encode(output: Response<Body>) -> Result<Answer, Fault> {
        Ok(Answer::Response(output))
    }
}

/// The upload of this key and id, if it is under way.
pub(crate) async fn find(
    tx: &homeport_store::Tx,
    generation: &str,
    key: &str,
    id: &str,
) -> Result<Upload, S3Error> {
    let missing = || S3Error::NoSuchUpload { upload: id.to_owned() };
    // Ids are 64 characters; a longer one could pass the store's bound on keys.
    if id.len() > 64 {
        return Err(missing());
    }
    UPLOADS.get(tx, upload_key(generation, key, id)).await?.ok_or_else(missing)
}

/// Puts the part in place of the one with its number, while its upload is under way.
pub(crate) async fn commit(
    cx: &Cx<S3>,
    upload: &Upload,
    number: u64,
    uploaded: Uploaded,
) -> Result<Part, S3Error> {
    let part = Part {
        generation: upload.generation.clone(),
        upload: upload.id.clone(),
        number,
        blob: uploaded.blob.to_string(),
        size: uploaded.size,
        etag: uploaded.md5,
        checksum: uploaded.checksum.value,
        last_modified: Timestamp::from_seconds(cx.clock().now().seconds()),
    };
    let new = &part;
    let written = cx
        .write(|tx| async move {
            find(&tx, &new.generation, &upload.key, &new.upload).await?;
            let before = PARTS.get(&tx, homeport_store::Record::key(new)).await?;
            let mut old = Vec::new();
            if let Some(before) = before {
                old.push(records::release_part(&tx, before).await?);
            }
            records::name_blob(&tx, &new.generation, &new.blob)?;
            PARTS.put(&tx, new).await?;
            Ok::<_, S3Error>(old)
        })
        .await;
    let answer = match written {
        Ok(nobodys) => {
            cx.service.discard(nobodys).await;
            Ok(())
        }
        Err(error) => {
            cx.service.discard_unwritten(&part.blob, &error).await;
            Err(error)
        }
    };
    answer.map(|()| part)
}
