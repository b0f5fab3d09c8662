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
    #[error(
        "there is no data at {place}: `homeport serve` makes it; another folder is named by --data, a database by --store"
    )]
    NoData { place: String },
    #[error(
        "{place} is held by another Homeport{who}; it must be stopped first, or another folder named by --data"
    )]
    Held { place: String, who: String },
    #[error(
        "{place} was written by a newer version of Homeport (format {found}; this one reads up to {known}): install that version again"
    )]
    NewerData { place: String, found: u32, known: u32 },
    #[error("{place}: {source}")]
    Data { place: String, source: OpenError },
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error(
        "the data in {place} is sealed under a master key, and there is none at {}: put the key file back, or name it by --key-file",
        path.display()
    )]
    KeyMissing { place: String, path: PathBuf },
    #[error("the data in {place} can't be opened with the key of {source_name}: {error}")]
    KeyWrong { place: String, source_name: String, error: VaultError },
    #[error(
        "the data in {place} is sealed under the master key of the node that came first: bring its key here and name it by --key-file"
    )]
    KeyOfAnother { place: String },
    #[error("{source_name}: {error}")]
    Key { source_name: String, error: VaultError },
    #[error(
        "{place} holds records but no installation: it was damaged, or copied in part. No new key is made for it"
    )]
    NoInstallation { place: String },
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
    Moving(#[from] crate::moving::MovingError),
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
