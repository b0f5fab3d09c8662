use homeport_service::{Asked, Cx, Effect, Operation, Permission, Permissions};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::list_objects::Listing;
use crate::S3;
use crate::error::S3Error;
use crate::records::{self, Checksum, UPLOADS, Upload, before_keys_from, upload_key};
use crate::request::{MAX_KEY, bucket_arn, signed_for};

/// `ListMultipartUploads` (S3 API reference): the uploads of a bucket that are under way, by key.
pub(crate) struct ListMultipartUploads;

const MOST: usize = 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    #[serde(flatten)]
    listing: Listing,
    max_uploads: Option<usize>,
    key_marker: Option<String>,
    upload_id_marker: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    bucket: String,
    prefix: Option<String>,
    key_marker: String,
    upload_id_marker: String,
    next_key_marker: Option<String>,
    next_upload_id_marker: Option<String>,
    max_uploads: usize,
    is_truncated: bool,
    encoding_type: Option<String>,
    uploads: Vec<Value>,
}

impl Operation for ListMultipartUploads {
    type Service = S3;
    type Input = Input;
    type Output = Output;
    type Error = S3Error;

    const NAME: &'static str = "ListMultipartUploads";
    const EFFECT: Effect = Effect::ReadsData;

    fn permissions(_: &Asked<'_, S3>, input: &Input) -> Permissions {
        let permission = Permission::new("s3:ListBucketMultipartUploads", bucket_arn(&input.listing.bucket));
        Permissions::All(vec![permission.with("s3:prefix", input.listing.prefix.clone())])
    }

    async fn run(cx: Cx<S3>, input: Input) -> Result<Output, S3Error> {
        input.check()?;
        let most = input.max_uploads.unwrap_or(MOST).clamp(1, MOST);
        let (asked, region) = (&input, signed_for(&cx));
        let mut uploads = cx
            .read(|tx| async move {
                let bucket = records::bucket(&tx, &asked.listing.bucket, region).await?;
                let from = asked.begin(&bucket.generation);
                let page = UPLOADS.page(&tx, &*bucket.generation, Some(&from), most + 1).await?;
                Ok::<_, S3Error>(page.records)
            })
            .await?;
        let prefix = input.listing.prefix.as_deref().unwrap_or_default();
        uploads.retain(|upload| upload.key.starts_with(prefix));
        let is_truncated = uploads.len() > most;
        uploads.truncate(most);
        let last = uploads.last().filter(|_| is_truncated);
        let who = json!({"ID": super::canonical_id(cx.account())});
        Ok(Output {
            next_key_marker: last.map(|upload| input.listing.encoded(&upload.key)),
            next_upload_id_marker: last.map(|upload| upload.id.clone()),
            uploads: uploads.iter().map(|upload| listed(&input.listing, upload, &who)).collect(),
            prefix: input.listing.prefix.as_deref().map(|prefix| input.listing.encoded(prefix)),
            key_marker: input.key_marker.as_deref().map(|key| input.listing.encoded(key)).unwrap_or_default(),
            upload_id_marker: input.upload_id_marker.unwrap_or_default(),
            max_uploads: most,
            is_truncated,
            encoding_type: input.listing.encoding_type,
            bucket: input.listing.bucket,
        })
    }
}

impl Input {
    fn check(&self) -> Result<(), S3Error> {
        if self.listing.delimiter.as_deref().is_some_and(|delimiter| !delimiter.is_empty()) {
            return Err(S3Error::NotImplemented { header: "delimiter".to_owned() });
        }
        let long = |text: &Option<String>, most: usize| text.as_ref().is_some_and(|text| text.len() > most);
        if long(&self.listing.prefix, MAX_KEY)
            || long(&self.key_marker, MAX_KEY)
            || long(&self.upload_id_marker, 64)
        {
            return Err(S3Error::KeyTooLong);
        }
        Ok(())
    }

    /// Behind the marker; without an upload's id, behind every upload of its key.
    fn begin(&self, generation: &str) -> Vec<u8> {
        let from_prefix = before_keys_from(generation, self.listing.prefix.as_deref().unwrap_or_default());
        let Some(key) = self.key_marker.as_deref().filter(|key| !key.is_empty()) else { return from_prefix };
        let from_marker = match self.upload_id_marker.as_deref().filter(|id| !id.is_empty()) {
            Some(id) => upload_key(generation, key, id).as_bytes().to_vec(),
            None => {
                let mut behind = upload_key(generation, key, "").as_bytes().to_vec();
                behind.pop();
                behind.push(0xff);
                behind
            }
        };
        from_prefix.max(from_marker)
    }
}

fn listed(listing: &Listing, upload: &Upload, who: &Value) -> Value {
    json!({
        "Key": listing.encoded(&upload.key),
        "UploadId": upload.id,
        "Initiated": upload.initiated.seconds_f64().floor(),
        "StorageClass": upload.storage_class.as_deref().unwrap_or("STANDARD"),
        "ChecksumAlgorithm": upload.algorithm.name(),
        "ChecksumType": Checksum::kind(upload.composite),
        "Owner": who,
        "Initiator": who,
    })
}
