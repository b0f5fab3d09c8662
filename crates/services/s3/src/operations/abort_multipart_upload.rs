use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use super::upload_part;
use crate::S3;
use crate::error::S3Error;
use crate::records::{self, Stored, UPLOADS};
use crate::request::{object_arn, signed_for};

/// `AbortMultipartUpload` (S3 API reference): the upload and its parts are gone.
pub(crate) struct AbortMultipartUpload;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    bucket: String,
    key: String,
    upload_id: String,
}

#[derive(Serialize)]
pub(crate) struct Output {}

impl Operation for AbortMultipartUpload {
    type Service = S3;
    type Input = Input;
    type Output = Output;
    type Error = S3Error;

    const NAME: &'static str = "AbortMultipartUpload";
    const EFFECT: Effect = Effect::WritesData;

    fn permissions(_: &Asked<'_, S3>, input: &Input) -> Permissions {
        Permissions::one("s3:AbortMultipartUpload", object_arn(&input.bucket, &input.key))
    }

    async fn run(cx: Cx<S3>, input: Input) -> Result<Output, S3Error> {
        let (asked, region) = (&input, signed_for(&cx));
        let nobodys = cx
            .write(|tx| async move {
                let bucket = records::bucket(&tx, &asked.bucket, region).await?;
                let upload = upload_part::find(&tx, &bucket.generation, &asked.key, &asked.upload_id).await?;
                UPLOADS.delete(&tx, homeport_store::Record::key(&upload)).await?;
                Ok::<_, S3Error>(records::release(&tx, &upload.generation, &Stored::Parts(upload.id)).await?)
            })
            .await?;
        cx.service.discard(nobodys).await;
        Ok(Output {})
    }
}
