//! The last steps, in the process that will be the function: user, limits, Landlock, seccomp, exec.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::step::{Failure, step, step_on};
use super::{landlock, limits, privileges, seccomp, self_test};
use crate::orders::{Orders, Run};
use crate::raw;

/// Returns only when something failed.
pub(super) fn run(orders: &Orders) -> Failure {
    match confine(orders) {
        Ok(()) => match &orders.run {
            Run::Program { path, arguments, environment, folder } => {
                exec(orders, path, arguments, environment, folder)
            }
            Run::SelfTest { unreadable, unlisted_port } => {
                match self_test::run(orders, unreadable, *unlisted_port) {
                    Ok(()) => raw::exit_now(0),
                    Err(failure) => failure,
                }
            }
        },
        Err(failure) => failure,
    }
}

fn confine(orders: &Orders) -> Result<(), Failure> {
    step("begin a session", rustix::process::setsid())?;
    limits::set(orders)?;
    privileges::become_user(orders.uid)?;
    landlock::restrict(orders)?;
    seccomp::install(orders)
}

fn exec(
    orders: &Orders,
    path: &Path,
    arguments: &[String],
    environment: &[(String, String)],
    folder: &Path,
) -> Failure {
    let mut command = Command::new(path);
    command
        .args(arguments)
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .current_dir(folder);
    if let Err(failure) = limits::bound_data(orders) {
        return failure;
    }
    match step_on::<()>("start the program", path, Err(command.exec())) {
        Err(failure) => failure,
        Ok(()) => Failure::of("start the program"),
    }
}
