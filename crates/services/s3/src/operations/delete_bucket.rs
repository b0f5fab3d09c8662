use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::S3;
use crate::error::S3Error;
use crate::records::{self, OBJECTS, PARTS, UPLOADS};
use crate::request::{bucket_arn, signed_for};

/// `DeleteBucket` (S3 API reference): removes a bucket that holds no object.
pub(crate) struct DeleteBucket;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    bucket: String,
}

#[derive(Serialize)]
pub(crate) struct Output {}

impl Operation for DeleteBucket {
    type Service = S3;
    type Input = Input;
    type Output = Output;
    type Error = S3Error;

    const NAME: &'static str = "DeleteBucket";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, S3>, input: &Input) -> Permissions {
        Permissions::one("s3:DeleteBucket", bucket_arn(&input.bucket))
    }

    async fn run(cx: Cx<S3>, input: Input) -> Result<Output, S3Error> {
        let (name, region) = (&input.bucket, signed_for(&cx));
        let generation = cx
            .write(|tx| async move {
                let bucket = records::bucket(&tx, name, region).await?;
                if !OBJECTS.page(&tx, &bucket.generation, None, 1).await?.records.is_empty() {
                    return Err(S3Error::BucketNotEmpty { bucket: bucket.name });
                }
                records::delete_bucket(&tx, &bucket).await?;
                homeport_service::bump_authorization(&tx)?;
                Ok(bucket.generation)
            })
            .await?;
        // Uploads that nobody ended are no one's now; their blobs the sweep finds.
        for leftover in [UPLOADS.key(&*generation), PARTS.key(&*generation)] {
            cx.store().sweep(&leftover).await?;
        }
        Ok(Output {})
    }
}
