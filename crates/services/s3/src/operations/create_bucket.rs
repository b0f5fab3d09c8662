use homeport_service::{Asked, Cx, Effect, Operation, Permission, Permissions};
use serde::{Deserialize, Serialize};

use crate::error::S3Error;
use crate::records::{self, BUCKETS, Bucket, bucket_count};
use crate::request::bucket_arn;
use crate::{S3, bucket_name};

/// An account has at most so many buckets (S3's quota).
const MAX_BUCKETS: i64 = 10_000;

/// `CreateBucket` (S3 API reference): a bucket in the region that is called. Every bucket is its owner's alone
/// (`BucketOwnerEnforced`).
pub(crate) struct CreateBucket;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    bucket: String,
    #[serde(rename = "ACL")]
    acl: Option<String>,
    object_ownership: Option<String>,
    object_lock_enabled_for_bucket: Option<bool>,
    create_bucket_configuration: Option<Configuration>,
    grant_full_control: Option<String>,
    grant_read: Option<String>,
    #[serde(rename = "GrantReadACP")]
    grant_read_acp: Option<String>,
    grant_write: Option<String>,
    #[serde(rename = "GrantWriteACP")]
    grant_write_acp: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Configuration {
    location_constraint: Option<String>,
    location: Option<serde_json::Value>,
    #[serde(rename = "Bucket")]
    directory: Option<serde_json::Value>,
    tags: Option<serde_json::Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    location: String,
    bucket_arn: String,
}

impl Operation for CreateBucket {
    type Service = S3;
    type Input = Input;
    type Output = Output;
    type Error = S3Error;

    const NAME: &'static str = "CreateBucket";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, S3>, input: &Input) -> Permissions {
        let permission = Permission::new("s3:CreateBucket", bucket_arn(&input.bucket));
        Permissions::All(vec![permission.with("s3:LocationConstraint", input.location().map(str::to_owned))])
    }

    async fn run(cx: Cx<S3>, input: Input) -> Result<Output, S3Error> {
        input.check(cx.scope().region.as_str())?;
        let bucket = Bucket {
            name: input.bucket,
            account: cx.account(),
            region: cx.scope().region.to_string(),
            generation: homeport_core::draw(&**cx.randomness(), homeport_core::ALPHANUMERIC, 16),
            created: cx.now(),
            cors: Vec::new(),
            policy: None,
        };
        let bucket = &bucket;
        cx.write(|tx| async move {
            if let Some(before) = BUCKETS.get(&tx, &bucket.name).await? {
                // Made again in us-east-1, one's own bucket is the answer and no error; elsewhere it is one.
                let again = before.region == "us-east-1" && bucket.region == "us-east-1";
                let name = before.name;
                return if again { Ok(()) } else { Err(S3Error::BucketAlreadyOwnedByYou { bucket: name }) };
            }
            let count = bucket_count(bucket.account);
            if tx.get_i64(&count).await?.unwrap_or_default() >= MAX_BUCKETS {
                return Err(S3Error::TooManyBuckets);
            }
            records::put_bucket(&tx, bucket).await?;
            Ok(())
        })
        .await?;
        let (location, bucket_arn) = (format!("/{}", bucket.name), bucket_arn(&bucket.name));
        Ok(Output { location, bucket_arn })
    }
}

impl Input {
    fn location(&self) -> Option<&str> {
        self.create_bucket_configuration.as_ref()?.location_constraint.as_deref()
    }

    fn check(&self, region: &str) -> Result<(), S3Error> {
        if !bucket_name::is_valid(&self.bucket) {
            return Err(S3Error::InvalidBucketName { bucket: self.bucket.clone() });
        }
        self.refuse_unbuilt()?;
        match self.location() {
            Some("us-east-1") => Err(S3Error::InvalidLocationConstraint),
            Some(location) if location != region => {
                Err(S3Error::IllegalLocationConstraint { location: location.to_owned() })
            }
            None if region != "us-east-1" => {
                Err(S3Error::IllegalLocationConstraint { location: "unspecified".to_owned() })
            }
            _ => Ok(()),
        }
    }

    fn refuse_unbuilt(&self) -> Result<(), S3Error> {
        let not_implemented = |header: &str| Err(S3Error::NotImplemented { header: header.to_owned() });
        let grants = [
            &self.grant_full_control,
            &self.grant_read,
            &self.grant_read_acp,
            &self.grant_write,
            &self.grant_write_acp,
        ];
        let acl = self.acl.as_deref().is_some_and(|acl| acl != "private");
        if acl || grants.iter().any(|grant| grant.is_some()) {
            return Err(S3Error::AclNotSupported);
        }
        if self.object_ownership.as_deref().is_some_and(|ownership| ownership != "BucketOwnerEnforced") {
            return not_implemented("x-amz-object-ownership");
        }
        if self.object_lock_enabled_for_bucket == Some(true) {
            return not_implemented("x-amz-bucket-object-lock-enabled");
        }
        match &self.create_bucket_configuration {
            Some(c) if c.location.is_some() || c.directory.is_some() => not_implemented("Location"),
            Some(c) if c.tags.is_some() => not_implemented("Tags"),
            _ => Ok(()),
        }
    }
}
