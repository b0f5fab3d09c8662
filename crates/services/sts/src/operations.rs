use homeport_service::{Entry, modelled};

use crate::Sts;

mod get_caller_identity;

pub(crate) static OPERATIONS: &[Entry<Sts>] = &[modelled::<get_caller_identity::GetCallerIdentity>()];
