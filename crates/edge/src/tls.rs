//! TLS: which certificate is shown, and where it comes from.
//!
//! Either files that the operator keeps current ([`CertificateFiles`]), or a [`LocalAuthority`] made at first start
//! that issues short-lived leaves for the names of this machine. [`Pins`] are what apps compare.

mod authority;
mod files;
mod issuing;
mod names;
mod pins;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
pub use tokio_rustls::TlsAcceptor;

pub use authority::{AuthorityRecord, CA_DAYS, LEAF_DAYS, LeafKey, LocalAuthority};
pub use files::CertificateFiles;
pub use issuing::Issuing;
pub use names::{Names, host_name, machine_addresses};
pub use pins::{NotAKey, Pins};

/// Why there is no certificate to show.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file of the operator's can't be read.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file.
        path: std::path::PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file holds no certificate or key in PEM form.
    #[error("{}: {what} in PEM form was expected", path.display())]
    Pem {
        /// Which file.
        path: std::path::PathBuf,
        /// `a certificate chain` or `a private key`.
        what: &'static str,
    },
    /// The certificate and the key don't belong together.
    #[error("the certificate {} is not for the key {}", chain.display(), key.display())]
    Mismatch {
        /// The chain's file.
        chain: std::path::PathBuf,
        /// The key's file.
        key: std::path::PathBuf,
    },
    /// A configured name is no DNS name.
    #[error("`{0}` is not a host name")]
    Name(String),
    /// The library refused a key or could not sign.
    #[error("certificates: {0}")]
    Library(String),
}

impl From<rcgen::Error> for TlsError {
    fn from(error: rcgen::Error) -> Self {
        Self::Library(error.to_string())
    }
}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        Self::Library(error.to_string())
    }
}

/// The certificate that is shown now. It can be replaced while connections come.
pub struct Certificates(RwLock<Arc<CertifiedKey>>);

impl Certificates {
    /// Shows this one first.
    pub fn new(certificate: CertifiedKey) -> Arc<Self> {
        Arc::new(Self(RwLock::new(Arc::new(certificate))))
    }

    /// Shows this one from now on.
    pub fn replace(&self, certificate: CertifiedKey) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(certificate);
    }

    /// The one that is shown.
    pub fn current(&self) -> Arc<CertifiedKey> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificates(..)")
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

/// Accepts TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1, with whatever certificate is current.
pub fn acceptor(certificates: Arc<dyn ResolvesServerCert>) -> Result<TlsAcceptor, TlsError> {
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let mut config =
        builder.with_safe_default_protocol_versions()?.with_no_client_auth().with_cert_resolver(certificates);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
