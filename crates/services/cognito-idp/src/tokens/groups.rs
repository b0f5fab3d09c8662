use homeport_store::{MAX_PAGE_ROWS, StoreError, Tx};

use crate::claims::Membership;
use crate::records::{GROUPS, MEMBERSHIPS, User};

/// A user's groups as tokens show them, the most important first.
pub(crate) async fn groups_of(tx: &Tx, user: &User) -> Result<Vec<Membership>, StoreError> {
    let pool = &user.pool;
    let page = MEMBERSHIPS.page(tx, pool.parts().str(&user.username), None, MAX_PAGE_ROWS).await?;
    let keys = page.records.iter().map(|membership| pool.parts().str(&membership.group));
    let groups = GROUPS.get_many(tx, keys).await?;
    let mut memberships: Vec<Membership> = groups
        .into_iter()
        .flatten()
        .map(|group| Membership { name: group.name, role_arn: group.role_arn, precedence: group.precedence })
        .collect();
    memberships.sort_by_key(|group| group.precedence.unwrap_or(i32::MAX));
    Ok(memberships)
}
