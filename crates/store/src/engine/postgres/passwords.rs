//! A file of passwords in libpq's form: `HOST:PORT:DATABASE:USER:PASSWORD`, the first line that fits counts.

use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::url::PostgresUrlError;

/// A longer file is not one of passwords.
const MAX_BYTES: u64 = 1 << 20;

pub(super) struct PasswordFile(String);

impl PasswordFile {
    /// None where there is no file.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, PostgresUrlError> {
        let refused = |why: String| PostgresUrlError::PasswordFile(format!("{}: {why}", path.display()));
        let mut file = match std::fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(refused(error.to_string())),
        };
        let metadata = file.metadata().map_err(|error| refused(error.to_string()))?;
        if !metadata.is_file() || metadata.len() > MAX_BYTES {
            return Err(refused("it is not a file of passwords".to_owned()));
        }
        if metadata.mode() & 0o077 != 0 {
            return Err(refused("others may read or write it; chmod 600 mends that".to_owned()));
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(|error| refused(error.to_string()))?;
        Ok(Some(Self(text)))
    }

    /// The password for a host: its name, its address or its folder (the default folder's also as `localhost`).
    pub(super) fn find(&self, host: &str, port: u16, database: &str, user: &str) -> Option<String> {
        let wanted = [host, &port.to_string(), database, user];
        let fits = |found: &str, wanted: &str, number: usize| {
            found == "*"
                || found == wanted
                || (number == 0 && wanted.starts_with('/') && found == "localhost")
        };
        self.0.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
            let fields = fields(line);
            let [found @ .., password] = &fields[..] else { return None };
            let all = found.len() == wanted.len()
                && found
                    .iter()
                    .zip(wanted)
                    .enumerate()
                    .all(|(number, (found, wanted))| fits(found, wanted, number));
            (all && !password.is_empty()).then(|| password.clone())
        })
    }
}

/// A line's five fields; a backslash takes the character behind it as it is. What stands behind the fifth is not read.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut field) = (Vec::new(), String::new());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            ':' if fields.len() == 4 => break,
            ':' => fields.push(std::mem::take(&mut field)),
            '\\' => field.extend(characters.next()),
            other => field.push(other),
        }
    }
    fields.push(field);
    fields
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn find(text: &str, host: &str, port: u16) -> Option<String> {
        PasswordFile(text.to_owned()).find(host, port, "d", "u")
    }

    #[test]
    fn the_first_line_that_fits_counts() {
        let text = "# db:5432:d:u:no\nother:*:*:*:other\ndb:5432:d:u:exact\n*:*:*:u:any\n";
        assert_eq!(find(text, "db", 5_432).as_deref(), Some("exact"));
        assert_eq!(find(text, "db", 5_433).as_deref(), Some("any"));
        assert_eq!(find("*:*:d:v:x\n*:*:e:u:y\n*:*:d:u", "db", 1), None);
        assert_eq!(find("localhost:*:*:*:socket", "/run/postgresql", 1).as_deref(), Some("socket"));
        assert_eq!(find("localhost:*:*:*:socket", "db", 1), None);
    }

    #[test]
    fn colons_and_backslashes_are_escaped() {
        assert_eq!(find(r"2001\:db8\:\:1:*:*:*:a\:b\\c", "2001:db8::1", 1).as_deref(), Some(r"a:b\c"));
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pgpass");
        assert!(PasswordFile::read(&path).unwrap().is_none());
        std::fs::write(&path, "*:*:*:*:secret\n").unwrap();
        for (mode, taken) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let read = PasswordFile::read(&path);
            assert_eq!(read.is_ok(), taken, "{mode:o}");
            if let Err(error) = read {
                assert!(!error.to_string().contains("secret"));
            }
        }
    }
}
