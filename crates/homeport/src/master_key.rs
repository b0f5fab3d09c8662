use homeport_core::Randomness;
use homeport_vault::{KeyFile, KeyRing, MasterKey, VaultError};

use crate::config::Config;
use crate::environment::Environment;
use crate::error::ProgramError;

/// The systemd credential's name.
const CREDENTIAL: &str = "homeport-master-key";
/// The variable that holds the key.
const VARIABLE: &str = "HOMEPORT_MASTER_KEY";
/// The variable that holds the key which `homeport key rotate` turns to.
const NEXT_VARIABLE: &str = "HOMEPORT_NEXT_MASTER_KEY";

/// Where the master key comes from (security decision 18).
pub(crate) enum KeySource {
    /// It was given, by the environment or by systemd.
    Given { name: &'static str, key: MasterKey, next: Option<MasterKey> },
    /// It lies in a file that Homeport made or will make.
    File(KeyFile),
}

impl KeySource {
    /// The environment, then a systemd credential, then the file.
    pub(crate) fn find(config: &Config, environment: &Environment) -> Result<Self, ProgramError> {
        let parse = |name: &'static str, text: &str| {
            MasterKey::parse(text).map_err(|error| ProgramError::Key { source_name: name.to_owned(), error })
        };
        let next = environment.get(NEXT_VARIABLE).map(|text| parse(NEXT_VARIABLE, text)).transpose()?;
        if let Some(text) = environment.get(VARIABLE) {
            return Ok(Self::Given { name: VARIABLE, key: parse(VARIABLE, text)?, next });
        }
        if let Some(path) = environment.credential(CREDENTIAL) {
            let text =
                std::fs::read_to_string(&path).map_err(|source| ProgramError::File { path, source })?;
            return Ok(Self::Given { name: CREDENTIAL, key: parse(CREDENTIAL, &text)?, next });
        }
        let configured = config.data.key_file.clone().map(KeyFile::at);
        Ok(Self::File(configured.unwrap_or_else(|| KeyFile::beside(&config.data.folder))))
    }

    /// What to call it in a message.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Given { name, .. } => (*name).to_owned(),
            Self::File(file) => file.path().display().to_string(),
        }
    }

    /// The key for a store that is still empty: the given one, the file's, or a new one in a new file. Whether it is new is
    /// said beside it.
    pub(crate) fn for_empty_store(
        &self,
        randomness: &dyn Randomness,
    ) -> Result<(MasterKey, bool), ProgramError> {
        let file = match self {
            Self::Given { key, .. } => return Ok((key.clone(), false)),
            Self::File(file) => file,
        };
        match file.read() {
            Err(VaultError::NoKeyFile { .. }) => match file.create(randomness) {
                // Another node on this machine was quicker.
                Err(VaultError::KeyFileExists { .. }) => Ok((file.read()?, false)),
                made => Ok((made?, true)),
            },
            read => Ok((read?, false)),
        }
    }

    /// Takes back a key that was made a moment ago and that nothing was sealed under.
    pub(crate) fn take_back(&self) -> Result<(), ProgramError> {
        match self {
            Self::Given { .. } => Ok(()),
            Self::File(file) => Ok(file.discard()?),
        }
    }

    /// The key that the ring was wrapped under. Where a change of keys was cut short, the file that fits is put in place.
    pub(crate) fn for_ring(&self, ring: &KeyRing, place: &str) -> Result<MasterKey, ProgramError> {
        let file = match self {
            Self::Given { key, .. } => return Ok(key.clone()),
            Self::File(file) => file,
        };
        let missing = |error| match error {
            VaultError::NoKeyFile { path } => ProgramError::KeyMissing { place: place.to_owned(), path },
            error => ProgramError::Vault(error),
        };
        let kept = file.read();
        if kept.as_ref().is_ok_and(|key| ring.is_wrapped_under(key)) {
            file.next().discard()?;
            return kept.map_err(missing);
        }
        match file.next().read() {
            Ok(next) if ring.is_wrapped_under(&next) => {
                file.promote_next()?;
                Ok(next)
            }
            _ => kept.map_err(missing),
        }
    }

    /// Whether the key, as it is there now, opens this ring.
    pub(crate) fn opens(&self, ring: &KeyRing) -> bool {
        match self {
            Self::Given { key, .. } => ring.is_wrapped_under(key),
            Self::File(file) => file.read().is_ok_and(|key| ring.is_wrapped_under(&key)),
        }
    }

    /// The key to turn to. A file's is written beside the old one before this returns.
    pub(crate) fn next(&self, randomness: &dyn Randomness) -> Result<MasterKey, ProgramError> {
        match self {
            Self::Given { next: Some(next), .. } => Ok(next.clone()),
            Self::Given { name, next: None, .. } => Err(ProgramError::NoNextKey((*name).to_owned())),
            Self::File(file) => {
                file.next().discard()?;
                Ok(file.next().create(randomness)?)
            }
        }
    }

    /// To be called once the ring is wrapped under the next key.
    pub(crate) fn turned(&self) -> Result<(), ProgramError> {
        match self {
            Self::Given { .. } => Ok(()),
            Self::File(file) => Ok(file.promote_next()?),
        }
    }
}
