//! Where the database is, as a URL says it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::passwords::PasswordFile;

/// What would read as something else in a URL.
const RESERVED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'/')
    .add(b'@')
    .add(b':')
    .add(b',')
    .add(b'?')
    .add(b'#')
    .add(b'%')
    .add(b'[')
    .add(b']');
const DEFAULT_PORT: u16 = 5_432;
/// The longest that `connect_timeout` may ask for one host.
const MAX_TIMEOUT: u64 = 60;

/// Where the database is, and who asks:
/// `postgres://USER[:PASSWORD]@HOST[:PORT][,HOST[:PORT]…]/DATABASE[?PARAMETER=VALUE[&…]]`, as libpq reads it.
///
/// A host is a name, an address (IPv6 in brackets) or, percent-encoded or as the parameter `host`, the folder of a Unix
/// socket. Of several hosts the one is used that takes writes. Parameters: `host`, `port`, `sslmode`, `sslrootcert`,
/// `connect_timeout` (seconds for each host, at most 60), `target_session_attrs` (`read-write` only).
///
/// Other machines are spoken to by TLS alone, with their certificate and name verified (`sslmode=verify-full`); less is
/// refused. Neither [`Display`](fmt::Display) nor [`Debug`](fmt::Debug) shows the password.
#[derive(Clone)]
pub struct PostgresUrl {
    pub(super) hosts: Vec<PostgresHost>,
    pub(super) user: String,
    pub(super) database: String,
    /// The file of the roots that certificates are verified by, where it isn't the system's.
    pub(super) roots: Option<PathBuf>,
    pub(super) connect_timeout: Option<Duration>,
    hosts_are_parameters: bool,
    parameters: String,
}

#[derive(Clone)]
pub(super) struct PostgresHost {
    /// A name, an address, or a folder.
    pub(super) name: String,
    pub(super) port: u16,
    pub(super) password: Option<String>,
    /// Whether it is spoken to by TLS.
    pub(super) encrypted: bool,
}

/// Why a URL is not one of a database, or its password can't be had.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PostgresUrlError {
    /// It isn't of this form.
    #[error("not postgres://USER@HOST[:PORT][,HOST[:PORT]…]/DATABASE: {0}")]
    Form(&'static str),
    /// The parameter isn't known, or not with this value.
    #[error("the parameter {0} is not one that is understood, or has a value that is not")]
    Parameter(String),
    /// Passwords and data would be there for everyone on the way.
    #[error("{host} is on another machine: it is spoken to by sslmode=verify-full only, not {mode}")]
    Unprotected {
        /// The host.
        host: String,
        /// What the URL asks for.
        mode: String,
    },
    /// The file of passwords can be read by others, or can't be read.
    #[error("the password file can't be used: {0}")]
    PasswordFile(String),
}

impl PostgresUrl {
    /// Sets the password where the URL holds none: what is `given` (the environment's `PGPASSWORD`), else what a file in
    /// libpq's form (`.pgpass`) has for each host. A file that isn't there has none.
    ///
    /// # Errors
    /// [`PostgresUrlError::PasswordFile`], when others than its owner may read or write it, or when it can't be read.
    pub fn with_password(
        mut self,
        given: Option<&str>,
        file: Option<&std::path::Path>,
    ) -> Result<Self, PostgresUrlError> {
        if self.hosts.iter().any(|host| host.password.is_some()) {
            return Ok(self);
        }
        let found = match (given, file) {
            (None, Some(path)) => PasswordFile::read(path)?,
            _ => None,
        };
        for host in &mut self.hosts {
            let in_file = || found.as_ref()?.find(&host.name, host.port, &self.database, &self.user);
            host.password = given.map(str::to_owned).or_else(in_file);
        }
        Ok(self)
    }
}

impl FromStr for PostgresUrl {
    type Err = PostgresUrlError;

    fn from_str(url: &str) -> Result<Self, PostgresUrlError> {
        let form = PostgresUrlError::Form;
        let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"));
        let rest = rest.ok_or(form("it begins otherwise"))?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = place.split_once('/').ok_or(form("it names no database"))?;
        let (who, hosts) = authority.rsplit_once('@').ok_or(form("it names no user"))?;
        let (user, password) = match who.split_once(':') {
            // An empty one is none, as to libpq.
            Some((user, password)) => {
                (decoded(user)?, Some(decoded(password)?).filter(|password| !password.is_empty()))
            }
            None => (decoded(who)?, None),
        };
        let database = decoded(database)?;
        if user.is_empty() || database.is_empty() || database.contains('/') {
            return Err(form("it names no user, or no database"));
        }
        let parameters = Parameters::read(query)?;
        let hosts = parameters.hosts(hosts)?.into_iter().map(|(name, port)| {
            let encrypted = parameters.encrypts(&name)?;
            Ok(PostgresHost { name, port, password: password.clone(), encrypted })
        });
        Ok(Self {
            hosts: hosts.collect::<Result<_, _>>()?,
            user,
            database,
            roots: parameters.roots,
            connect_timeout: parameters.connect_timeout,
            hosts_are_parameters: parameters.host.is_some(),
            parameters: query.to_owned(),
        })
    }
}

