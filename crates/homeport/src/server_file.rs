use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// `DATA/server.json`, mode 0600: how commands find the server that holds the folder, and what it knows them by.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ServerFile {
    /// The server's process.
    pub(crate) pid: u32,
    /// The URL that programs on this machine reach it by.
    pub(crate) endpoint: String,
    /// The console's URL; none where it is off.
    pub(crate) console: Option<String>,
    /// Where commands ask, on loopback.
    pub(crate) commands: SocketAddr,
    /// The token of this one start: 64 hexadecimal digits.
    pub(crate) token: String,
}

impl ServerFile {
    /// Reads it; `None` when there is none that can be read.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }

    /// Writes it whole or not at all; it goes when the guard is dropped.
    pub(crate) fn publish(&self, path: &Path) -> std::io::Result<Published> {
        let next = path.with_extension("json.next");
        match fs::remove_file(&next) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&next)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        fs::rename(&next, path)?;
        Ok(Published(path.to_owned()))
    }
}

/// The file is there until this is dropped.
pub(crate) struct Published(PathBuf);

impl Drop for Published {
    fn drop(&mut self) {
        // Left behind it is ignored, as its server holds the folder no more.
        _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn only_its_owner_reads_it_and_it_goes_with_the_server() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.json");
        let file = ServerFile {
            pid: 1,
            endpoint: "http://127.0.0.1:1".into(),
            console: None,
            commands: "127.0.0.1:2".parse().unwrap(),
            token: "t".into(),
        };
        fs::write(path.with_extension("json.next"), "left behind").unwrap();
        let published = file.publish(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(ServerFile::read(&path).unwrap().endpoint, "http://127.0.0.1:1");
        drop(published);
        assert!(ServerFile::read(&path).is_none());
    }
}
