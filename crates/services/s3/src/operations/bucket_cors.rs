//! A bucket's CORS configuration: put, read, removed.

use homeport_core::Fault;
use homeport_service::{Answer, Asked, ByHand, Call, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::S3;
use crate::cors::{self, CorsRule};
use crate::error::S3Error;
use crate::records::{self, BUCKETS};
use crate::request::{bucket_arn, signed_for};
use crate::whole_body::{self, Digests, Read};

/// `PutBucketCors` (S3 API reference).
pub(crate) struct PutBucketCors;

/// `GetBucketCors` (S3 API reference).
pub(crate) struct GetBucketCors;

/// `DeleteBucketCors` (S3 API reference).
pub(crate) struct DeleteBucketCors;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PutInput {
    bucket: String,
    #[serde(rename = "CORSConfiguration")]
    configuration: Configuration,
}

#[derive(Deserialize, Serialize)]
struct Configuration {
    #[serde(rename = "CORSRules")]
    rules: Vec<CorsRule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    bucket: String,
}

#[derive(Serialize)]
pub(crate) struct Output {}

#[derive(Serialize)]
pub(crate) struct GetOutput {
    #[serde(rename = "CORSRules")]
    rules: Vec<CorsRule>,
}

impl Operation for PutBucketCors {
    type Service = S3;
    type Input = Read<PutInput>;
    type Output = Output;
    type Error = S3Error;

    const NAME: &'static str = "PutBucketCors";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, S3>, read: &Read<PutInput>) -> Permissions {
        Permissions::one("s3:PutBucketCORS", bucket_arn(&read.input.bucket))
    }

    async fn run(cx: Cx<S3>, Read { input, .. }: Read<PutInput>) -> Result<Output, S3Error> {
        cors::check(&input.configuration.rules)?;
        put(&cx, &input.bucket, &input.configuration.rules).await
    }
}

impl ByHand for PutBucketCors {
    fn decode(call: Call) -> Result<Read<PutInput>, Fault> {
        whole_body::decode(Self::NAME, &call, Digests::Required)
    }

    fn encode(output: Output) -> Result<Answer, Fault> {
        whole_body::encode(output)
    }

    fn audited(read: &Read<PutInput>) -> serde_json::Value {
        read.shown.clone()
    }
}

impl Operation for GetBucketCors {
    type Service = S3;
    type Input = Input;
    type Output = GetOutput;
    type Error = S3Error;

    const NAME: &'static str = "GetBucketCors";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, S3>, input: &Input) -> Permissions {
        Permissions::one("s3:GetBucketCORS", bucket_arn(&input.bucket))
    }

    async fn run(cx: Cx<S3>, input: Input) -> Result<GetOutput, S3Error> {
        let (name, region) = (&input.bucket, signed_for(&cx));
        let bucket = cx.read(|tx| async move { records::bucket(&tx, name, region).await }).await?;
        if bucket.cors.is_empty() {
            return Err(S3Error::NoSuchCorsConfiguration);
        }
        Ok(GetOutput { rules: bucket.cors })
    }
}

impl Operation for DeleteBucketCors {
    type Service = S3;
    type Input = Input;
    type Output = Output;
    type Error = S3Error;

    const NAME: &'static str = "DeleteBucketCors";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, S3>, input: &Input) -> Permissions {
        Permissions::one("s3:PutBucketCORS", bucket_arn(&input.bucket))
    }

    async fn run(cx: Cx<S3>, input: Input) -> Result<Output, S3Error> {
        put(&cx, &input.bucket, &[]).await
    }
}

async fn put(cx: &Cx<S3>, name: &str, rules: &[CorsRule]) -> Result<Output, S3Error> {
    let region = signed_for(cx);
    cx.write(|tx| async move {
        let mut bucket = records::bucket(&tx, name, region).await?;
        bucket.cors = rules.to_vec();
        BUCKETS.put(&tx, &bucket).await?;
        Ok::<_, S3Error>(())
    })
    .await?;
    Ok(Output {})
}
