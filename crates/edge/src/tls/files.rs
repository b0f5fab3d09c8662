use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::{Certificates, TlsError};

/// A certificate chain and its key in two PEM files that somebody else keeps current.
#[derive(Debug)]
pub struct CertificateFiles {
    chain: PathBuf,
    key: PathBuf,
    seen: Mutex<[Option<SystemTime>; 2]>,
}

impl CertificateFiles {
    /// The files at these paths; nothing is read yet.
    pub fn at(chain: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self { chain: chain.into(), key: key.into(), seen: Mutex::default() }
    }

    /// Reads both, and sees that they belong together.
    pub fn load(&self) -> Result<CertifiedKey, TlsError> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = self.times();
        let pem = |path: &Path, what| TlsError::Pem { path: path.to_owned(), what };
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&read(&self.chain)?)
            .collect::<Result<_, _>>()
            .map_err(|_| pem(&self.chain, "a certificate chain"))?;
        if chain.is_empty() {
            return Err(pem(&self.chain, "a certificate chain"));
        }
        let key =
            PrivateKeyDer::from_pem_slice(&read(&self.key)?).map_err(|_| pem(&self.key, "a private key"))?;
        let certified = CertifiedKey::new(chain, any_supported_type(&key)?);
        match certified.keys_match() {
            Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch)) => {
                Err(TlsError::Mismatch { chain: self.chain.clone(), key: self.key.clone() })
            }
            Err(error @ rustls::Error::InvalidCertificate(_)) => Err(error.into()),
            _ => Ok(certified),
        }
    }

    /// Shows the files' certificate if they changed since they were last read; true if they did. A pair that doesn't
    /// fit (one file is written before the other) is an error, and the next change is tried again.
    pub fn reload_if_changed(&self, shown: &Certificates) -> Result<bool, TlsError> {
        if *self.seen.lock().unwrap_or_else(PoisonError::into_inner) == self.times() {
            return Ok(false);
        }
        shown.replace(self.load()?);
        Ok(true)
    }

    fn times(&self) -> [Option<SystemTime>; 2] {
        [&self.chain, &self.key].map(|path| path.metadata().and_then(|metadata| metadata.modified()).ok())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;

    fn write_pair(chain: &Path, key: &Path) -> Vec<u8> {
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(chain, pair.cert.pem()).unwrap();
        fs::write(key, pair.signing_key.serialize_pem()).unwrap();
        pair.cert.der().to_vec()
    }

    fn age(path: &Path) {
        let earlier = path.metadata().unwrap().modified().unwrap() - Duration::from_secs(60);
        fs::File::options().write(true).open(path).unwrap().set_modified(earlier).unwrap();
    }

    #[test]
    fn changed_files_are_shown_and_broken_ones_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
        let first = write_pair(&chain, &key);
        age(&chain);
        age(&key);
        let files = CertificateFiles::at(&chain, &key);
        let shown = Certificates::new(files.load().unwrap());
        assert!(!files.reload_if_changed(&shown).unwrap());
        assert_eq!(shown.current().cert[0].as_ref(), first);

        let second = write_pair(&chain, &key);
        assert!(files.reload_if_changed(&shown).unwrap());
        assert_eq!(shown.current().cert[0].as_ref(), second);

        age(&key);
        fs::write(&key, "not a key").unwrap();
        assert!(matches!(files.reload_if_changed(&shown), Err(TlsError::Pem { .. })));
        assert_eq!(shown.current().cert[0].as_ref(), second);
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
        write_pair(&chain, &key);
        write_pair(&folder.path().join("other.pem"), &key);
        assert!(matches!(CertificateFiles::at(&chain, &key).load(), Err(TlsError::Mismatch { .. })));
        let missing = CertificateFiles::at(folder.path().join("none.pem"), &key);
        assert!(matches!(missing.load(), Err(TlsError::File { .. })));
    }
}
