//! A bucket's policy: put, read, removed. The authorizer evaluates it as the resource's policy.

use homeport_core::Fault;
use homeport_policy::{Policy, PolicyKind};
use homeport_service::{Answer, Asked, ByHand, Call, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::S3;
use crate::error::S3Error;
use crate::records::{self, BUCKETS, BucketPolicy};
use crate::request::{bucket_arn, signed_for};
use crate::whole_body::{self, Digests, Read};

/// A bucket's policy has at most so many bytes.
const MAX_POLICY: usize = 20 * 1024;

/// `PutBucketPolicy` (S3 API reference).
pub(crate) struct PutBucketPolicy;

/// `GetBucketPolicy` (S3 API reference).
pub(crate) struct GetBucketPolicy;

/// `DeleteBucketPolicy` (S3 API reference).
pub(crate) struct DeleteBucketPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PutInput {
    bucket: String,
    policy: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    bucket: String,
}

#[derive(Serialize)]
pub(crate) struct Output {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetOutput {
    policy: String,
}

impl Operation for PutBucketPolicy {
    type Service = S3;
    type Input = Read<PutInput>;
    type Output = Output;
    type Error = S3Error;

    const NAME: &'static str = "PutBucketPolicy";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, S3>, read: &Read<PutInput>) -> Permissions {
        Permissions::one("s3:PutBucketPolicy", bucket_arn(&read.input.bucket))
    }

    async fn run(cx: Cx<S3>, Read { input, .. }: Read<PutInput>) -> Result<Output, S3Error> {
        check(&input.bucket, &input.policy)?;
        let revision = homeport_core::draw(&**cx.randomness(), homeport_core::ALPHANUMERIC, 22);
        put(&cx, &input.bucket, Some(BucketPolicy { text: input.policy, revision })).await
    }
}

impl ByHand for PutBucketPolicy {
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

impl Operation for GetBucketPolicy {
    type Service = S3;
    type Input = Input;
    type Output = GetOutput;
    type Error = S3Error;

    const NAME: &'static str = "GetBucketPolicy";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, S3>, input: &Input) -> Permissions {
        Permissions::one("s3:GetBucketPolicy", bucket_arn(&input.bucket))
    }

    async fn run(cx: Cx<S3>, input: Input) -> Result<GetOutput, S3Error> {
        let (name, region) = (&input.bucket, signed_for(&cx));
        let bucket = cx.read(|tx| async move { records::bucket(&tx, name, region).await }).await?;
        let policy = bucket.policy.ok_or(S3Error::NoSuchBucketPolicy)?;
        Ok(GetOutput { policy: policy.text })
    }
}

impl Operation for DeleteBucketPolicy {
    type Service = S3;
    type Input = Input;
    type Output = Output;
    type Error = S3Error;

    const NAME: &'static str = "DeleteBucketPolicy";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, S3>, input: &Input) -> Permissions {
        Permissions::one("s3:DeleteBucketPolicy", bucket_arn(&input.bucket))
    }

    async fn run(cx: Cx<S3>, input: Input) -> Result<Output, S3Error> {
        put(&cx, &input.bucket, None).await
    }
}

async fn put(cx: &Cx<S3>, name: &str, policy: Option<BucketPolicy>) -> Result<Output, S3Error> {
    let (region, policy) = (signed_for(cx), &policy);
    cx.write(|tx| async move {
        let mut bucket = records::bucket(&tx, name, region).await?;
        bucket.policy = policy.clone();
        BUCKETS.put(&tx, &bucket).await?;
        homeport_service::bump_authorization(&tx)?;
        Ok::<_, S3Error>(())
    })
    .await?;
    Ok(Output {})
}

/// A policy of this bucket: every resource it names is the bucket or in it.
fn check(bucket: &str, text: &str) -> Result<(), S3Error> {
    if text.len() > MAX_POLICY {
        return Err(S3Error::MalformedPolicy("Policy exceeds the maximum allowed document size.".to_owned()));
    }
    Policy::parse(text, PolicyKind::Resource).map_err(|fault| S3Error::MalformedPolicy(fault.to_string()))?;
    let document: serde_json::Value = serde_json::from_str(text)
        .map_err(|_| S3Error::MalformedPolicy("Syntax errors in policy.".to_owned()))?;
    let statements = one_or_many(&document["Statement"]);
    let resources =
        statements.iter().flat_map(|s| ["Resource", "NotResource"].map(|name| one_or_many(&s[name])));
    let own = bucket_arn(bucket);
    let inside = |arn: &str| {
        let behind = arn.strip_prefix(&own);
        arn == "*"
            || behind.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || rest.starts_with('*'))
    };
    match resources.flatten().filter_map(serde_json::Value::as_str).all(inside) {
        true => Ok(()),
        false => Err(S3Error::MalformedPolicy("Policy has invalid resource".to_owned())),
    }
}

/// In policies one value stands for a list of it.
fn one_or_many(value: &serde_json::Value) -> Vec<&serde_json::Value> {
    match value {
        serde_json::Value::Array(many) => many.iter().collect(),
        serde_json::Value::Null => Vec::new(),
        one => vec![one],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_speaks_of_its_own_bucket() {
        let policy = |resource: &str| {
            let text = serde_json::json!({"Version": "2012-10-17", "Statement": {
                "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": resource}});
            check("photos", &text.to_string())
        };
        assert!(policy("arn:aws:s3:::photos/*").is_ok());
        assert!(policy("arn:aws:s3:::photos").is_ok());
        for foreign in ["arn:aws:s3:::photos2/*", "arn:aws:s3:::other/*", "arn:aws:s3:::*"] {
            assert!(matches!(policy(foreign), Err(S3Error::MalformedPolicy(_))), "{foreign}");
        }
        assert!(check("photos", "{").is_err());
        assert!(check("photos", &" ".repeat(MAX_POLICY + 1)).is_err());
    }
}
