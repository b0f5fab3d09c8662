//! The manifests of an export: which data files there are, and what the whole is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream;
use homeport_core::Timestamp;
use homeport_service::{Body, BoxError, full};
use homeport_store::KeyParts;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use serde::Serialize;

use super::PAGE;
use super::export::Running;
use super::transfer::Stop;
use crate::records::{EXPORT_FILES, ExportFile, ExportSpan};

/// A line of `manifest-files.json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FileEntry<'a> {
    item_count: i64,
    md5_checksum: String,
    etag: &'a str,
    data_file_s3_key: &'a str,
}

/// `manifest-summary.json`
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'a> {
    version: &'static str,
    export_arn: String,
    start_time: String,
    end_time: String,
    table_arn: String,
    table_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    export_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    export_from_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    export_to_time: Option<String>,
    s3_bucket: &'a str,
    s3_prefix: Option<&'a str>,
    s3_sse_algorithm: &'static str,
    s3_sse_kms_key_id: Option<&'static str>,
    manifest_files_s3_key: &'a str,
    billed_size_bytes: i64,
    item_count: i64,
    output_format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_view: Option<&'static str>,
    export_type: &'static str,
}

/// Puts the manifests and their checksums.
pub(super) async fn put_manifests(running: &Running<'_>, now: Timestamp) -> Result<(), Stop> {
    let place = running.place();
    let objects = running.service.objects()?;
    let put = async |name: &str, body: Body| {
        let key = running.export.object(name);
        Ok::<_, Stop>(objects.put_object(place.in_bucket(), &key, body).await?.etag)
    };
    let etag = put("manifest-files.json", entries(running)).await?;
    put("manifest-files.md5", full(base64_md5(&etag))).await?;
    let etag = put("manifest-summary.json", full(summary(running, now))).await?;
    put("manifest-summary.md5", full(base64_md5(&etag))).await?;
    Ok(())
}

/// `manifest-files.json`, read a page at a time. Where another node has ended the export and removed what it kept of
/// its files, there is no such object, in place of one that lacks them.
fn entries(running: &Running<'_>) -> Body {
    let (store, transfer) = (running.service.store.clone(), running.transfer.id.clone());
    let begin = (store, transfer, running.at.files, Some(None::<Bytes>));
    let pages = stream::try_unfold(begin, |(store, transfer, left, from)| async move {
        let Some(from) = from else {
            return if left == 0 {
                Ok::<_, BoxError>(None)
            } else {
                Err("files of the export are gone".into())
            };
        };
        let (id, from) = (&transfer, &from);
        let found = store
            .read(|tx| async move {
                EXPORT_FILES.page(&tx, KeyParts::from(id.as_str()), from.as_deref(), PAGE).await
            })
            .await?;
        let lines: String = found.records.iter().map(entry).collect();
        let next = found.cursor.map(Some);
        let left = left.saturating_sub(found.records.len() as u64);
        Ok(Some((Frame::data(Bytes::from(lines)), (store, transfer, left, next))))
    });
    StreamBody::new(pages).boxed_unsync()
}

fn entry(file: &ExportFile) -> String {
    let entry = FileEntry {
        item_count: file.items,
        md5_checksum: base64_md5(&file.etag),
        etag: &file.etag,
        data_file_s3_key: &file.key,
    };
    serde_json::to_string(&entry).unwrap_or_default() + "\n"
}

fn summary(running: &Running<'_>, now: Timestamp) -> String {
    let Running { export, at, .. } = running;
    let summary = Summary {
        version: if export.is_full() { "2020-06-30" } else { "2023-08-01" },
        export_arn: export.arn(),
        start_time: export.started.rfc3339(),
        end_time: now.rfc3339(),
        table_arn: export.at.table_arn(),
        table_id: &export.table_id,
        export_time: match export.span {
            ExportSpan::Full(at) => Some(at.rfc3339()),
            ExportSpan::Incremental { .. } => None,
        },
        export_from_time: export.from_to().map(|(from, _)| from.rfc3339()),
        export_to_time: export.from_to().map(|(_, to)| to.rfc3339()),
        s3_bucket: &export.bucket,
        s3_prefix: export.prefix.as_deref(),
        s3_sse_algorithm: "AES256",
        s3_sse_kms_key_id: None,
        manifest_files_s3_key: &export.object("manifest-files.json"),
        billed_size_bytes: at.bytes,
        item_count: at.items,
        output_format: export.format.name(),
        output_view: export.view(),
        export_type: export.type_name(),
    };
    serde_json::to_string(&summary).unwrap_or_default()
}

/// The MD5 of an object, which its ETag says in hexadecimal, in Base64.
fn base64_md5(etag: &str) -> String {
    STANDARD.encode(hex::decode(etag).unwrap_or_default())
}
