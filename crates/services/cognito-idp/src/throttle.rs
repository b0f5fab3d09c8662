//! What anybody may ask for without a token or a password, from one address: fifty calls a second, two hundred at
//! once (security decision 17).

use std::net::IpAddr;

use homeport_service::{Cx, PerAddress, SharedRates, network_of};

use crate::CognitoIdp;
use crate::error::IdpError;

/// Calls that an address may make at once.
const BURST: f64 = 200.0;
/// Calls a second that it may make on end.
const A_SECOND: f64 = 50.0;

/// The throttle of open operations, in memory: a node that starts anew is lenient once.
pub(crate) fn of_open_operations(rates: SharedRates) -> PerAddress {
    PerAddress::new(rates, A_SECOND, BURST)
}

impl CognitoIdp {
    /// Refuses a call of an address that has made too many.
    pub(crate) fn throttled(&self, cx: &Cx<Self>) -> Result<(), IdpError> {
        let may = self.throttle.admits(cx.caller().source.ip, cx.now());
        if may { Ok(()) } else { Err(IdpError::TooManyRequests) }
    }
}

/// What an address is counted as: itself, or its /64 for IPv6 (security decision 24).
pub(crate) fn counted_as(address: IpAddr) -> Vec<u8> {
    match network_of(address) {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets()[..8].to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use homeport_core::Timestamp;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_burst_of_two_hundred_and_then_fifty_a_second() {
        let throttle = of_open_operations(SharedRates::default());
        let ann = address("192.0.2.1");
        assert_eq!((0..300).filter(|_| throttle.admits(ann, NOW)).count(), 200);
        assert_eq!((0..300).filter(|_| throttle.admits(ann, NOW.plus_seconds(1))).count(), 50);
        assert!(throttle.admits(address("192.0.2.2"), NOW));
    }

    #[test]
    fn many_other_addresses_do_not_give_a_spent_one_anything_back() {
        let throttle = of_open_operations(SharedRates::default());
        let ann = address("192.0.2.1");
        while throttle.admits(ann, NOW) {}
        for network in 0..70_000_u32 {
            let [_, a, b, c] = network.to_be_bytes();
            throttle.admits(IpAddr::from([0x20, 1, 0xd, 0xb8, 0, a, b, c, 0, 0, 0, 0, 0, 0, 0, 1]), NOW);
        }
        assert!(!throttle.admits(ann, NOW));
    }

    #[test]
    fn ipv6_is_counted_by_its_network() {
        assert_eq!(counted_as(address("2001:db8::1")), counted_as(address("2001:db8::ffff:2")));
        assert_ne!(counted_as(address("2001:db8::1")), counted_as(address("2001:db8:0:1::1")));
        assert_eq!(counted_as(address("::ffff:192.0.2.1")), counted_as(address("192.0.2.1")));
    }
}
