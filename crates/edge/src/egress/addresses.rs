use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How an address is to be treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// On the open Internet.
    Public,
    /// This machine.
    Loopback,
    /// Somebody's own network.
    Private,
    /// Link-local, metadata, multicast, unspecified, reserved: never.
    Never,
}

/// Instance metadata that is not link-local: AWS by IPv6, Alibaba, Oracle.
const METADATA_V4: [Ipv4Addr; 2] = [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192)];
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254);

pub(super) fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(v4) => reach_v4(v4),
        IpAddr::V6(v6) => embedded(v6).map_or_else(|| reach_v6(v6), reach_v4),
    }
}

fn reach_v4(v4: Ipv4Addr) -> Reach {
    let [a, b, c, _] = v4.octets();
    let never = v4.is_link_local() || v4.is_multicast() || v4.is_broadcast() || METADATA_V4.contains(&v4);
    if never || a == 0 || a >= 240 {
        Reach::Never
    } else if v4.is_loopback() {
        Reach::Loopback
    } else if v4.is_private()
        || (a == 100 && b & 0xc0 == 64)
        || (a, b, c) == (192, 0, 0)
        || (a == 198 && b & 0xfe == 18)
        || v4.is_documentation()
    {
        Reach::Private
    } else {
        Reach::Public
    }
}

fn reach_v6(v6: Ipv6Addr) -> Reach {
    let documentation = v6.segments()[..2] == [0x2001, 0x0db8];
    if v6.is_unspecified() || v6.is_multicast() || v6.is_unicast_link_local() || v6 == METADATA_V6 {
        Reach::Never
    } else if v6.is_loopback() {
        Reach::Loopback
    } else if v6.is_unique_local() || documentation {
        Reach::Private
    } else if v6.segments()[0] & 0xe000 == 0x2000 {
        Reach::Public
    } else {
        // Outside global unicast (2000::/3): site-local, discard and whatever is reserved.
        Reach::Never
    }
}

/// The IPv4 address that an IPv6 one leads to: mapped, compatible, NAT64, 6to4 or Teredo.
fn embedded(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = v6.segments();
    let of = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match s {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => Some(of(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x64, 0xff9b, 1, _, _, _, high, low] => Some(of(high, low)),
        [0x2002, high, low, ..] => Some(of(high, low)),
        [0x2001, 0, .., high, low] => Some(of(!high, !low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each(addresses: &[&str], expected: Reach) {
        for address in addresses {
            assert_eq!(reach(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn metadata_and_what_no_one_serves_at_is_never_reached() {
        let never = [
            "169.254.169.254",
            "169.254.170.2",
            "100.100.100.200",
            "192.0.0.192",
            "fd00:ec2::254",
            "fe80::1",
            "0.0.0.0",
            "0.1.2.3",
            "255.255.255.255",
            "224.0.0.1",
            "240.0.0.1",
            "::",
            "ff02::1",
            "fec0::1",
            "100::1",
        ];
        each(&never, Reach::Never);
    }

    #[test]
    fn an_address_within_an_address_counts() {
        let never = [
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "::ffff:0:169.254.169.254",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::169.254.169.254",
            "2002:a9fe:a9fe::1",
            "2001:0:1:2:3:4:5601:5601",
        ];
        each(&never, Reach::Never);
        each(&["::ffff:127.0.0.1", "64:ff9b::7f00:1"], Reach::Loopback);
        each(&["::ffff:10.1.2.3", "2002:0a01:0203::"], Reach::Private);
    }

    #[test]
    fn own_networks_are_private_and_the_rest_is_public() {
        each(&["127.0.0.1", "127.255.0.1", "::1"], Reach::Loopback);
        each(
            &["10.0.0.1", "172.31.0.1", "192.168.1.1", "100.64.0.1", "198.19.0.1", "fd12::1"],
            Reach::Private,
        );
        each(&["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111"], Reach::Public);
    }
}
