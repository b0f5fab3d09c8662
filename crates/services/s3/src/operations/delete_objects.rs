use homeport_core::Fault;
use homeport_service::{Answer, Asked, ByHand, Call, Cx, Effect, Operation, Permission, Permissions};
use serde::{Deserialize, Serialize};

use crate::S3;
use crate::error::S3Error;
use crate::records;
use crate::request::{MAX_KEY, object_arn, signed_for};
use crate::whole_body::{self, Digests};

/// `DeleteObjects` (S3 API reference): up to a thousand keys at once, those that the caller may delete in one
/// transaction. Each key is decided for itself.
pub(crate) struct DeleteObjects;

const MAX_KEYS: usize = 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    bucket: String,
    delete: Delete,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Delete {
    objects: Vec<Named>,
    #[serde(default)]
    quiet: bool,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    key: String,
    version_id: Option<String>,
    #[serde(rename = "ETag")]
    etag: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    deleted: Vec<Deleted>,
    errors: Vec<Failed>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Deleted {
    key: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Failed {
    key: String,
    code: &'static str,
    message: &'static str,
}

impl Operation for DeleteObjects {
    type Service = S3;
    type Input = Input;
    type Output = Output;
    type Error = S3Error;

    const NAME: &'static str = "DeleteObjects";
    const EFFECT: Effect = Effect::WritesData;

    fn permissions(_: &Asked<'_, S3>, input: &Input) -> Permissions {
        let key = |named: &Named| Permission::new("s3:DeleteObject", object_arn(&input.bucket, &named.key));
        // More are refused unread.
        Permissions::Each(input.delete.objects.iter().take(MAX_KEYS).map(key).collect())
    }

    async fn run(cx: Cx<S3>, input: Input) -> Result<Output, S3Error> {
        let named = input.delete.objects;
        let fits = |named: &Named| !named.key.is_empty() && named.key.len() <= MAX_KEY;
        if named.is_empty() || named.len() > MAX_KEYS || !named.iter().all(fits) {
            return Err(S3Error::MalformedXml);
        }
        if named.iter().any(|named| named.etag.is_some()) {
            return Err(S3Error::NotImplemented { header: "ETag".to_owned() });
        }
        let places = named.iter().enumerate();
        let (denied, allowed): (Vec<_>, Vec<_>) =
            places.partition(|(place, _)| cx.refused().contains_key(place));
        let is_current = |named: &&Named| named.version_id.as_deref().is_none_or(|version| version == "null");
        let (current, versions): (Vec<_>, Vec<_>) =
            allowed.into_iter().map(|(_, named)| named).partition(is_current);
        let (name, region, keys) = (&input.bucket, signed_for(&cx), &current);
        let blobs = cx
            .write(|tx| async move {
                let bucket = records::bucket(&tx, name, region).await?;
                let mut blobs = Vec::new();
                for named in keys {
                    blobs.extend(records::delete_object(&tx, &bucket.generation, &named.key).await?);
                }
                Ok::<_, S3Error>(blobs)
            })
            .await?;
        cx.service.discard(blobs).await;
        let told = current.iter().filter(|_| !input.delete.quiet);
        let deleted = told.map(|named| Deleted { key: named.key.clone() }).collect();
        let failed = |code, message| move |named: &Named| Failed { key: named.key.clone(), code, message };
        let denied = denied.into_iter().map(|(_, named)| named).map(failed("AccessDenied", "Access Denied"));
        let versions =
            versions.into_iter().map(failed("NoSuchVersion", "The specified version does not exist."));
        Ok(Output { deleted, errors: denied.chain(versions).collect() })
    }
}

impl ByHand for DeleteObjects {
    fn decode(call: Call) -> Result<Input, Fault> {
        whole_body::decode(Self::NAME, &call, Digests::Required).map(|read| read.input)
    }

    fn encode(output: Output) -> Result<Answer, Fault> {
        whole_body::encode(output)
    }
}
