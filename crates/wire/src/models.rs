//! All models: which services there are, and each one's tables, read on first use.

use std::sync::OnceLock;

use crate::blob::Reader;
use crate::model::{Service, unpack};

static PACKED: &[u8] = include_bytes!("../../../models/models.bin");

struct Entry {
    name: &'static str,
    target_prefix: &'static str,
    signing_name: &'static str,
    section: &'static [u8],
    service: OnceLock<Option<Service>>,
}

/// The models in the program. Which services there are is known at once; a service's own tables are read when it is
/// first asked for, and stay.
#[derive(Debug)]
pub struct Models;

impl Models {
    /// The names of all services with a model, in order.
    pub fn names() -> impl Iterator<Item = &'static str> {
        entries().iter().map(|entry| entry.name)
    }

    /// A service by botocore's name, such as `cognito-idp`.
    pub fn service(name: &str) -> Option<&'static Service> {
        let entries = entries();
        let entry = &entries[entries.binary_search_by(|entry| entry.name.cmp(name)).ok()?];
        entry.service.get_or_init(|| unpack::service(entry.name, entry.section)).as_ref()
    }

    /// The name of the service that `X-Amz-Target: PREFIX.OPERATION` means.
    pub fn by_target_prefix(prefix: &str) -> Option<&'static str> {
        let known = !prefix.is_empty();
        entries().iter().find(|entry| known && entry.target_prefix == prefix).map(|entry| entry.name)
    }

    /// The names of the services that calls signed for `signing_name` may mean (API Gateway's two versions share one).
    pub fn by_signing_name(signing_name: &str) -> impl Iterator<Item = &'static str> {
        entries().iter().filter(move |entry| entry.signing_name == signing_name).map(|entry| entry.name)
    }
}

fn entries() -> &'static [Entry] {
    static ENTRIES: OnceLock<Vec<Entry>> = OnceLock::new();
    ENTRIES.get_or_init(|| read_index(PACKED).unwrap_or_default())
}

fn read_index(packed: &'static [u8]) -> Option<Vec<Entry>> {
    let mut reader = Reader::new(packed.strip_prefix(b"HPM1")?);
    let count = reader.number()?;
    let mut heads = Vec::new();
    for _ in 0..count {
        heads.push((reader.text()?, reader.text()?, reader.text()?, reader.number()?));
    }
    let mut entries = Vec::new();
    for (name, target_prefix, signing_name, length) in heads {
        let section = reader.bytes(length)?;
        entries.push(Entry { name, target_prefix, signing_name, section, service: OnceLock::new() });
    }
    Some(entries)
}
