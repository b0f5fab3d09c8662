//! Blobs in a bucket of an S3 cluster.

mod client;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use object_store::aws::AmazonS3Builder;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, RetryConfig};

use crate::{BlobError, BlobPlace, Blobs};
use client::Connector;

/// The least that S3 takes as a part, its last excepted. 10,000 of them make a blob.
const PART: usize = 5 << 20;
/// How often, and for how long, a request is tried again that the cluster didn't take.
const RETRIES: usize = 3;
const RETRY_TIME: Duration = Duration::from_secs(20);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Which bucket, and as whom. Has no `Debug`: it holds a secret.
#[derive(Clone)]
pub struct S3Options {
    /// `https://HOST[:PORT]`; `http://` where the host is this machine. Without it AWS's own for the region.
    pub endpoint: Option<String>,
    /// The bucket, which must be there.
    pub bucket: String,
    /// What all keys begin with, without slashes at its ends; may be empty.
    pub prefix: String,
    /// The region that requests are signed for.
    pub region: String,
    /// The access key's id.
    pub access_key_id: String,
    /// The access key's secret.
    pub secret_access_key: String,
    /// Roots, in PEM, that the endpoint's certificate may come from beside the system's.
    pub more_roots: Vec<u8>,
}

impl Blobs {
    /// Blobs in a bucket of an S3 cluster. Connects to nothing yet; [`Self::check`] does. One installation alone may
    /// use a bucket and prefix: each would sweep the other's blobs. Parts of an upload that a crash cut off stay in
    /// the cluster; a lifecycle rule of the bucket (`AbortIncompleteMultipartUpload`) removes them.
    pub fn s3(options: S3Options, owner: &'static str) -> Result<Self, BlobError> {
        let plain = match &options.endpoint {
            Some(endpoint) => is_plain(endpoint)?,
            None => false,
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&options.bucket)
            .with_region(&options.region)
            .with_access_key_id(&options.access_key_id)
            .with_secret_access_key(&options.secret_access_key)
            .with_virtual_hosted_style_request(false)
            .with_disable_bulk_delete(true)
            .with_retry(retries())
            .with_http_connector(Connector::new(plain, &options.more_roots)?);
        if let Some(endpoint) = &options.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        let endpoint = options.endpoint.as_deref().unwrap_or("AWS");
        let bucket = BlobPlace::S3 { bucket: options.bucket, prefix: options.prefix.clone() };
        let place = format!("{bucket} at {endpoint}");
        let store = PrefixStore::new(builder.build()?, options.prefix);
        Ok(Self::new(Arc::new(store), PART, owner, place))
    }
}

fn retries() -> RetryConfig {
    let backoff = BackoffConfig { init_backoff: FIRST_PAUSE, max_backoff: LONGEST_PAUSE, base: 2.0 };
    RetryConfig { backoff, max_retries: RETRIES, retry_timeout: RETRY_TIME }
}

/// Whether an endpoint is spoken to without TLS, which is for this machine alone.
fn is_plain(endpoint: &str) -> Result<bool, BlobError> {
    let refused = |expected: &str| BlobError::Place(format!("the endpoint `{endpoint}`: {expected}"));
    let uri: Uri = endpoint.parse().map_err(|_| refused("https://HOST[:PORT] is expected"))?;
    let host = uri.host().unwrap_or_default();
    let bare = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
        && uri.path_and_query().is_none_or(|path| path.as_str() == "/");
    match uri.scheme_str() {
        Some("https") if bare && !host.is_empty() => Ok(false),
        Some("http") if bare && is_loopback(host) => Ok(true),
        Some("http") if bare => Err(refused("https is needed: only an endpoint on this machine may be http")),
        _ => {
            Err(BlobError::Place("the endpoint: https://HOST[:PORT] is expected and nothing else".to_owned()))
        }
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_https_unless_it_is_on_this_machine() {
        for (endpoint, plain) in [
            ("https://s3.example.com", false),
            ("https://10.0.0.1:9000/", false),
            ("http://127.0.0.1:5000", true),
            ("http://[::1]:5000", true),
            ("http://localhost:5000", true),
        ] {
            assert_eq!(is_plain(endpoint).unwrap(), plain, "{endpoint}");
        }
        for endpoint in [
            "http://s3.example.com",
            "http://10.0.0.1:9000",
            "http://localhost.example.com",
            "http://127.0.0.1@evil.example",
            "https://key:secret@s3.example.com",
            "https://s3.example.com/path",
            "https://s3.example.com/?a=b",
            "s3.example.com",
            "ftp://s3.example.com",
            "",
        ] {
            let told = is_plain(endpoint).unwrap_err().to_string();
            assert!(told.contains("https"), "{told}");
        }
        assert!(!is_plain("https://key:secret@s3.example.com").unwrap_err().to_string().contains("secret"));
    }
}
