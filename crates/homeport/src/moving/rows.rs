//! Rows on their way: which of them go along, and the sum that tells whether all arrived.

use aws_lc_rs::digest::{Context, SHA256};
use homeport_store::{Key, Record, Row, Store, StoreError};

use super::Progress;
use super::hold::HoldRecord;
use super::progress::Unit;
use super::unfinished::Unfinished;
use crate::installation::InstallationRecord;

/// The installation's own record, which goes last.
pub(super) fn is_installation(row: &Row) -> bool {
    is_of::<InstallationRecord>(row)
}

/// Whether a row goes along in its order. What says how it stands with this very store stays behind.
pub(super) fn goes_along(row: &Row) -> bool {
    !is_installation(row) && !is_of::<Unfinished>(row) && !is_of::<HoldRecord>(row)
}

fn is_of<R: Record>(row: &Row) -> bool {
    row.key.starts_with(Key::of(R::COLLECTION).as_bytes())
}

/// How many rows, and the SHA-256 of all of them in order, each key and value behind its length.
pub(super) struct Sum {
    pub(super) rows: u64,
    digest: Context,
}

impl Sum {
    pub(super) fn new() -> Self {
        Self { rows: 0, digest: Context::new(&SHA256) }
    }

    pub(super) fn take(&mut self, row: &Row) {
        self.rows += 1;
        for part in [&row.key, &row.value] {
            self.digest.update(&(part.len() as u64).to_be_bytes());
            self.digest.update(part);
        }
    }

    /// Sixty-four hexadecimal digits.
    pub(super) fn sha256(&self) -> String {
        hex::encode(self.digest.clone().finish())
    }
}

/// The sum of what a store holds that goes along.
pub(super) async fn sum_of(store: &Store, progress: &mut Progress, total: u64) -> Result<Sum, StoreError> {
    let mut export = store.export().await?;
    let mut sum = Sum::new();
    progress.begin("Comparing rows", Unit::Rows, total);
    while let Some(rows) = export.next_rows().await? {
        rows.iter().filter(|row| goes_along(row)).for_each(|row| sum.take(row));
        progress.add(rows.len() as u64);
    }
    progress.end();
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn row(key: &'static str, value: &'static str) -> Row {
        Row { key: Bytes::from(key), value: Bytes::from(value) }
    }

    fn sum(rows: &[Row]) -> String {
        let mut sum = Sum::new();
        rows.iter().for_each(|row| sum.take(row));
        sum.sha256()
    }

    #[test]
    fn a_sum_tells_rows_their_order_and_their_bounds_apart() {
        let whole = sum(&[row("a", "1"), row("b", "2")]);
        assert_eq!(whole, sum(&[row("a", "1"), row("b", "2")]));
        for other in [
            vec![row("b", "2"), row("a", "1")],
            vec![row("a", "1")],
            vec![row("a", "1"), row("b", "2"), row("", "")],
            vec![row("a", "1b"), row("", "2")],
            vec![row("a1", ""), row("b", "2")],
        ] {
            assert_ne!(whole, sum(&other), "{other:?}");
        }
    }

    #[test]
    fn what_is_of_this_store_alone_stays_behind() {
        let of =
            |name: &str| Row { key: Bytes::copy_from_slice(Key::of(name).as_bytes()), value: Bytes::new() };
        for stays in ["installation", "homeport.unfinished", "homeport.backup-hold"] {
            assert!(!goes_along(&of(stays)), "{stays}");
        }
        for goes in ["installations", "homeport.leases", "homeport.indexes", "users", "installation#x"] {
            assert!(goes_along(&of(goes)), "{goes}");
        }
    }
}
