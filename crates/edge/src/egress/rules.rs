use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use ipnet::IpNet;

use super::addresses::{Reach, reach};
use super::reaches;

/// Who chose where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhoChose {
    /// The installation's owner, or whom the owner's policies let configure the target.
    Owner,
    /// Somebody else: a redirect, a document, a client.
    Others,
}

/// Which of the targets that are closed by default are open.
#[derive(Clone, Debug, Default)]
pub struct EgressRules {
    /// Private and loopback targets that the owner allows.
    pub allow: Vec<Allowed>,
    /// Whether every loopback target is allowed: with `--dev`.
    pub loopback: bool,
}

/// An entry of `egress.allow`: `HOST`, `ADDRESS` or `NETWORK`, each with or without `:PORT`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Allowed {
    place: Place,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Place {
    Network(IpNet),
    Host(String),
}

/// Why Homeport doesn't go there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowed {
    /// Link-local, metadata, multicast, unspecified or reserved.
    #[error("{0} is an address that is never connected to")]
    Never(IpAddr),
    /// A listener of Homeport's own.
    #[error("{0} is Homeport itself")]
    Own(SocketAddr),
    /// A private or loopback address that nobody allowed.
    #[error("{0} is a private address; `egress.allow` lists those that may be connected to")]
    Private(SocketAddr),
}

impl EgressRules {
    /// Whether `address`, to which `host` resolved, may be connected to.
    pub(super) fn check(
        &self,
        host: &str,
        address: SocketAddr,
        chosen: WhoChose,
        own: &[SocketAddr],
    ) -> Result<(), NotAllowed> {
        if own.iter().any(|listener| reaches(address, *listener)) {
            return Err(NotAllowed::Own(address));
        }
        let listed =
            || chosen == WhoChose::Owner && self.allow.iter().any(|allowed| allowed.covers(host, address));
        match reach(address.ip()) {
            Reach::Never => Err(NotAllowed::Never(address.ip())),
            Reach::Public => Ok(()),
            Reach::Loopback if self.loopback && chosen == WhoChose::Owner => Ok(()),
            Reach::Loopback | Reach::Private if listed() => Ok(()),
            Reach::Loopback | Reach::Private => Err(NotAllowed::Private(address)),
        }
    }
}

impl Allowed {
    fn covers(&self, host: &str, address: SocketAddr) -> bool {
        let here = match &self.place {
            Place::Network(network) => network.contains(&address.ip().to_canonical()),
            Place::Host(name) => name.eq_ignore_ascii_case(host),
        };
        here && self.port.is_none_or(|port| port == address.port())
    }
}

impl FromStr for Allowed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(place) = place(text) {
            return Ok(Self { place, port: None });
        }
        let refused = || format!("`{text}` is not a host, address or network, with or without a port");
        let (before, port) = text.rsplit_once(':').ok_or_else(refused)?;
        let place = place(before.trim_start_matches('[').trim_end_matches(']')).ok_or_else(refused)?;
        Ok(Self { place, port: Some(port.parse().map_err(|_| refused())?) })
    }
}

fn place(text: &str) -> Option<Place> {
    if let Ok(network) = text.parse::<IpNet>() {
        return Some(Place::Network(network.trunc()));
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(Place::Network(address.into()));
    }
    let formed = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    formed.then(|| Place::Host(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(allow: &[&str]) -> EgressRules {
        EgressRules { allow: allow.iter().map(|text| text.parse().unwrap()).collect(), loopback: false }
    }

    fn allows(rules: &EgressRules, host: &str, address: &str) -> bool {
        rules.check(host, address.parse().unwrap(), WhoChose::Owner, &[]).is_ok()
    }

    #[test]
    fn private_targets_are_closed_until_they_are_listed() {
        assert!(!allows(&rules(&[]), "db", "10.0.0.5:80"));
        assert!(allows(&rules(&["10.0.0.0/8"]), "db", "10.0.0.5:80"));
        assert!(allows(&rules(&["10.0.0.5:80"]), "db", "10.0.0.5:80"));
        assert!(!allows(&rules(&["10.0.0.5:80"]), "db", "10.0.0.5:81"));
        assert!(allows(&rules(&["db:80"]), "DB", "10.0.0.5:80"));
        assert!(!allows(&rules(&["db:80"]), "other", "10.0.0.5:80"));
        assert!(allows(&rules(&["[fd00::5]:80"]), "db", "[fd00::5]:80"));
        assert!(allows(&rules(&[]), "example.com", "1.1.1.1:443"));
    }

    #[test]
    fn no_list_opens_metadata_or_homeport_itself() {
        let all = rules(&["0.0.0.0/0", "::/0"]);
        assert!(!allows(&all, "metadata", "169.254.169.254:80"));
        assert!(!allows(&all, "metadata", "[::ffff:169.254.169.254]:80"));
        let own = ["0.0.0.0:4566".parse().unwrap()];
        let to = |address: &str| all.check("me", address.parse().unwrap(), WhoChose::Owner, &own);
        assert_eq!(to("127.0.0.1:4566"), Err(NotAllowed::Own("127.0.0.1:4566".parse().unwrap())));
        assert!(to("[::1]:4566").is_err());
        assert!(to("127.0.0.1:4567").is_ok());
    }

    #[test]
    fn what_others_chose_is_never_private() {
        let rules = EgressRules { loopback: true, ..rules(&["10.0.0.0/8"]) };
        let address = "10.0.0.5:80".parse().unwrap();
        assert!(rules.check("db", address, WhoChose::Owner, &[]).is_ok());
        assert!(rules.check("db", address, WhoChose::Others, &[]).is_err());
        assert!(rules.check("me", "127.0.0.1:80".parse().unwrap(), WhoChose::Owner, &[]).is_ok());
        assert!(rules.check("me", "127.0.0.1:80".parse().unwrap(), WhoChose::Others, &[]).is_err());
    }

    #[test]
    fn an_entry_that_is_none_is_an_error() {
        for text in ["", "a b", "10.0.0.0/8:x", "http://a", ":80"] {
            assert!(text.parse::<Allowed>().is_err(), "{text}");
        }
    }
}
