use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::upload_part;
use crate::S3;
use crate::error::S3Error;
use crate::records::{self, Checksum, PARTS, Part, Upload, parts_of};
use crate::request::{object_arn, signed_for};

/// `ListParts` (S3 API reference): the parts of an upload that have come.
pub(crate) struct ListParts;

const MOST: usize = 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    bucket: String,
    key: String,
    upload_id: String,
    max_parts: Option<usize>,
    part_number_marker: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    bucket: String,
    key: String,
    upload_id: String,
    part_number_marker: u64,
    next_part_number_marker: u64,
    max_parts: usize,
    is_truncated: bool,
    parts: Vec<Map<String, Value>>,
    storage_class: String,
    checksum_algorithm: &'static str,
    checksum_type: &'static str,
    owner: Value,
    initiator: Value,
}

impl Operation for ListParts {
    type Service = S3;
    type Input = Input;
    type Output = Output;
    type Error = S3Error;

    const NAME: &'static str = "ListParts";
    const EFFECT: Effect = Effect::ReadsData;

    fn permissions(_: &Asked<'_, S3>, input: &Input) -> Permissions {
        Permissions::one("s3:ListMultipartUploadParts", object_arn(&input.bucket, &input.key))
    }

    async fn run(cx: Cx<S3>, input: Input) -> Result<Output, S3Error> {
        let most = input.max_parts.unwrap_or(MOST).clamp(1, MOST);
        let marker = match &input.part_number_marker {
            Some(Value::String(text)) => text.parse().unwrap_or_default(),
            Some(number) => number.as_u64().unwrap_or_default(),
            None => 0,
        };
        let (asked, region) = (&input, signed_for(&cx));
        let (upload, mut parts) = cx
            .read(|tx| async move {
                let bucket = records::bucket(&tx, &asked.bucket, region).await?;
                let upload = upload_part::find(&tx, &bucket.generation, &asked.key, &asked.upload_id).await?;
                let prefix = parts_of(&upload.generation, &upload.id);
                let after = prefix.clone().u64(marker);
                let page = PARTS.page(&tx, prefix, Some(after.as_bytes()), most + 1).await?;
                Ok::<_, S3Error>((upload, page.records))
            })
            .await?;
        let is_truncated = parts.len() > most;
        parts.truncate(most);
        let who = json!({"ID": super::canonical_id(cx.account())});
        Ok(Output {
            part_number_marker: marker,
            next_part_number_marker: parts.last().map_or(0, |part| part.number),
            max_parts: most,
            is_truncated,
            parts: parts.iter().map(|part| listed(&upload, part)).collect(),
            storage_class: upload.storage_class.unwrap_or_else(|| "STANDARD".to_owned()),
            checksum_algorithm: upload.algorithm.name(),
            checksum_type: Checksum::kind(upload.composite),
            owner: who.clone(),
            initiator: who,
            bucket: input.bucket,
            key: input.key,
            upload_id: input.upload_id,
        })
    }
}

fn listed(upload: &Upload, part: &Part) -> Map<String, Value> {
    let members = [
        ("PartNumber", Value::from(part.number)),
        ("LastModified", Value::from(part.last_modified.seconds_f64())),
        ("ETag", Value::from(format!("\"{}\"", part.etag))),
        ("Size", Value::from(part.size)),
        (upload.algorithm.member(), Value::from(part.checksum.clone())),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
