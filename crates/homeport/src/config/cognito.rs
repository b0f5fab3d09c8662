use super::given::one;
use super::{Section, Setting};

/// User pools.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cognito {
    pub(crate) issuer: Issuer,
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
    settings: &[Setting {
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
    }],
};
