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
/// query string, which a plain image tag could carry, only for S3. A bucket or a deployed API may have a page at a
/// host of its own, `BUCKET.localhost`: nothing but S3 is called there, and not by a page.
pub fn may_be_used(
    peer: &Peer,
    headers: &HeaderMap,
    host: &str,
    origins: &Origins,
    service: &str,
    in_query: bool,
) -> bool {
    peer.address.ip().to_canonical().is_loopback()
        && peer.client.to_canonical().is_loopback()
        && peer.via == Via::Public
        && !was_forwarded(headers)
        && is_local_name(host)
        && origins.may_use_long_term_keys(origin(headers))
        && came_from_no_page(headers, host)
        && (service == "s3" || !in_query && has_no_pages(host))
}

/// Browsers say where a call comes from. What they send by themselves (a typed address) comes from no page, and at a
/// host without pages nobody's page is of the same origin.
fn came_from_no_page(headers: &HeaderMap, host: &str) -> bool {
    headers
        .get("sec-fetch-site")
        .is_none_or(|site| site == "none" || site == "same-origin" && has_no_pages(host))
}

/// What people upload acts as a page at hosts of its own alone, below these: here it is sandboxed.
fn has_no_pages(host: &str) -> bool {
    let name = bare(host);
    is_loopback(name) || name == "localhost" || name == "localhost.localstack.cloud"
}

/// Names that only this machine has; a rebound name of somebody's domain is none of them.
fn is_local_name(host: &str) -> bool {
    let name = bare(host);
    has_no_pages(host) || name.ends_with(".localhost") || name.ends_with(".localhost.localstack.cloud")
}

fn is_loopback(name: &str) -> bool {
    name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn bare(host: &str) -> &str {
    without_port(host).trim_start_matches('[').trim_end_matches(']')
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
        may_be_used(peer, &headers, host, &Origins::default(), "s3", false)
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
        assert!(may_be_used(&peer(), &headers, "127.0.0.1", &Origins::default(), "s3", true));
        assert!(!may_be_used(&peer(), &headers, "127.0.0.1", &Origins::default(), "iam", true));
        assert!(may_be_used(&peer(), &headers, "127.0.0.1", &Origins::default(), "iam", false));
    }

    #[test]
    fn a_page_in_a_bucket_may_not_at_a_host_of_its_own() {
        let same_origin = &[("sec-fetch-site", "same-origin")];
        assert!(allowed(&peer(), same_origin, "127.0.0.1:4566"));
        assert!(!allowed(&peer(), same_origin, "pages.localhost:4566"));
        let none = HeaderMap::new();
        for host in ["pages.localhost:4566", "a.execute-api.localhost", "pages.s3.localhost.localstack.cloud"]
        {
            assert!(may_be_used(&peer(), &none, host, &Origins::default(), "s3", false), "{host}");
            assert!(!may_be_used(&peer(), &none, host, &Origins::default(), "iam", false), "{host}");
        }
    }
}
