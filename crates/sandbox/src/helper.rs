//! The helper: this program started again with one thread, which confines itself and becomes the function.
//!
//! With namespaces there are three processes: the outer helper, which is the parent's handle on everything; process 1 of
//! the new pid namespace, with which the kernel ends everything in it; and the function. In tier 1 there are two, and the
//! outer helper ends what descends from it.

mod become_function;
mod init;
mod landlock;
mod limits;
mod network;
mod outlast;
mod privileges;
mod seccomp;
mod self_test;
mod step;
mod view;

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use rustix::process::{Signal, set_child_subreaper, set_parent_process_death_signal};
use rustix::thread::UnshareFlags;

use self::step::{Failure, step};
use crate::orders::{Orders, Word};
use crate::raw::{self, Forked};
use crate::{Tier, channel};

/// The hidden command that a program with a [`crate::Spawner`] gives to [`sandbox_exec_main`].
pub const HELPER_COMMAND: &str = "sandbox-exec";

/// What the helper ends with when a step of the confinement failed.
const STEP_FAILED: i32 = 125;

/// The whole life of a helper. Standard input is the socket to the parent, standard output and error are the function's.
/// To be called first thing in `main`, before any thread is started.
pub fn sandbox_exec_main() -> ! {
    let status = match take_orders() {
        Ok((control, orders)) => carry_out(control, orders),
        Err(_) => STEP_FAILED,
    };
    raw::exit_now(status)
}

/// Moves the socket out of the way of the function's standard input and closes whatever else was inherited.
fn take_orders() -> std::io::Result<(OwnedFd, Orders)> {
    raw::close_from(3)?;
    let control = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
    let null = std::fs::File::open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    match channel::receive(&control)? {
        Some((orders, _)) => Ok((control, orders)),
        None => Err(std::io::ErrorKind::UnexpectedEof.into()),
    }
}

fn carry_out(control: OwnedFd, orders: Orders) -> i32 {
    let report = control.try_clone();
    let done =
        if orders.tier.has_namespaces() { in_namespaces(control, orders) } else { in_place(control, orders) };
    match (done, report) {
        (Ok(status), _) => status,
        (Err(failure), Ok(report)) => {
            say_failed(&report, &failure);
            STEP_FAILED
        }
        (Err(_), Err(_)) => STEP_FAILED,
    }
}

fn say_failed(control: impl AsFd, failure: &Failure) {
    let word = Word::Failed { step: failure.step.to_owned(), error: failure.error.to_string() };
    // Nobody is left to tell when the parent has gone; this process ends either way.
    let _ = channel::send(control, &word, &[]);
}

/// Tiers 2 and 3.
fn in_namespaces(control: OwnedFd, orders: Orders) -> Result<i32, Failure> {
    let own_user = orders.tier == Tier::Namespaces;
    let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
    let mut kinds = UnshareFlags::NEWNS
        | UnshareFlags::NEWPID
        | UnshareFlags::NEWIPC
        | UnshareFlags::NEWNET
        | UnshareFlags::NEWUTS;
    if own_user {
        kinds |= UnshareFlags::NEWUSER;
    }
    step("leave the machine's namespaces", raw::unshare(kinds))?;
    if own_user {
        step("map the user", privileges::map_user(uid.as_raw(), gid.as_raw()))?;
    }
    die_with_parent(&control)?;
    let listeners = network::listen(&orders.listen)?;
    match step("fork", raw::fork())? {
        Forked::Child => init::run(control, orders, listeners),
        Forked::Parent(init) => {
            drop(listeners);
            Ok(outlast::namespace(&control, init))
        }
    }
}

/// Tier 1. The outer helper isn't bound to die with the parent, for it still has to end the tree: it hears of the
/// parent's end by the socket.
fn in_place(control: OwnedFd, orders: Orders) -> Result<i32, Failure> {
    landlock::refuse_exposed(&orders)?;
    step("become a subreaper", set_child_subreaper(Some(rustix::process::getpid())))?;
    match step("fork", raw::fork())? {
        Forked::Child => {
            let failure = match die_with_parent(&control).and_then(|()| stand(&control, &[])) {
                Ok(()) => become_function::run(&orders),
                Err(failure) => failure,
            };
            say_failed(&control, &failure);
            raw::exit_now(STEP_FAILED)
        }
        Forked::Parent(function) => Ok(outlast::tree(&control, function)),
    }
}

/// Bound to the thread that forked this process. Must come after every change of credentials, which clears it; and the
/// parent may have died before: then its end of the socket is closed.
fn die_with_parent(control: &OwnedFd) -> Result<(), Failure> {
    step("die with the parent", set_parent_process_death_signal(Some(Signal::KILL)))?;
    if outlast::hung_up(control) { Err(Failure::of("the parent is gone")) } else { Ok(()) }
}

fn stand(control: &OwnedFd, listeners: &[std::net::TcpListener]) -> Result<(), Failure> {
    let fds: Vec<_> = listeners.iter().map(AsFd::as_fd).collect();
    step("report to the parent", channel::send(control, &Word::Standing, &fds))
}

/// Where a function writes: `/tmp`, or in tier 1 the folder that stands for it.
fn writable_folder(orders: &Orders) -> PathBuf {
    match &orders.scratch {
        Some(scratch) if !orders.tier.has_namespaces() => scratch.clone(),
        _ => PathBuf::from("/tmp"),
    }
}
