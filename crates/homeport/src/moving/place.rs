use std::fmt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use homeport_blobs::{BlobPlace, Blobs};
use homeport_store::{EmbeddedOptions, OpenError, PostgresOptions, PostgresUrl, PostgresUrlError, Store};

use super::MovingError;
use crate::config::Config;
use crate::environment::Environment;
use crate::house::password_file;
use crate::node::Node;
use crate::randomness::OsRandomness;

/// Sessions with a database: one reads, one writes, and a few for what is asked beside.
const CONNECTIONS: usize = 6;
/// All owners' blobs are copied, whosever part they are opened as.
const NO_OWNER: &str = "moving";

/// Where an installation is, or comes to be.
pub(crate) struct Place {
    store: At,
    blobs: BlobPlace,
    /// Whether the blobs are elsewhere than in the installation's own folder: then nodes may be writing there.
    apart: bool,
}

enum At {
    /// The embedded store in `FOLDER/store`.
    Folder(PathBuf),
    Database(PostgresUrl),
}

/// What a place is opened for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be read: nothing in it is changed, and it must be there.
    Source,
    /// To be filled.
    Target,
}

/// What the settings say of places: the keys of buckets.
pub(crate) struct With<'a> {
    pub(crate) config: &'a Config,
    pub(crate) environment: &'a Environment,
}

/// An opened place.
pub(crate) struct Opened {
    /// How it is called in messages.
    pub(crate) place: String,
    pub(crate) store: Store,
    /// How its blobs' place is called.
    pub(crate) blob_place: String,
    pub(crate) blobs: Blobs,
}

impl Place {
    /// Reads a place as it is written on the command line. A folder has its blobs in it, unless they are named.
    pub(crate) fn parse(place: &str, blobs: Option<&str>, flag: &str) -> Result<Self, MovingError> {
        let blobs = blobs.map(BlobPlace::parse).transpose()?;
        if place.starts_with("postgres://") || place.starts_with("postgresql://") {
            let url: PostgresUrl = place.parse().map_err(unreadable)?;
            let missing = || MovingError::Place(format!("{flag} is needed: a database holds no blobs"));
            return Ok(Self { store: At::Database(url), blobs: blobs.ok_or_else(missing)?, apart: true });
        }
        if place.contains("://") {
            let expected = "a folder or postgres://USER@HOST[:PORT]/DATABASE is expected";
            let scheme = place.split("://").next().unwrap_or_default();
            return Err(MovingError::Place(format!("{scheme}://…: {expected}")));
        }
        let folder: PathBuf = Path::new(place).components().collect();
        let apart = blobs.is_some();
        let blobs = blobs.unwrap_or_else(|| BlobPlace::Folder(folder.join("blobs")));
        Ok(Self { store: At::Folder(folder), blobs, apart })
    }

    /// The place of an installation that this configuration names.
    pub(crate) fn of(config: &Config) -> Result<Self, MovingError> {
        let named = config.blobs.place.clone();
        let Some(url) = &config.store.database else {
            let apart = named.is_some();
            let blobs = named.unwrap_or_else(|| BlobPlace::Folder(config.data.blobs()));
            return Ok(Self { store: At::Folder(config.data.folder.clone()), blobs, apart });
        };
        let missing = || MovingError::Place("--blobs is needed: a database holds no blobs".to_owned());
        Ok(Self { store: At::Database(url.clone()), blobs: named.ok_or_else(missing)?, apart: true })
    }

    /// Whether other processes may use it beside this one.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.store, At::Database(_))
    }

    /// Opens it; a folder is held then.
    pub(crate) async fn open(&self, purpose: Purpose, with: &With<'_>) -> Result<Opened, MovingError> {
        let opened = match &self.store {
            At::Folder(folder) => self.open_folder(folder, purpose).await?,
            At::Database(url) => {
                let must_exist = purpose == Purpose::Source;
                let options = database(url, with.environment)?;
                Store::connect(PostgresOptions { must_exist, ..options }).await
            }
        };
        let store = opened.map_err(|error| self.refused(error))?;
        let blobs = self.open_blobs(purpose, with)?;
        let (place, blob_place) = (self.to_string(), self.blobs.to_string());
        Ok(Opened { place, store, blob_place, blobs })
    }

    async fn open_folder(
        &self,
        folder: &Path,
        purpose: Purpose,
    ) -> Result<Result<Store, OpenError>, MovingError> {
        let store = folder.join("store");
        match purpose {
            Purpose::Source if !store.exists() => {
                return Err(MovingError::NoInstallation { place: self.to_string(), hint: "" });
            }
            Purpose::Source => {}
            Purpose::Target => {
                let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
                made.map_err(|source| MovingError::File { path: folder.to_owned(), source })?;
            }
        }
        Ok(Store::open(&store, EmbeddedOptions::default()).await)
    }

    fn open_blobs(&self, purpose: Purpose, with: &With<'_>) -> Result<Blobs, MovingError> {
        match &self.blobs {
            // Nobody else writes into the folder of an installation that is held.
            BlobPlace::Folder(folder) if purpose == Purpose::Target && !self.apart => {
                Ok(Blobs::folder(folder, NO_OWNER)?)
            }
            BlobPlace::Folder(folder) => Ok(Blobs::shared_folder(folder, NO_OWNER)?),
            BlobPlace::S3 { bucket, prefix } => {
                let options = with.config.blobs.s3(bucket, prefix, with.environment);
                let options = options.map_err(|error| MovingError::Place(error.to_string()))?;
                Ok(Blobs::s3(options, NO_OWNER)?)
            }
        }
    }

    fn refused(&self, error: OpenError) -> MovingError {
        let place = self.to_string();
        match error {
            OpenError::Locked => MovingError::Held { place },
            OpenError::Missing => MovingError::NoInstallation { place, hint: "" },
            source => MovingError::Open { place, source },
        }
    }
}

fn database(url: &PostgresUrl, environment: &Environment) -> Result<PostgresOptions, MovingError> {
    let file = password_file(environment);
    let url =
        url.clone().with_password(environment.get("PGPASSWORD"), file.as_deref()).map_err(unreadable)?;
    let node = Node::draw(&OsRandomness).id();
    Ok(PostgresOptions { connections: CONNECTIONS, ..PostgresOptions::new(url, node) })
}

fn unreadable(error: PostgresUrlError) -> MovingError {
    MovingError::Place(format!("the database's URL: {error}"))
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.store {
            At::Folder(folder) => write!(f, "{}", folder.display()),
            At::Database(url) => url.fmt(f),
        }
    }
}
