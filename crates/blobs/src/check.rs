use bytes::Bytes;
use futures_util::TryStreamExt;
use homeport_core::Randomness;

use crate::{BlobError, Blobs};

const PROBE: &[u8] = b"homeport";

impl Blobs {
    /// Writes a small blob, finds, reads and deletes it: whether the place is there and all may be done there that
    /// blobs need. The error says which of it failed and what to do.
    pub async fn check(&self, randomness: &dyn Randomness) -> Result<(), BlobError> {
        let failed = |doing| move |error: BlobError| self.unusable(doing, &error);
        let id = self.put(randomness, Bytes::from_static(PROBE)).await.map_err(failed("writing"))?;
        let path = id.path(self.owner);
        let (folder, _) = path.as_ref().rsplit_once('/').unwrap_or_default();
        let listing = self.store.list(Some(&folder.into())).map_err(BlobError::from);
        let listed: Vec<_> = listing.try_collect().await.map_err(failed("listing"))?;
        let read = self.read_whole(&id, PROBE.len() as u64).await.map_err(failed("reading"))?;
        self.remove(&id).await.map_err(failed("deleting"))?;
        if !listed.iter().any(|meta| meta.location == path) || read != PROBE {
            return Err(self.unusable("finding what was just written", &BlobError::NotFound));
        }
        match self.read_whole(&id, PROBE.len() as u64).await {
            Err(BlobError::NotFound) => Ok(()),
            Err(error) => Err(failed("reading what is not there")(error)),
            Ok(_) => Err(BlobError::Place(format!("{}: a blob that was deleted is still there", self.place))),
        }
    }

    fn unusable(&self, doing: &str, error: &BlobError) -> BlobError {
        let advice = match (error.code(), &self.folders) {
            (Some(code), _) => advice(code),
            (None, Some(_)) => "may this user write there, and is there room?",
            (None, None) => "is the endpoint right, and can this machine reach it?",
        };
        BlobError::Place(format!(
            "the place for blobs, {}, can't be used: {doing}: {error} ({advice})",
            self.place
        ))
    }
}

/// What to do about an S3 error, by its code.
fn advice(code: &str) -> &'static str {
    match code {
        "NoSuchBucket" => "make the bucket first, or name another",
        "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidClientTokenId" => {
            "check the access key's id and its secret"
        }
        "AccessDenied" => {
            "let the key do s3:PutObject, s3:GetObject, s3:DeleteObject and s3:AbortMultipartUpload on the bucket's \
             objects, and s3:ListBucket on the bucket"
        }
        "AuthorizationHeaderMalformed" | "PermanentRedirect" | "IllegalLocationConstraintException" => {
            "check the region"
        }
        "RequestTimeTooSkewed" => "set this machine's clock",
        _ => "ask the cluster's operator",
    }
}
