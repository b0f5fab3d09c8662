//! Landlock: what may be opened, connected to and signalled, whatever the file modes say.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

use super::step::{Failure, step};
use super::writable_folder;
use crate::orders::Orders;

/// The newest rights asked for where the kernel knows them.
const NEWEST: ABI = ABI::V9;
/// The least that carries a tier by itself: ports, scopes, truncation.
const LEAST_ALONE: ABI = ABI::V6;

/// What a program needs of the machine in tier 1; with namespaces only what is needed was mounted in the first place.
const READABLE: [&str; 27] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc/ssl",
    "/etc/ca-certificates",
    "/etc/pki",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/passwd",
    "/etc/group",
    "/etc/mime.types",
    "/proc/self",
    "/proc/meminfo",
    "/proc/cpuinfo",
    "/proc/stat",
];
const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

pub(super) fn restrict(orders: &Orders) -> Result<(), Failure> {
    let alone = !orders.tier.has_namespaces();
    let created = step("ask for Landlock", if alone { ask_alone() } else { ask_beside_namespaces() })?;
    let created = step("name the Landlock rules", rules(created, orders, alone))?;
    let status = step("take on Landlock", created.restrict_self())?;
    // The crate degrades silently; its status says whether anything came of it.
    if status.ruleset == RulesetStatus::NotEnforced || !status.no_new_privs {
        return Err(Failure::of("take on Landlock"));
    }
    Ok(())
}

/// In tier 1 Landlock only adds: what lies below something readable can't be taken out again, and there are no mounts here to
/// cover it. Who keeps a secret there runs no functions.
pub(super) fn refuse_exposed(orders: &Orders) -> Result<(), Failure> {
    let mounts = orders.mounts.iter().map(|mount| mount.from.as_path());
    let readable: Vec<&Path> = READABLE.iter().map(Path::new).chain(mounts).collect();
    match exposed(&orders.hidden, &readable) {
        None => Ok(()),
        Some((secret, below)) => Err(Failure {
            step: "hide what functions must not read",
            error: format!(
                "{} lies below {}, which tier 1 lets every function read",
                secret.display(),
                below.display()
            ),
        }),
    }
}

/// A hidden file or folder that is, or lies below, something readable; links are followed on both sides.
fn exposed<'a>(hidden: &'a [PathBuf], readable: &[&'a Path]) -> Option<(&'a Path, &'a Path)> {
    let real = |path: &Path| path.canonicalize().ok();
    hidden.iter().find_map(|secret| {
        // What isn't there can't be read; it is looked for again at every start of a function.
        let place = real(secret)?;
        let above = readable.iter().find(|above| real(above).is_some_and(|above| place.starts_with(above)));
        above.map(|above| (secret.as_path(), *above))
    })
}

fn ask_alone() -> Result<RulesetCreated, RulesetError> {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(LEAST_ALONE))?
        .handle_access(AccessNet::from_all(LEAST_ALONE))?
        .scope(Scope::from_all(LEAST_ALONE))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .create()
}

/// Ports are not handled: the function's own loopback is all there is.
fn ask_beside_namespaces() -> Result<RulesetCreated, RulesetError> {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()
}

fn rules(created: RulesetCreated, orders: &Orders, alone: bool) -> Result<RulesetCreated, RulesetError> {
    let read: BitFlags<AccessFs> = AccessFs::from_read(NEWEST);
    let all: BitFlags<AccessFs> = AccessFs::from_all(NEWEST);
    let device = AccessFs::ReadFile | AccessFs::WriteFile;
    let created = created
        .add_rules(path_beneath_rules([writable_folder(orders)], all))?
        .add_rules(path_beneath_rules(DEVICES, device))?;
    if !alone {
        return created.add_rules(path_beneath_rules(["/"], read));
    }
    let mounts: Vec<PathBuf> = orders.mounts.iter().map(|mount| mount.from.clone()).collect();
    created
        .add_rules(path_beneath_rules(READABLE, read))?
        .add_rules(path_beneath_rules(mounts, read))?
        .add_rules(
            orders
                .connect_ports
                .iter()
                .map(|port| Ok::<_, RulesetError>(NetPort::new(*port, AccessNet::ConnectTcp))),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_below_something_readable_is_found_through_links_too() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["etc/ssl/private", "data/functions/f"] {
            std::fs::create_dir_all(at(name)).unwrap();
        }
        for name in ["etc/ssl/private/key.pem", "own.pem"] {
            std::fs::write(at(name), "k").unwrap();
        }
        std::os::unix::fs::symlink(at("etc/ssl/private"), at("keys")).unwrap();
        let (ssl, code) = (at("etc/ssl"), at("data/functions/f"));
        let found = |hidden: &str| exposed(&[at(hidden)], &[&code, &ssl]).is_some();
        assert!(found("etc/ssl/private/key.pem") && found("keys/key.pem") && found("etc/ssl"));
        // A function's own code may lie below what is hidden.
        assert!(!found("own.pem") && !found("data") && !found("etc/ssl/private/none.pem"));
    }
}
