//! Backups as `DescribeBackup` and its like show them.

use serde::Serialize;

use crate::description::{IndexInfo, KeySchemaElement, ThroughputInfo, index_infos, key_schema};
use crate::records::{Backup, BackupKind};

/// `BackupDetails`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BackupDetails {
    backup_arn: String,
    backup_name: String,
    backup_size_bytes: i64,
    backup_status: &'static str,
    backup_type: &'static str,
    backup_creation_date_time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_expiry_date_time: Option<f64>,
}

/// `BackupSummary`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BackupSummary {
    table_name: String,
    table_id: String,
    table_arn: String,
    #[serde(flatten)]
    backup: BackupDetails,
}

/// `BackupDescription`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BackupDescription {
    backup_details: BackupDetails,
    source_table_details: SourceTableDetails,
    source_table_feature_details: SourceTableFeatureDetails,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SourceTableDetails {
    table_name: String,
    table_id: String,
    table_arn: String,
    table_size_bytes: i64,
    item_count: i64,
    key_schema: Vec<KeySchemaElement>,
    table_creation_date_time: f64,
    provisioned_throughput: ThroughputInfo,
    billing_mode: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SourceTableFeatureDetails {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    local_secondary_indexes: Vec<IndexInfo>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    global_secondary_indexes: Vec<IndexInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_description: Option<StreamDescription>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_to_live_description: Option<TimeToLiveDescription>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StreamDescription {
    stream_enabled: bool,
    stream_view_type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TimeToLiveDescription {
    time_to_live_status: &'static str,
    attribute_name: String,
}

impl BackupDetails {
    pub(crate) fn of(backup: &Backup) -> Self {
        Self::with_status(backup, if backup.is_available { "AVAILABLE" } else { "CREATING" })
    }

    fn with_status(backup: &Backup, status: &'static str) -> Self {
        Self {
            backup_arn: backup.arn(),
            backup_name: backup.name.clone(),
            backup_size_bytes: backup.bytes,
            backup_status: status,
            backup_type: match backup.kind {
                BackupKind::User => "USER",
                BackupKind::System => "SYSTEM",
            },
            backup_creation_date_time: backup.created.seconds_f64(),
            backup_expiry_date_time: backup.expires().map(homeport_core::Timestamp::seconds_f64),
        }
    }
}

impl BackupSummary {
    pub(crate) fn of(backup: &Backup) -> Self {
        Self {
            table_name: backup.table.name.clone(),
            table_id: backup.table.id.clone(),
            table_arn: backup.table.arn(),
            backup: BackupDetails::of(backup),
        }
    }
}

impl BackupDescription {
    pub(crate) fn of(backup: &Backup) -> Self {
        Self::with(backup, BackupDetails::of(backup))
    }

    /// Of one that is gone when the answer arrives.
    pub(crate) fn deleted(backup: &Backup) -> Self {
        Self::with(backup, BackupDetails::with_status(backup, "DELETED"))
    }

    fn with(backup: &Backup, backup_details: BackupDetails) -> Self {
        let table = &backup.table;
        Self {
            backup_details,
            source_table_details: SourceTableDetails {
                table_name: table.name.clone(),
                table_id: table.id.clone(),
                table_arn: table.arn(),
                table_size_bytes: backup.bytes,
                item_count: backup.item_count,
                key_schema: key_schema(&table.schema),
                table_creation_date_time: table.created.seconds_f64(),
                provisioned_throughput: ThroughputInfo::of(table.throughput),
                billing_mode: if table.throughput.is_none() { "PAY_PER_REQUEST" } else { "PROVISIONED" },
            },
            source_table_feature_details: SourceTableFeatureDetails {
                local_secondary_indexes: index_infos(table, false),
                global_secondary_indexes: index_infos(table, true),
                stream_description: table.stream.as_ref().map(|stream| StreamDescription {
                    stream_enabled: true,
                    stream_view_type: stream.view.name(),
                }),
                time_to_live_description: table.expiry.as_ref().map(|expiry| TimeToLiveDescription {
                    time_to_live_status: "ENABLED",
                    attribute_name: expiry.attribute.clone(),
                }),
            },
        }
    }
}
