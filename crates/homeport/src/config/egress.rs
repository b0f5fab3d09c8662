use std::path::PathBuf;

use homeport_edge::egress::Allowed;

use super::given::{each, one};
use super::{Section, Setting};

/// Where Homeport goes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Egress {
    pub(crate) allow: Vec<Allowed>,
    pub(crate) ca_file: Option<PathBuf>,
}

pub(super) const SECTION: Section = Section {
    name: "egress",
    about: "Where Homeport itself goes: integrations of APIs, keys and metadata. Instance metadata, link-local addresses \
            and Homeport's own listeners are never reached.",
    settings: &[
        Setting {
            path: "egress.allow",
            flag: None,
            default: "none (with `--dev`: loopback)",
            about: "Private and loopback targets that may be reached: `HOST`, `ADDRESS` or `NETWORK`, with or without \
                    `:PORT`. Public addresses need no entry.",
            set: |config, values| {
                config.egress.allow = each(values, str::parse)?;
                Ok(())
            },
        },
        Setting {
            path: "egress.ca_file",
            flag: None,
            default: "the system's roots alone",
            about: "Certificates in PEM that are trusted beside the system's roots.",
            set: |config, values| {
                config.egress.ca_file = Some(PathBuf::from(one(values)?));
                Ok(())
            },
        },
    ],
};
