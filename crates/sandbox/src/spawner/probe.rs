//! Finds the strongest tier by carrying each out, from the strongest down.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use super::{Limits, Shared, Spawner};
use crate::cgroup::Cgroups;
use crate::launch::{Launch, Network};
use crate::orders::Run;
use crate::{Confinement, SandboxError, Tier};

impl Spawner {
    /// Tries each tier in a real process and keeps the first that holds. `folder` is Homeport's own, for what tier 1
    /// needs on disk and for the file that the probe's process must not be able to read; leftovers in it are removed.
    pub async fn probe(folder: &Path, limits: Limits) -> Result<Self, SandboxError> {
        if folder.exists() {
            std::fs::remove_dir_all(folder)?;
        }
        std::fs::create_dir_all(folder)?;
        let mut reasons = Vec::new();
        let cgroups = match Cgroups::probe() {
            Ok(cgroups) => Some(cgroups),
            Err(error) => {
                reasons.push(format!("no memory control group ({error}), so memory is watched every 100 ms"));
                None
            }
        };
        let mut found = Tier::Refused;
        for tier in candidates(limits.at_most, &mut reasons) {
            let trial = Confinement { tier, reasons: Vec::new() };
            let spawner = Self(Arc::new(Shared::new(trial, cgroups.clone(), limits.uids, folder)));
            match spawner.try_out(tier, folder).await {
                Ok(()) => {
                    found = tier;
                    break;
                }
                Err(error) => reasons.push(error.to_string()),
            }
        }
        let confinement = Confinement { tier: found, reasons };
        Ok(Self(Arc::new(Shared::new(confinement, cgroups, limits.uids, folder))))
    }

    async fn try_out(&self, tier: Tier, folder: &Path) -> Result<(), SandboxError> {
        let unreadable = folder.join("not-for-functions");
        std::fs::write(&unreadable, b"secret")?;
        let unlisted = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let unlisted_port = unlisted.local_addr()?.port();
        let launch = Launch {
            function: "probe".to_owned(),
            mounts: Vec::new(),
            hidden: vec![folder.to_owned()],
            memory_bytes: 128 << 20,
            tmp_bytes: 1 << 20,
            listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 9_001))],
            hosts: Vec::new(),
            network: Network::Cut,
        };
        let self_test = |_: &crate::Inside| Run::SelfTest { unreadable, unlisted_port };
        let mut standing = self.start(tier, launch, self_test).await?;
        let waited = tokio::time::timeout(super::PATIENCE, standing.wait()).await;
        let exit = waited.map_err(|_| SandboxError::TimedOut)?;
        match (exit.status, exit.failed) {
            (0, None) => Ok(()),
            (status, failed) => {
                let error = failed.unwrap_or_else(|| format!("it ended with {status}"));
                Err(SandboxError::Step { tier, step: "the self-test".to_owned(), error })
            }
        }
    }
}

fn candidates(at_most: Tier, reasons: &mut Vec<String>) -> Vec<Tier> {
    let root = rustix::process::geteuid().is_root();
    if !root && at_most == Tier::OwnUid {
        reasons.push(format!("{} needs root", Tier::OwnUid));
    }
    [Tier::OwnUid, Tier::Namespaces, Tier::Landlock]
        .into_iter()
        .filter(|tier| *tier <= at_most && (root || *tier != Tier::OwnUid))
        .collect()
}
