use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::listener::Limits;

/// Counts the connections that are open, in all and by address.
#[derive(Debug)]
pub(crate) struct Connections {
    most: usize,
    most_per_address: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A connection that is counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Counted {
    connections: Arc<Connections>,
    address: Option<IpAddr>,
}

impl Connections {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        let (most, most_per_address) = (limits.connections, limits.connections_per_address);
        Arc::new(Self { most, most_per_address, open: Mutex::default() })
    }

    /// Counts one more; `None` when there are as many as there may be. A trusted proxy counts in the total alone.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr, trusted: bool) -> Option<Counted> {
        let address = (!trusted).then(|| network_of(address));
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.total >= self.most {
            return None;
        }
        if let Some(address) = address {
            let here = open.by_address.entry(address).or_default();
            if *here >= self.most_per_address {
                return None;
            }
            *here += 1;
        }
        open.total += 1;
        Some(Counted { connections: self.clone(), address })
    }

    #[cfg(test)]
    pub(super) fn total(&self) -> usize {
        self.open.lock().unwrap().total
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut open = self.connections.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.total -= 1;
        let Some(address) = self.address else { return };
        if let Some(here) = open.by_address.get_mut(&address) {
            *here -= 1;
            if *here == 0 {
                open.by_address.remove(&address);
            }
        }
    }
}

/// Who shares a count: an IPv4 address, or the /64 that an IPv6 customer is given.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn connections_are_counted_by_address_and_in_all() {
        let limits = Limits { connections: 3, connections_per_address: 2, ..Limits::default() };
        let connections = Connections::new(&limits);
        let first = connections.admit(address("192.0.2.1"), false).unwrap();
        let _second = connections.admit(address("::ffff:192.0.2.1"), false).unwrap();
        assert!(connections.admit(address("192.0.2.1"), false).is_none());
        let _third = connections.admit(address("192.0.2.2"), false).unwrap();
        assert!(connections.admit(address("192.0.2.3"), false).is_none());
        drop(first);
        assert!(connections.admit(address("192.0.2.1"), false).is_some());
        assert_eq!(connections.total(), 2);
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one() {
        let connections = Connections::new(&Limits { connections_per_address: 1, ..Limits::default() });
        let _held = connections.admit(address("2001:db8::1"), false).unwrap();
        assert!(connections.admit(address("2001:db8::ffff:1"), false).is_none());
        assert!(connections.admit(address("2001:db8:0:1::1"), false).is_some());
        assert!(connections.admit(address("2001:db8::1"), true).is_some());
    }
}
