use homeport_service::{Asked, Cx, Effect, Operation, Permission, Permissions};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{copy_object, upload_part};
use crate::S3;
use crate::conditions::Conditions;
use crate::error::S3Error;
use crate::multipart::MAX_PARTS;
use crate::request::{object_arn, signed_for};
use crate::upload::MAX_UPLOAD;
use crate::{copies, object_headers, range, records};

/// `UploadPartCopy` (S3 API reference): a part whose bytes come from an object, or from a range of one.
pub(crate) struct UploadPartCopy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    bucket: String,
    key: String,
    upload_id: String,
    part_number: u64,
    copy_source: String,
    copy_source_range: Option<String>,
    copy_source_if_match: Option<String>,
    copy_source_if_none_match: Option<String>,
    copy_source_if_modified_since: Option<f64>,
    copy_source_if_unmodified_since: Option<f64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    copy_part_result: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_side_encryption: Option<&'static str>,
}

impl Operation for UploadPartCopy {
    type Service = S3;
    type Input = Input;
    type Output = Output;
    type Error = S3Error;

    const NAME: &'static str = "UploadPartCopy";
    const EFFECT: Effect = Effect::WritesData;

    fn permissions(_: &Asked<'_, S3>, input: &Input) -> Permissions {
        let put = Permission::new("s3:PutObject", object_arn(&input.bucket, &input.key));
        Permissions::All(vec![Permission::new("s3:GetObject", copies::source_arn(&input.copy_source)), put])
    }

    async fn run(cx: Cx<S3>, input: Input) -> Result<Output, S3Error> {
        if !(1..=MAX_PARTS).contains(&input.part_number) {
            let message = "Part number must be an integer between 1 and 10000, inclusive";
            return Err(S3Error::argument("partNumber", input.part_number.to_string(), message));
        }
        let (from_bucket, from_key) = copies::source(&input.copy_source)?;
        let (source, parts) = copy_object::find(&cx, &from_bucket, &from_key).await?;
        copy_object::judge_source(&input.conditions(), &source)?;
        let range = input.range(source.size)?;
        let (asked, region) = (&input, signed_for(&cx));
        let upload = cx
            .read(|tx| async move {
                let bucket = records::bucket(&tx, &asked.bucket, region).await?;
                upload_part::find(&tx, &bucket.generation, &asked.key, &asked.upload_id).await
            })
            .await?;
        let copied =
            cx.service.copy_bytes(&source, &parts, range, upload.algorithm, &**cx.randomness()).await?;
        let part = upload_part::commit(&cx, &upload, input.part_number, copied).await?;
        let members = [
            ("ETag", Value::from(format!("\"{}\"", part.etag))),
            ("LastModified", Value::from(part.last_modified.seconds_f64())),
            (upload.algorithm.member(), Value::from(part.checksum)),
        ];
        let copy_part_result = members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let server_side_encryption = object_headers::encryption(upload.sse);
        Ok(Output { copy_part_result, server_side_encryption })
    }
}

impl Input {
    fn conditions(&self) -> Conditions {
        Conditions {
            if_match: self.copy_source_if_match.clone(),
            if_none_match: self.copy_source_if_none_match.clone(),
            if_modified_since: self.copy_source_if_modified_since.map(copy_object::date),
            if_unmodified_since: self.copy_source_if_unmodified_since.map(copy_object::date),
        }
    }

    /// `bytes=FIRST-LAST`, both within the source.
    fn range(&self, size: u64) -> Result<Option<std::ops::Range<u64>>, S3Error> {
        let Some(text) = &self.copy_source_range else {
            return if size > MAX_UPLOAD { Err(S3Error::EntityTooLarge) } else { Ok(None) };
        };
        let last = text.rsplit_once('-').and_then(|(_, last)| last.parse::<u64>().ok());
        let range = range::parse(text, size).ok().flatten();
        let message = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy";
        match (range, last) {
            (Some(range), Some(last)) if last < size && range.end - range.start <= MAX_UPLOAD => {
                Ok(Some(range))
            }
            _ => Err(S3Error::argument("x-amz-copy-source-range", text, message)),
        }
    }
}
