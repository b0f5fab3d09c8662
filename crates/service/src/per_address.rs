use std::net::IpAddr;

use homeport_core::Timestamp;

use crate::SharedRates;

/// The bucket that newcomers share when too many addresses are busy. No address is written like this.
const NEWCOMERS: &str = "others";

/// A throttle per client address, for what anybody may call: over all nodes, within the bound of [`SharedRates`]. IPv6
/// counts by /64 (security decision 24). Of [`MOST_BUCKETS`](crate::MOST_BUCKETS) busy addresses newcomers share one.
pub struct PerAddress {
    rate: f64,
    burst: f64,
    rates: SharedRates,
}

impl PerAddress {
    /// So many calls a second from one address, and so many at once.
    pub fn new(rates: SharedRates, rate: f64, burst: f64) -> Self {
        Self { rate, burst, rates }
    }

    /// Whether one more call from this address may pass now.
    pub fn admits(&self, address: IpAddr, now: Timestamp) -> bool {
        let own = network_of(address).to_string();
        let name = if self.rates.has_room_for(&own, now) { &own } else { NEWCOMERS };
        self.rates.bucket(name, self.rate, self.burst, now).take(now)
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
        let limit = PerAddress::new(SharedRates::default(), 1.0, 2.0);
        let now = Timestamp::from_seconds(1);
        for n in 0..u32::try_from(crate::MOST_BUCKETS).unwrap() {
            limit.admits(IpAddr::from((0x0a00_0000 + n).to_be_bytes()), now);
        }
        let newcomers = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|address| address.parse().unwrap());
        assert_eq!(newcomers.iter().filter(|address| limit.admits(**address, now)).count(), 2);
        let later = now.plus_seconds(5);
        assert_eq!(newcomers.iter().filter(|address| limit.admits(**address, later)).count(), 3);
    }

    #[test]
    fn addresses_are_counted_apart_and_ipv6_by_network() {
        let limit = PerAddress::new(SharedRates::default(), 1.0, 2.0);
        let now = Timestamp::from_seconds(1);
        let admitted = |address: &str| (0..5).filter(|_| limit.admits(address.parse().unwrap(), now)).count();
        assert_eq!(admitted("192.0.2.1"), 2);
        assert_eq!(admitted("192.0.2.2"), 2);
        assert_eq!(admitted("2001:db8::1"), 2);
        assert_eq!(admitted("2001:db8::2"), 0);
        assert_eq!(admitted("::ffff:192.0.2.1"), 0);
    }
}
