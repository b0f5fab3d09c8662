//! Which services there are, and who meets which need. The only place that knows them all.

use std::sync::Arc;

use homeport_iam::Iam;
use homeport_service::needs::ResourcePolicy;
use homeport_service::{Hosted, Parts, Plane};

use crate::config::Config;
use crate::error::ProgramError;

/// The services of an installation.
pub(crate) struct Services {
    /// For the administrator's keys.
    pub(crate) iam: Arc<Iam>,
    /// All of them, as the pipeline sees them.
    pub(crate) hosted: Vec<Arc<dyn Hosted>>,
    /// What answers calls that are no AWS calls, in the order in which they are asked.
    pub(crate) planes: Vec<Arc<dyn Plane>>,
}

/// Makes all services, then fills the needs: some are met by services that need others.
pub(crate) fn services(parts: &Parts, _config: &Config) -> Result<Services, ProgramError> {
    let (iam, iam_host) = homeport_iam::host(parts);
    let (_sts, sts_host) = homeport_sts::host(parts);

    let needs = &parts.needs;
    needs.identify_users.set(iam.clone()).ok();
    needs.policies_of.set(iam.clone()).ok();
    let policies: Vec<(&'static str, Arc<dyn ResourcePolicy>)> = vec![("iam", iam.clone())];
    needs.resource_policies.set(policies).ok();

    Ok(Services { iam, hosted: vec![iam_host, sts_host], planes: Vec::new() })
}
