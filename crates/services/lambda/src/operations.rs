//! The table: one line per operation.

mod add_permission;
mod create_function;
mod delete_function;
mod get_function;
mod get_policy;
mod invoke;
mod list_functions;
mod publish_version;
mod remove_permission;
mod settings;
mod tags;
mod update_function_code;
mod update_function_configuration;

use homeport_service::{Entry, by_hand, modelled};

use crate::Lambda;

/// All operations.
pub(crate) static OPERATIONS: &[Entry<Lambda>] = &[
    modelled::<add_permission::AddPermission>(),
    modelled::<create_function::CreateFunction>(),
    modelled::<delete_function::DeleteFunction>(),
    modelled::<get_function::GetFunction>(),
    modelled::<get_function::GetFunctionConfiguration>(),
    modelled::<get_policy::GetPolicy>(),
    by_hand::<invoke::Invoke>(),
    modelled::<list_functions::ListFunctions>(),
    modelled::<tags::ListTags>(),
    modelled::<publish_version::ListVersionsByFunction>(),
    modelled::<publish_version::PublishVersion>(),
    modelled::<remove_permission::RemovePermission>(),
    modelled::<tags::TagResource>(),
    modelled::<tags::UntagResource>(),
    modelled::<update_function_code::UpdateFunctionCode>(),
    modelled::<update_function_configuration::UpdateFunctionConfiguration>(),
];
