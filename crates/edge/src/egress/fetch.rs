use std::time::Duration;

use bytes::Bytes;
use homeport_core::BoxFuture;
use homeport_service::needs::{Fetch, FetchRefused};
use homeport_service::{Body, full};
use http::{Request, Response};
use tokio::net::TcpStream;

use super::{Egress, EgressError, Target, WhoChose};

impl Fetch for Egress {
    fn fetch<'a>(
        &'a self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'a, Result<Response<Body>, FetchRefused>> {
        Box::pin(async move {
            let sent = self.send(request.map(full), WhoChose::Owner, timeout).await;
            sent.map_err(refused)
        })
    }

    fn connect<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, Result<TcpStream, FetchRefused>> {
        Box::pin(async move {
            let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
            let target = Target { authority: format!("{host}:{port}"), host, port, tls: false };
            Self::connect(self, &target, WhoChose::Others).await.map_err(refused)
        })
    }
}

fn refused(error: EgressError) -> FetchRefused {
    match error {
        EgressError::NotAllowed(_) | EgressError::Url => FetchRefused::Forbidden(error.to_string()),
        EgressError::TimedOut => FetchRefused::TimedOut,
        error => FetchRefused::Unreachable(error.to_string()),
    }
}
