//! A bucket's policy: put, read, removed. The authorizer evaluates it as the resource's policy.

use homeport_core::Fault;
use homeport_policy::{Policy, PolicyFault, PolicyKind};
use homeport_service::needs::Pinned;
use homeport_service::{Answer, Asked, ByHand, Call, Cx, Effect, Operation, Permissions};
use homeport_store::Tx;
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
        let policy = check(&input.bucket, &input.policy)?;
        put(&cx, &input.bucket, Some(&policy)).await
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
        let s3 = &cx.service;
        let policy = cx
            .read(|tx| async move {
                let bucket = records::bucket(&tx, name, region).await?;
                shown(s3, &tx, bucket.policy.ok_or(S3Error::NoSuchBucketPolicy)?).await
            })
            .await?;
        Ok(GetOutput { policy })
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

async fn put(cx: &Cx<S3>, name: &str, policy: Option<&Policy>) -> Result<Output, S3Error> {
    let (s3, region) = (&cx.service, signed_for(cx));
    let revision = &homeport_core::draw(&**cx.randomness(), homeport_core::ALPHANUMERIC, 22);
    cx.write(|tx| async move {
        let mut bucket = records::bucket(&tx, name, region).await?;
        bucket.policy = match policy {
            Some(policy) => Some(pinned(s3, &tx, policy, revision).await?),
            None => None,
        };
        BUCKETS.put(&tx, &bucket).await?;
        homeport_service::bump_authorization(&tx)?;
        Ok::<_, S3Error>(())
    })
    .await?;
    Ok(Output {})
}

/// The policy with those whom it names now.
async fn pinned(s3: &S3, tx: &Tx, policy: &Policy, revision: &str) -> Result<BucketPolicy, S3Error> {
    let principals = Pinned::of(s3.policies_of()?, tx, policy).await?;
    Ok(BucketPolicy { text: policy.text().to_owned(), principals, revision: revision.to_owned() })
}

/// The policy as it was put, but with the unique ids of those who are gone: their ARNs would seem to mean whoever
/// has them next.
async fn shown(s3: &S3, tx: &Tx, policy: BucketPolicy) -> Result<String, S3Error> {
    let gone = policy.principals.gone(s3.policies_of()?, tx).await?;
    gone.apply(&policy.text, PolicyKind::Resource).map_err(|_| not_json())
}

fn not_json() -> S3Error {
    S3Error::MalformedPolicy(PolicyFault::Syntax.to_string())
}

/// A policy of this bucket: every resource it names is the bucket or in it.
fn check(bucket: &str, text: &str) -> Result<Policy, S3Error> {
    if text.len() > MAX_POLICY {
        return Err(S3Error::MalformedPolicy("Policy exceeds the maximum allowed document size.".to_owned()));
    }
    let policy = Policy::parse(text, PolicyKind::Resource).map_err(|fault| match fault {
        PolicyFault::Principal(_) => S3Error::invalid_principal(),
        fault => S3Error::MalformedPolicy(fault.to_string()),
    })?;
    let document: serde_json::Value = serde_json::from_str(text).map_err(|_| not_json())?;
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
        true => Ok(policy),
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
