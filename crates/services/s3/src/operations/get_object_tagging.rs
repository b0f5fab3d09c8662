use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use super::copy_object;
use crate::S3;
use crate::error::S3Error;
use crate::request::object_arn;

/// `GetObjectTagging` (S3 API reference): objects have no tags here, which the AWS CLI asks before it copies.
pub(crate) struct GetObjectTagging;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    bucket: String,
    key: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    tag_set: [(); 0],
}

impl Operation for GetObjectTagging {
    type Service = S3;
    type Input = Input;
    type Output = Output;
    type Error = S3Error;

    const NAME: &'static str = "GetObjectTagging";
    const EFFECT: Effect = Effect::ReadsData;

    fn permissions(_: &Asked<'_, S3>, input: &Input) -> Permissions {
        Permissions::one("s3:GetObjectTagging", object_arn(&input.bucket, &input.key))
    }

    async fn run(cx: Cx<S3>, input: Input) -> Result<Output, S3Error> {
        copy_object::find(&cx, &input.bucket, &input.key).await?;
        Ok(Output { tag_set: [] })
    }
}
