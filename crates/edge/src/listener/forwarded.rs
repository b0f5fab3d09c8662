use std::net::IpAddr;

use http::HeaderMap;
use ipnet::IpNet;

/// The proxies whose word on a client's address and scheme counts (security decision 24). Empty by default.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// The proxies at these addresses and networks.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this is one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client's address: `peer`, or, where that is a trusted proxy, the right-most address of
    /// `X-Forwarded-For` that is none. What can't be read ends the search at the last address known.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        // By bytes: a line that is no text as a whole must not take away what a proxy wrote behind it.
        let lines = headers.get_all("x-forwarded-for").into_iter();
        let mut hops: Vec<&[u8]> =
            lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b',')).collect();
        while self.contains(client) {
            let hop = hops.pop().and_then(|hop| std::str::from_utf8(hop).ok());
            let Some(hop) = hop.and_then(address_of) else { break };
            client = hop;
        }
        client
    }

    /// Whether the client spoke TLS: to us, or, by `X-Forwarded-Proto`, to the trusted proxy before us.
    pub fn secure(&self, peer: IpAddr, tls: bool, headers: &HeaderMap) -> bool {
        let said =
            headers.get_all("x-forwarded-proto").into_iter().next_back().map(http::HeaderValue::as_bytes);
        match said.and_then(|line| line.rsplit(|byte| *byte == b',').next()) {
            Some(scheme) if self.contains(peer) => scheme.trim_ascii().eq_ignore_ascii_case(b"https"),
            _ => tls,
        }
    }
}

/// An address with or without a port: `192.0.2.7`, `192.0.2.7:80`, `2001:db8::1`, `[2001:db8::1]:443`.
fn address_of(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.trim_start_matches('[').split(']').next().unwrap_or(text);
    let parsed =
        bare.parse::<IpAddr>().ok().or_else(|| Some(text.parse::<std::net::SocketAddr>().ok()?.ip()));
    parsed.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, lines: &[&str]) -> String {
        let proxies =
            TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()]);
        let headers = lines.iter().map(|line| ("x-forwarded-for".parse().unwrap(), bytes(line))).collect();
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    /// Latin-1, so that bytes can be written that are no text.
    fn bytes(line: &str) -> http::HeaderValue {
        http::HeaderValue::from_bytes(&line.chars().map(|c| u8::try_from(c).unwrap()).collect::<Vec<_>>())
            .unwrap()
    }

    #[test]
    fn bytes_that_are_no_text_hide_nobody() {
        assert_eq!(client("10.0.0.1", &["\u{e9}, 198.51.100.9"]), "198.51.100.9");
        assert_eq!(client("10.0.0.1", &["10.9.9.9", "\u{e9}, 198.51.100.9, 10.0.0.2"]), "198.51.100.9");
        assert_eq!(client("10.0.0.1", &["198.51.100.9, \u{e9}"]), "10.0.0.1");
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        assert_eq!(client("192.0.2.1", &["198.51.100.9"]), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &["198.51.100.9"]), "198.51.100.9");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn what_the_client_wrote_itself_does_not_count() {
        assert_eq!(client("10.0.0.1", &["127.0.0.1, 198.51.100.9, 10.0.0.2"]), "198.51.100.9");
        assert_eq!(client("10.0.0.1", &["127.0.0.1", "198.51.100.9"]), "198.51.100.9");
        assert_eq!(client("10.0.0.1", &["127.0.0.1, garbage"]), "10.0.0.1");
        assert_eq!(client("::ffff:10.0.0.1", &["[2001:db8::5]:443, 198.51.100.9:81"]), "198.51.100.9");
        assert_eq!(client("10.0.0.1", &["[2001:db8::5]:443"]), "2001:db8::5");
    }

    #[test]
    fn the_scheme_is_the_proxys_word_or_our_own() {
        let proxies = TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
        let https = [("x-forwarded-proto".parse().unwrap(), "https".parse().unwrap())].into_iter().collect();
        let none = HeaderMap::new();
        let (proxy, other) = ("10.0.0.1".parse().unwrap(), "192.0.2.1".parse().unwrap());
        assert!(proxies.secure(proxy, false, &https));
        assert!(!proxies.secure(other, false, &https));
        assert!(proxies.secure(other, true, &none));
        let http =
            [("x-forwarded-proto".parse().unwrap(), "https, http".parse().unwrap())].into_iter().collect();
        assert!(!proxies.secure(proxy, true, &http));
    }
}
