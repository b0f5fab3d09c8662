use std::sync::Arc;

use homeport_core::Randomness;
use homeport_service::Cx;
use homeport_vault::{Place, Purpose, Sealed, Vault};
use zeroize::Zeroizing;

use crate::CognitoIdp;
use crate::error::IdpError;
use crate::lookup;
use crate::password::Credential;
use crate::pool_ref::PoolRef;
use crate::records::{Pool, User};
use crate::srp::Verifier;

/// Who tries to sign in: a user, or nobody.
pub(crate) enum Subject {
    Known(Box<User>),
    /// A name that no user has, by its slot.
    Stranger(u64),
}

/// Finds who a name means.
pub(crate) async fn find(cx: &Cx<CognitoIdp>, pool: &Pool, name: &str) -> Result<Subject, IdpError> {
    let found = cx.read(|tx| async move { lookup::user(&tx, pool, name).await }).await?;
    let stranger = lookup::stranger_slot(&cx.service.parts.vault, pool, name);
    Ok(found.map_or(Subject::Stranger(stranger), |user| Subject::Known(Box::new(user))))
}

/// `USER_ID_FOR_SRP`, which the verifier is bound to: the name, or the `sub` where users have other names too, so
/// that the answer does not tell a real alias from one that nobody has.
pub(crate) fn srp_id<'a>(pool: &Pool, username: &'a str, sub: &'a str) -> &'a str {
    let plain = pool.alias_attributes.is_empty() && pool.username_attributes.is_empty();
    if plain { username } else { sub }
}

impl Subject {
    /// The id that the client is told: a stranger's looks like a user's, and is the same each time.
    pub(crate) fn srp_id(&self, vault: &Vault, pool: &Pool, name: &str) -> String {
        match self {
            Self::Known(user) => srp_id(pool, &user.username, &user.sub).to_owned(),
            Self::Stranger(_) => {
                let parts: [&[u8]; 3] = [b"decoy-id", pool.pool.id.as_bytes(), &lookup::folded(pool, name)];
                let hash = vault.keyed_hash(Purpose::UserPool, &parts);
                let mut bytes = [0; 16];
                bytes.copy_from_slice(&hash[..16]);
                let decoy = uuid::Builder::from_random_bytes(bytes).into_uuid().to_string();
                srp_id(pool, &pool.fold(name), &decoy).to_owned()
            }
        }
    }

    /// The SRP verifier; a stranger's, and that of a user without a password, is nobody's.
    pub(crate) fn verifier(&self, vault: &Vault, pool: &Pool, name: &str) -> Result<Verifier, IdpError> {
        if let Self::Known(user) = self
            && let Some(sealed) = &user.credential
        {
            return Ok(open_credential(vault, user, sealed)?.verifier);
        }
        Ok(decoy(vault, pool, name))
    }
}

fn decoy(vault: &Vault, pool: &Pool, name: &str) -> Verifier {
    let folded = lookup::folded(pool, name);
    let mut bytes = [0; Verifier::BYTES];
    for (n, chunk) in bytes.chunks_mut(32).enumerate() {
        let parts: [&[u8]; 4] = [b"decoy-verifier", pool.pool.id.as_bytes(), &folded, &n.to_be_bytes()];
        chunk.copy_from_slice(&vault.keyed_hash(Purpose::UserPool, &parts)[..chunk.len()]);
    }
    Verifier::decoy(&bytes)
}

/// Opens a user's password record.
pub(crate) fn open_credential(vault: &Vault, user: &User, sealed: &Sealed) -> Result<Credential, IdpError> {
    let key = user.pool.parts().str(&user.username);
    let opened = vault.open(&place(key.as_bytes()), sealed)?;
    Credential::from_bytes(opened.expose())
        .ok_or_else(|| IdpError::Internal("a credential can't be read".into()))
}

/// Computes and seals a password's record, under a permit.
pub(crate) async fn seal_password(
    cx: &Cx<CognitoIdp>,
    pool: &Pool,
    username: &str,
    sub: &str,
    password: &str,
) -> Result<Sealed, IdpError> {
    let (pool_name, user_id) = (pool.pool.srp_name().to_owned(), srp_id(pool, username, sub).to_owned());
    let password = Zeroizing::new(password.to_owned());
    let randomness: Arc<dyn Randomness> = cx.randomness().clone();
    let made = cx
        .service
        .permits
        .run(move || {
            Credential::of(&pool_name, &user_id, &password, &*randomness).map(|made| made.to_bytes())
        })
        .await?;
    let bytes = made.ok_or(IdpError::TooManyRequests)?;
    seal(&cx.service.parts.vault, &pool.pool, username, &bytes)
}

fn seal(vault: &Vault, pool: &PoolRef, username: &str, bytes: &[u8]) -> Result<Sealed, IdpError> {
    let key = pool.parts().str(username);
    Ok(vault.seal(Purpose::UserPool, &place(key.as_bytes()), bytes)?)
}

fn place(key: &[u8]) -> Place<'_> {
    Place { collection: "cognito-idp.users", key, field: "credential" }
}
