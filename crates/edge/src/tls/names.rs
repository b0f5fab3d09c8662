use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use rcgen::SanType;
use rcgen::string::Ia5String;

use super::TlsError;

/// The Android emulator's name for the machine it runs on.
const ANDROID_EMULATORS_HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);

/// The names and addresses that certificates are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    hosts: BTreeSet<String>,
    addresses: BTreeSet<IpAddr>,
}

impl Names {
    /// This machine's: `localhost`, loopback, the emulators' view of it, its name, its addresses; and the configured
    /// ones. A configured address is one too.
    pub fn of_this_machine(configured: &[String]) -> Self {
        let mut names = Self::local();
        names.hosts.extend(host_name());
        names.addresses.extend(machine_addresses());
        names.and_hosts(configured)
    }

    /// These and more; what is an address counts as one.
    #[must_use]
    pub fn and_hosts(mut self, more: &[String]) -> Self {
        for name in more {
            match name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
                Ok(address) => _ = self.addresses.insert(address),
                Err(_) => _ = self.hosts.insert(name.trim_end_matches('.').to_ascii_lowercase()),
            }
        }
        self
    }

    /// `localhost` and loopback alone, with 10.0.2.2.
    pub fn local() -> Self {
        let loopback =
            [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into(), ANDROID_EMULATORS_HOST.into()];
        Self { hosts: BTreeSet::from(["localhost".to_owned()]), addresses: BTreeSet::from(loopback) }
    }

    /// Only these hosts and no address.
    pub fn hosts_only(hosts: &[&str]) -> Self {
        Self { hosts: hosts.iter().map(|host| (*host).to_owned()).collect(), addresses: BTreeSet::new() }
    }

    /// These and one host more.
    pub(super) fn with_host(mut self, host: &str) -> Self {
        self.hosts.insert(host.to_owned());
        self
    }

    /// The hosts; each stands for its subdomains of one label too.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().map(String::as_str)
    }

    pub(super) fn subject_alternative_names(&self) -> Result<Vec<SanType>, TlsError> {
        // A wildcard over one label alone, such as `*.localhost`, is refused by browsers, Node and rustls.
        let wildcards = self.hosts.iter().filter(|host| host.contains('.')).map(|host| format!("*.{host}"));
        let hosts = self.hosts.iter().cloned().chain(wildcards);
        let hosts = hosts.map(|host| {
            let formed = host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._*".contains(&b));
            let text = formed.then(|| Ia5String::try_from(host.as_str()).ok()).flatten();
            text.map(SanType::DnsName).ok_or(TlsError::Name(host))
        });
        hosts.chain(self.addresses.iter().map(|address| Ok(SanType::IpAddress(*address)))).collect()
    }

    /// The hosts of these that no certificate of an authority for `permitted` could be for.
    pub(super) fn hosts_outside<'a>(&'a self, permitted: &'a [String]) -> impl Iterator<Item = &'a str> {
        let within = |host: &str| {
            permitted.iter().any(|name| {
                host == name || host.strip_suffix(name.as_str()).is_some_and(|h| h.ends_with('.'))
            })
        };
        self.hosts().filter(move |host| !within(host))
    }

    /// These names without the hosts and addresses that an authority for `permitted` may not certify.
    pub(super) fn within(&self, permitted: &[String], networks: &[IpNet]) -> Self {
        let outside: BTreeSet<&str> = self.hosts_outside(permitted).collect();
        Self {
            hosts: self.hosts.iter().filter(|host| !outside.contains(host.as_str())).cloned().collect(),
            addresses: self
                .addresses
                .iter()
                .filter(|address| networks.iter().any(|network| network.contains(*address)))
                .copied()
                .collect(),
        }
    }

    pub(super) fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.addresses.iter().copied()
    }
}

/// This machine's name, where it has one that certificates can hold.
pub fn host_name() -> Option<String> {
    let name = rustix::system::uname().nodename().to_str().ok()?.to_ascii_lowercase();
    let formed = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
    (formed && name.parse::<IpAddr>().is_err()).then_some(name)
}

/// This machine's own addresses, as Linux lists them; none where it doesn't.
pub fn machine_addresses() -> Vec<IpAddr> {
    let v4 = fs::read_to_string("/proc/net/fib_trie").unwrap_or_default();
    let v6 = fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
    let mut addresses: Vec<IpAddr> =
        local_v4(&v4).map(IpAddr::from).chain(v6.lines().filter_map(v6_of)).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// `|-- ADDRESS` with `/32 host LOCAL` on the line behind it.
fn local_v4(trie: &str) -> impl Iterator<Item = Ipv4Addr> {
    let pairs = trie.lines().zip(trie.lines().skip(1));
    let local = pairs.filter(|(_, behind)| behind.trim() == "/32 host LOCAL");
    local.filter_map(|(line, _)| line.trim().strip_prefix("|-- ")?.parse().ok())
}

/// Thirty-two hexadecimal digits, then interface, prefix, scope. Link-local ones need a zone, which no certificate has.
fn v6_of(line: &str) -> Option<IpAddr> {
    let digits = u128::from_str_radix(line.split_whitespace().next()?, 16).ok()?;
    let address = Ipv6Addr::from(digits);
    (!address.is_unicast_link_local()).then_some(address.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_tells_the_machines_addresses() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 10.1.2.0\n        /24 link UNICAST\n     |-- 10.1.2.3\n        /32 host LOCAL\n";
        assert_eq!(local_v4(trie).collect::<Vec<_>>(), [Ipv4Addr::new(10, 1, 2, 3)]);
        let line = "20010db8000000000000000000000001 02 40 00 80     eth0";
        assert_eq!(v6_of(line), Some("2001:db8::1".parse().unwrap()));
        assert_eq!(v6_of("fe800000000000000000000000000001 02 40 20 80 eth0"), None);
        assert!(machine_addresses().contains(&IpAddr::V4(Ipv4Addr::LOCALHOST)));
    }

    #[test]
    fn configured_names_and_addresses_are_covered() {
        let names =
            Names::of_this_machine(&["Api.Example.com".into(), "192.0.2.7".into(), "[2001:db8::1]".into()]);
        assert!(names.hosts().any(|host| host == "api.example.com"));
        assert!(names.addresses().any(|address| address.to_string() == "2001:db8::1"));
        assert!(names.hosts().any(|host| host == "localhost"));
        assert!(Names::of_this_machine(&["a b".into()]).subject_alternative_names().is_err());
    }

    #[test]
    fn what_an_authority_may_not_certify_is_left_out() {
        let names =
            Names::of_this_machine(&["api.example.com".into(), "badexample.com".into(), "192.0.2.7".into()]);
        let permitted = ["localhost".to_owned(), "example.com".to_owned()];
        assert!(names.hosts_outside(&permitted).any(|host| host == "badexample.com"));
        assert!(!names.hosts_outside(&permitted).any(|host| host == "api.example.com"));
        let within = names.within(&permitted, &["127.0.0.0/8".parse().unwrap()]);
        assert_eq!(within.hosts().collect::<Vec<_>>(), ["api.example.com", "localhost"]);
        assert!(!within.addresses().any(|address| address.to_string() == "192.0.2.7"));
    }
}
