use homeport_core::{Randomness, Timestamp};
use homeport_vault::Secret;
use ipnet::IpNet;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PublicKeyData, SerialNumber,
};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{Names, Pins, TlsError};

/// How long the authority's own certificate lives.
pub const CA_DAYS: i64 = 3_650;
/// How long a leaf lives (security decision 26).
pub const LEAF_DAYS: i64 = 90;
/// For clocks that are behind ours.
const SKEW_SECONDS: i64 = 3_600;
const DAY: i64 = 86_400;

/// Networks that are nobody else's: what the authority may always certify addresses of.
const OWN_NETWORKS: [&str; 8] = [
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
];

/// What is kept of an authority, beside its key, which the owner seals.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AuthorityRecord {
    /// The subject's common name.
    pub common_name: String,
    /// The hosts that it may certify, with all below them.
    pub hosts: Vec<String>,
    /// The networks whose addresses it may certify.
    pub networks: Vec<IpNet>,
    /// Its certificate, in PEM.
    pub certificate_pem: String,
}

/// A certificate authority of this installation alone. Its name constraints keep it to the names it was made for, so
/// that trusting it on a phone opens no other name to whoever gets its key.
pub struct LocalAuthority {
    record: AuthorityRecord,
    issuer: Issuer<'static, KeyPair>,
}

impl LocalAuthority {
    /// A new authority for these names and for all private addresses.
    pub fn create(
        common_name: &str,
        names: &Names,
        now: Timestamp,
        randomness: &dyn Randomness,
    ) -> Result<Self, TlsError> {
        let hosts: Vec<String> = names.hosts().map(str::to_owned).collect();
        let own = OWN_NETWORKS.iter().filter_map(|network| network.parse::<IpNet>().ok());
        let mut networks: Vec<IpNet> = own.collect();
        for address in names.addresses() {
            if !networks.iter().any(|network| network.contains(&address)) {
                networks.push(address.into());
            }
        }
        let key = KeyPair::generate()?;
        let mut params = authority_params(common_name);
        validity(&mut params, now, CA_DAYS);
        params.serial_number = Some(serial(randomness));
        params.name_constraints = Some(constraints(&hosts, &networks));
        let certificate_pem = params.self_signed(&key)?.pem();
        let record =
            AuthorityRecord { common_name: common_name.to_owned(), hosts, networks, certificate_pem };
        Ok(Self { issuer: Issuer::new(params, key), record })
    }

    /// An authority that was made before.
    pub fn load(record: AuthorityRecord, key: &Secret) -> Result<Self, TlsError> {
        let key = key_pair(key)?;
        Ok(Self { issuer: Issuer::new(authority_params(&record.common_name), key), record })
    }

    /// What to keep of it.
    pub fn record(&self) -> &AuthorityRecord {
        &self.record
    }

    /// Its private key (PKCS#8), to be sealed.
    pub fn key(&self) -> Secret {
        Secret::new(self.issuer.key().serialize_der())
    }

    /// The hosts of these that it may not certify.
    pub fn hosts_outside(&self, names: &Names) -> Vec<String> {
        names.hosts_outside(&self.record.hosts).map(str::to_owned).collect()
    }

    /// A leaf for those of the names that it may certify, valid from an hour ago for 90 days.
    pub fn issue(
        &self,
        key: &LeafKey,
        names: &Names,
        now: Timestamp,
        randomness: &dyn Randomness,
    ) -> Result<CertifiedKey, TlsError> {
        let names = names.within(&self.record.hosts, &self.record.networks);
        let mut params = CertificateParams::default();
        params.distinguished_name = distinguished_name("Homeport");
        params.subject_alt_names = names.subject_alternative_names()?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.serial_number = Some(serial(randomness));
        validity(&mut params, now, LEAF_DAYS);
        let leaf = params.signed_by(&key.0, &self.issuer)?;
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.0.serialize_der()));
        let chain = vec![CertificateDer::from(leaf.der().to_vec())];
        Ok(CertifiedKey::new(chain, any_supported_type(&private)?))
    }
}

/// A server's key (ECDSA on P-256). Leaves are renewed under the same key, so that pins hold.
pub struct LeafKey(KeyPair);

impl LeafKey {
    /// A new key, from the operating system's randomness.
    pub fn generate() -> Result<Self, TlsError> {
        Ok(Self(KeyPair::generate()?))
    }

    /// A key that was made before (PKCS#8).
    pub fn load(key: &Secret) -> Result<Self, TlsError> {
        Ok(Self(key_pair(key)?))
    }

    /// The key (PKCS#8), to be sealed.
    pub fn key(&self) -> Secret {
        Secret::new(self.0.serialize_der())
    }

    /// What apps pin.
    pub fn pins(&self) -> Result<Pins, TlsError> {
        Pins::of(&self.0.subject_public_key_info()).map_err(|error| TlsError::Library(error.to_string()))
    }
}

fn key_pair(key: &Secret) -> Result<KeyPair, TlsError> {
    let der = PrivatePkcs8KeyDer::from(key.expose());
    Ok(KeyPair::from_pkcs8_der_and_sign_algo(&der, &rcgen::PKCS_ECDSA_P256_SHA256)?)
}

