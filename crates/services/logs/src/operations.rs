//! The table: one line per operation.

mod filter_log_events;
mod get_log_events;
mod groups;
mod put_log_events;
mod retention;
mod streams;
mod tags;

use homeport_service::{Entry, modelled};

use crate::Logs;

/// All operations.
pub(crate) static OPERATIONS: &[Entry<Logs>] = &[
    modelled::<groups::CreateLogGroup>(),
    modelled::<streams::CreateLogStream>(),
    modelled::<groups::DeleteLogGroup>(),
    modelled::<streams::DeleteLogStream>(),
    modelled::<retention::DeleteRetentionPolicy>(),
    modelled::<groups::DescribeLogGroups>(),
    modelled::<streams::DescribeLogStreams>(),
    modelled::<filter_log_events::FilterLogEvents>(),
    modelled::<get_log_events::GetLogEvents>(),
    modelled::<tags::ListTagsForResource>(),
    modelled::<put_log_events::PutLogEvents>(),
    modelled::<retention::PutRetentionPolicy>(),
    modelled::<tags::TagResource>(),
    modelled::<tags::UntagResource>(),
];
