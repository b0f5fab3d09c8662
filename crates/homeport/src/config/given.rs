use std::path::{Path, PathBuf};

use super::{SECTIONS, all};

/// A setting as somebody gave it.
pub(super) struct Given {
    pub(super) path: String,
    pub(super) values: Vec<String>,
    pub(super) source: Source,
}

pub(super) enum Source {
    File(PathBuf),
    Environment,
    Flag,
}

/// Variables that begin like settings and are none.
const NOT_SETTINGS: [&str; 5] = [
    "HOMEPORT_MASTER_KEY",
    "HOMEPORT_NEXT_MASTER_KEY",
    "HOMEPORT_LOG",
    "HOMEPORT_SMTP_PASSWORD",
    "HOMEPORT_BLOBS_SECRET_ACCESS_KEY",
];

impl Given {
    /// The setting by the name it was given under.
    pub(super) fn name(&self) -> String {
        match &self.source {
            Source::File(path) => format!("{}: {}", path.display(), self.path),
            Source::Environment => variable_of(&self.path),
            Source::Flag => {
                let setting = all().find(|setting| setting.path == self.path);
                setting.and_then(|setting| setting.flag).unwrap_or("a flag").to_owned()
            }
        }
    }
}

const STORE: &str = "store.database";

/// `HOMEPORT_A_B` of `a.b`; where the store is, is `HOMEPORT_STORE`.
pub(super) fn variable_of(path: &str) -> String {
    if path == STORE {
        return "HOMEPORT_STORE".to_owned();
    }
    format!("HOMEPORT_{}", path.replace('.', "_").to_ascii_uppercase())
}

pub(super) fn from_environment(
    variables: &[(String, String)],
    given: &mut Vec<Given>,
    problems: &mut Vec<String>,
) {
    for (name, value) in variables {
        if !name.starts_with("HOMEPORT_") || NOT_SETTINGS.contains(&name.as_str()) {
            continue;
        }
        match all().find(|setting| variable_of(setting.path) == *name) {
            Some(setting) => {
                let path = setting.path.to_owned();
                // A URL names hosts between commas, and a password may hold anything.
                let values = if path == STORE { vec![value.trim().to_owned()] } else { split(value) };
                given.push(Given { path, values, source: Source::Environment });
            }
            None => problems.push(format!("{name}: there is no such setting")),
        }
    }
}

/// Lists in one text are separated by commas.
fn split(value: &str) -> Vec<String> {
    value.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

pub(super) fn from_toml(path: &Path, text: &str, given: &mut Vec<Given>, problems: &mut Vec<String>) {
    let table: toml::Table = match text.parse() {
        Ok(table) => table,
        Err(error) => return problems.push(format!("{}: {}", path.display(), error.to_string().trim_end())),
    };
    let at = path.display();
    for (section, content) in table {
        let toml::Value::Table(settings) = content else {
            problems.push(format!("{at}: {section}: settings stand in sections, as `[{section}]`"));
            continue;
        };
        if SECTIONS.iter().all(|known| known.name != section) {
            problems.push(format!("{at}: [{section}]: there is no such section"));
            continue;
        }
        for (name, value) in settings {
            let name = format!("{section}.{name}");
            match texts(value) {
                Some(values) => {
                    given.push(Given { path: name, values, source: Source::File(path.to_owned()) })
                }
                None => problems.push(format!(
                    "{at}: {name}: a text, a number, true, false or a list of texts is expected"
                )),
            }
        }
    }
}

fn texts(value: toml::Value) -> Option<Vec<String>> {
    match value {
        toml::Value::Array(values) => values.into_iter().map(text).collect(),
        value => Some(vec![text(value)?]),
    }
}

fn text(value: toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(boolean) => Some(boolean.to_string()),
        _ => None,
    }
}

/// The only value.
pub(super) fn one(values: &[String]) -> Result<&str, String> {
    match values {
        [one] => Ok(one),
        _ => Err("one value is expected".to_owned()),
    }
}

/// `true` or `false`.
pub(super) fn boolean(values: &[String]) -> Result<bool, String> {
    one(values)?.parse().map_err(|_| "true or false is expected".to_owned())
}

/// A number within bounds.
pub(super) fn number<N>(values: &[String], least: N, most: N) -> Result<N, String>
where
    N: std::str::FromStr + PartialOrd + std::fmt::Display,
{
    let text = one(values)?.replace('_', "");
    let parsed = text.parse().ok().filter(|number| *number >= least && *number <= most);
    parsed.ok_or_else(|| format!("a number from {least} to {most} is expected"))
}

/// Values that are each read alone.
pub(super) fn each<T, E: std::fmt::Display>(
    values: &[String],
    read: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, String> {
    values.iter().map(|value| read(value).map_err(|error| error.to_string())).collect()
}
