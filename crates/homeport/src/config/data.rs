use std::path::{Path, PathBuf};

use homeport_core::Account;

use super::given::one;
use super::{Section, Setting};

/// Where an installation lies.
#[derive(Clone, Debug)]
pub(crate) struct Data {
    pub(crate) folder: PathBuf,
    pub(crate) key_file: Option<PathBuf>,
    pub(crate) account: Option<Account>,
}

impl Default for Data {
    fn default() -> Self {
        Self { folder: PathBuf::from("homeport-data"), key_file: None, account: None }
    }
}

impl Data {
    /// The embedded store's folder.
    pub(crate) fn store(&self) -> PathBuf {
        self.folder.join("store")
    }

    /// The blobs' folder.
    pub(crate) fn blobs(&self) -> PathBuf {
        self.folder.join("blobs")
    }

    /// The local authority's root, for programs on this machine.
    pub(crate) fn root_file(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// What tells commands where the running server is.
    pub(crate) fn server_file(&self) -> PathBuf {
        self.folder.join("server.json")
    }
}

pub(super) const SECTION: Section = Section {
    name: "data",
    about: "Where an installation lies. A copy of it is the folder **and** the key, taken while it is stopped.",
    settings: &[
        Setting {
            path: "data.folder",
            flag: Some("--data"),
            default: "`./homeport-data`",
            about: "The data folder. Production wants an absolute path on a disk whose flush is honest.",
            set: |config, values| {
                config.data.folder = Path::new(one(values)?).components().collect();
                Ok(())
            },
        },
        Setting {
            path: "data.key_file",
            flag: Some("--key-file"),
            default: "the folder's path with `.key` behind it",
            about: "The file that holds the master key, with mode 0600. It is made at the first start. Production wants \
                    it on another disk, or `HOMEPORT_MASTER_KEY`, or a systemd credential named `homeport-master-key`, \
                    which come before it.",
            set: |config, values| {
                config.data.key_file = Some(PathBuf::from(one(values)?));
                Ok(())
            },
        },
        Setting {
            path: "data.account",
            flag: None,
            default: "12 random digits; `000000000000` with `--dev`",
            about: "The account's number. It is fixed at the first start; a later start with another one is refused.",
            set: |config, values| {
                let account = Account::parse(one(values)?).map_err(|error| error.to_string())?;
                config.data.account = Some(account);
                Ok(())
            },
        },
    ],
};