/// What stands behind the question mark.
#[derive(Default)]
struct Parameters {
    host: Option<String>,
    ports: Vec<u16>,
    mode: Option<String>,
    roots: Option<PathBuf>,
    connect_timeout: Option<Duration>,
}

impl Parameters {
    fn read(query: &str) -> Result<Self, PostgresUrlError> {
        let mut read = Self::default();
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let unknown = || PostgresUrlError::Parameter(name.to_owned());
            let value = decoded(value).map_err(|_| unknown())?;
            match name {
                "host" => read.host = Some(value),
                "port" => {
                    let ports: Result<_, _> = value.split(',').map(str::parse).collect();
                    read.ports = ports.map_err(|_| unknown())?;
                }
                "sslmode" => read.mode = Some(value),
                "sslrootcert" if value == "system" => {}
                "sslrootcert" if !value.is_empty() => read.roots = Some(value.into()),
                "connect_timeout" => {
                    let seconds = value.parse().ok().filter(|seconds| (1..=MAX_TIMEOUT).contains(seconds));
                    read.connect_timeout = Some(Duration::from_secs(seconds.ok_or_else(unknown)?));
                }
                "target_session_attrs" if value == "read-write" => {}
                _ => return Err(unknown()),
            }
        }
        Ok(read)
    }

    /// Names and ports, from before the question mark or behind it.
    fn hosts(&self, before: &str) -> Result<Vec<(String, u16)>, PostgresUrlError> {
        let form = PostgresUrlError::Form;
        let listed = match (&self.host, before.is_empty()) {
            (Some(_), false) => return Err(form("it names hosts twice")),
            (None, true) => return Err(form("it names no host")),
            (Some(hosts), true) => hosts,
            (None, false) => before,
        };
        let names: Vec<&str> = listed.split(',').collect();
        let default = |host: usize| match self.ports.len() {
            0 => Some(DEFAULT_PORT),
            1 => self.ports.first().copied(),
            count if count == names.len() => self.ports.get(host).copied(),
            _ => None,
        };
        let host = |(number, name): (usize, &&str)| {
            let (name, port) = match self.host {
                // A parameter's value is decoded already, and its ports stand in another one.
                Some(_) => ((*name).to_owned(), None),
                None => with_port(name)?,
            };
            let port = port.or_else(|| default(number)).ok_or(form("it has more ports than hosts"))?;
            if name.is_empty() { Err(form("a host's name is empty")) } else { Ok((name, port)) }
        };
        names.iter().enumerate().map(host).collect()
    }

    /// Whether a host is spoken to by TLS; refused, where it must be and isn't.
    fn encrypts(&self, host: &str) -> Result<bool, PostgresUrlError> {
        match self.mode.as_deref() {
            Some("verify-full") => Ok(!host.starts_with('/')),
            None => Ok(!is_here(host)),
            Some("disable" | "allow" | "prefer") if is_here(host) => Ok(false),
            Some(mode @ ("disable" | "allow" | "prefer" | "require" | "verify-ca")) => {
                Err(PostgresUrlError::Unprotected { host: host.to_owned(), mode: mode.to_owned() })
            }
            Some(_) => Err(PostgresUrlError::Parameter("sslmode".to_owned())),
        }
    }
}

/// A name, perhaps with its port behind it; an IPv6 address in brackets.
fn with_port(host: &str) -> Result<(String, Option<u16>), PostgresUrlError> {
    let form = PostgresUrlError::Form;
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (address, behind) = rest.split_once(']').ok_or(form("a bracket is open"))?;
            let port = if behind.is_empty() { None } else { behind.strip_prefix(':').or(Some("none")) };
            (address, port)
        }
        None => host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port))),
    };
    let port = port.map(str::parse).transpose().map_err(|_| form("a port is not a number"))?;
    Ok((decoded(name)?, port))
}

