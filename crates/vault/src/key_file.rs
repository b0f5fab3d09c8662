use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use homeport_core::Randomness;
use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;
use zeroize::Zeroizing;

use crate::{MasterKey, VaultError};

/// A key file is one line of 44 characters; what is much longer is no key file.
const LONGEST_FILE: u64 = 256;

/// The file that holds the master key: beside, not inside, the data folder, with mode 0600.
///
/// While the key is changed a second file stands beside it (`NAME.next`): written before the store turns to the new
/// key, put in the old one's place after. A crash in between leaves both, and one of them fits.
#[derive(Clone, Debug)]
pub struct KeyFile {
    path: PathBuf,
}

impl KeyFile {
    /// The key file at this path.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where a data folder's key is kept unless configured: `DATA.key` beside `DATA`.
    pub fn beside(data: &Path) -> Self {
        let mut name = data.file_name().unwrap_or("homeport-data".as_ref()).to_os_string();
        name.push(".key");
        Self { path: data.with_file_name(name) }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the key, if the file is its owner's alone and the owner is the user of this process.
    pub fn read(&self) -> Result<MasterKey, VaultError> {
        let file = File::open(&self.path).map_err(|error| self.failed(error))?;
        let metadata = file.metadata().map_err(|error| self.failed(error))?;
        let (mode, owner, user) =
            (metadata.mode() & 0o7777, metadata.uid(), rustix::process::geteuid().as_raw());
        if mode & 0o077 != 0 {
            return Err(VaultError::KeyFileMode { path: self.path.clone(), mode });
        }
        if owner != user {
            return Err(VaultError::KeyFileOwner { path: self.path.clone(), owner, user });
        }
        let mut text = Zeroizing::new(String::with_capacity(256));
        (&file).take(LONGEST_FILE).read_to_string(&mut text).map_err(|error| self.failed(error))?;
        MasterKey::parse(&text)
    }

    /// Makes a new key and the file that holds it, on the disk before this returns. Refused where a file is. Whoever
    /// reads at the same time finds no file or a whole one: the nodes of one machine may start together.
    pub fn create(&self, randomness: &dyn Randomness) -> Result<MasterKey, VaultError> {
        let key = MasterKey::generate(randomness);
        let mut unique = [0; 8];
        randomness.fill(&mut unique);
        let mut name = self.path.as_os_str().to_os_string();
        name.push(format!(".{:016x}", u64::from_be_bytes(unique)));
        let draft = PathBuf::from(name);
        let made = write(&draft, &key).and_then(|()| publish(&draft, &self.path));
        if made.is_err() {
            let _ = fs::remove_file(&draft);
        }
        made.map_err(|error| self.failed(error))?;
        self.sync_folder()?;
        Ok(key)
    }

    /// The file that holds the next key while it is being changed.
    pub fn next(&self) -> Self {
        let mut name = self.path.as_os_str().to_os_string();
        name.push(".next");
        Self { path: name.into() }
    }

    /// Puts the next key's file in this one's place.
    pub fn promote_next(&self) -> Result<(), VaultError> {
        fs::rename(&self.next().path, &self.path).map_err(|error| self.failed(error))?;
        self.sync_folder()
    }

    /// Removes the file, if it is there.
    pub fn discard(&self) -> Result<(), VaultError> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(self.failed(error)),
            _ => self.sync_folder(),
        }
    }

    fn sync_folder(&self) -> Result<(), VaultError> {
        let folder = match self.path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| self.failed(error))
    }

    fn failed(&self, source: std::io::Error) -> VaultError {
        let path = self.path.clone();
        match source.kind() {
            ErrorKind::NotFound => VaultError::NoKeyFile { path },
            ErrorKind::AlreadyExists => VaultError::KeyFileExists { path },
            _ => VaultError::KeyFileIo { path, source },
        }
    }
}

fn write(path: &Path, key: &MasterKey) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut line = key.to_text();
    line.push('\n');
    file.write_all(line.as_bytes())?;
    file.sync_all()
}

/// Gives a file its name, unless another has it.
fn publish(draft: &Path, path: &Path) -> std::io::Result<()> {
    match rustix::fs::renameat_with(CWD, draft, CWD, path, RenameFlags::NOREPLACE) {
        // Not every file system can; a second name, too, replaces nothing.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            fs::hard_link(draft, path)?;
            fs::remove_file(draft)
        }
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use homeport_core::SeededRandomness;

    fn fingerprint(file: &KeyFile) -> String {
        file.read().unwrap().fingerprint().unwrap()
    }

    #[test]
    fn the_key_file_stands_beside_the_data() {
        assert_eq!(KeyFile::beside(Path::new("/srv/data")).path(), Path::new("/srv/data.key"));
        assert_eq!(KeyFile::beside(Path::new("homeport-data/")).path(), Path::new("homeport-data.key"));
    }

    #[test]
    fn a_key_file_is_its_owners_alone_and_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::at(folder.path().join("data.key"));
        assert!(matches!(file.read(), Err(VaultError::NoKeyFile { .. })));
        let key = file.create(&SeededRandomness::new(1)).unwrap();
        assert_eq!(fs::metadata(file.path()).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fingerprint(&file), key.fingerprint().unwrap());
        assert!(matches!(file.create(&SeededRandomness::new(2)), Err(VaultError::KeyFileExists { .. })));
        assert_eq!(fingerprint(&file), key.fingerprint().unwrap());
    }

    #[test]
    fn of_those_that_make_one_file_at_once_all_find_the_same_whole_key() {
        for round in 0..50 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("data.key");
            let file = || KeyFile::at(&path);
            let come = |seed| match file().create(&SeededRandomness::new(seed)) {
                Err(VaultError::KeyFileExists { .. }) => file().read().unwrap().fingerprint().unwrap(),
                made => made.unwrap().fingerprint().unwrap(),
            };
            // One that looks all the while sees no file or the whole one.
            let look = || {
                while matches!(file().read(), Err(VaultError::NoKeyFile { .. })) {}
                fingerprint(&file())
            };
            std::thread::scope(|scope| {
                let looks = scope.spawn(look);
                let comers: Vec<_> = (0..4).map(|at| scope.spawn(move || come(round * 4 + at))).collect();
                let seen = looks.join().unwrap();
                assert!(comers.into_iter().all(|comer| comer.join().unwrap() == seen));
            });
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::at(folder.path().join("data.key"));
        file.create(&SeededRandomness::new(1)).unwrap();
        for mode in [0o640, 0o604, 0o660] {
            fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(file.read(), Err(VaultError::KeyFileMode { .. })), "{mode:o}");
        }
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o400)).unwrap();
        assert!(file.read().is_ok());
    }

    #[test]
    fn a_file_that_holds_no_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::at(folder.path().join("data.key"));
        file.create(&SeededRandomness::new(1)).unwrap();
        fs::write(file.path(), "password\n").unwrap();
        assert!(matches!(file.read(), Err(VaultError::NotAMasterKey)));
    }

    #[test]
    fn the_next_key_takes_the_place_of_the_old() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::at(folder.path().join("data.key"));
        file.create(&SeededRandomness::new(1)).unwrap();
        let next = file.next().create(&SeededRandomness::new(2)).unwrap();
        assert_ne!(fingerprint(&file), next.fingerprint().unwrap());
        file.promote_next().unwrap();
        assert_eq!(fingerprint(&file), next.fingerprint().unwrap());
        assert!(matches!(file.next().read(), Err(VaultError::NoKeyFile { .. })));
        file.next().discard().unwrap();
    }
}
