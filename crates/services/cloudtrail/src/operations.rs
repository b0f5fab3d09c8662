use homeport_service::{Entry, modelled};

use crate::CloudTrail;

mod lookup_events;

pub(crate) static OPERATIONS: &[Entry<CloudTrail>] = &[modelled::<lookup_events::LookupEvents>()];
