use homeport_service::{Entry, by_hand, modelled};

use crate::DynamoDb;

mod backups;
mod batch_execute_statement;
mod batch_get_item;
mod batch_write_item;
mod changes;
mod changing;
mod client_token;
mod continuous_backups;
mod create_table;
mod delete_item;
mod delete_table;
mod describe_elsewhere;
mod describe_endpoints;
mod describe_limits;
mod describe_table;
mod encryption;
mod execute_statement;
mod execute_transaction;
mod export_table;
mod exports;
mod get_item;
mod hash_order;
mod import_table;
mod imports;
mod index_updates;
mod java_text;
mod list_tables;
mod next_token;
mod policy_document;
mod put_item;
mod query;
mod reading;
mod resource_policies;
mod restore_overrides;
mod restore_table;
mod scan;
mod selecting;
mod shape;
mod statements;
mod stretch;
mod tags;
mod throughput;
mod time_to_live;
mod transact_get_items;
mod transact_write_items;
mod transfer_token;
mod transfers;
mod update_item;
mod update_table;
mod writing;

pub(crate) use delete_table::unlink;

/// All operations.
pub(crate) static OPERATIONS: &[Entry<DynamoDb>] = &[
    by_hand::<batch_execute_statement::BatchExecuteStatement>(),
    by_hand::<batch_get_item::BatchGetItem>(),
    by_hand::<batch_write_item::BatchWriteItem>(),
    modelled::<backups::CreateBackup>(),
    modelled::<create_table::CreateTable>(),
    modelled::<backups::DeleteBackup>(),
    by_hand::<delete_item::DeleteItem>(),
    modelled::<resource_policies::DeleteResourcePolicy>(),
    modelled::<delete_table::DeleteTable>(),
    modelled::<backups::DescribeBackup>(),
    modelled::<continuous_backups::DescribeContinuousBackups>(),
    modelled::<describe_elsewhere::DescribeContributorInsights>(),
    modelled::<describe_endpoints::DescribeEndpoints>(),
    modelled::<exports::DescribeExport>(),
    modelled::<imports::DescribeImport>(),
    modelled::<describe_elsewhere::DescribeKinesisStreamingDestination>(),
    modelled::<describe_limits::DescribeLimits>(),
    modelled::<describe_table::DescribeTable>(),
    modelled::<describe_elsewhere::DescribeTableReplicaAutoScaling>(),
    modelled::<time_to_live::DescribeTimeToLive>(),
    by_hand::<execute_statement::ExecuteStatement>(),
    by_hand::<execute_transaction::ExecuteTransaction>(),
    modelled::<export_table::ExportTableToPointInTime>(),
    by_hand::<get_item::GetItem>(),
    modelled::<resource_policies::GetResourcePolicy>(),
    modelled::<import_table::ImportTable>(),
    modelled::<backups::ListBackups>(),
    modelled::<exports::ListExports>(),
    modelled::<imports::ListImports>(),
    modelled::<list_tables::ListTables>(),
    modelled::<tags::ListTagsOfResource>(),
    by_hand::<put_item::PutItem>(),
    modelled::<resource_policies::PutResourcePolicy>(),
    by_hand::<query::Query>(),
    modelled::<restore_table::RestoreTableFromBackup>(),
    modelled::<restore_table::RestoreTableToPointInTime>(),
    by_hand::<scan::Scan>(),
    modelled::<tags::TagResource>(),
    by_hand::<transact_get_items::TransactGetItems>(),
    by_hand::<transact_write_items::TransactWriteItems>(),
    modelled::<tags::UntagResource>(),
    modelled::<continuous_backups::UpdateContinuousBackups>(),
    by_hand::<update_item::UpdateItem>(),
    modelled::<update_table::UpdateTable>(),
    modelled::<time_to_live::UpdateTimeToLive>(),
];
