use std::time::Duration;

use bytes::Bytes;
use homeport_core::BoxFuture;
use homeport_service::needs::{Fetch, FetchRefused};
use homeport_service::{Body, full};
use http::{Request, Response};

use super::{Egress, EgressError, WhoChose};

impl Fetch for Egress {
    fn fetch<'a>(
        &'a self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'a, Result<Response<Body>, FetchRefused>> {
        Box::pin(async move {
            let sent = self.send(request.map(full), WhoChose::Owner, timeout).await;
            sent.map_err(|error| match error {
                EgressError::NotAllowed(_) | EgressError::Url => FetchRefused::Forbidden(error.to_string()),
                EgressError::TimedOut => FetchRefused::TimedOut,
                error => FetchRefused::Unreachable(error.to_string()),
            })
        })
    }
}
