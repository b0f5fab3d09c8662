use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::S3;
use crate::error::S3Error;
use crate::records;
use crate::request::{bucket_arn, signed_for};

/// `HeadBucket` (S3 API reference): whether a bucket is there and may be listed.
pub(crate) struct HeadBucket;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    bucket: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    bucket_region: String,
    bucket_arn: String,
    access_point_alias: bool,
}

impl Operation for HeadBucket {
    type Service = S3;
    type Input = Input;
    type Output = Output;
    type Error = S3Error;

    const NAME: &'static str = "HeadBucket";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, S3>, input: &Input) -> Permissions {
        Permissions::one("s3:ListBucket", bucket_arn(&input.bucket))
    }

    async fn run(cx: Cx<S3>, input: Input) -> Result<Output, S3Error> {
        let (name, region) = (&input.bucket, signed_for(&cx));
        let bucket = cx.read(|tx| async move { records::bucket(&tx, name, region).await }).await?;
        let bucket_arn = bucket_arn(&bucket.name);
        Ok(Output { bucket_region: bucket.region, bucket_arn, access_point_alias: false })
    }
}
