use homeport_cognito_idp::SignInLimits;

use super::given::{number, one};
use super::{Section, Setting};

/// User pools.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cognito {
    pub(crate) issuer: Issuer,
    pub(crate) sign_in: SignInLimits,
}

/// What `iss` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Issuer {
    /// `PUBLIC_URL/POOL`
    #[default]
    PublicUrl,
    /// `https://cognito-idp.REGION.amazonaws.com/POOL`
    Aws,
}

pub(super) const SECTION: Section = Section {
    name: "cognito",
    about: "User pools.",
    settings: &[
        Setting {
            path: "cognito.issuer",
            flag: None,
            default: "`public-url`",
            about: "What tokens name as their issuer: `public-url` for the public URL and the pool's id, which every OIDC \
                library can fetch keys from; `aws` for AWS's own form, which verifiers that only know AWS insist on.",
            set: |config, values| {
                config.cognito.issuer = match one(values)? {
                    "public-url" => Issuer::PublicUrl,
                    "aws" => Issuer::Aws,
                    _ => return Err("`public-url` or `aws` is expected".to_owned()),
                };
                Ok(())
            },
        },
        Setting {
            path: "cognito.locks_from",
            flag: None,
            default: "`5`",
            about: "The wrong password in a row that locks a user first, from 2 to 100.",
            set: |config, values| {
                config.cognito.sign_in.locks_from = number(values, 2, 100)?;
                Ok(())
            },
        },
        Setting {
            path: "cognito.first_lock_seconds",
            flag: None,
            default: "`1`",
            about: "How long the first lock is, from 1 to 900 seconds; each further one is twice as long.",
            set: |config, values| {
                config.cognito.sign_in.first_seconds = number(values, 1, 900)?;
                Ok(())
            },
        },
        Setting {
            path: "cognito.longest_lock_seconds",
            flag: None,
            default: "`900`",
            about: "How long a lock is at most, from 1 to 86,400 seconds.",
            set: |config, values| {
                config.cognito.sign_in.longest_seconds = number(values, 1, 86_400)?;
                Ok(())
            },
        },
        Setting {
            path: "cognito.quiet_seconds",
            flag: None,
            default: "`900`",
            about: "After how long without an attempt wrong passwords are forgotten, from 60 to 86,400 seconds.",
            set: |config, values| {
                config.cognito.sign_in.quiet_seconds = number(values, 60, 86_400)?;
                Ok(())
            },
        },
        Setting {
            path: "cognito.address_failures",
            flag: None,
            default: "`300`",
            about: "Failed attempts from one client's address in five minutes before all its attempts are refused, \
                    from 10 to 1,000,000. Where many people share an address, more.",
            set: |config, values| {
                config.cognito.sign_in.address_failures = number(values, 10, 1_000_000)?;
                Ok(())
            },
        },
    ],
};
