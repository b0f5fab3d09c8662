use std::collections::HashMap;
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

/// Hands every function a uid that no other function has at the time.
#[derive(Clone, Debug)]
pub struct UidPool(Arc<Mutex<Leases>>);

#[derive(Debug)]
struct Leases {
    range: UidRange,
    next: u32,
    by_function: HashMap<String, (u32, u32)>,
}

/// A function's uid while it has an environment; clones and further leases of the same function share it.
#[derive(Debug)]
pub struct UidLease {
    pool: UidPool,
    function: String,
    uid: u32,
}

impl UidPool {
    /// A pool over this range.
    pub fn new(range: UidRange) -> Self {
        Self(Arc::new(Mutex::new(Leases { range, next: 0, by_function: HashMap::new() })))
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
        for _ in 0..self.range.count {
            let uid = self.range.first + self.next;
            self.next = (self.next + 1) % self.range.count;
            if self.by_function.values().all(|(taken, _)| *taken != uid) {
                return Some(uid);
            }
        }
        None
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
        let pool = UidPool::new(UidRange { first: 100, count: 2 });
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
}
