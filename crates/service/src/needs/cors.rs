use homeport_core::BoxFuture;
use homeport_store::StoreError;
use http::HeaderMap;

/// What a browser asks of a bucket for a page of some origin.
#[derive(Clone, Debug)]
pub struct CorsQuestion<'a> {
    /// The bucket's name, whether there is one or not.
    pub bucket: &'a str,
    /// `Origin`
    pub origin: &'a str,
    /// The method; of a preflight, `Access-Control-Request-Method`.
    pub method: &'a str,
    /// `Access-Control-Request-Headers`, split; empty for what is no preflight.
    pub headers: Vec<&'a str>,
    /// Whether it is a preflight.
    pub preflight: bool,
}

/// What the bucket's rules say.
#[derive(Clone, Debug)]
pub enum CorsAnswer {
    /// There is no such bucket, so no rules.
    NoSuchBucket,
    /// No rule admits it: a preflight is refused, an answer goes without CORS headers.
    Refused,
    /// A rule admits it: all CORS headers of the answer.
    Admitted(HeaderMap),
}

/// Bucket and origin → CORS headers by the bucket's own rules (security decision 22).
pub trait BucketCors: Send + Sync {
    /// Asks the rules.
    fn bucket_cors<'a>(&'a self, asked: CorsQuestion<'a>) -> BoxFuture<'a, Result<CorsAnswer, StoreError>>;
}
