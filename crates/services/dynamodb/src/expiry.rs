//! When items expire (Developer Guide, "Using time to live").

use homeport_core::Timestamp;

use crate::value::{AttributeValue, Item};

/// Times longer ago than this are taken for mistakes, and expire nothing: five years.
const OLDEST_SECONDS: i64 = 5 * 365 * 24 * 60 * 60;

/// The second since 1970 that the attribute names; none where it is no number.
pub(crate) fn expires_at(item: &Item, attribute: &str) -> Option<i64> {
    let AttributeValue::N(number) = item.get(attribute)? else { return None };
    number.whole()
}

/// The seconds that have expired by now: from, to.
pub(crate) fn expired_by(now: Timestamp) -> (i64, i64) {
    (now.seconds().saturating_sub(OLDEST_SECONDS), now.seconds())
}
