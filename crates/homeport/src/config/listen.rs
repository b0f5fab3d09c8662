use std::net::{IpAddr, SocketAddr};

use homeport_edge::listener::TrustedProxies;
use ipnet::IpNet;

use super::given::{boolean, each, number, one};
use super::{Section, Setting};

/// The default address of AWS calls: LocalStack's, so that its tools find it.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 4566);

/// Where Homeport is reached.
#[derive(Clone, Debug)]
pub(crate) struct Listen {
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) public_url: Option<String>,
    pub(crate) names: Vec<String>,
    pub(crate) console: ConsoleAddress,
    pub(crate) functions: SocketAddr,
    pub(crate) origins: Vec<String>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) proxy_protocol: Vec<SocketAddr>,
    pub(crate) plain_behind_proxy: bool,
    pub(crate) drain_seconds: u16,
}

/// Where the console is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConsoleAddress {
    /// 127.0.0.1:4567, or a free port where that is taken.
    Default,
    /// There, or not at all.
    At(SocketAddr),
    /// Nowhere.
    Off,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            addresses: vec![DEFAULT_LISTEN],
            public_url: None,
            names: Vec::new(),
            console: ConsoleAddress::Default,
            functions: SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0),
            origins: Vec::new(),
            trusted_proxies: Vec::new(),
            proxy_protocol: Vec::new(),
            plain_behind_proxy: false,
            drain_seconds: 0,
        }
    }
}

impl Listen {
    /// The proxies that are believed.
    pub(crate) fn proxies(&self) -> TrustedProxies {
        TrustedProxies::new(self.trusted_proxies.clone())
    }

    /// The names that certificates are for and calls may name: the configured ones and the public URL's.
    pub(crate) fn own_names(&self) -> Vec<String> {
        let public = self.public_url.as_deref().and_then(host_of);
        self.names.iter().cloned().chain(public).collect()
    }

    pub(super) fn check(&self, dev: bool, problems: &mut Vec<String>) {
        if dev {
            for address in self.addresses.iter().filter(|address| !address.ip().is_loopback()) {
                problems.push(format!(
                    "--dev: its keys are known to everyone, so it listens on loopback only, not on {address}"
                ));
            }
            if !self.trusted_proxies.is_empty() {
                problems.push("--dev: its keys are known to everyone, so it trusts no proxy".to_owned());
            }
        }
        if self.plain_behind_proxy && self.trusted_proxies.is_empty() {
            problems
                .push("listen.plain_behind_proxy: listen.trusted_proxies must name the proxies".to_owned());
        }
        if !self.proxy_protocol.is_empty() && self.trusted_proxies.is_empty() {
            problems.push("listen.proxy_protocol: listen.trusted_proxies must name the proxies".to_owned());
        }
        for address in self.proxy_protocol.iter().filter(|address| !self.addresses.contains(address)) {
            problems.push(format!("listen.proxy_protocol: {address} is not one of listen.addresses"));
        }
        if !self.functions.ip().is_loopback() {
            problems.push(format!(
                "listen.functions: functions are on this machine, and speak plainly too; {} is not loopback",
                self.functions
            ));
        }
        if let ConsoleAddress::At(address) = self.console
            && !address.ip().is_loopback()
        {
            problems
                .push(format!("listen.console: the console is for this machine; {address} is not loopback"));
        }
    }
}

fn host_of(url: &str) -> Option<String> {
    url.parse::<http::Uri>().ok()?.host().map(str::to_owned)
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("`{text}` is not ADDRESS:PORT, as 127.0.0.1:4566 or [::1]:4566"))
}

