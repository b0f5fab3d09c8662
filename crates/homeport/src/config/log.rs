use super::given::one;
use super::{Section, Setting};

/// The server's own log, on standard error.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    pub(crate) level: tracing::level_filters::LevelFilter,
    pub(crate) format: LogFormat,
}

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// `key=value` with a time stamp, without colours.
    Plain,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: tracing::level_filters::LevelFilter::INFO, format: LogFormat::Text }
    }
}

pub(super) const SECTION: Section = Section {
    name: "log",
    about: "The server's own log, on standard error: one line per refused call and per event of the server's own. It never \
            holds a secret.",
    settings: &[
        Setting {
            path: "log.level",
            flag: None,
            default: "`info`",
            about: "`error`, `warn`, `info`, `debug` or `trace`.",
            set: |config, values| {
                let expected = |_| "`error`, `warn`, `info`, `debug` or `trace` is expected".to_owned();
                config.log.level = one(values)?.parse().map_err(expected)?;
                Ok(())
            },
        },
        Setting {
            path: "log.format",
            flag: None,
            default: "`text`",
            about: "`text`, with colours in a terminal, or `plain`.",
            set: |config, values| {
                config.log.format = match one(values)? {
                    "text" => LogFormat::Text,
                    "plain" => LogFormat::Plain,
                    _ => return Err("`text` or `plain` is expected".to_owned()),
                };
                Ok(())
            },
        },
    ],
};
