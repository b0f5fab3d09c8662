use http::Response;
use http::request::Parts;

use homeport_core::BoxFuture;

use crate::{Body, Peer};

/// What answers calls that are no AWS calls: deployed APIs, user pools' pages, the program's own pages.
pub trait Plane: Send + Sync {
    /// Whether this call is this plane's, by host and path. `host` is without its port, in lower case.
    fn claims(&self, head: &Parts, host: &str) -> bool;

    /// Answers it. The plane bounds what it reads of the body.
    fn handle<'a>(&'a self, head: Parts, body: Body, peer: Peer) -> BoxFuture<'a, Response<Body>>;
}
