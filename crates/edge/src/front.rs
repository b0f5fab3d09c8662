use std::sync::Arc;

use homeport_core::Fault;
use homeport_service::{Body, Peer, Plane, Via};
use http::{Request, Response};

use crate::cors;
use crate::encode;
use crate::host::{Hosts, host_of};
use crate::pipeline::Pipeline;

/// Sorts calls by host and path: to a plane that claims it, or to the pipeline.
pub struct FrontDoor {
    hosts: Hosts,
    planes: Vec<Arc<dyn Plane>>,
    own: Arc<dyn Plane>,
    pipeline: Arc<Pipeline>,
}

impl FrontDoor {
    /// A door before these planes, asked in order; `own` has `/_homeport/*`, which functions don't reach.
    pub fn new(
        hosts: Hosts,
        planes: Vec<Arc<dyn Plane>>,
        own: Arc<dyn Plane>,
        pipeline: Arc<Pipeline>,
    ) -> Self {
        Self { hosts, planes, own, pipeline }
    }

    /// Answers one call.
    pub async fn handle(&self, request: Request<Body>, peer: Peer) -> Response<Body> {
        let (head, body) = request.into_parts();
        let Some(host) = host_of(&head) else {
            return encode::bare(&Fault::with_status("BadRequest", 400, "One Host is needed."), "");
        };
        if !self.hosts.knows(&host) {
            return encode::bare(
                &Fault::with_status("MisdirectedRequest", 421, "This host is not served here."),
                "",
            );
        }
        if head.uri.path().starts_with("/_homeport/") && peer.via == Via::Public {
            return self.own.handle(head, body, peer).await;
        }
        for plane in &self.planes {
            if plane.claims(&head, &host) {
                return plane.handle(head, body, peer).await;
            }
        }
        if cors::is_preflight(&head) {
            let by_rules = self.pipeline.bucket_preflight(&head, &host).await;
            return by_rules.unwrap_or_else(|| cors::preflight(&head.headers));
        }
        // Boxed, so that no caller's future has room for the whole way of a call, and copies it on its own way.
        Box::pin(self.pipeline.handle(head, body, peer, &host)).await
    }
}
