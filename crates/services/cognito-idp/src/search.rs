//! `ListUsers`' search: by an index where one holds all who may be meant, else through the pool's users by name.

use homeport_store::{MAX_PAGE_ROWS, Record, Store, StoreError, Tx};

use crate::filter::{Candidate, Filter};
use crate::records::{Pool, USERS, User, alias};

/// Pages of the store, of a thousand users or a megabyte, that one call looks at. A filter that finds few among so many
/// answers a short page and where to go on.
const MAX_PAGES: usize = 50;

/// What a call found.
pub(crate) struct Found {
    /// In the order of their names.
    pub(crate) users: Vec<User>,
    /// The key of the last user who was answered or looked at; none where there are no more.
    pub(crate) cursor: Option<Vec<u8>>,
}

/// Up to `limit` users that the filter finds behind the cursor `after`.
pub(crate) async fn search(
    store: &Store,
    pool: &Pool,
    filter: Option<&Filter>,
    after: Option<Vec<u8>>,
    limit: usize,
) -> Result<Found, StoreError> {
    let indexed = match filter {
        Some(filter) => store.read(|tx| async move { by_index(&tx, pool, filter).await }).await?,
        None => None,
    };
    match indexed {
        Some(users) => Ok(Found { users, cursor: None }),
        None => Scan { store, pool, filter, limit, pages: MAX_PAGES }.run(after).await,
    }
}

/// Who is meant by a filter that means one user at most; none where no index holds all who may be meant.
async fn by_index(tx: &Tx, pool: &Pool, filter: &Filter) -> Result<Option<Vec<User>>, StoreError> {
    let parts = pool.pool.parts();
    let found = match filter.exact() {
        Some(("username", name)) => USERS.get(tx, parts.str(name)).await?,
        Some(("sub", sub)) => USERS.by(tx, "sub", parts.str(sub)).await?,
        Some((attribute, value)) if pool.enters_unproved(attribute) => {
            USERS.by(tx, "alias", parts.str(alias(pool, attribute, value))).await?
        }
        _ => return Ok(None),
    };
    // An index may compare without case; a filter does not.
    Ok(Some(found.into_iter().filter(|user| matches(filter, user)).collect()))
}

/// A walk through the pool's users.
struct Scan<'a> {
    store: &'a Store,
    pool: &'a Pool,
    filter: Option<&'a Filter>,
    limit: usize,
    /// Pages of the store to look at.
    pages: usize,
}

impl Scan<'_> {
    /// Each page is a transaction of its own, so that none is long.
    async fn run(&self, mut after: Option<Vec<u8>>) -> Result<Found, StoreError> {
        let rows = if self.filter.is_some() { MAX_PAGE_ROWS } else { self.limit };
        let mut users = Vec::new();
        for _ in 0..self.pages {
            let (parts, from) = (&self.pool.pool.parts(), after.as_deref());
            let page = self.store.read(|tx| async move { USERS.page(&tx, parts, from, rows).await }).await?;
            let mut looked_at = page.records.into_iter();
            let room = self.limit - users.len();
            users.extend(looked_at.by_ref().filter(|user| self.finds(user)).take(room));
            if looked_at.len() > 0 {
                // Full before the page's end: the next begins behind the last one answered.
                after = users.last().map(|user| user.key().as_bytes().to_vec());
                break;
            }
            after = page.cursor.map(|cursor| cursor.to_vec());
            if after.is_none() || users.len() >= self.limit {
                break;
            }
        }
        Ok(Found { users, cursor: after })
    }

    fn finds(&self, user: &User) -> bool {
        self.filter.is_none_or(|filter| matches(filter, user))
    }
}

fn matches(filter: &Filter, user: &User) -> bool {
    filter.matches(&Candidate {
        username: &user.username,
        sub: &user.sub,
        enabled: user.enabled,
        status: user.status.as_str(),
        attribute: &|name| user.attributes.get(name).map(String::as_str),
    })
}

#[cfg(test)]
mod tests;
