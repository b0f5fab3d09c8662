//! An opened installation: store, keys, administrator. A server has one, and so has a command where none runs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use homeport_blobs::Blobs;
use homeport_core::{SharedClock, SharedRandomness};
use homeport_edge::egress::{Egress, EgressRules};
use homeport_iam::Iam;
use homeport_service::{AuthorizationEpoch, Hosted, Installation, Needs, Parts};
use homeport_store::{EmbeddedOptions, OpenError, PostgresOptions, PostgresUrl, Store};
use homeport_vault::{KeyRing, MasterKey};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::clock::SystemClock;
use crate::config::{Config, Issuer};
use crate::duty::Duties;
use crate::environment::Environment;
use crate::error::ProgramError;
use crate::installation::InstallationRecord;
use crate::mail::Mail;
use crate::master_key::KeySource;
use crate::node::Node;
use crate::outbox::Outbox;
use crate::randomness::OsRandomness;
use crate::server_file::ServerFile;

/// An opened installation.
pub(crate) struct House {
    pub(crate) config: Config,
    pub(crate) environment: Environment,
    pub(crate) key: KeySource,
    /// The fingerprint of the master key at the start.
    key_at_start: String,
    pub(crate) duties: Duties,
    pub(crate) parts: Parts,
    /// IAM: a command needs it for the administrator's keys, the server for all.
    pub(crate) iam: Arc<Iam>,
    pub(crate) iam_host: Arc<dyn Hosted>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) mail: Arc<Mail>,
    pub(crate) egress: Arc<Egress>,
    /// All blobs; a server has them.
    pub(crate) blobs: OnceLock<Blobs>,
}

/// For whom a house is opened.
pub(crate) enum For<'a> {
    /// A command: there must be one.
    Command,
    /// A server at this endpoint, with its functions' endpoint: it is made if there is none.
    Server { endpoint: &'a str, functions_url: String },
}

impl House {
    /// Opens the store, then finds the key.
    pub(crate) async fn open(
        config: Config,
        environment: Environment,
        opened_for: For<'_>,
    ) -> Result<Self, ProgramError> {
        let (clock, randomness): (SharedClock, SharedRandomness) =
            (Arc::new(SystemClock), Arc::new(OsRandomness));
        let key = KeySource::find(&config, &environment)?;
        let node = Node::draw(&*randomness);
        let store = open_store(&config, &environment, &node, matches!(opened_for, For::Command)).await?;
        let place = config.place();
        let kept = InstallationRecord::read(&store).await?;
        let (record, master) = match (kept, &opened_for) {
            (Some(record), _) => {
                let master = key.for_ring(&record.key_ring, &place)?;
                check(&record.key_ring, &master, &key, place)?;
                (record.bring_up_to_date(&store, &config, &master, &*randomness).await?, master)
            }
            (None, For::Command) => return Err(ProgramError::NoData { place }),
            (None, For::Server { endpoint, .. }) => {
                InstallationRecord::make(&store, &config, &key, endpoint, clock.now(), &*randomness).await?
            }
        };
        let key_at_start = master.fingerprint()?;
        let vault = record.key_ring.unlock(&master, randomness.clone())?;
        let parts = Parts {
            epoch: Arc::new(AuthorizationEpoch::follow(&store)),
            installation: Arc::new(Installation {
                account: record.account,
                public_urls: record.public_urls,
                aws_issuer: config.cognito.issuer == Issuer::Aws,
                functions_url: match opened_for {
                    For::Command => None,
                    For::Server { functions_url, .. } => Some(functions_url),
                },
            }),
            store,
            vault,
            clock,
            randomness,
            needs: Arc::new(Needs::default()),
        };
        let outbox = Arc::new(Outbox::new(&parts));
        let mail = Arc::new(Mail::new(&parts, &config.smtp, &environment, outbox.clone())?);
        parts.needs.send_message.set(mail.clone()).ok();
        let egress = egress(&config)?;
        parts.needs.fetch.set(egress.clone()).ok();
        let (iam, iam_host) = homeport_iam::host(&parts);
        let duties = Duties::new(parts.store.clone(), parts.clock.clone(), node);
        Ok(Self {
            config,
            environment,
            key,
            key_at_start,
            duties,
            parts,
            iam,
            iam_host,
            outbox,
            mail,
            egress,
            blobs: OnceLock::new(),
        })
    }
}

