use std::collections::HashMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The uids (and gids of the same number) that functions may have when Homeport is root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UidRange {
    /// The first.
    pub first: u32,
    /// How many.
    pub count: u32,
}

impl Default for UidRange {
    /// 1,900,000,000 and the 65,536 from there: above what container managers hand out.
    fn default() -> Self {
        Self { first: 1_900_000_000, count: 65_536 }
    }
}

/// How many uids are taken at once from the range.
const PART: u32 = 1_024;

/// Hands every function a uid that no other function has at the time, of whichever Homeport on this machine.
#[derive(Clone, Debug)]
pub struct UidPool(Arc<Mutex<Leases>>);

#[derive(Debug)]
struct Leases {
    range: UidRange,
    /// Where the machine's Homeports lock the parts that they use.
    locks: PathBuf,
    parts: Vec<Part>,
    next: usize,
    by_function: HashMap<String, (u32, u32)>,
}

/// Uids that are this pool's alone, as long as the lock is held.
#[derive(Debug)]
struct Part {
    uids: Range<u32>,
    _lock: Option<File>,
}

/// A function's uid while it has an environment; clones and further leases of the same function share it.
#[derive(Debug)]
pub struct UidLease {
    pool: UidPool,
    function: String,
    uid: u32,
}

impl UidPool {
    /// A pool over this range. It takes parts of it as it needs them, each by a lock in the folder `locks`, which all
    /// Homeports of the machine share and only root may write; they end with the process. Where no such folder can be
    /// made, the range is taken to be this process's alone.
    pub fn new(range: UidRange, locks: &Path) -> Self {
        let locks = locks.to_owned();
        Self(Arc::new(Mutex::new(Leases {
            range,
            locks,
            parts: Vec::new(),
            next: 0,
            by_function: HashMap::new(),
        })))
    }

    /// A uid for this function; `None` when the range is used up.
    pub fn lease(&self, function: &str) -> Option<UidLease> {
        let mut leases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let uid = match leases.by_function.get_mut(function) {
            Some((uid, holders)) => {
                *holders += 1;
                *uid
            }
            None => {
                let uid = leases.free()?;
                leases.by_function.insert(function.to_owned(), (uid, 1));
                uid
            }
        };
        Some(UidLease { pool: self.clone(), function: function.to_owned(), uid })
    }
}

impl Leases {
    fn free(&mut self) -> Option<u32> {
        self.free_of_own().or_else(|| {
            let part = self.take_part()?;
            self.parts.push(part);
            self.free_of_own()
        })
    }

    /// The one that was used longest ago, among those that nobody has.
    fn free_of_own(&mut self) -> Option<u32> {
        let own: Vec<u32> = self.parts.iter().flat_map(|part| part.uids.clone()).collect();
        for _ in 0..own.len() {
            let uid = own[self.next % own.len()];
            self.next = (self.next + 1) % own.len();
            if self.by_function.values().all(|(taken, _)| *taken != uid) {
                return Some(uid);
            }
        }
        None
    }

    /// A part of the range that no other pool has.
    fn take_part(&self) -> Option<Part> {
        let end = self.range.first + self.range.count;
        let starts = (self.range.first..end).step_by(PART as usize);
        let mut free = starts.filter(|start| self.parts.iter().all(|part| part.uids.start != *start));
        let uids_from = |start| start..end.min(start + PART);
        if DirBuilder::new().recursive(true).mode(0o700).create(&self.locks).is_err() {
            return free.next().map(|start| Part { uids: uids_from(start), _lock: None });
        }
        free.find_map(|start| {
            let name = self.locks.join(start.to_string());
            let opened = OpenOptions::new().create(true).append(true).mode(0o600).open(name);
            let file = opened.ok().filter(|file| file.try_lock().is_ok())?;
            Some(Part { uids: uids_from(start), _lock: Some(file) })
        })
    }
}

impl UidLease {
    /// The number.
    pub fn uid(&self) -> u32 {
        self.uid
    }
}

impl Drop for UidLease {
    fn drop(&mut self) {
        let mut leases = self.pool.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, holders)) = leases.by_function.get_mut(&self.function) {
            *holders -= 1;
            if *holders == 0 {
                leases.by_function.remove(&self.function);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_functions_never_share_a_uid_at_a_time() {
        let locks = tempfile::tempdir().expect("a folder");
        let pool = UidPool::new(UidRange { first: 100, count: 2 }, locks.path());
        let a = pool.lease("a").expect("a");
        let again = pool.lease("a").expect("a");
        let b = pool.lease("b").expect("b");
        assert_eq!(a.uid(), again.uid());
        assert_ne!(a.uid(), b.uid());
        assert!(pool.lease("c").is_none());
        drop(a);
        assert!(pool.lease("c").is_none(), "one lease of a still stands");
        drop(again);
        assert!(pool.lease("c").is_some());
    }

    #[test]
    fn two_pools_on_one_machine_never_share_a_uid() {
        let locks = tempfile::tempdir().expect("a folder");
        let range = UidRange { first: 100, count: PART + 10 };
        let (one, other) = (UidPool::new(range, locks.path()), UidPool::new(range, locks.path()));
        let first: Vec<_> =
            (0..PART).map(|at| one.lease(&at.to_string()).expect("of the first part")).collect();
        let second: Vec<_> = (0..10).map(|at| other.lease(&at.to_string()).expect("of the second")).collect();
        assert!(second.iter().all(|there| first.iter().all(|here| here.uid() != there.uid())));
        assert!(one.lease("more").is_none() && other.lease("more").is_none());
        drop((second, other));
        assert_eq!(
            one.lease("more").map(|lease| lease.uid()),
            Some(100 + PART),
            "what a pool had was not given back"
        );
    }

    #[test]
    fn without_a_folder_for_locks_the_range_is_its_own() {
        let pool = UidPool::new(UidRange { first: 100, count: 2 }, Path::new("/proc/none"));
        assert_eq!(pool.lease("a").map(|lease| lease.uid()), Some(100));
    }
}
