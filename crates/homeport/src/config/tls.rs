use std::path::PathBuf;

use super::given::one;
use super::{Section, Setting};

/// Which certificate is shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tls {
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
}

impl Tls {
    pub(super) fn check(&self, problems: &mut Vec<String>) {
        if self.certificate.is_some() != self.key.is_some() {
            problems.push("tls.certificate and tls.key are given together or not at all".to_owned());
        }
    }
}

pub(super) const SECTION: Section = Section {
    name: "tls",
    about: "Which certificate is shown. Without files it is one of a local authority that is made at the first start; \
            `homeport ca` says how clients come to trust that. Changed files are shown within ten seconds.",
    settings: &[
        Setting {
            path: "tls.certificate",
            flag: None,
            default: "a local authority's",
            about: "The certificate and those behind it, in PEM. Production wants one of a public authority.",
            set: |config, values| {
                config.tls.certificate = Some(PathBuf::from(one(values)?));
                Ok(())
            },
        },
        Setting {
            path: "tls.key",
            flag: None,
            default: "a local authority's",
            about: "Its private key, in PEM.",
            set: |config, values| {
                config.tls.key = Some(PathBuf::from(one(values)?));
                Ok(())
            },
        },
    ],
};
