//! Amazon S3: buckets, and objects whose bytes stream both ways.
//!
//! Start with [`operations`]. Buckets and objects are records (`records.rs`); an object's bytes are a blob that is
//! written whole before the record that names it is committed, so a reader finds the old object or the new one.
//! Operations on objects read the call by hand (`request.rs`), those on buckets go by the model.

mod bucket_name;
mod checksum;
mod conditions;
mod copies;
mod cors;
mod error;
mod listing;
mod multipart;
mod object_headers;
mod objects;
pub mod operations;
mod range;
mod records;
mod request;
mod resource_policy;
mod serve;
mod sweep;
mod upload;
mod whole_body;

use std::sync::Arc;

use homeport_blobs::Blobs;
use homeport_service::needs::{PoliciesOf, Unmet, met};
use homeport_service::{Host, Hosted, Installation, Needs, Parts, ServiceSpec};
use homeport_store::Store;

pub use error::S3Error;
pub use objects::objects;

/// The largest body that is read whole: a thousand keys to delete, in bytes.
const MAX_BODY: usize = 2 << 20;

/// The service's state; cheap to clone.
#[derive(Clone)]
pub struct S3 {
    store: Store,
    blobs: Blobs,
    policies: Arc<resource_policy::ParsedPolicies>,
    installation: Arc<Installation>,
    needs: Arc<Needs>,
}

/// Makes the service over a blob store. The caller puts the first part into the needs `resource_policies` (for
/// `s3`) and `bucket_cors`, and what [`objects`] makes of it into `objects`, and calls [`S3::sweep`] now and then.
pub fn host(parts: &Parts, blobs: &Blobs) -> (Arc<S3>, Arc<dyn Hosted>) {
    let (store, blobs, installation) = (parts.store.clone(), blobs.of("s3"), parts.installation.clone());
    let needs = parts.needs.clone();
    let service = Arc::new(S3 { store, blobs, policies: Arc::default(), installation, needs });
    let spec = ServiceSpec { name: "s3", event_source: "s3", max_body: MAX_BODY };
    (service.clone(), Arc::new(Host::new(spec, service, operations::OPERATIONS)))
}

impl S3 {
    /// Who knows users and roles.
    pub(crate) fn policies_of(&self) -> Result<&dyn PoliciesOf, Unmet> {
        Ok(&**met(&self.needs.policies_of, "PoliciesOf")?)
    }

    /// Where an object is reached, in path style.
    pub(crate) fn url(&self, bucket: &str, key: &str) -> String {
        let key = percent_encoding::utf8_percent_encode(key, listing::URL_KEPT);
        format!("{}/{bucket}/{key}", self.installation.public_url())
    }
}
