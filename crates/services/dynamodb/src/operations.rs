use homeport_service::{Entry, by_hand, modelled};

use crate::DynamoDb;

mod batch_execute_statement;
mod batch_get_item;
mod batch_write_item;
mod changing;
mod client_token;
mod create_table;
mod delete_item;
mod delete_table;
mod describe_endpoints;
mod describe_limits;
mod describe_table;
mod execute_statement;
mod execute_transaction;
mod get_item;
mod list_tables;
mod next_token;
mod put_item;
mod query;
mod reading;
mod scan;
mod selecting;
mod statements;
mod tags;
mod transact_get_items;
mod transact_write_items;
mod update_item;
mod update_table;
mod writing;

/// All operations.
pub(crate) static OPERATIONS: &[Entry<DynamoDb>] = &[
    by_hand::<batch_execute_statement::BatchExecuteStatement>(),
    by_hand::<batch_get_item::BatchGetItem>(),
    by_hand::<batch_write_item::BatchWriteItem>(),
    modelled::<create_table::CreateTable>(),
    by_hand::<delete_item::DeleteItem>(),
    modelled::<delete_table::DeleteTable>(),
    modelled::<describe_endpoints::DescribeEndpoints>(),
    modelled::<describe_limits::DescribeLimits>(),
    modelled::<describe_table::DescribeTable>(),
    by_hand::<execute_statement::ExecuteStatement>(),
    by_hand::<execute_transaction::ExecuteTransaction>(),
    by_hand::<get_item::GetItem>(),
    modelled::<list_tables::ListTables>(),
    modelled::<tags::ListTagsOfResource>(),
    by_hand::<put_item::PutItem>(),
    by_hand::<query::Query>(),
    by_hand::<scan::Scan>(),
    modelled::<tags::TagResource>(),
    by_hand::<transact_get_items::TransactGetItems>(),
    by_hand::<transact_write_items::TransactWriteItems>(),
    modelled::<tags::UntagResource>(),
    by_hand::<update_item::UpdateItem>(),
    modelled::<update_table::UpdateTable>(),
];
