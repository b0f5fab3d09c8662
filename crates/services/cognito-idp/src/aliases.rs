//! Names beside the user name: each belongs to one user of a pool.

use homeport_store::Tx;

use crate::error::IdpError;
use crate::records::{Pool, USERS, User};

/// Brings a user's aliases in step with the attributes and stores the user. A name that another user holds is an error
/// or, with `force`, is taken from them: the address is then no longer theirs (`ForceAliasCreation`).
pub(crate) async fn claim(tx: &Tx, pool: &Pool, user: &mut User, force: bool) -> Result<(), IdpError> {
    user.refresh_aliases(pool);
    for alias in &user.aliases {
        let entry = pool.pool.parts().str(alias);
        let Some(mut other) = USERS.by(tx, "alias", entry).await? else {
            continue;
        };
        if other.sub == user.sub {
            continue;
        }
        let attribute = attribute_of(alias);
        let may_take = force && pool.username_attributes.is_empty() && attribute != "preferred_username";
        if !may_take {
            return Err(IdpError::AliasExists(attribute));
        }
        other.attributes.insert(format!("{attribute}_verified"), "false".into());
        other.refresh_aliases(pool);
        USERS.put(tx, &other).await?;
    }
    Ok(USERS.put(tx, user).await?)
}

fn attribute_of(alias: &str) -> &'static str {
    let name = alias.split_once(':').map_or(alias, |(name, _)| name);
    ["email", "phone_number"].into_iter().find(|known| *known == name).unwrap_or("preferred_username")
}
