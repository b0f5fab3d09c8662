use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::S3;
use crate::error::S3Error;
use crate::records;
use crate::request::bucket_arn;

/// `GetBucketLocation` (S3 API reference): the region of a bucket, asked in whichever; empty for us-east-1.
pub(crate) struct GetBucketLocation;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    bucket: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    location_constraint: Option<String>,
}

impl Operation for GetBucketLocation {
    type Service = S3;
    type Input = Input;
    type Output = Output;
    type Error = S3Error;

    const NAME: &'static str = "GetBucketLocation";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, S3>, input: &Input) -> Permissions {
        Permissions::one("s3:GetBucketLocation", bucket_arn(&input.bucket))
    }

    async fn run(cx: Cx<S3>, input: Input) -> Result<Output, S3Error> {
        let name = &input.bucket;
        let bucket = cx.read(|tx| async move { records::bucket(&tx, name, None).await }).await?;
        let location_constraint = Some(bucket.region).filter(|region| region != "us-east-1");
        Ok(Output { location_constraint })
    }
}
