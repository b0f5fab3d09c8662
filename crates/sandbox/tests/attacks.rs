//! The attack table: a hostile function inside a real sandbox, in every tier this machine gives, as root and as an
//! ordinary user. What the machine can't give is printed as SKIPPED with the reason.
//!
//! No harness: this program is its own helper, and runs itself as an ordinary user.

#[path = "attacks/scenarios.rs"]
mod scenarios;
#[path = "attacks/victim.rs"]
mod victim;

use std::process::{Command, ExitCode};

use homeport_sandbox::{HELPER_COMMAND, Tier, sandbox_exec_main};

/// `nobody`.
const ORDINARY: &str = "65534";
const TIERS: [Tier; 3] = [Tier::OwnUid, Tier::Namespaces, Tier::Landlock];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [HELPER_COMMAND] => sandbox_exec_main(),
        ["as-this-user"] => in_every_tier(),
        ["stand", tier, marker] => scenarios::stand_until_killed(tier_named(tier), marker),
        ["--list", ..] => ExitCode::SUCCESS,
        _ => as_every_user(),
    }
}

fn as_every_user() -> ExitCode {
    let own = in_every_tier();
    if !rustix::process::geteuid().is_root() {
        println!("SKIPPED as root: this is an ordinary user");
        return own;
    }
    let exe = std::env::current_exe().expect("the test's own path");
    let status = Command::new("setpriv")
        .args(["--reuid", ORDINARY, "--regid", ORDINARY, "--clear-groups"])
        .arg(exe)
        .arg("as-this-user")
        .status();
    match status {
        Ok(status) if status.success() => own,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            println!("SKIPPED as an ordinary user: setpriv: {error}");
            own
        }
    }
}

fn in_every_tier() -> ExitCode {
    let user = if rustix::process::geteuid().is_root() { "root" } else { "an ordinary user" };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut failures = 0;
    for tier in TIERS {
        failures += runtime.block_on(scenarios::in_tier(tier, user));
    }
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tier_named(name: &str) -> Tier {
    TIERS.into_iter().find(|tier| tier.number().to_string() == name).expect("a tier's number")
}
