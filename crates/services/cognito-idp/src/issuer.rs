//! By which names a pool is known (security decision 10).

use homeport_core::Region;
use homeport_service::Installation;

use crate::records::Pool;

/// `iss` of a pool's tokens, and `issuer` of its discovery document.
pub(crate) fn issuer(installation: &Installation, pool: &Pool) -> String {
    let (region, id) = (pool.pool.region(), &pool.pool.id);
    let kind =
        pool.settings.issuer_configuration.as_ref().and_then(|configuration| configuration.kind.as_deref());
    match kind {
        Some("UPDATED") => format!("https://issuer-cognito-idp.{region}.amazonaws.com/{id}"),
        Some(_) => format!("https://cognito-idp.{region}.amazonaws.com/{id}"),
        None if installation.aws_issuer => format!("https://cognito-idp.{region}.amazonaws.com/{id}"),
        None => format!("{}/{id}", installation.public_url()),
    }
}

/// Every `iss` under which this pool's tokens are accepted: each public URL the installation ever had, and AWS's
/// two names.
pub(crate) fn accepted_issuers(installation: &Installation, pool_id: &str) -> Vec<String> {
    let region = region_of(pool_id).unwrap_or_default();
    let ours = installation.public_urls.iter().map(|url| format!("{url}/{pool_id}"));
    let aws = ["cognito-idp", "issuer-cognito-idp"]
        .map(|name| format!("https://{name}.{region}.amazonaws.com/{pool_id}"));
    ours.chain(aws).collect()
}

/// The pool that an issuer or a provider's name denotes, with or without scheme; none when it is none of ours.
/// Whether the pool exists is another matter.
pub(crate) fn pool_of_issuer(installation: &Installation, issuer: &str) -> Option<String> {
    let bare = without_scheme(issuer);
    let (base, pool_id) = bare.rsplit_once('/')?;
    let region = region_of(pool_id)?;
    let ours = installation.public_urls.iter().any(|url| without_scheme(url) == base);
    let aws = ["cognito-idp", "issuer-cognito-idp"]
        .iter()
        .any(|name| base == format!("{name}.{region}.amazonaws.com"));
    (ours || aws).then(|| pool_id.to_owned())
}

/// The region that a pool's id begins with, if it is formed like one: `REGION_` and 9 letters and digits.
pub(crate) fn region_of(pool_id: &str) -> Option<&str> {
    let (region, name) = pool_id.rsplit_once('_')?;
    let formed = (1..=36).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric());
    (formed && Region::parse(region).is_some()).then_some(region)
}

fn without_scheme(url: &str) -> &str {
    url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use homeport_core::Account;

    use super::*;

    fn installation() -> Installation {
        Installation {
            account: Account::from_number(1),
            public_urls: vec!["https://api.example.com".into(), "http://127.0.0.1:4566".into()],
            aws_issuer: false,
            functions_url: None,
        }
    }

    #[test]
    fn every_name_a_pool_ever_had_denotes_it() {
        for name in [
            "https://api.example.com/us-east-1_AbCdEfGhI",
            "api.example.com/us-east-1_AbCdEfGhI",
            "http://127.0.0.1:4566/us-east-1_AbCdEfGhI",
            "127.0.0.1:4566/us-east-1_AbCdEfGhI",
            "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEfGhI",
            "cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEfGhI",
            "issuer-cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEfGhI",
        ] {
            assert_eq!(
                pool_of_issuer(&installation(), name).as_deref(),
                Some("us-east-1_AbCdEfGhI"),
                "{name}"
            );
        }
    }

    #[test]
    fn other_names_denote_nothing() {
        for name in [
            "",
            "us-east-1_AbCdEfGhI",
            "https://evil.example.com/us-east-1_AbCdEfGhI",
            "https://cognito-idp.eu-west-1.amazonaws.com/us-east-1_AbCdEfGhI",
            "https://cognito-idp.us-east-1.amazonaws.com.evil.example/us-east-1_AbCdEfGhI",
            "https://api.example.com/x/us-east-1_AbCdEfGhI",
            "https://api.example.com/accounts",
            "ftp://api.example.com/us-east-1_AbCdEfGhI",
        ] {
            assert_eq!(pool_of_issuer(&installation(), name), None, "{name}");
        }
    }
}
