use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use homeport_blobs::{BlobPlace, Blobs as Store, S3Options};
use homeport_core::Randomness;

use super::given::one;
use super::{Section, Setting};
use crate::environment::Environment;
use crate::error::ProgramError;

const NO_KEY: &str = "blobs.access_key_id: it is needed for blobs in a bucket";

/// Where the bytes of objects and packages are.
#[derive(Clone, Debug)]
pub(crate) struct Blobs {
    pub(crate) place: Option<BlobPlace>,
    pub(crate) endpoint: Option<String>,
    pub(crate) region: String,
    pub(crate) access_key_id: Option<String>,
    pub(crate) secret_key_file: Option<PathBuf>,
    pub(crate) ca_file: Option<PathBuf>,
}

impl Default for Blobs {
    fn default() -> Self {
        Self {
            place: None,
            endpoint: None,
            region: "us-east-1".to_owned(),
            access_key_id: None,
            secret_key_file: None,
            ca_file: None,
        }
    }
}

impl Blobs {
    pub(super) fn check(&self, problems: &mut Vec<String>) {
        if let (Some(BlobPlace::S3 { .. }), None) = (&self.place, &self.access_key_id) {
            problems.push(NO_KEY.to_owned());
        }
    }

    /// Opens the blobs; a place that was named is tried first. `own` is the folder of an installation whose store no
    /// other node shares. The place is marked as this installation's.
    pub(crate) async fn open(
        &self,
        own: Option<&Path>,
        installation: &str,
        environment: &Environment,
        randomness: &dyn Randomness,
    ) -> Result<Store, ProgramError> {
        let named = match (&self.place, own) {
            (None | Some(BlobPlace::Folder(_)), _)
                if self.endpoint.is_some() || self.access_key_id.is_some() =>
            {
                return Err(ProgramError::Refused(
                    "blobs.place: s3://BUCKET is needed with an endpoint or an access key".to_owned(),
                ));
            }
            (Some(BlobPlace::S3 { bucket, prefix }), _) => {
                Store::s3(self.s3(bucket, prefix, environment)?, "s3")?
            }
            (Some(BlobPlace::Folder(folder)), _) => Store::shared_folder(folder, "s3")?,
            (None, Some(own)) => {
                let blobs = Store::folder(own, "s3")?;
                blobs.claim(installation).await?;
                return Ok(blobs);
            }
            (None, None) => {
                return Err(ProgramError::Refused(
                    "blobs.place: with --store, --blobs names the folder that all nodes share, or s3://BUCKET"
                        .to_owned(),
                ));
            }
        };
        named.check(randomness).await?;
        named.claim(installation).await?;
        Ok(named)
    }

    /// How a bucket is used.
    pub(crate) fn s3(
        &self,
        bucket: &str,
        prefix: &str,
        environment: &Environment,
    ) -> Result<S3Options, ProgramError> {
        let no_key = || ProgramError::Refused(NO_KEY.to_owned());
        Ok(S3Options {
            endpoint: self.endpoint.clone(),
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            region: self.region.clone(),
            access_key_id: self.access_key_id.clone().ok_or_else(no_key)?,
            secret_access_key: self.secret(environment)?,
            more_roots: self.ca_file.as_deref().map(read).transpose()?.unwrap_or_default(),
        })
    }

    fn secret(&self, environment: &Environment) -> Result<String, ProgramError> {
        let refused = ProgramError::Refused;
        if let Some(path) = &self.secret_key_file {
            let file = |source| ProgramError::File { path: path.clone(), source };
            if std::fs::metadata(path).map_err(file)?.permissions().mode() & 0o077 != 0 {
                let path = path.display();
                return Err(refused(format!("{path}: others may read the blobs' secret: chmod 600 {path}")));
            }
            let text = String::from_utf8(read(path)?);
            let text =
                text.map_err(|_| refused(format!("{}: a secret access key is text", path.display())))?;
            return Ok(text.trim_end_matches(['\r', '\n']).to_owned());
        }
        let secret = environment.secret("HOMEPORT_BLOBS_SECRET_ACCESS_KEY");
        let text = secret.as_ref().and_then(|secret| secret.expose_text());
        text.map(str::to_owned).ok_or_else(|| {
            refused(
                "blobs.access_key_id: its secret is needed, by blobs.secret_key_file or HOMEPORT_BLOBS_SECRET_ACCESS_KEY"
                    .to_owned(),
            )
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ProgramError> {
    std::fs::read(path).map_err(|source| ProgramError::File { path: path.to_owned(), source })
}

pub(super) const SECTION: Section = Section {
    name: "blobs",
    about: "Where the bytes of objects and packages are. At the start a place that is named here is tried: a small blob is \
            written, read and deleted. A place is one installation's alone, and marked so in the object `installation`: each \
            removes what none of its own records names.",
    settings: &[
        Setting {
            path: "blobs.place",
            flag: Some("--blobs"),
            default: "`blobs` in the data folder; with `--store` it is needed",
            about: "A folder that is there and that all nodes share, as by NFS, or `s3://BUCKET[/PREFIX]` in a cluster that \
                    speaks S3. The bucket must be there, and the access key may do `s3:PutObject`, `s3:GetObject`, \
                    `s3:DeleteObject` and `s3:AbortMultipartUpload` on its objects and `s3:ListBucket` on it. Production \
                    wants a lifecycle rule that aborts incomplete multipart uploads after two days: a node that crashes \
                    leaves them.",
            set: |config, values| {
                config.blobs.place = Some(BlobPlace::parse(one(values)?).map_err(|error| error.to_string())?);
                Ok(())
            },
        },
        Setting {
            path: "blobs.endpoint",
            flag: None,
            default: "AWS's own for the region",
            about: "The cluster, as `https://HOST[:PORT]`; `http://` on this machine alone.",
            set: |config, values| {
                config.blobs.endpoint = Some(one(values)?.to_owned());
                Ok(())
            },
        },
        Setting {
            path: "blobs.region",
            flag: None,
            default: "`us-east-1`",
            about: "The bucket's region.",
            set: |config, values| {
                one(values)?.clone_into(&mut config.blobs.region);
                Ok(())
            },
        },
        Setting {
            path: "blobs.access_key_id",
            flag: None,
            default: "none",
            about: "The id of the access key that the bucket is used with.",
            set: |config, values| {
                config.blobs.access_key_id = Some(one(values)?.to_owned());
                Ok(())
            },
        },
        Setting {
            path: "blobs.secret_key_file",
            flag: None,
            default: "`HOMEPORT_BLOBS_SECRET_ACCESS_KEY`",
            about: "A file, with mode 0600, that holds the access key's secret and nothing else.",
            set: |config, values| {
                config.blobs.secret_key_file = Some(PathBuf::from(one(values)?));
                Ok(())
            },
        },
        Setting {
            path: "blobs.ca_file",
            flag: None,
            default: "the system's roots alone",
            about: "A root, in PEM, that the cluster's certificate may come from as well.",
            set: |config, values| {
                config.blobs.ca_file = Some(PathBuf::from(one(values)?));
                Ok(())
            },
        },
    ],
};
