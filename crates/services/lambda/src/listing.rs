//! Lists of functions and their versions, and where a list goes on.

use bytes::Bytes;
use homeport_core::Scope;
use homeport_store::{Collection, KeyParts, Record, StoreError, Tx};

use crate::LambdaError;
use crate::records::{Configuration, Function, VERSIONS, Version, function_key};

/// Entries of a page, unless fewer are asked for.
pub(crate) const PAGE: usize = 50;
/// Characters of a function's name.
const LONGEST_NAME: usize = 64;

/// What is listed: a function, and which configuration of it.
pub(crate) struct Listed {
    pub(crate) function: Function,
    pub(crate) configuration: Configuration,
    pub(crate) place: Place,
}

/// Where an entry stands: functions by name, `$LATEST` as version 0 before the published ones.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) version: u64,
}

/// The published versions of a function behind one of them.
pub(crate) async fn published(
    tx: &Tx,
    scope: &Scope,
    function: &Function,
    after: u64,
    most: usize,
) -> Result<Vec<Listed>, StoreError> {
    let key = function_key(scope, &function.name);
    let after = key.clone().u64(after);
    let of_this = |version: &Version| version.function_id == function.id;
    let found = behind(tx, &VERSIONS, key, Some(after), most, of_this).await?;
    let listed = found.into_iter().map(|version| Listed {
        function: function.clone(),
        configuration: version.configuration,
        place: Place { name: version.name, version: version.number },
    });
    Ok(listed.collect())
}

/// So many records behind a key, over as many of the store's own pages as that takes: those are bounded by bytes too.
pub(crate) async fn behind<R: Record>(
    tx: &Tx,
    records: &Collection<R>,
    prefix: KeyParts,
    after: Option<KeyParts>,
    most: usize,
    keep: impl Fn(&R) -> bool,
) -> Result<Vec<R>, StoreError> {
    let mut found = Vec::new();
    let mut from = after.map(|key| Bytes::copy_from_slice(key.as_bytes()));
    while found.len() < most {
        let page = records.page(tx, &prefix, from.as_deref(), most - found.len()).await?;
        found.extend(page.records.into_iter().filter(&keep));
        match page.cursor {
            Some(cursor) => from = Some(cursor),
            None => break,
        }
    }
    Ok(found)
}

/// A page out of what was found, which is one more where another page follows; and the marker of that.
pub(crate) fn page_of(mut found: Vec<Listed>, most: usize) -> (Vec<Listed>, Option<String>) {
    let more = found.len() > most;
    found.truncate(most);
    let marker = found.last().filter(|_| more).map(|last| last.place.marker());
    (found, marker)
}

impl Listed {
    /// `$LATEST`
    pub(crate) fn latest(function: Function) -> Self {
        let place = Place { name: function.name.clone(), version: 0 };
        Self { place, configuration: function.latest.clone(), function }
    }
}

impl Place {
    /// As a client hands it back.
    fn marker(&self) -> String {
        hex::encode(format!("{}:{}", self.name, self.version))
    }

    pub(crate) fn read(marker: &str) -> Result<Self, LambdaError> {
        let text = hex::decode(marker).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let place = text.as_deref().and_then(|text| text.split_once(':'));
        let place = place.and_then(|(name, version)| Some((name.to_owned(), version.parse().ok()?)));
        let place = place.filter(|(name, _): &(String, u64)| name.len() <= LONGEST_NAME);
        let (name, version) = place.ok_or_else(|| LambdaError::invalid("The marker is not valid."))?;
        Ok(Self { name, version })
    }
}