fn authority_params(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = distinguished_name(common_name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn distinguished_name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

fn constraints(hosts: &[String], networks: &[IpNet]) -> NameConstraints {
    let hosts = hosts.iter().map(|host| GeneralSubtree::DnsName(host.clone()));
    let networks = networks.iter().map(|network| GeneralSubtree::IpAddress(subnet(network)));
    NameConstraints { permitted_subtrees: hosts.chain(networks).collect(), excluded_subtrees: Vec::new() }
}

fn subnet(network: &IpNet) -> CidrSubnet {
    CidrSubnet::from_addr_prefix(network.network(), network.prefix_len())
}

fn validity(params: &mut CertificateParams, now: Timestamp, days: i64) {
    params.not_before = now.plus_seconds(-SKEW_SECONDS).date_time();
    params.not_after = now.plus_seconds(days * DAY - SKEW_SECONDS).date_time();
}

/// Sixteen random bytes, positive and without a leading zero.
fn serial(randomness: &dyn Randomness) -> SerialNumber {
    let mut bytes = [0; 16];
    randomness.fill(&mut bytes);
    bytes[0] = bytes[0] & 0x7f | 0x40;
    SerialNumber::from_slice(&bytes)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use homeport_core::SeededRandomness;
    use rustls::RootCertStore;
    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier;
    use rustls_pki_types::pem::PemObject;
    use rustls_pki_types::{ServerName, UnixTime};

    const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);

    struct Setting {
        authority: LocalAuthority,
        leaf: LeafKey,
        random: SeededRandomness,
    }

    fn setting(configured: &[&str]) -> Setting {
        let configured: Vec<String> = configured.iter().map(|name| (*name).to_owned()).collect();
        let random = SeededRandomness::new(3);
        let names = Names::of_this_machine(&configured);
        let authority = LocalAuthority::create("Homeport 1234", &names, NOW, &random).unwrap();
        Setting { authority, leaf: LeafKey::generate().unwrap(), random }
    }

    fn accepted(
        authority: &LocalAuthority,
        shown: &CertifiedKey,
        name: &str,
        at: Timestamp,
    ) -> Result<(), rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(authority.record().certificate_pem.as_bytes()).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let at = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(at.seconds()).unwrap()));
        let name = ServerName::try_from(name.to_owned()).unwrap();
        verifier.verify_server_cert(&shown.cert[0], &[], &name, &[], at).map(|_| ())
    }

    #[test]
    fn a_client_that_trusts_the_authority_accepts_this_machines_names() {
        let Setting { authority, leaf, random } = setting(&["api.example.com", "192.0.2.7"]);
        let names = Names::of_this_machine(&["api.example.com".into(), "192.0.2.7".into()]);
        let shown = authority.issue(&leaf, &names, NOW, &random).unwrap();
        for name in [
            "localhost",
            "photos.api.example.com",
            "127.0.0.1",
            "::1",
            "10.0.2.2",
            "192.0.2.7",
            "api.example.com",
        ] {
            assert_eq!(accepted(&authority, &shown, name, NOW), Ok(()), "{name}");
        }
        for name in ["example.com", "192.0.2.8"] {
            assert!(accepted(&authority, &shown, name, NOW).is_err(), "{name}");
        }
    }

    #[test]
    fn a_leaf_lives_for_ninety_days() {
        let Setting { authority, leaf, random } = setting(&[]);
        let shown = authority.issue(&leaf, &Names::local(), NOW, &random).unwrap();
        assert_eq!(accepted(&authority, &shown, "localhost", NOW.plus_seconds(89 * DAY)), Ok(()));
        assert!(accepted(&authority, &shown, "localhost", NOW.plus_seconds(90 * DAY)).is_err());
        assert!(accepted(&authority, &shown, "localhost", NOW.plus_seconds(-2 * SKEW_SECONDS)).is_err());
    }

    #[test]
    fn even_with_its_key_no_other_name_can_be_certified() {
        let Setting { authority, leaf, random } = setting(&[]);
        let mut freed = authority.record().clone();
        freed.hosts.push("bank.example".into());
        freed.networks.push("192.0.2.0/24".parse().unwrap());
        let freed = LocalAuthority::load(freed, &authority.key()).unwrap();
        for name in ["bank.example", "192.0.2.7"] {
            let shown = freed.issue(&leaf, &Names::of_this_machine(&[name.into()]), NOW, &random).unwrap();
            assert!(accepted(&authority, &shown, name, NOW).is_err(), "{name}");
        }
    }

    #[test]
    fn a_kept_authority_and_key_go_on_with_the_same_pins() {
        let Setting { authority, leaf, random } = setting(&[]);
        let again = LocalAuthority::load(authority.record().clone(), &authority.key()).unwrap();
        let same = LeafKey::load(&leaf.key()).unwrap();
        let shown = again.issue(&same, &Names::local(), NOW, &random).unwrap();
        assert_eq!(accepted(&authority, &shown, "localhost", NOW), Ok(()));
        assert_eq!(same.pins().unwrap(), leaf.pins().unwrap());
        let shown_key = shown.key.public_key().unwrap();
        assert_eq!(Pins::of(&shown_key).unwrap(), leaf.pins().unwrap());
    }

    #[test]
    fn names_beyond_the_authority_are_told_and_left_out() {
        let Setting { authority, leaf, random } = setting(&[]);
        let names = Names::of_this_machine(&["later.example".into()]);
        assert_eq!(authority.hosts_outside(&names), ["later.example"]);
        let shown = authority.issue(&leaf, &names, NOW, &random).unwrap();
        assert_eq!(accepted(&authority, &shown, "localhost", NOW), Ok(()));
    }
}
