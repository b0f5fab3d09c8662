//! How the helpers wait: for the function's end, or for the parent's.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, WaitStatus, kill_process, pidfd_open, wait, waitpid,
};

use super::STEP_FAILED;
use crate::process_tree;

/// Rounds of killing a tree that keeps forking, 2 ms apart.
const ROUNDS: usize = 2_000;

/// Whether the parent's end of the socket is closed.
pub(super) fn hung_up(control: impl AsFd) -> bool {
    let mut watched = [PollFd::new(&control, PollFlags::RDHUP)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    match poll(&mut watched, Some(&now)) {
        Ok(0) => false,
        Ok(_) => watched[0].revents().intersects(PollFlags::HUP | PollFlags::RDHUP | PollFlags::ERR),
        Err(_) => true,
    }
}

/// Waits for process 1 of the namespace, ended when the parent hangs up; with it the kernel ends everything inside.
pub(super) fn namespace(control: &OwnedFd, init: Pid) -> i32 {
    until_end_or_hang_up(control, init);
    let _ = kill_process(init, Signal::KILL);
    waitpid(Some(init), WaitOptions::empty()).ok().flatten().map_or(STEP_FAILED, |(_, status)| code(status))
}

/// Waits for the function or for the parent to hang up, and then ends whatever descends from this process; orphans
/// come to it because it is a subreaper.
pub(super) fn tree(control: &OwnedFd, function: Pid) -> i32 {
    until_end_or_hang_up(control, function);
    let ended = waitpid(Some(function), WaitOptions::NOHANG).ok().flatten().map(|(_, status)| code(status));
    let own = rustix::process::getpid();
    for _ in 0..ROUNDS {
        let below = process_tree::with_descendants(own.as_raw_nonzero().get());
        if below.len() <= 1 {
            break;
        }
        for pid in below.into_iter().filter_map(Pid::from_raw).filter(|pid| *pid != own) {
            let _ = kill_process(pid, Signal::KILL);
        }
        while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
        std::thread::sleep(Duration::from_millis(2));
    }
    ended.unwrap_or(128 + Signal::KILL.as_raw())
}

/// What process 1 does for a living.
pub(super) fn reap_until_end_of(function: Pid) -> i32 {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == function => return code(status),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return STEP_FAILED,
        }
    }
}

fn until_end_or_hang_up(control: &OwnedFd, child: Pid) {
    let Ok(pidfd) = pidfd_open(child, PidfdFlags::empty()) else {
        return;
    };
    loop {
        let mut watched = [PollFd::new(&pidfd, PollFlags::IN), PollFd::new(control, PollFlags::RDHUP)];
        match poll(&mut watched, None) {
            Ok(_) if watched.iter().any(|fd| !fd.revents().is_empty()) => return,
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
    }
}

/// As a shell says it: the exit status, or 128 and the signal.
fn code(status: WaitStatus) -> i32 {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(status), _) => status,
        (None, Some(signal)) => 128 + signal,
        (None, None) => STEP_FAILED,
    }
}
