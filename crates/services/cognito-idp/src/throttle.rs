//! What anybody may ask for without a token or a password, from one address: fifty calls a second, two hundred at
//! once (security decision 17).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use homeport_core::Timestamp;
use homeport_service::Cx;

use crate::CognitoIdp;
use crate::error::IdpError;

/// Calls that an address may make at once.
const BURST: f64 = 200.0;
/// Calls a second that it may make on end.
const A_SECOND: f64 = 50.0;
/// Addresses that are remembered; when full, those with a full bucket are forgotten, then all.
const ADDRESSES: usize = 10_000;

/// A token bucket per address, in memory: a node that starts anew is lenient once.
#[derive(Default)]
pub(crate) struct AddressThrottle(Mutex<HashMap<Vec<u8>, Bucket>>);

struct Bucket {
    left: f64,
    at: Timestamp,
}

impl Bucket {
    fn refilled(&self, now: Timestamp) -> f64 {
        let seconds = (now.seconds_f64() - self.at.seconds_f64()).max(0.0);
        (self.left + seconds * A_SECOND).min(BURST)
    }
}

impl AddressThrottle {
    /// Takes one call of this address; false when it has none left.
    pub(crate) fn take(&self, address: IpAddr, now: Timestamp) -> bool {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= ADDRESSES {
            buckets.retain(|_, bucket| bucket.refilled(now) < BURST);
        }
        if buckets.len() >= ADDRESSES {
            buckets.clear();
        }
        let bucket = buckets.entry(counted_as(address)).or_insert(Bucket { left: BURST, at: now });
        let left = bucket.refilled(now);
        *bucket = Bucket { left: if left >= 1.0 { left - 1.0 } else { left }, at: now };
        left >= 1.0
    }
}

impl CognitoIdp {
    /// Refuses a call of an address that has made too many.
    pub(crate) fn throttled(&self, cx: &Cx<Self>) -> Result<(), IdpError> {
        let may = self.throttle.take(cx.caller().source.ip, cx.now());
        if may { Ok(()) } else { Err(IdpError::TooManyRequests) }
    }
}

/// What an address is counted as: itself, or its /64 for IPv6 (security decision 24).
pub(crate) fn counted_as(address: IpAddr) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets()[..8].to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_burst_of_two_hundred_and_then_fifty_a_second() {
        let throttle = AddressThrottle::default();
        let ann = address("192.0.2.1");
        assert_eq!((0..300).filter(|_| throttle.take(ann, NOW)).count(), 200);
        assert_eq!((0..300).filter(|_| throttle.take(ann, NOW.plus_seconds(1))).count(), 50);
        assert!(throttle.take(address("192.0.2.2"), NOW));
    }

    #[test]
    fn ipv6_is_counted_by_its_network() {
        assert_eq!(counted_as(address("2001:db8::1")), counted_as(address("2001:db8::ffff:2")));
        assert_ne!(counted_as(address("2001:db8::1")), counted_as(address("2001:db8:0:1::1")));
        assert_eq!(counted_as(address("::ffff:192.0.2.1")), counted_as(address("192.0.2.1")));
    }
}
