use std::path::PathBuf;

use super::given::{number, one};
use super::{Section, Setting};

/// The mail server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Smtp {
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) security: SmtpSecurity,
    pub(crate) user: Option<String>,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) from: Option<String>,
    pub(crate) ca_file: Option<PathBuf>,
}

/// How a connection to the mail server is made secure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SmtpSecurity {
    /// STARTTLS, or nothing is sent.
    #[default]
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// None: for a relay on this machine.
    None,
}

impl Smtp {
    pub(super) fn check(&self, problems: &mut Vec<String>) {
        if self.host.is_some() && self.from.is_none() {
            problems.push("smtp.from: the sender's address is needed with smtp.host".to_owned());
        }
    }
}

pub(super) const SECTION: Section = Section {
    name: "smtp",
    about: "The mail server for codes and invitations. Mail for it waits sealed in the store, for a day at most, until the \
            server has taken it. Without one messages lie sealed in the outbox, which `homeport outbox` shows.",
    settings: &[
        Setting {
            path: "smtp.host",
            flag: None,
            default: "none: mail stays in the outbox",
            about: "The mail server's name. Production wants one.",
            set: |config, values| {
                config.smtp.host = Some(one(values)?.to_owned());
                Ok(())
            },
        },
        Setting {
            path: "smtp.port",
            flag: None,
            default: "`587`; `465` with `tls`, `25` with `none`",
            about: "Its port.",
            set: |config, values| {
                config.smtp.port = Some(number(values, 1, u16::MAX)?);
                Ok(())
            },
        },
        Setting {
            path: "smtp.security",
            flag: None,
            default: "`starttls`",
            about: "`starttls`, `tls`, or `none` for a relay on this machine.",
            set: |config, values| {
                config.smtp.security = match one(values)? {
                    "starttls" => SmtpSecurity::StartTls,
                    "tls" => SmtpSecurity::Tls,
                    "none" => SmtpSecurity::None,
                    _ => return Err("`starttls`, `tls` or `none` is expected".to_owned()),
                };
                Ok(())
            },
        },
        Setting {
            path: "smtp.user",
            flag: None,
            default: "none: no authentication",
            about: "The user to sign in as.",
            set: |config, values| {
                config.smtp.user = Some(one(values)?.to_owned());
                Ok(())
            },
        },
        Setting {
            path: "smtp.password_file",
            flag: None,
            default: "`HOMEPORT_SMTP_PASSWORD`",
            about: "A file that holds the password and nothing else.",
            set: |config, values| {
                config.smtp.password_file = Some(PathBuf::from(one(values)?));
                Ok(())
            },
        },
        Setting {
            path: "smtp.from",
            flag: None,
            default: "none",
            about: "The sender, as `Notes <no-reply@example.com>`.",
            set: |config, values| {
                let from = one(values)?;
                from.parse::<lettre::message::Mailbox>()
                    .map_err(|_| format!("`{from}` is not a mail address"))?;
                config.smtp.from = Some(from.to_owned());
                Ok(())
            },
        },
        Setting {
            path: "smtp.ca_file",
            flag: None,
            default: "the system's roots alone",
            about: "A root, in PEM, that the mail server's certificate may come from as well.",
            set: |config, values| {
                config.smtp.ca_file = Some(PathBuf::from(one(values)?));
                Ok(())
            },
        },
    ],
};
