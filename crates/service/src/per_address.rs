use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use homeport_core::{Timestamp, TokenBucket};

/// Addresses that are told apart at once; when more are busy, newcomers share one bucket.
const ADDRESSES: usize = 65_536;

/// A throttle per client address on this node, for what anybody may call. IPv6 counts by /64 (security decision 24).
pub struct PerAddress {
    rate: f64,
    burst: f64,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    buckets: HashMap<IpAddr, TokenBucket>,
    /// When full buckets were last forgotten: looking through all of them for every call would be a load of its own.
    swept: Timestamp,
}

impl PerAddress {
    /// So many calls a second from one address, and so many at once.
    pub fn new(rate: f64, burst: f64) -> Self {
        Self { rate, burst, known: Mutex::default() }
    }

    /// Whether one more call from this address may pass now.
    pub fn admits(&self, address: IpAddr, now: Timestamp) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Known { buckets, swept } = &mut *known;
        if buckets.len() >= ADDRESSES && swept.seconds() != now.seconds() {
            buckets.retain(|_, bucket| !bucket.is_full(now));
            *swept = now;
        }
        let shared = IpAddr::from([0, 0, 0, 0]);
        let key = network_of(address);
        let key = if buckets.len() >= ADDRESSES && !buckets.contains_key(&key) { shared } else { key };
        buckets.entry(key).or_insert_with(|| TokenBucket::new(self.rate, self.burst, now)).take(now)
    }
}

/// The address that stands for a client: an IPv4 address itself, an IPv6 address's first 64 bits.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newcomers_share_a_bucket_once_too_many_are_busy_and_it_passes() {
        let limit = PerAddress::new(1.0, 2.0);
        let now = Timestamp::from_seconds(1);
        for n in 0..u32::try_from(ADDRESSES).unwrap() {
            limit.admits(IpAddr::from((0x0a00_0000 + n).to_be_bytes()), now);
        }
        let newcomers = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|address| address.parse().unwrap());
        assert_eq!(newcomers.iter().filter(|address| limit.admits(**address, now)).count(), 2);
        let later = now.plus_seconds(5);
        assert_eq!(newcomers.iter().filter(|address| limit.admits(**address, later)).count(), 3);
    }

    #[test]
    fn addresses_are_counted_apart_and_ipv6_by_network() {
        let limit = PerAddress::new(1.0, 2.0);
        let now = Timestamp::from_seconds(1);
        let admitted = |address: &str| (0..5).filter(|_| limit.admits(address.parse().unwrap(), now)).count();
        assert_eq!(admitted("192.0.2.1"), 2);
        assert_eq!(admitted("192.0.2.2"), 2);
        assert_eq!(admitted("2001:db8::1"), 2);
        assert_eq!(admitted("2001:db8::2"), 0);
        assert_eq!(admitted("::ffff:192.0.2.1"), 0);
    }
}
