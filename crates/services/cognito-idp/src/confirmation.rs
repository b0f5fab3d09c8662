//! Codes that went out, and what comes back.

use homeport_service::Cx;
use homeport_store::{StoreError, Tx};
use homeport_vault::{Purpose as KeyPurpose, Vault};

use crate::CognitoIdp;
use crate::codes::{Issued, Purpose, Verdict};
use crate::error::IdpError;
use crate::records::{CODES, CodeOwner, CodeRecord, Pool};

/// The longest code that is looked at, in characters.
const MAX_CODE: usize = 64;

/// A code to be issued.
#[derive(Clone, Copy)]
pub(crate) struct NewCode<'a> {
    pub(crate) pool: &'a Pool,
    pub(crate) owner: &'a CodeOwner,
    pub(crate) purpose: &'a Purpose,
    pub(crate) code: &'a str,
    /// The attribute whose address it goes to.
    pub(crate) attribute: &'a str,
    pub(crate) destination: &'a str,
}

/// Stores a code's hash; the one before ends.
pub(crate) async fn issue(cx: &Cx<CognitoIdp>, tx: &Tx, new: NewCode<'_>) -> Result<(), IdpError> {
    let key = CodeRecord::of(&new.pool.pool, new.owner).str(new.purpose.name());
    let before = CODES.get(tx, key).await?;
    let hash = hash_of(&cx.service.parts.vault, new.pool, new.owner, new.purpose, new.destination, new.code);
    let life = new.purpose.life_seconds(new.pool.has_strict_codes());
    let issued = Issued::anew(before.as_ref().map(|record| &record.issued), hash, cx.now(), life)
        .map_err(|_| IdpError::TooManyAttempts)?;
    let record = CodeRecord {
        pool: new.pool.pool.clone(),
        owner: new.owner.clone(),
        purpose: new.purpose.clone(),
        issued,
        attribute: new.attribute.to_owned(),
        destination: new.destination.to_owned(),
    };
    Ok(CODES.put(tx, &record).await?)
}

/// Tries a code: the try is counted durably together with the comparison, so that n tries at once cost n. A right
/// code is spent; what it proves is the caller's to write.
pub(crate) async fn try_code(
    cx: &Cx<CognitoIdp>,
    pool: &Pool,
    owner: &CodeOwner,
    purpose: &Purpose,
    code: &str,
) -> Result<CodeRecord, IdpError> {
    if code.len() > MAX_CODE {
        return Err(IdpError::CodeMismatch);
    }
    let tried: Result<_, StoreError> =
        cx.store().write(|tx| async move { try_in(cx, &tx, pool, owner, purpose, code).await }).await;
    let (verdict, record) = tried?;
    match (verdict, record) {
        (Verdict::Right, Some(record)) => Ok(record),
        (Verdict::Wrong, _) => Err(IdpError::CodeMismatch),
        (Verdict::Exhausted, _) => Err(IdpError::TooManyAttempts),
        (Verdict::Expired | Verdict::Right, _) => Err(IdpError::CodeExpired),
    }
}

async fn try_in(
    cx: &Cx<CognitoIdp>,
    tx: &Tx,
    pool: &Pool,
    owner: &CodeOwner,
    purpose: &Purpose,
    code: &str,
) -> Result<(Verdict, Option<CodeRecord>), StoreError> {
    let key = CodeRecord::of(&pool.pool, owner).str(purpose.name());
    let Some(mut record) = CODES.get(tx, key).await? else {
        return Ok((Verdict::Expired, None));
    };
    let hash = hash_of(&cx.service.parts.vault, pool, owner, purpose, &record.destination, code.trim());
    let (verdict, left) = record.issued.try_once(&hash, cx.now());
    record.issued = left;
    CODES.put(tx, &record).await?;
    Ok((verdict, Some(record)))
}

/// Makes a code good again that was right, but for something that could not be done: unless another went out since.
pub(crate) async fn give_back(
    cx: &Cx<CognitoIdp>,
    pool: &Pool,
    spent: &CodeRecord,
    code: &str,
) -> Result<(), IdpError> {
    let key = || CodeRecord::of(&pool.pool, &spent.owner).str(spent.purpose.name());
    let vault = &cx.service.parts.vault;
    let hash = hash_of(vault, pool, &spent.owner, &spent.purpose, &spent.destination, code.trim());
    let given = cx.store().write(|tx| async move {
        match CODES.get(&tx, key()).await? {
            Some(mut record) if record.issued == spent.issued => {
                record.issued = spent.issued.given_back(hash);
                CODES.put(&tx, &record).await
            }
            _ => Ok(()),
        }
    });
    Ok(given.await?)
}

/// What is stored of a code: its keyed hash over pool, user, purpose and destination.
fn hash_of(
    vault: &Vault,
    pool: &Pool,
    owner: &CodeOwner,
    purpose: &Purpose,
    destination: &str,
    code: &str,
) -> [u8; 32] {
    let owner = CodeRecord::of(&pool.pool, owner);
    let parts: [&[u8]; 5] =
        [b"code", owner.as_bytes(), purpose.name().as_bytes(), destination.as_bytes(), code.as_bytes()];
    vault.keyed_hash(KeyPurpose::UserPool, &parts)
}
