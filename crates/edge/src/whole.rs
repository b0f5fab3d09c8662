use bytes::Bytes;
use homeport_core::Fault;
use homeport_service::{Body, collect};
use http::request::Parts;

/// Reads a body whole. One that says it is longer than `limit` bytes is refused before a byte of it is read.
pub(crate) async fn read(head: &Parts, body: Body, limit: usize) -> Result<Bytes, Fault> {
    let announced = head
        .headers
        .get(http::header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    collect(body, limit).await.map_err(|error| match error.downcast::<Fault>() {
        Ok(fault) => *fault,
        Err(error) if error.is::<homeport_service::TooLong>() => too_large(),
        Err(error) => {
            Fault::sender("RequestTimeout", "The request's body did not arrive whole.").because(error)
        }
    })
}

fn too_large() -> Fault {
    Fault::with_status("RequestEntityTooLargeException", 413, "Request is larger than the service takes.")
}