/// A Unix socket or this machine itself.
fn is_here(host: &str) -> bool {
    host.starts_with('/')
        || host == "localhost"
        || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

fn decoded(text: &str) -> Result<String, PostgresUrlError> {
    let text = percent_decode_str(text).decode_utf8();
    text.map(|text| text.into_owned()).map_err(|_| PostgresUrlError::Form("a part is not UTF-8"))
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = |text| utf8_percent_encode(text, RESERVED);
        write!(formatter, "postgres://{}@", encoded(&self.user))?;
        if !self.hosts_are_parameters {
            for (number, host) in self.hosts.iter().enumerate() {
                let comma = if number > 0 { "," } else { "" };
                match host.name.parse::<Ipv6Addr>() {
                    Ok(address) => write!(formatter, "{comma}[{address}]:{}", host.port)?,
                    Err(_) => write!(formatter, "{comma}{}:{}", encoded(&host.name), host.port)?,
                }
            }
        }
        write!(formatter, "/{}", encoded(&self.database))?;
        if !self.parameters.is_empty() {
            write!(formatter, "?{}", self.parameters)?;
        }
        Ok(())
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(url: &str) -> Result<PostgresUrl, PostgresUrlError> {
        url.parse()
    }

    fn hosts(text: &str) -> Vec<(String, u16, bool)> {
        let hosts = url(text).unwrap().hosts;
        hosts.into_iter().map(|host| (host.name, host.port, host.encrypted)).collect()
    }

    #[test]
    fn hosts_are_read_as_libpq_does() {
        let one = |name: &str, port, encrypted| (name.to_owned(), port, encrypted);
        assert_eq!(hosts("postgres://u@db.example.com/d"), [one("db.example.com", 5_432, true)]);
        assert_eq!(
            hosts("postgresql://u:p@a:1,[2001:db8::1]:2,c/d?port=7"),
            [one("a", 1, true), one("2001:db8::1", 2, true), one("c", 7, true)]
        );
        assert_eq!(hosts("postgres://u@/d?host=/run/postgresql"), [one("/run/postgresql", 5_432, false)]);
        assert_eq!(hosts("postgres://u@%2Frun%2Fpg:6/d"), [one("/run/pg", 6, false)]);
        assert_eq!(hosts("postgres://u@/d?host=a,b&port=1,2"), [one("a", 1, true), one("b", 2, true)]);
        assert_eq!(
            hosts("postgres://u@localhost,127.0.0.9,[::1]/d"),
            ["localhost", "127.0.0.9", "::1"].map(|name| one(name, 5_432, false))
        );
    }

    #[test]
    fn other_machines_are_spoken_to_by_verified_tls_alone() {
        for mode in ["disable", "allow", "prefer", "require", "verify-ca"] {
            let refused = url(&format!("postgres://u@127.0.0.1,db.example.com/d?sslmode={mode}"));
            assert!(matches!(refused, Err(PostgresUrlError::Unprotected { .. })), "{mode}");
        }
        assert!(hosts("postgres://u@10.0.0.1/d?sslmode=verify-full")[0].2);
        assert!(hosts("postgres://u@127.0.0.1/d?sslmode=verify-full")[0].2);
        assert!(!hosts("postgres://u@127.0.0.1/d?sslmode=disable")[0].2);
        assert!(!hosts("postgres://u@/d?host=/s&sslmode=verify-full")[0].2);
        assert!(url("postgres://u@a/d?sslmode=full").is_err());
    }

    #[test]
    fn what_is_not_a_database_is_refused() {
        for text in [
            "http://u@a/d",
            "postgres://a/d",
            "postgres://u@a",
            "postgres://u@a/",
            "postgres://u@/d",
            "postgres://u@a,/d",
            "postgres://u@a:x/d",
            "postgres://u@[::1/d",
            "postgres://u@[::1]5/d",
            "postgres://u@a/d?host=b",
            "postgres://u@a,b/d?port=1,2,3",
            "postgres://u@a/d?connections=5",
            "postgres://u@a/d?connect_timeout=0",
            "postgres://u@a/d?target_session_attrs=any",
            "postgres://u:%ff@a/d",
        ] {
            assert!(url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_password_is_never_shown_and_the_rest_reads_the_same_again() {
        for text in [
            "postgres://u:sec%72et@a:1,[::1]:2/d?connect_timeout=3&sslmode=verify-full",
            "postgres://u:secret@/d?host=/run/pg",
            "postgres://a%40b:secret@%2Frun%2Fpg,c/d%2De",
        ] {
            let read = url(text).unwrap();
            assert_eq!(read.hosts[0].password.as_deref(), Some("secret"));
            let shown = read.to_string();
            assert!(!shown.contains("secret") && !format!("{read:?}").contains("secret"), "{shown}");
            assert_eq!(url(&shown).unwrap().to_string(), shown);
            assert_eq!(url(&shown).unwrap().hosts.len(), read.hosts.len());
        }
    }

    #[test]
    fn the_urls_password_comes_first_then_the_given_one_then_the_file() {
        let password = |text: &str, given| {
            url(text).unwrap().with_password(given, None).unwrap().hosts[0].password.clone()
        };
        assert_eq!(password("postgres://u:one@a/d", Some("two")).as_deref(), Some("one"));
        assert_eq!(password("postgres://u@a/d", Some("two")).as_deref(), Some("two"));
        assert_eq!(password("postgres://u@a/d", None), None);
    }
}
