use http::HeaderMap;
use http::request::Parts;

use crate::aws_host::{AWS, S3Host};

/// The names this installation answers to. Any address is one, and so are the names of this machine's loopback; a
/// name of somebody else's domain that was pointed here is not (security decision 23).
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    names: Vec<String>,
}

impl Hosts {
    /// With the configured names, such as `api.example.com`; their sub-domains count too.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        Self { names: names.into_iter().map(|name| name.to_ascii_lowercase()).collect() }
    }

    /// Whether calls for this host (without port, in lower case) are answered; others get 421.
    pub fn knows(&self, host: &str) -> bool {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        bare.parse::<std::net::IpAddr>().is_ok()
            || ["localhost", "localhost.localstack.cloud", AWS].iter().any(|name| is_or_is_below(host, name))
            || self.names.iter().any(|name| is_or_is_below(host, name))
    }

    /// What stands before the service's part in an S3 host, if it is one: the bucket of `BUCKET.s3.HOST`,
    /// `BUCKET.s3.REGION.HOST`, `BUCKET.s3-REGION.HOST` and `BUCKET.HOST` for each of our names.
    pub fn bucket_of<'h>(&self, host: &'h str) -> Option<&'h str> {
        if host.parse::<std::net::IpAddr>().is_ok() {
            return None;
        }
        let known = ["localhost", "localhost.localstack.cloud", AWS];
        let base = known
            .into_iter()
            .chain(self.names.iter().map(String::as_str))
            .find(|b| is_or_is_below(host, b))?;
        let before = host.strip_suffix(base)?.strip_suffix('.')?;
        match S3Host::read(before) {
            Some(s3) => Some(s3.bucket).filter(|bucket| !bucket.is_empty()),
            None if base == AWS || is_a_services_name(before) => None,
            None => Some(before),
        }
    }
}

/// `API.execute-api.…`, `cognito-idp.REGION`, `dynamodb`: names of services aren't buckets.
fn is_a_services_name(before: &str) -> bool {
    const SERVICES: [&str; 12] = [
        "execute-api",
        "cognito-idp",
        "cognito-identity",
        "dynamodb",
        "lambda",
        "iam",
        "sts",
        "logs",
        "apigateway",
        "cloudtrail",
        "s3-website",
        "cognito-sync",
    ];
    before.split('.').any(|label| SERVICES.contains(&label))
}

fn is_or_is_below(host: &str, name: &str) -> bool {
    host.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// The host a call is for, in lower case and without its port: `:authority` of HTTP/2, else `Host`.
/// None when there is none, or two that differ.
pub fn host_of(head: &Parts) -> Option<String> {
    let header = single(&head.headers, "host")?;
    let authority = head.uri.authority().map(http::uri::Authority::as_str);
    let host = match (authority, header) {
        (Some(a), Some(h)) if !a.eq_ignore_ascii_case(h) => return None,
        (Some(host), _) | (None, Some(host)) => host,
        (None, None) => return None,
    };
    let bare = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    (!bare.is_empty() && !bare.contains(['@', '/'])).then(|| bare.to_ascii_lowercase())
}

/// The one value of a header; `None` outside when it stands twice or isn't text, inside when it is absent.
fn single<'h>(headers: &'h HeaderMap, name: &str) -> Option<Option<&'h str>> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Some(None),
        (Some(value), None) => value.to_str().ok().map(Some),
        (Some(_), Some(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts() -> Hosts {
        Hosts::new(["Home.Example.org".to_owned()])
    }

    #[test]
    fn addresses_and_own_names_are_known_and_others_are_not() {
        for host in [
            "127.0.0.1",
            "[::1]",
            "localhost",
            "photos.localhost",
            "home.example.org",
            "a.home.example.org",
            "s3.localhost.localstack.cloud",
            "cognito-idp.us-east-1.amazonaws.com",
        ] {
            assert!(hosts().knows(host), "{host}");
        }
        for host in ["evil.example", "nothome.example.org", "localhost.evil.example", "xlocalhost"] {
            assert!(!hosts().knows(host), "{host}");
        }
    }

    #[test]
    fn a_bucket_is_found_in_every_form_of_host() {
        let cases = [
            ("photos.localhost", Some("photos")),
            ("photos.s3.localhost", Some("photos")),
            ("my.photos.s3.us-east-1.amazonaws.com", Some("my.photos")),
            ("photos.s3-eu-west-1.amazonaws.com", Some("photos")),
            ("s3.localhost.localstack.cloud", None),
            ("photos.s3.localhost.localstack.cloud", Some("photos")),
            ("s3.us-east-1.amazonaws.com", None),
            ("s3-us-west-2.amazonaws.com", None),
            ("photos.s3.dualstack.us-west-2.amazonaws.com", Some("photos")),
            ("lambda.s3.eu-west-1.amazonaws.com", Some("lambda")),
            ("lambda.eu-west-1.amazonaws.com", None),
            ("s3.photos.s3.eu-west-1.localhost", Some("s3.photos")),
            ("my.s3.photos.localhost", Some("my.s3.photos")),
            ("dynamodb.us-east-1.amazonaws.com", None),
            ("abc123.execute-api.localhost", None),
            ("127.0.0.1", None),
            ("localhost", None),
            ("photos.home.example.org", Some("photos")),
        ];
        for (host, bucket) in cases {
            assert_eq!(hosts().bucket_of(host), bucket, "{host}");
        }
    }

    #[test]
    fn two_hosts_are_no_host() {
        let two = http::Request::builder().uri("/").header("host", "a").header("host", "b").body(()).unwrap();
        assert_eq!(host_of(&two.into_parts().0), None);
        let with_port =
            http::Request::builder().uri("/").header("host", "Photos.LocalHost:4566").body(()).unwrap();
        assert_eq!(host_of(&with_port.into_parts().0).as_deref(), Some("photos.localhost"));
    }
}
