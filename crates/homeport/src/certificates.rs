use std::sync::Arc;
use std::time::Duration;

use homeport_edge::tls::{
    self, AuthorityRecord, CertificateFiles, Certificates, Issuing, LeafKey, LocalAuthority, Names, Pins,
    TlsAcceptor,
};
use homeport_service::Parts;
use homeport_store::{Collection, KeyParts, Record, StoreError};
use homeport_vault::{Place, Purpose, Sealed, Secret};
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::ProgramError;

const AUTHORITIES: Collection<KeptAuthority> = Collection::new();
/// How often the operator's files are looked at.
const LOOK: Duration = Duration::from_secs(10);
/// What the functions' own authority may certify: the names that SDKs inside functions call.
const AWS_NAMES: &str = "amazonaws.com";

/// For whom an authority certifies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Apps, tools, browsers: this machine's names.
    Clients,
    /// Functions: AWS's names, which lead to the functions' listener inside a sandbox. No one else trusts it.
    Functions,
}

/// An authority with its keys and the server's, sealed.
#[derive(Clone, Serialize, Deserialize)]
struct KeptAuthority {
    name: String,
    authority: AuthorityRecord,
    authority_key: Sealed,
    leaf_key: Sealed,
    next_leaf_key: Sealed,
}

impl Record for KeptAuthority {
    const COLLECTION: &'static str = "tls.authorities";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        KeyParts::new().str(&self.name)
    }
}

impl Audience {
    fn name(self) -> &'static str {
        match self {
            Self::Clients => "clients",
            Self::Functions => "functions",
        }
    }

    fn names(self, config: &Config) -> Names {
        match self {
            Self::Clients => Names::of_this_machine(&config.listen.own_names()),
            Self::Functions => Names::local().and_hosts(&config.listen.own_names()),
        }
    }

    fn permitted(self, config: &Config) -> Names {
        match self {
            Self::Clients => self.names(config),
            Self::Functions => self.names(config).and_hosts(&[AWS_NAMES.to_owned()]),
        }
    }
}

/// An authority that was opened.
pub(crate) struct Authority {
    kept: KeptAuthority,
    authority: LocalAuthority,
    leaf: LeafKey,
    next: LeafKey,
}

impl Authority {
    /// The one that is kept, or a new one.
    pub(crate) async fn open(
        parts: &Parts,
        config: &Config,
        audience: Audience,
    ) -> Result<Self, ProgramError> {
        let name = &KeyParts::new().str(audience.name());
        let found = parts.store.read(|tx| async move { AUTHORITIES.get(&tx, name).await });
        if let Some(kept) = found.await? {
            return Self::load(parts, kept);
        }
        let made = Self::make(parts, config, audience)?;
        let kept = &made.kept;
        // Another node may have made its own in this moment: that one holds.
        let before = parts.store.write(|tx| async move {
            let before = AUTHORITIES.get(&tx, name).await?;
            if before.is_none() {
                AUTHORITIES.put(&tx, kept).await?;
            }
            Ok::<_, StoreError>(before)
        });
        match before.await? {
            Some(kept) => Self::load(parts, kept),
            None => Ok(made),
        }
    }

    fn make(parts: &Parts, config: &Config, audience: Audience) -> Result<Self, ProgramError> {
        let id = parts.vault.installation().get(..8).unwrap_or_default();
        let common_name = format!("Homeport {} {id}", audience.name());
        let permitted = audience.permitted(config);
        let authority =
            LocalAuthority::create(&common_name, &permitted, parts.clock.now(), &*parts.randomness)?;
        let (leaf, next) = (LeafKey::generate()?, LeafKey::generate()?);
        let name = audience.name();
        let seal =
            |field, secret: Secret| parts.vault.seal(Purpose::Tls, &place(name, field), secret.expose());
        let kept = KeptAuthority {
            name: name.to_owned(),
            authority: authority.record().clone(),
            authority_key: seal("authority_key", authority.key())?,
            leaf_key: seal("leaf_key", leaf.key())?,
            next_leaf_key: seal("next_leaf_key", next.key())?,
        };
        Ok(Self { kept, authority, leaf, next })
    }

    fn load(parts: &Parts, kept: KeptAuthority) -> Result<Self, ProgramError> {
        let open = |field, sealed| parts.vault.open(&place(&kept.name, field), sealed);
        let authority =
            LocalAuthority::load(kept.authority.clone(), &open("authority_key", &kept.authority_key)?)?;
        let leaf = LeafKey::load(&open("leaf_key", &kept.leaf_key)?)?;
        let next = LeafKey::load(&open("next_leaf_key", &kept.next_leaf_key)?)?;
        Ok(Self { kept, authority, leaf, next })
    }

    /// The root, in PEM.
    pub(crate) fn root_pem(&self) -> &str {
        &self.kept.authority.certificate_pem
    }

    /// The pins of the key in use and of the next one.
    pub(crate) fn pins(&self) -> Result<(Pins, Pins), ProgramError> {
        Ok((self.leaf.pins()?, self.next.pins()?))
    }

    fn issuing(
        self,
        parts: &Parts,
        config: &Config,
        audience: Audience,
    ) -> Result<TlsAcceptor, ProgramError> {
        let outside = self.authority.hosts_outside(&audience.names(config));
        if !outside.is_empty() {
            let names = outside.join(", ");
            tracing::warn!(%names, "the local authority was made without these names and can't certify them; give tls.certificate");
        }
        let config = config.clone();
        let names = move || audience.names(&config);
        let issuing =
            Issuing::new(self.authority, self.leaf, names, parts.clock.clone(), parts.randomness.clone())?;
        Ok(tls::acceptor(issuing)?)
    }
}

fn place<'a>(name: &'a str, field: &'a str) -> Place<'a> {
    Place { collection: KeptAuthority::COLLECTION, key: name.as_bytes(), field }
}

/// TLS for an audience: the operator's certificate for clients where there is one, else the authority's.
pub(crate) async fn acceptor(
    parts: &Parts,
    config: &Config,
    audience: Audience,
) -> Result<TlsAcceptor, ProgramError> {
    match (&config.tls.certificate, &config.tls.key, audience) {
        (Some(chain), Some(key), Audience::Clients) => from_files(CertificateFiles::at(chain, key)),
        _ => Authority::open(parts, config, audience).await?.issuing(parts, config, audience),
    }
}

fn from_files(files: CertificateFiles) -> Result<TlsAcceptor, ProgramError> {
    let shown = Certificates::new(files.load()?);
    let looked_at: Arc<Certificates> = shown.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(LOOK).await;
            match files.reload_if_changed(&looked_at) {
                Ok(true) => tracing::info!("the certificate was read anew"),
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(%error, "the certificate changed and can't be read: the one before stays")
                }
            }
        }
    });
    Ok(tls::acceptor(shown)?)
}

/// The pins of the operator's certificate.
pub(crate) fn pins_of_files(config: &Config) -> Result<Option<Pins>, ProgramError> {
    let (Some(chain), Some(key)) = (&config.tls.certificate, &config.tls.key) else { return Ok(None) };
    let certified = CertificateFiles::at(chain, key).load()?;
    let public = certified
        .key
        .public_key()
        .ok_or_else(|| ProgramError::Refused("tls.key has no public key".to_owned()))?;
    let pins = Pins::of(&public).map_err(|error| ProgramError::Refused(format!("tls.key: {error}")))?;
    Ok(Some(pins))
}
