//! Bucket policies, as the authorizer asks for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use homeport_core::BoxFuture;
use homeport_policy::{Policy, PolicyKind};
use homeport_service::needs::ResourcePolicy;
use homeport_store::{StoreError, Tx};

use crate::S3;
use crate::records::{BUCKETS, BucketPolicy};

/// Parsed policies that are kept; when full, the cache starts anew.
const KEPT: usize = 1_000;

/// Parsed policies by the revision that was parsed, which never changes its meaning.
#[derive(Default)]
pub(crate) struct ParsedPolicies(Mutex<HashMap<String, Arc<Policy>>>);

impl ParsedPolicies {
    /// The parsed form. A text that was put is a policy; if it can't be read (any more), nothing is granted by it
    /// and nobody is let in on the strength of a Deny that was lost: the call fails.
    fn parsed(&self, policy: &BucketPolicy) -> Result<Arc<Policy>, StoreError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(parsed) = kept.get(&policy.revision) {
            return Ok(parsed.clone());
        }
        let broken = |reason: String| StoreError::BadRecord { collection: "s3-buckets", reason };
        let pinned = policy.principals.apply(&policy.text, PolicyKind::Resource);
        let pinned = pinned.map_err(|error| broken(error.to_string()))?;
        let parsed =
            Policy::parse(&pinned, PolicyKind::Resource).map_err(|fault| broken(fault.to_string()))?;
        if kept.len() >= KEPT {
            kept.clear();
        }
        let parsed = Arc::new(parsed);
        kept.insert(policy.revision.clone(), parsed.clone());
        Ok(parsed)
    }
}

/// The bucket of `arn:aws:s3:::BUCKET` and of `arn:aws:s3:::BUCKET/KEY`.
fn bucket_of(arn: &str) -> Option<&str> {
    let resource = arn.splitn(6, ':').nth(5)?;
    resource.split('/').next().filter(|bucket| !bucket.is_empty())
}

impl ResourcePolicy for S3 {
    fn resource_policy<'a>(
        &'a self,
        tx: &'a Tx,
        arn: &'a str,
    ) -> BoxFuture<'a, Result<Option<Arc<Policy>>, StoreError>> {
        Box::pin(async move {
            let Some(name) = bucket_of(arn) else { return Ok(None) };
            let bucket = BUCKETS.get(tx, name).await?;
            bucket.and_then(|bucket| bucket.policy).map(|policy| self.policies.parsed(&policy)).transpose()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_of_before_principals_were_pinned_means_the_arns_it_names() {
        let text = serde_json::json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::123456789012:role/reader"}, "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::photos/*"}});
        let kept = serde_json::json!({"text": text.to_string(), "revision": "1"});
        let policy: BucketPolicy = serde_json::from_value(kept).unwrap();
        let parsed = ParsedPolicies::default().parsed(&policy).unwrap();
        let named: Vec<_> = parsed.named_identities().collect();
        assert_eq!(named, ["arn:aws:iam::123456789012:role/reader"]);
    }

    #[test]
    fn the_bucket_is_found_in_an_arn() {
        assert_eq!(bucket_of("arn:aws:s3:::photos"), Some("photos"));
        assert_eq!(bucket_of("arn:aws:s3:::photos/a:b/c"), Some("photos"));
        assert_eq!(bucket_of("*"), None);
    }
}
