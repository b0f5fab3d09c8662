use std::net::SocketAddr;
use std::path::PathBuf;

use homeport_edge::tls::TlsError;
use homeport_iam::IamError;
use homeport_store::{OpenError, StoreError};
use homeport_vault::VaultError;

use crate::config::Problems;

/// Why a command failed, in words that a person can act on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProgramError {
    #[error("{0}")]
    Config(#[from] Problems),
    #[error("{address} is taken by another program{hint}; choose another with {flag}")]
    PortTaken { address: SocketAddr, flag: &'static str, hint: String },
    #[error("{address} can't be listened on: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("there is no data at {}: `homeport serve` makes it; another folder is named by --data", folder.display())]
    NoData { folder: PathBuf },
    #[error("{} is held by another Homeport{who}; it must be stopped first, or another folder named by --data", folder.display())]
    Held { folder: PathBuf, who: String },
    #[error("{} was written by a newer version of Homeport (format {found}; this one reads up to {known}): install that version again", folder.display())]
    NewerData { folder: PathBuf, found: u32, known: u32 },
    #[error("{}: {source}", folder.display())]
    Data { folder: PathBuf, source: OpenError },
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error(
        "the data in {} is sealed under a master key, and there is none at {}: put the key file back, or name it by --key-file",
        folder.display(), path.display()
    )]
    KeyMissing { folder: PathBuf, path: PathBuf },
    #[error("the data in {} can't be opened with the key of {source_name}: {error}", folder.display())]
    KeyWrong { folder: PathBuf, source_name: String, error: VaultError },
    #[error("{source_name}: {error}")]
    Key { source_name: String, error: VaultError },
    #[error(
        "{} holds records but no installation: it was damaged, or copied in part. No new key is made for it",
        folder.display()
    )]
    NoInstallation { folder: PathBuf },
    #[error(
        "this installation's account is {kept}, and data.account says {configured}: an account is never changed"
    )]
    OtherAccount { kept: String, configured: String },
    #[error("the administrator was deleted from IAM: there are no credentials to show")]
    NoAdministrator,
    #[error("{0}")]
    Refused(String),
    #[error(
        "the master key comes from {0}: put the next one into HOMEPORT_NEXT_MASTER_KEY and run this again"
    )]
    NoNextKey(String),
    #[error("the running server did not answer as expected: {0}")]
    Server(String),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Tls(#[from] TlsError),
    #[error("{0}")]
    Iam(#[from] IamError),
    #[error("{0}")]
    Vault(#[from] VaultError),
    #[error("the sample: {0}")]
    Demo(String),
    #[error("{0}")]
    Blobs(#[from] homeport_blobs::BlobError),
    #[error("functions: {0}")]
    Lambda(#[from] homeport_lambda::LambdaError),
    #[error("functions: {0}")]
    Sandbox(#[from] homeport_sandbox::SandboxError),
    #[error("{0}")]
    Install(#[from] homeport_lambda::runtimes::InstallError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}
