use std::time::Duration;

use super::given::number;
use super::{Section, Setting};

/// What clients may take.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits(pub(crate) homeport_edge::listener::Limits);

fn seconds(values: &[String]) -> Result<Duration, String> {
    number(values, 1, 3_600).map(Duration::from_secs)
}

pub(super) const SECTION: Section = Section {
    name: "limits",
    about: "What clients may take of the listeners.",
    settings: &[
        Setting {
            path: "limits.connections",
            flag: None,
            default: "`8192`",
            about: "Connections at once. Production wants as many as its file descriptors allow, less a few hundred.",
            set: |config, values| {
                config.limits.0.connections = number(values, 16, 1_000_000)?;
                Ok(())
            },
        },
        Setting {
            path: "limits.connections_per_address",
            flag: None,
            default: "`1024`",
            about: "Connections at once from one address (IPv6: one /64). Trusted proxies are not counted.",
            set: |config, values| {
                config.limits.0.connections_per_address = number(values, 1, 1_000_000)?;
                Ok(())
            },
        },
        Setting {
            path: "limits.head_seconds",
            flag: None,
            default: "`10`",
            about: "From a request's first byte to the end of its headers.",
            set: |config, values| {
                config.limits.0.head_time = seconds(values)?;
                Ok(())
            },
        },
        Setting {
            path: "limits.idle_seconds",
            flag: None,
            default: "`75`",
            about: "How long a connection may rest between requests. Behind a proxy it wants more than the proxy's own.",
            set: |config, values| {
                config.limits.0.idle_time = seconds(values)?;
                Ok(())
            },
        },
        Setting {
            path: "limits.body_idle_seconds",
            flag: None,
            default: "`30`",
            about: "How long a request's body may pause.",
            set: |config, values| {
                config.limits.0.body_idle_time = seconds(values)?;
                Ok(())
            },
        },
    ],
};