/// `http://HOST[:PORT][/PATH]` or with https, without a slash at its end.
fn public_url(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('/');
    let url: http::Uri = text.parse().map_err(|_| format!("`{text}` is not a URL"))?;
    let formed = matches!(url.scheme_str(), Some("http" | "https"))
        && url.authority().is_some_and(|authority| !authority.as_str().contains('@'))
        && url.query().is_none();
    if formed {
        Ok(text.to_owned())
    } else {
        Err(format!("`{text}` is not http://HOST[:PORT] or https://HOST[:PORT]"))
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    network.map_err(|_| format!("`{text}` is not an address or a network, as 10.0.0.0/8"))
}

pub(super) const SECTION: Section = Section {
    name: "listen",
    about: "Where Homeport is reached. Every address takes TLS and, from this machine, plain HTTP on the same port.",
    settings: &[
        Setting {
            path: "listen.addresses",
            flag: Some("--listen"),
            default: "`127.0.0.1:4566`",
            about: "Addresses for AWS calls, deployed APIs and sign-in pages; the flag may be repeated. Port 0 is a free \
                    one. Production wants `0.0.0.0:443`: mobile clients keep no other port.",
            set: |config, values| {
                config.listen.addresses = each(values, address)?;
                if config.listen.addresses.is_empty() {
                    Err("one address at least is expected".to_owned())
                } else {
                    Ok(())
                }
            },
        },
        Setting {
            path: "listen.public_url",
            flag: Some("--public-url"),
            default: "`http://` and the first address of the first start",
            about: "The URL by which clients know this installation: tokens are issued under it. Production wants \
                    `https://` and its name. A URL that was used before goes on to denote the same user pools.",
            set: |config, values| {
                config.listen.public_url = Some(public_url(one(values)?)?);
                Ok(())
            },
        },
        Setting {
            path: "listen.names",
            flag: None,
            default: "none",
            about: "Further host names (with all below them) and addresses that calls may name and certificates are for.",
            set: |config, values| {
                config.listen.names = values.to_vec();
                Ok(())
            },
        },
        Setting {
            path: "listen.console",
            flag: Some("--console"),
            default: "`127.0.0.1:4567`, or a free port where that is taken",
            about: "Where the console and the outbox are, on loopback; `off` for nowhere.",
            set: |config, values| {
                config.listen.console = match one(values)? {
                    "off" => ConsoleAddress::Off,
                    text => ConsoleAddress::At(address(text)?),
                };
                Ok(())
            },
        },
        Setting {
            path: "listen.functions",
            flag: None,
            default: "`127.0.0.1:0`",
            about: "Where functions reach Homeport, on loopback. Nobody else needs to.",
            set: |config, values| {
                config.listen.functions = address(one(values)?)?;
                Ok(())
            },
        },
        Setting {
            path: "listen.origins",
            flag: None,
            default: "none",
            about: "Origins of web pages that may use long-term access keys. Public operations and temporary credentials \
                    answer pages of any origin.",
            set: |config, values| {
                config.listen.origins = values.to_vec();
                Ok(())
            },
        },
        Setting {
            path: "listen.trusted_proxies",
            flag: None,
            default: "none",
            about: "Addresses and networks of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.",
            set: |config, values| {
                config.listen.trusted_proxies = each(values, network)?;
                Ok(())
            },
        },
        Setting {
            path: "listen.proxy_protocol",
            flag: None,
            default: "none",
            about: "Those of the addresses on which each connection begins with a PROXY protocol header (version 2).",
            set: |config, values| {
                config.listen.proxy_protocol = each(values, address)?;
                Ok(())
            },
        },
        Setting {
            path: "listen.drain_seconds",
            flag: None,
            default: "`0`",
            about: "How long a server that is asked to end (SIGTERM) goes on taking requests while `/_homeport/ready` says \
                    no. Behind a balancer: longer than it takes to notice, as 5; a second signal cuts it short.",
            set: |config, values| {
                config.listen.drain_seconds = number(values, 0, 300)?;
                Ok(())
            },
        },
        Setting {
            path: "listen.plain_behind_proxy",
            flag: Some("--plain-behind-proxy"),
            default: "`false`",
            about: "Whether the trusted proxies may speak plain HTTP from another machine: for a proxy that ends TLS.",
            set: |config, values| {
                config.listen.plain_behind_proxy = boolean(values)?;
                Ok(())
            },
        },
    ],
};
