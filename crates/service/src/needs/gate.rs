use bytes::Bytes;
use homeport_core::{BoxFuture, Fault, Region};
use http::request::Parts;

use crate::{Body, Caller, Peer, Permission};

/// A signed call that isn't an AWS API's: a deployed API's method with `AWS_IAM`.
pub struct SignedCall<'a> {
    /// Method, raw target and headers as they were signed.
    pub head: &'a Parts,
    /// The whole body.
    pub body: &'a Bytes,
    /// The other end.
    pub peer: Peer,
    /// The service in the credential scope, such as `execute-api`.
    pub service: &'static str,
    /// The region in the credential scope.
    pub region: &'a Region,
}

/// Signature and permissions of a call → who it is. Met by the edge.
pub trait CheckSignature: Send + Sync {
    /// Verifies SigV4, identifies the caller and asks IAM for every permission. The fault has API Gateway's codes
    /// and messages of AWS (`MissingAuthenticationToken`, `AccessDenied`, …) with their statuses.
    fn check_signature<'a>(
        &'a self,
        call: SignedCall<'a>,
        permissions: Vec<Permission>,
    ) -> BoxFuture<'a, Result<Caller, Fault>>;
}

/// Why nothing was fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchRefused {
    /// The target is one that nothing may be fetched from (security decision 25).
    #[error("the target is not allowed: {0}")]
    Forbidden(String),
    /// The target did not answer in time.
    #[error("the target did not answer in time")]
    TimedOut,
    /// The target did not answer as HTTP.
    #[error("the target could not be reached: {0}")]
    Unreachable(String),
}

/// The one way out: HTTP requests through the connector that checks every address. Met by the edge.
pub trait Fetch: Send + Sync {
    /// Sends the request (absolute URI) and returns the answer as its head arrives; redirects are not followed.
    fn fetch<'a>(
        &'a self,
        request: http::Request<Bytes>,
        timeout: std::time::Duration,
    ) -> BoxFuture<'a, Result<http::Response<Body>, FetchRefused>>;

    /// Opens a connection that somebody other than the owner chose: a function, through its proxy. Private and
    /// loopback targets are refused even where the owner's own are allowed.
    fn connect<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> BoxFuture<'a, Result<tokio::net::TcpStream, FetchRefused>>;
}
