//! What is kept of functions.

use std::collections::{BTreeMap, HashSet};

use homeport_blobs::BlobId;
use homeport_core::{Scope, Timestamp};
use homeport_store::{Collection, KeyParts, MAX_PAGE_ROWS, Record, StoreError, Tx};
use homeport_vault::{Place, Sealed};
use serde::{Deserialize, Serialize};

/// Functions, by account, region and name.
pub(crate) const FUNCTIONS: Collection<Function> = Collection::new();
/// Published versions, by account, region, name and number.
pub(crate) const VERSIONS: Collection<Version> = Collection::new();

/// A function and its `$LATEST`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Function {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) name: String,
    /// Never used again: a function deleted and made again is another.
    pub(crate) id: String,
    pub(crate) latest: Configuration,
    pub(crate) last_version: u64,
    pub(crate) tags: BTreeMap<String, String>,
    /// The resource policy's statements, by qualifier; unqualified under the empty one.
    pub(crate) policies: BTreeMap<String, Vec<Statement>>,
    pub(crate) policy_revision: String,
}

/// A published version: a configuration that doesn't change any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) name: String,
    pub(crate) number: u64,
    pub(crate) function_id: String,
    pub(crate) configuration: Configuration,
}

/// What runs, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Configuration {
    /// `$LATEST`, or a number.
    pub(crate) version: String,
    pub(crate) description: String,
    pub(crate) role: String,
    pub(crate) runtime: String,
    pub(crate) handler: String,
    /// Seconds.
    pub(crate) timeout: u32,
    /// MB.
    pub(crate) memory_size: u32,
    /// MB of `/tmp`.
    pub(crate) tmp_size: u32,
    pub(crate) architecture: String,
    pub(crate) tracing: String,
    /// The environment variables as a JSON object, sealed (security decision 19).
    pub(crate) environment: Option<Sealed>,
    pub(crate) code: Code,
    pub(crate) revision_id: String,
    pub(crate) last_modified: Timestamp,
}

/// A package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Code {
    /// The blob that holds the zip.
    pub(crate) blob: String,
    /// SHA-256 of the zip, as Base64.
    pub(crate) sha256: String,
    /// Bytes of the zip.
    pub(crate) size: u64,
}

/// One statement of a resource policy, as `AddPermission` made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Statement {
    pub(crate) id: String,
    pub(crate) action: String,
    /// `*`, a service's name, an account or an ARN.
    pub(crate) principal: String,
    /// The unique id of the user or role that the principal is; none in records of older versions, where the ARN
    /// counts.
    #[serde(default)]
    pub(crate) principal_id: Option<String>,
    pub(crate) source_arn: Option<String>,
    pub(crate) source_account: Option<String>,
}

impl Record for Function {
    const COLLECTION: &'static str = "lambda.function";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        KeyParts::new().str(&self.account).str(&self.region).str(&self.name)
    }
}

impl Record for Version {
    const COLLECTION: &'static str = "lambda.version";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        KeyParts::new().str(&self.account).str(&self.region).str(&self.name).u64(self.number)
    }
}

/// The key of a function, and the beginning of its versions' keys.
pub(crate) fn function_key(scope: &Scope, name: &str) -> KeyParts {
    all_functions(scope).str(name)
}

/// The beginning of the keys of a region's functions.
pub(crate) fn all_functions(scope: &Scope) -> KeyParts {
    KeyParts::new().str(scope.account.to_string()).str(scope.region.as_str())
}

/// Where a function's environment variables stand: with its id, so that versions carry the same seal.
pub(crate) fn environment_place(function_id: &str) -> Place<'_> {
    Place { collection: Function::COLLECTION, key: function_id.as_bytes(), field: "environment" }
}

/// Which of these blobs hold the package of a function or of a version.
pub(crate) async fn named(tx: &Tx, blobs: &[BlobId]) -> Result<Vec<bool>, StoreError> {
    let asked: HashSet<&str> = blobs.iter().map(BlobId::as_str).collect();
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let mut named = named_by(tx, &FUNCTIONS, |function| &function.latest, &asked).await?;
    named.extend(named_by(tx, &VERSIONS, |version| &version.configuration, &asked).await?);
    Ok(blobs.iter().map(|blob| named.contains(blob.as_str())).collect())
}

async fn named_by<R: Record>(
    tx: &Tx,
    records: &Collection<R>,
    configuration: fn(&R) -> &Configuration,
    asked: &HashSet<&str>,
) -> Result<HashSet<String>, StoreError> {
    let (mut named, mut from) = (HashSet::new(), None);
    loop {
        let page = records.page(tx, KeyParts::new(), from.as_deref(), MAX_PAGE_ROWS).await?;
        let blobs = page.records.iter().map(|record| &configuration(record).code.blob);
        named.extend(blobs.filter(|blob| asked.contains(blob.as_str())).cloned());
        match page.cursor {
            Some(cursor) => from = Some(cursor),
            None => return Ok(named),
        }
    }
}
