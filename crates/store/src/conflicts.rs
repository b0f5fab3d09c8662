use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use bytes::Bytes;

use crate::tx::ReadSet;

/// The most bytes of recently committed keys that are remembered.
const MAX_WINDOW_BYTES: usize = 8 << 20;
/// What remembering one key costs beside its bytes, roughly.
const ENTRY_BYTES: usize = 96;

/// The keys that recent commits changed, so that a transaction can be told whether what it read still holds.
///
/// A transaction that read before the window's beginning can't be told, and so must run again.
#[derive(Debug, Default)]
pub(crate) struct Window {
    last_changed: BTreeMap<Bytes, u64>,
    commits: VecDeque<(u64, Vec<Bytes>)>,
    begins: u64,
    bytes: usize,
}

impl Window {
    /// A window for a store whose last commit is `version`.
    pub(crate) fn starting_at(version: u64) -> Self {
        Self { begins: version, ..Self::default() }
    }

    /// Whether something in `reads` changed after `read_version`, or may have.
    pub(crate) fn conflicts(&self, reads: &ReadSet, read_version: u64) -> bool {
        if read_version < self.begins {
            return true;
        }
        if self.commits.back().is_none_or(|(version, _)| *version <= read_version) {
            return false;
        }
        let changed_since = |version: &u64| *version > read_version;
        reads.keys().any(|key| self.last_changed.get(key).is_some_and(changed_since))
            || reads.ranges().iter().any(|(from, to)| {
                let range = (Bound::Included(from.as_ref()), Bound::Excluded(to.as_ref()));
                from < to
                    && self.last_changed.range::<[u8], _>(range).any(|(_, version)| changed_since(version))
            })
    }

    /// Remembers that the commit `version` changed `keys`.
    pub(crate) fn record(&mut self, version: u64, keys: Vec<Bytes>) {
        for key in &keys {
            self.bytes += key.len() + ENTRY_BYTES;
            self.last_changed.insert(key.clone(), version);
        }
        self.commits.push_back((version, keys));
        while self.bytes > MAX_WINDOW_BYTES {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((version, keys)) = self.commits.pop_front() else {
            return;
        };
        self.begins = version;
        for key in keys {
            self.bytes -= key.len() + ENTRY_BYTES;
            if self.last_changed.get(&key) == Some(&version) {
                self.last_changed.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(keys: &[&'static str], ranges: &[(&'static str, &'static str)]) -> ReadSet {
        let mut reads = ReadSet::default();
        keys.iter().for_each(|key| reads.key(Bytes::from(*key)));
        ranges.iter().for_each(|(from, to)| reads.range(Bytes::from(*from), Bytes::from(*to), 0));
        reads
    }

    #[test]
    fn a_key_changed_after_it_was_read_conflicts() {
        let mut window = Window::starting_at(4);
        window.record(5, vec![Bytes::from("a")]);
        assert!(window.conflicts(&reads(&["a"], &[]), 4));
        assert!(!window.conflicts(&reads(&["a"], &[]), 5));
        assert!(!window.conflicts(&reads(&["b"], &[]), 4));
    }

    #[test]
    fn a_row_that_appears_in_a_walked_stretch_conflicts() {
        let mut window = Window::starting_at(4);
        window.record(5, vec![Bytes::from("m")]);
        assert!(window.conflicts(&reads(&[], &[("a", "z")]), 4));
        assert!(window.conflicts(&reads(&[], &[("m", "n")]), 4));
        assert!(!window.conflicts(&reads(&[], &[("a", "m")]), 4));
        assert!(!window.conflicts(&reads(&[], &[("z", "a")]), 4));
    }

    #[test]
    fn the_window_is_bounded_and_who_read_before_it_runs_again() {
        let mut window = Window::starting_at(0);
        for version in 1..=20_000 {
            window.record(version, vec![Bytes::from(vec![b'k'; 2_000])]);
        }
        assert!(window.bytes <= MAX_WINDOW_BYTES);
        assert!(window.conflicts(&reads(&["other"], &[]), 1));
        assert!(!window.conflicts(&reads(&["other"], &[]), 19_999));
    }
}
