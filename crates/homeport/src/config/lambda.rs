use std::path::PathBuf;

use super::given::{boolean, one};
use super::{Section, Setting};

/// Functions.
#[derive(Clone, Debug)]
pub(crate) struct Lambda {
    pub(crate) network: bool,
    pub(crate) runtimes: Option<PathBuf>,
}

impl Default for Lambda {
    fn default() -> Self {
        Self { network: true, runtimes: None }
    }
}

pub(super) const SECTION: Section = Section {
    name: "lambda",
    about: "Functions.",
    settings: &[
        Setting {
            path: "lambda.network",
            flag: None,
            default: "`true`",
            about: "Whether functions reach anything but Homeport itself.",
            set: |config, values| {
                config.lambda.network = boolean(values)?;
                Ok(())
            },
        },
        Setting {
            path: "lambda.runtimes",
            flag: None,
            default: "`$XDG_DATA_HOME/homeport/runtimes`",
            about: "Where `homeport runtimes install` puts what functions find without packaging it.",
            set: |config, values| {
                config.lambda.runtimes = Some(PathBuf::from(one(values)?));
                Ok(())
            },
        },
    ],
};
