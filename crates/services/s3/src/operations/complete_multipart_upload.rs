use homeport_core::{Fault, Timestamp};
use homeport_service::{Answer, Asked, ByHand, Call, Cx, Effect, Operation, Permission, Permissions};
use homeport_store::{StoreError, Tx};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::upload_part;
use crate::S3;
use crate::conditions::Conditions;
use crate::error::S3Error;
use crate::multipart::{self, NamedPart};
use crate::object_headers;
use crate::records::{self, Checksum, OBJECTS, Object, Stored, UPLOADS, Upload, object_key};
use crate::request::{object_arn, signed_for};
use crate::whole_body::{self, Digests};

/// `CompleteMultipartUpload` (S3 API reference): the parts that are named become the object, in one transaction.
pub(crate) struct CompleteMultipartUpload;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    bucket: String,
    key: String,
    upload_id: String,
    multipart_upload: Option<Completed>,
    mpu_object_size: Option<u64>,
    if_match: Option<String>,
    if_none_match: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Completed {
    #[serde(default)]
    parts: Vec<Map<String, Value>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    location: String,
    bucket: String,
    key: String,
    #[serde(rename = "ETag")]
    etag: String,
    checksum_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_side_encryption: Option<&'static str>,
    #[serde(flatten)]
    checksum: Map<String, Value>,
}

impl Operation for CompleteMultipartUpload {
    type Service = S3;
    type Input = Input;
    type Output = Output;
    type Error = S3Error;

    const NAME: &'static str = "CompleteMultipartUpload";
    const EFFECT: Effect = Effect::WritesData;

    fn permissions(_: &Asked<'_, S3>, input: &Input) -> Permissions {
        let permission = Permission::new("s3:PutObject", object_arn(&input.bucket, &input.key));
        Permissions::All(vec![
            permission
                .with("s3:if-match", input.if_match.clone())
                .with("s3:if-none-match", input.if_none_match.clone()),
        ])
    }

    async fn run(cx: Cx<S3>, input: Input) -> Result<Output, S3Error> {
        let now = Timestamp::from_seconds(cx.now().seconds());
        let (asked, region) = (&input, signed_for(&cx));
        let written = cx
            .write(|tx| async move {
                let bucket = records::bucket(&tx, &asked.bucket, region).await?;
                let upload = upload_part::find(&tx, &bucket.generation, &asked.key, &asked.upload_id).await?;
                asked.complete(&tx, upload, now).await
            })
            .await;
        let conditional = input.if_match.is_some() || input.if_none_match.is_some();
        let (object, nobodys) = written.map_err(|error| match error {
            S3Error::Store(StoreError::Conflict) if conditional => S3Error::ConditionalRequestConflict,
            other => other,
        })?;
        cx.service.discard(nobodys).await;
        let member =
            (object.checksum.algorithm.member().to_owned(), Value::from(object.checksum.value.clone()));
        Ok(Output {
            location: cx.service.url(&input.bucket, &input.key),
            etag: object.quoted_etag(),
            bucket: input.bucket,
            key: input.key,
            checksum_type: Checksum::kind(object.checksum.composite),
            server_side_encryption: object_headers::encryption(object.sse),
            checksum: [member].into_iter().collect(),
        })
    }
}

impl ByHand for CompleteMultipartUpload {
    fn decode(call: Call) -> Result<Input, Fault> {
        whole_body::decode(Self::NAME, &call, Digests::Md5).map(|read| read.input)
    }

    fn encode(output: Output) -> Result<Answer, Fault> {
        whole_body::encode(output)
    }
}

impl Input {
    /// The object, and the blobs that are nobody's any more.
    async fn complete(
        &self,
        tx: &Tx,
        upload: Upload,
        now: Timestamp,
    ) -> Result<(Object, Vec<String>), S3Error> {
        let came = records::parts(tx, &upload.generation, &upload.id).await?;
        let chosen = multipart::chosen(&self.named(&upload)?, &came)?;
        let checksum =
            multipart::checksum(&chosen, upload.algorithm, upload.composite).ok_or(S3Error::InvalidPart)?;
        let size = chosen.iter().map(|part| part.size).sum();
        self.check_whole(&checksum, size)?;
        let before = OBJECTS.get(tx, object_key(&upload.generation, &upload.key)).await?;
        let conditions = Conditions {
            if_match: self.if_match.clone(),
            if_none_match: self.if_none_match.clone(),
            ..Conditions::default()
        };
        conditions.judge_write(before.as_ref(), &upload.key)?;
        let object = Object {
            generation: upload.generation.clone(),
            key: upload.key.clone(),
            stored: Stored::Parts(upload.id.clone()),
            size,
            etag: multipart::etag(&chosen),
            last_modified: now,
            content: upload.content.clone(),
            metadata: upload.metadata.clone(),
            checksum,
            storage_class: upload.storage_class.clone(),
            sse: upload.sse,
        };
        UPLOADS.delete(tx, homeport_store::Record::key(&upload)).await?;
        let mut nobodys = records::put_object(tx, &object, before.as_ref()).await?;
        for part in came.into_iter().filter(|part| !chosen.iter().any(|kept| kept.number == part.number)) {
            nobodys.push(records::release_part(tx, part).await?);
        }
        Ok((object, nobodys))
    }

    fn named(&self, upload: &Upload) -> Result<Vec<NamedPart>, S3Error> {
        let parts = self.multipart_upload.as_ref().map(|completed| completed.parts.as_slice());
        let named = parts.unwrap_or_default().iter().map(|part| {
            let text = |name: &str| part.get(name).and_then(Value::as_str).map(str::to_owned);
            Ok(NamedPart {
                number: part.get("PartNumber").and_then(Value::as_u64).ok_or(S3Error::MalformedXml)?,
                etag: text("ETag").ok_or(S3Error::MalformedXml)?,
                checksum: text(upload.algorithm.member()),
            })
        });
        named.collect()
    }

    /// What the client says of the whole object, if it does.
    fn check_whole(&self, checksum: &Checksum, size: u64) -> Result<(), S3Error> {
        if self.mpu_object_size.is_some_and(|expected| expected != size) {
            let message = "The provided 'x-amz-mp-object-size' header does not match what was computed.";
            return Err(S3Error::InvalidRequest(message.to_owned()));
        }
        let given = self.rest.get(checksum.algorithm.member()).and_then(Value::as_str);
        match given {
            Some(given) if given != checksum.value => Err(S3Error::BadChecksum(checksum.algorithm)),
            _ => Ok(()),
        }
    }
}
