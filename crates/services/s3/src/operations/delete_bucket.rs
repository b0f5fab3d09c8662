use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::S3;
use crate::error::S3Error;
use crate::records::{self, BUCKETS, OBJECTS, bucket_count};
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

    fn run(cx: Cx<S3>, input: Input) -> impl Future<Output = Result<Output, S3Error>> + Send {
        async move {
            let (name, region) = (&input.bucket, signed_for(&cx));
            cx.write(|tx| async move {
                let bucket = records::bucket(&tx, name, region).await?;
                if !OBJECTS.page(&tx, &bucket.generation, None, 1).await?.records.is_empty() {
                    return Err(S3Error::BucketNotEmpty { bucket: bucket.name });
                }
                BUCKETS.delete(&tx, name).await?;
                tx.add(&bucket_count(bucket.account), -1)?;
                homeport_service::bump_authorization(&tx)?;
                Ok(())
            })
            .await?;
            Ok(Output {})
        }
    }
}
