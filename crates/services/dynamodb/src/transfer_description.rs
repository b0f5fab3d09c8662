//! Exports and imports as `DescribeExport` and its like show them.

use serde::Serialize;
use serde_json::Value;

use crate::records::{Export, ExportSpan, Import, TransferStatus};

/// `ExportDescription`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ExportDescription {
    export_arn: String,
    export_status: &'static str,
    start_time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    export_manifest: Option<String>,
    table_arn: String,
    table_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    export_time: Option<f64>,
    client_token: String,
    s3_bucket: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    s3_bucket_owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    s3_prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    s3_sse_algorithm: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_message: Option<String>,
    export_format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    billed_size_bytes: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item_count: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    export_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incremental_export_specification: Option<IncrementalSpecification>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct IncrementalSpecification {
    export_from_time: f64,
    export_to_time: f64,
    export_view_type: &'static str,
}

impl ExportDescription {
    pub(crate) fn of(export: &Export) -> Self {
        let is_whole = export.status == TransferStatus::Completed;
        Self {
            export_arn: export.arn(),
            export_status: export.status.name(),
            start_time: export.started.seconds_f64(),
            end_time: export.ended.map(homeport_core::Timestamp::seconds_f64),
            export_manifest: is_whole.then(|| export.object("manifest-summary.json")),
            table_arn: export.at.table_arn(),
            table_id: export.table_id.clone(),
            export_time: match export.span {
                ExportSpan::Full(at) => Some(at.seconds_f64()),
                ExportSpan::Incremental { .. } => None,
            },
            client_token: export.token.clone(),
            s3_bucket: export.bucket.clone(),
            s3_bucket_owner: export.owner.clone(),
            s3_prefix: export.prefix.clone(),
            s3_sse_algorithm: export.sse.clone(),
            failure_code: export.failure.as_ref().map(|failure| failure.code.clone()),
            failure_message: export.failure.as_ref().map(|failure| failure.message.clone()),
            export_format: export.format.name(),
            billed_size_bytes: is_whole.then_some(export.bytes),
            item_count: is_whole.then_some(export.items),
            export_type: export.typed.then(|| export.type_name()),
            incremental_export_specification: export.from_to().zip(export.view()).map(
                |((from, to), view)| IncrementalSpecification {
                    export_from_time: from.seconds_f64(),
                    export_to_time: to.seconds_f64(),
                    export_view_type: view,
                },
            ),
        }
    }
}

/// `ExportSummary`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ExportSummary {
    export_arn: String,
    export_status: &'static str,
    export_type: &'static str,
}

impl ExportSummary {
    pub(crate) fn of(export: &Export) -> Self {
        let (export_status, export_type) = (export.status.name(), export.type_name());
        Self { export_arn: export.arn(), export_status, export_type }
    }
}

/// `S3BucketSource`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BucketSource {
    s3_bucket: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    s3_bucket_owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    s3_key_prefix: Option<String>,
}

impl BucketSource {
    fn of(import: &Import) -> Self {
        Self {
            s3_bucket: import.bucket.clone(),
            s3_bucket_owner: import.owner.clone(),
            s3_key_prefix: import.prefix.clone(),
        }
    }
}

/// `ImportTableDescription`. Its counts say nothing before the import has ended, as on AWS.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ImportTableDescription {
    import_arn: String,
    import_status: &'static str,
    table_arn: String,
    table_id: String,
    client_token: String,
    s3_bucket_source: BucketSource,
    error_count: i64,
    cloud_watch_log_group_arn: String,
    input_format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_format_options: Option<Value>,
    input_compression_type: &'static str,
    table_creation_parameters: Value,
    start_time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    processed_size_bytes: Option<i64>,
    processed_item_count: i64,
    imported_item_count: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_message: Option<String>,
}

impl ImportTableDescription {
    pub(crate) fn of(import: &Import) -> Self {
        Self {
            import_arn: import.arn(),
            import_status: import.status.name(),
            table_arn: import.at.table_arn(),
            table_id: import.table_id.clone(),
            client_token: import.token.clone(),
            s3_bucket_source: BucketSource::of(import),
            error_count: import.processed - import.imported,
            cloud_watch_log_group_arn: import.log_group_arn(),
            input_format: import.format.name(),
            input_format_options: import.options.clone(),
            input_compression_type: import.compression.name(),
            table_creation_parameters: import.parameters.clone(),
            start_time: import.started.seconds_f64(),
            end_time: import.ended.map(homeport_core::Timestamp::seconds_f64),
            processed_size_bytes: (import.bytes > 0).then_some(import.bytes),
            processed_item_count: import.processed,
            imported_item_count: import.imported,
            failure_code: import.failure.as_ref().map(|failure| failure.code.clone()),
            failure_message: import.failure.as_ref().map(|failure| failure.message.clone()),
        }
    }
}

/// `ImportSummary`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ImportSummary {
    import_arn: String,
    import_status: &'static str,
    table_arn: String,
    s3_bucket_source: BucketSource,
    cloud_watch_log_group_arn: String,
    input_format: &'static str,
    start_time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<f64>,
}

impl ImportSummary {
    pub(crate) fn of(import: &Import) -> Self {
        Self {
            import_arn: import.arn(),
            import_status: import.status.name(),
            table_arn: import.at.table_arn(),
            s3_bucket_source: BucketSource::of(import),
            cloud_watch_log_group_arn: import.log_group_arn(),
            input_format: import.format.name(),
            start_time: import.started.seconds_f64(),
            end_time: import.ended.map(homeport_core::Timestamp::seconds_f64),
        }
    }
}
