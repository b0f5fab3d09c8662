use std::io::IsTerminal;

use tracing_subscriber::fmt;
use tracing_subscriber::fmt::time::SystemTime;

use crate::config::{Config, LogFormat};

/// Starts the server's log: on standard error, so that standard output stays what a command was asked for.
pub(crate) fn start(config: &Config) {
    let colours = config.log.format == LogFormat::Text && std::io::stderr().is_terminal();
    let builder = fmt().with_max_level(config.log.level).with_writer(std::io::stderr).with_ansi(colours);
    let plain = config.log.format == LogFormat::Plain;
    let started = if plain || !colours {
        builder.with_timer(SystemTime).with_target(plain).try_init()
    } else {
        builder.without_time().with_target(false).try_init()
    };
    if started.is_err() {
        eprintln!("homeport: the log was started twice");
    }
}
