//! The development keys of `--dev`, and when they count (security decision 20).

use http::HeaderMap;

use crate::cors::{Origins, origin, was_forwarded};
use crate::{Peer, Via};

/// The development access key id of `--dev`.
pub const ACCESS_KEY_ID: &str = "test";
/// Its secret: public, so that everything below must hold before it counts.
pub const SECRET_ACCESS_KEY: &str = "test";

/// Whether a call may use the development keys (security decision 20): only what a program on this very
/// machine sends straight to us. A web page, a function or a proxied caller can't use them; a signature in the
/// query string, which a plain image tag could carry, only for S3.
pub fn may_be_used(
    peer: &Peer,
    headers: &HeaderMap,
    host: &str,
    origins: &Origins,
    query_for: Option<&str>,
) -> bool {
    peer.address.ip().to_canonical().is_loopback()
        && peer.client.to_canonical().is_loopback()
        && peer.via == Via::Public
        && !was_forwarded(headers)
        && is_local_name(host)
        && origins.may_use_long_term_keys(origin(headers))
        && came_from_no_other_site(headers)
        && query_for.is_none_or(|service| service == "s3")
}

fn came_from_no_other_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_none_or(|site| site == "none" || site == "same-origin")
}

/// Names that only this machine has; a rebound name of somebody's domain is none of them.
fn is_local_name(host: &str) -> bool {
    let name = without_port(host).trim_start_matches('[').trim_end_matches(']');
    let loopback = name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    loopback
        || name == "localhost"
        || name.ends_with(".localhost")
        || name.ends_with("localhost.localstack.cloud")
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer() -> Peer {
        let address = "127.0.0.1:50000".parse().unwrap();
        Peer { address, client: address.ip(), secure: false, via: Via::Public }
    }

    fn allowed(peer: &Peer, headers: &[(&'static str, &'static str)], host: &str) -> bool {
        let headers = headers.iter().map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap())).collect();
        may_be_used(peer, &headers, host, &Origins::default(), None)
    }

    #[test]
    fn a_program_on_this_machine_may_use_them() {
        for host in ["127.0.0.1:4566", "localhost:4566", "[::1]:4566", "photos.localhost:4566"] {
            assert!(allowed(&peer(), &[], host), "{host}");
        }
    }

    #[test]
    fn a_web_page_a_rebound_host_a_proxy_and_a_function_may_not() {
        assert!(!allowed(&peer(), &[("origin", "https://evil.example")], "127.0.0.1"));
        assert!(!allowed(&peer(), &[("sec-fetch-site", "cross-site")], "127.0.0.1"));
        assert!(!allowed(&peer(), &[("x-forwarded-for", "127.0.0.1")], "127.0.0.1"));
        assert!(!allowed(&peer(), &[("forwarded", "for=127.0.0.1")], "127.0.0.1"));
        assert!(!allowed(&peer(), &[], "rebound.evil.example:4566"));
        assert!(!allowed(&Peer { via: Via::Functions, ..peer() }, &[], "127.0.0.1"));
        let far = "192.0.2.7:1".parse().unwrap();
        assert!(!allowed(&Peer { address: far, client: far.ip(), ..peer() }, &[], "127.0.0.1"));
    }

    #[test]
    fn a_query_string_may_only_for_s3() {
        let headers = HeaderMap::new();
        assert!(may_be_used(&peer(), &headers, "127.0.0.1", &Origins::default(), Some("s3")));
        assert!(!may_be_used(&peer(), &headers, "127.0.0.1", &Origins::default(), Some("iam")));
    }
}
