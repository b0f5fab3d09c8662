use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use homeport_core::{SharedClock, SharedRandomness, Timestamp};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::{LeafKey, LocalAuthority, Names, TlsError};

/// After how long a leaf is issued anew, in seconds; it is valid for much longer.
const FRESH_SECONDS: i64 = 86_400;
/// How many leaves are kept; with one more all are issued anew.
const MOST_LEAVES: usize = 256;

/// Shows leaves of a local authority, issued when they are asked for: one for the names of this machine, and one more
/// for each name below them that a client asks for, as `photos.localhost`, which no wildcard covers.
pub struct Issuing {
    authority: LocalAuthority,
    leaf: LeafKey,
    names: Box<dyn Fn() -> Names + Send + Sync>,
    clock: SharedClock,
    randomness: SharedRandomness,
    issued: Mutex<HashMap<String, Issued>>,
}

struct Issued {
    at: Timestamp,
    shown: Arc<CertifiedKey>,
}

impl Issuing {
    /// Issues the first leaf at once, so that what can fail does so at start. `names` is asked again with every leaf, as
    /// the machine's addresses change.
    pub fn new(
        authority: LocalAuthority,
        leaf: LeafKey,
        names: impl Fn() -> Names + Send + Sync + 'static,
        clock: SharedClock,
        randomness: SharedRandomness,
    ) -> Result<Arc<Self>, TlsError> {
        let issuing =
            Self { authority, leaf, names: Box::new(names), clock, randomness, issued: Mutex::default() };
        issuing.show(None)?;
        Ok(Arc::new(issuing))
    }

    /// The authority.
    pub fn authority(&self) -> &LocalAuthority {
        &self.authority
    }

    fn show(&self, asked: Option<&str>) -> Result<Arc<CertifiedKey>, TlsError> {
        let name = asked.map(|name| name.trim_end_matches('.').to_ascii_lowercase()).unwrap_or_default();
        let known = !name.is_empty() && self.authority.hosts_outside(&Names::hosts_only(&[&name])).is_empty();
        let name = if known { name } else { String::new() };
        let now = self.clock.now();
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = issued.get(&name).filter(|found| now.seconds_since(found.at) < FRESH_SECONDS) {
            return Ok(found.shown.clone());
        }
        let names = if known { (self.names)().with_host(&name) } else { (self.names)() };
        let shown = Arc::new(self.authority.issue(&self.leaf, &names, now, &*self.randomness)?);
        if issued.len() >= MOST_LEAVES {
            issued.clear();
        }
        issued.insert(name, Issued { at: now, shown: shown.clone() });
        Ok(shown)
    }
}

impl ResolvesServerCert for Issuing {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let shown = self.show(hello.server_name());
        shown.inspect_err(|error| tracing::error!(%error, "no certificate could be issued")).ok()
    }
}

impl fmt::Debug for Issuing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Issuing(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use homeport_core::{ManualClock, SeededRandomness};

    fn issuing() -> (Arc<Issuing>, Arc<ManualClock>) {
        let now = Timestamp::from_seconds(1_795_000_000);
        let random = SeededRandomness::new(1);
        let authority = LocalAuthority::create("test", &Names::local(), now, &random).unwrap();
        let clock = Arc::new(ManualClock::at(now));
        let leaf = LeafKey::generate().unwrap();
        (Issuing::new(authority, leaf, Names::local, clock.clone(), Arc::new(random)).unwrap(), clock)
    }

    fn shown(issuing: &Issuing, name: &str) -> Vec<u8> {
        issuing.show(Some(name)).unwrap().cert[0].to_vec()
    }

    #[test]
    fn a_name_below_localhost_gets_a_leaf_of_its_own() {
        let (issuing, _clock) = issuing();
        let first = issuing.show(None).unwrap().cert[0].to_vec();
        let photos = shown(&issuing, "photos.localhost");
        assert_ne!(photos, first);
        assert!(photos.windows(16).any(|bytes| bytes == b"photos.localhost"));
        assert_eq!(shown(&issuing, "PHOTOS.localhost."), photos);
        assert_eq!(shown(&issuing, "bank.example"), first);
    }

    #[test]
    fn a_leaf_is_issued_anew_after_a_day() {
        let (issuing, clock) = issuing();
        let first = shown(&issuing, "localhost");
        clock.advance_seconds(FRESH_SECONDS - 1);
        assert_eq!(shown(&issuing, "localhost"), first);
        clock.advance_seconds(1);
        assert_ne!(shown(&issuing, "localhost"), first);
    }

    #[test]
    fn leaves_have_a_bound() {
        let (issuing, _clock) = issuing();
        for at in 0..2 * MOST_LEAVES {
            shown(&issuing, &format!("n{at}.localhost"));
        }
        assert!(issuing.issued.lock().unwrap().len() <= MOST_LEAVES);
    }
}
