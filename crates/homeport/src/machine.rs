//! What of this machine functions are given.

use std::path::{Path, PathBuf};

use homeport_blobs::{BlobPlace, Blobs};
use homeport_lambda::{Limits, Machine, Outbound};
use homeport_sandbox::{Spawner, Tier};

use crate::certificates::{Audience, Authority};
use crate::config::Config;
use crate::environment::Environment;
use crate::error::ProgramError;
use crate::house::{House, password_file};
use crate::master_key::KeySource;

/// Where systems keep the roots that their programs trust.
const SYSTEM_ROOTS: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// Probes the sandbox and says what functions get.
pub(crate) async fn describe(house: &House, blobs: &Blobs) -> Result<Machine, ProgramError> {
    let config = &house.config;
    let sandbox =
        Spawner::probe(&config.data.folder.join("sandbox"), homeport_sandbox::Limits::default()).await?;
    let confinement = sandbox.confinement();
    match confinement.tier {
        Tier::Refused => tracing::warn!(%confinement, "functions won't run: this machine can't confine them"),
        tier => tracing::info!(tier = tier.number(), "functions are confined"),
    }
    let folder = config.data.folder.join("functions");
    let ca_bundle = write_bundle(house, &folder).await?;
    let key_file = match &house.key {
        KeySource::File(file) => vec![absolute(file.path()), absolute(file.next().path())],
        KeySource::Given { .. } => Vec::new(),
    };
    Ok(Machine {
        blobs: blobs.of("lambda"),
        sandbox,
        folder: absolute(&folder),
        runtimes: runtimes_folder(config, &house.environment),
        interpreter_folders: search_path(&house.environment),
        hidden: std::iter::once(absolute(&config.data.folder))
            .chain(password_file(&house.environment).map(|path| absolute(&path)))
            .chain(secrets(config))
            .chain(key_file)
            .collect(),
        ca_bundle: Some(ca_bundle),
        network: if config.lambda.network { Outbound::default() } else { Outbound::Cut },
        limits: Limits::default(),
    })
}

/// Other files with secrets, wherever their owner keeps them, and the blobs that nodes share.
fn secrets(config: &Config) -> impl Iterator<Item = PathBuf> {
    let shared = match &config.blobs.place {
        Some(BlobPlace::Folder(folder)) => Some(folder),
        _ => None,
    };
    let files = [&config.tls.key, &config.smtp.password_file, &config.blobs.secret_key_file];
    files.into_iter().flatten().chain(shared).map(|path| absolute(path))
}

/// What a function trusts: the system's roots, and both of Homeport's authorities.
async fn write_bundle(house: &House, folder: &Path) -> Result<PathBuf, ProgramError> {
    let mut bundle =
        SYSTEM_ROOTS.iter().find_map(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    for audience in [Audience::Clients, Audience::Functions] {
        bundle.push_str(Authority::open(&house.parts, &house.config, audience).await?.root_pem());
    }
    let path = absolute(&folder.join("ca.pem"));
    std::fs::create_dir_all(folder)?;
    std::fs::write(&path, bundle).map_err(|source| ProgramError::File { path: path.clone(), source })?;
    Ok(path)
}

/// `lambda.runtimes`, or where the XDG base directory specification has a program's data.
pub(crate) fn runtimes_folder(config: &Config, environment: &Environment) -> PathBuf {
    if let Some(configured) = &config.lambda.runtimes {
        return absolute(configured);
    }
    let data = environment.get("XDG_DATA_HOME").map(PathBuf::from);
    let home = || PathBuf::from(environment.get("HOME").unwrap_or("/")).join(".local/share");
    data.filter(|path| path.is_absolute()).unwrap_or_else(home).join("homeport/runtimes")
}

/// The folders of `PATH`.
pub(crate) fn search_path(environment: &Environment) -> Vec<PathBuf> {
    let path = environment.get("PATH").unwrap_or("/usr/local/bin:/usr/bin:/bin");
    path.split(':').map(PathBuf::from).filter(|folder| folder.is_absolute()).collect()
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
