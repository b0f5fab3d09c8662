//! Who descends from whom, by `/proc/PID/task/TID/children`.

use std::fs;

/// Processes that one environment may have before it counts as a fork bomb, as on AWS.
pub(crate) const MOST_PROCESSES: usize = 1_024;

/// `root` and everything below it. What forks meanwhile may be missed: callers look again.
pub(crate) fn with_descendants(root: i32) -> Vec<i32> {
    let mut found = vec![root];
    let mut next = 0;
    while next < found.len() && found.len() <= 4 * MOST_PROCESSES {
        children(found[next], &mut found);
        next += 1;
    }
    found
}

fn children(pid: i32, found: &mut Vec<i32>) {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return;
    };
    for task in tasks.flatten() {
        let Ok(line) = fs::read_to_string(task.path().join("children")) else {
            continue;
        };
        found.extend(line.split_ascii_whitespace().filter_map(|pid| pid.parse::<i32>().ok()));
    }
}

/// Bytes of memory that are this process's alone or anonymous and shared: what a limit is about. File pages, which the
/// system can drop, don't count.
pub(crate) fn memory(pid: i32) -> u64 {
    let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else {
        return 0;
    };
    let kilobytes = |line: &str| line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok();
    status
        .lines()
        .filter(|line| line.starts_with("RssAnon:") || line.starts_with("RssShmem:"))
        .filter_map(kilobytes)
        .sum::<u64>()
        * 1_024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_and_its_child_are_found() {
        let mut child = std::process::Command::new("sh").args(["-c", "sleep 30 & wait"]).spawn().expect("sh");
        let root = i32::try_from(child.id()).expect("pid");
        let mut seen = Vec::new();
        for _ in 0..100 {
            seen = with_descendants(root);
            if seen.len() == 2 {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        assert_eq!(seen.len(), 2, "{seen:?}");
        assert!(memory(root) > 0);
        for pid in seen.into_iter().rev().filter_map(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
        child.wait().expect("wait");
    }
}
