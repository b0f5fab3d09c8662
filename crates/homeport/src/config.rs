//! Settings: `homeport.toml`, then `HOMEPORT_*`, then flags. Every one has a default that is right for a laptop.
//!
//! A setting is one row of its section's table: path, default, what it means, and the function that puts it into the
//! section's struct. The same row reads the file, the environment and the flag, and writes docs/configuration.md.

mod blobs;
mod cognito;
mod data;
mod document;
mod egress;
mod given;
mod lambda;
mod limits;
mod listen;
mod log;
mod s3;
mod smtp;
mod store;
mod tls;

use std::fmt;
use std::path::{Path, PathBuf};

pub(crate) use cognito::Issuer;
pub(crate) use document::configuration_page;
pub(crate) use listen::ConsoleAddress;
pub(crate) use log::LogFormat;
pub(crate) use smtp::{Smtp, SmtpSecurity};

use given::{Given, Source};

/// All settings, one struct per section.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    pub(crate) data: data::Data,
    pub(crate) blobs: blobs::Blobs,
    pub(crate) listen: listen::Listen,
    pub(crate) limits: limits::Limits,
    pub(crate) tls: tls::Tls,
    pub(crate) cognito: cognito::Cognito,
    pub(crate) lambda: lambda::Lambda,
    pub(crate) s3: s3::S3,
    pub(crate) egress: egress::Egress,
    pub(crate) smtp: smtp::Smtp,
    pub(crate) store: store::Store,
    pub(crate) log: log::Log,
    /// `--dev`: a flag alone, so that no file or left-over variable opens an installation.
    pub(crate) dev: bool,
}

/// One setting.
pub(crate) struct Setting {
    /// `SECTION.NAME`, as in `homeport.toml`.
    pub(crate) path: &'static str,
    /// The flag of `serve` that sets it, if there is one.
    pub(crate) flag: Option<&'static str>,
    /// What holds without it, as it is written in the reference.
    pub(crate) default: &'static str,
    /// What it means, and what production wants.
    pub(crate) about: &'static str,
    /// Reads it; an error says what was expected.
    pub(crate) set: fn(&mut Config, &[String]) -> Result<(), String>,
}

/// A section's name, what it is about, and its settings.
pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) settings: &'static [Setting],
}

/// All sections, in the order of the reference.
pub(crate) const SECTIONS: &[Section] = &[
    data::SECTION,
    blobs::SECTION,
    listen::SECTION,
    limits::SECTION,
    tls::SECTION,
    cognito::SECTION,
    lambda::SECTION,
    s3::SECTION,
    egress::SECTION,
    smtp::SECTION,
    store::SECTION,
    log::SECTION,
];

/// Everything that is wrong with the settings, at once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problems(Vec<String>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [one] => write!(f, "{one}"),
            several => {
                write!(f, "{} settings are wrong:", several.len())?;
                several.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

impl std::error::Error for Problems {}

/// Where settings come from.
#[derive(Default)]
pub(crate) struct Sources {
    /// `--config`; without it `homeport.toml` in the working folder, if it is there.
    pub(crate) file: Option<PathBuf>,
    /// The environment.
    pub(crate) environment: Vec<(String, String)>,
    /// Flags: path of the setting, values.
    pub(crate) flags: Vec<(&'static str, Vec<String>)>,
    /// `--dev`
    pub(crate) dev: bool,
}

impl Config {
    /// Reads all sources; a later one replaces what an earlier one said.
    pub(crate) fn read(sources: &Sources) -> Result<Self, Problems> {
        let mut given = Vec::new();
        let mut problems = Vec::new();
        match read_file(sources.file.as_deref()) {
            Ok(Some((path, text))) => given::from_toml(&path, &text, &mut given, &mut problems),
            Ok(None) => {}
            Err(problem) => problems.push(problem),
        }
        given::from_environment(&sources.environment, &mut given, &mut problems);
        for (path, values) in &sources.flags {
            given.push(Given { path: (*path).to_owned(), values: values.clone(), source: Source::Flag });
        }
        let mut config = Self { dev: sources.dev, ..Self::default() };
        for one in &given {
            if let Err(problem) = config.set(one) {
                problems.push(problem);
            }
        }
        config.check_together(&mut problems);
        if problems.is_empty() { Ok(config) } else { Err(Problems(problems)) }
    }

    /// Where the data is, for people.
    pub(crate) fn place(&self) -> String {
        let folder = || self.data.folder.display().to_string();
        self.store.database.as_ref().map_or_else(folder, ToString::to_string)
    }

    fn set(&mut self, given: &Given) -> Result<(), String> {
        let setting = find(&given.path).ok_or_else(|| {
            let hint = nearest(&given.path).map(|path| format!(" (is `{path}` meant?)")).unwrap_or_default();
            format!("{}: there is no such setting{hint}", given.name())
        })?;
        (setting.set)(self, &given.values).map_err(|expected| format!("{}: {expected}", given.name()))
    }

    /// What only several settings together can get wrong.
    fn check_together(&self, problems: &mut Vec<String>) {
        self.listen.check(self.dev, problems);
        self.tls.check(problems);
        self.smtp.check(problems);
        self.blobs.check(problems);
    }
}

fn all() -> impl Iterator<Item = &'static Setting> {
    SECTIONS.iter().flat_map(|section| section.settings)
}

fn find(path: &str) -> Option<&'static Setting> {
    all().find(|setting| setting.path == path)
}

/// The setting that has the same name in another section, or the same section and begins alike.
fn nearest(path: &str) -> Option<&'static str> {
    let (section, name) = path.split_once('.')?;
    let same_name =
        all().find(|setting| setting.path.split_once('.').is_some_and(|(_, other)| other == name));
    let alike = |setting: &&Setting| {
        let (other, rest) = setting.path.split_once('.').unwrap_or_default();
        other == section && rest.get(..3) == name.get(..3)
    };
    same_name.or_else(|| all().find(alike)).map(|setting| setting.path)
}

fn read_file(named: Option<&Path>) -> Result<Option<(PathBuf, String)>, String> {
    let path = named.unwrap_or(Path::new("homeport.toml"));
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some((path.to_owned(), text))),
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

#[cfg(test)]
mod tests;