impl House {
    /// Whether this node could open the ring again, were it started now.
    pub(crate) fn has_key_of(&self, ring: &KeyRing) -> bool {
        ring.master_key() == self.key_at_start || self.key.opens(ring)
    }
}

fn egress(config: &Config) -> Result<Arc<Egress>, ProgramError> {
    let rules = EgressRules { allow: config.egress.allow.clone(), loopback: config.dev };
    let Some(path) = &config.egress.ca_file else { return Ok(Egress::new(rules, Vec::new())) };
    let file = |source| ProgramError::File { path: path.clone(), source };
    let pem = std::fs::read(path).map_err(file)?;
    let roots = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    Ok(Egress::new(rules, roots.map_err(|error| file(std::io::Error::other(error)))?))
}

/// A wrong key is told before anything is done with it.
fn check(ring: &KeyRing, master: &MasterKey, key: &KeySource, place: String) -> Result<(), ProgramError> {
    if ring.is_wrapped_under(master) {
        return Ok(());
    }
    let refused = ring.unlock(master, Arc::new(OsRandomness)).err();
    Err(ProgramError::KeyWrong {
        place,
        source_name: key.name(),
        error: refused.unwrap_or(homeport_vault::VaultError::BrokenRing),
    })
}

/// The store in the folder, or in the database that nodes share.
async fn open_store(
    config: &Config,
    environment: &Environment,
    node: &Node,
    must_exist: bool,
) -> Result<Store, ProgramError> {
    if !must_exist || config.store.database.is_none() {
        let there = config.data.store().exists();
        if must_exist && !there {
            return Err(ProgramError::NoData { place: config.place() });
        }
        make_private(&config.data.folder)?;
    }
    let opened = match &config.store.database {
        Some(url) => {
            let options = database(url, config, environment, node)?;
            Store::connect(PostgresOptions { must_exist, ..options }).await
        }
        None => Store::open(&config.data.store(), embedded(config)).await,
    };
    opened.map_err(|error| {
        let place = config.place();
        match error {
            OpenError::Locked => ProgramError::Held { place, who: holder(config) },
            OpenError::Missing => ProgramError::NoData { place },
            OpenError::NewerFormat { found, known } => ProgramError::NewerData { place, found, known },
            source => ProgramError::Data { place, source },
        }
    })
}

fn database(
    url: &PostgresUrl,
    config: &Config,
    environment: &Environment,
    node: &Node,
) -> Result<PostgresOptions, ProgramError> {
    let file = password_file(environment);
    let url = url.clone().with_password(environment.get("PGPASSWORD"), file.as_deref());
    let url = url.map_err(|error| ProgramError::Refused(format!("--store: {error}")))?;
    let connections = config.store.connections.into();
    Ok(PostgresOptions { connections, ..PostgresOptions::new(url, node.id()) })
}

/// Where libpq looks for passwords.
pub(crate) fn password_file(environment: &Environment) -> Option<PathBuf> {
    let home = || Some(PathBuf::from(environment.get("HOME")?).join(".pgpass"));
    environment.get("PGPASSFILE").map(PathBuf::from).or_else(home)
}

fn embedded(config: &Config) -> EmbeddedOptions {
    let bytes = |mib: u32| u64::from(mib) << 20;
    EmbeddedOptions {
        row_cache_bytes: usize::try_from(bytes(config.store.row_cache_mib)).unwrap_or(usize::MAX),
        block_cache_bytes: bytes(config.store.block_cache_mib),
        memtable_bytes: bytes(config.store.memtable_mib),
        ..EmbeddedOptions::default()
    }
}

/// The data folder is its owner's alone.
fn make_private(folder: &Path) -> Result<(), ProgramError> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|source| ProgramError::File { path: folder.to_owned(), source })
}

fn holder(config: &Config) -> String {
    let file = ServerFile::read(&config.data.server_file());
    file.map(|file| format!(" (process {}, at {})", file.pid, file.endpoint)).unwrap_or_default()
}
