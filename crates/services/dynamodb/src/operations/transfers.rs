//! What operations on exports and on imports have in common: their beginning, ARNs, and lists in pages.

use homeport_core::{Arn, Scope};
use homeport_store::{KeyParts, StoreError, Tx};

use crate::error::DynamoError;
use crate::records::{TRANSFERS, Transfer, TransferRef, running, tables_of};
use crate::request::TableName;

/// The most of one answer, and how many there are unless fewer are asked for.
pub(super) const MOST: usize = 25;
/// A token of `ListImports` has at least so many bytes, and a multiple of eight of them.
const LEAST_TOKEN: usize = 56;

/// Refuses one more of a kind (`exports`, `imports`) where so many of the scope are under way.
pub(super) async fn check_room(tx: &Tx, scope: &Scope, kind: &str, most: i64) -> Result<(), DynamoError> {
    let under_way = tx.get_i64(&running(kind, &tables_of(scope))).await?.unwrap_or_default();
    if under_way < most {
        return Ok(());
    }
    Err(DynamoError::LimitExceeded(format!(
        "Subscriber limit exceeded: There is a limit of {most} concurrent {kind}"
    )))
}

/// Begins one: it counts until it has ended, and whoever works on such is woken.
pub(super) async fn begin(tx: &Tx, scope: &Scope, kind: &str, transfer: &Transfer) -> Result<(), StoreError> {
    TRANSFERS.put(tx, transfer).await?;
    tx.touch(&TRANSFERS.root())?;
    tx.add(&running(kind, &tables_of(scope)), 1)
}

/// The export or import that an ARN names: `…:table/NAME/export/ID`. None if it isn't one of the scope's.
pub(super) fn named(arn: &str, kind: &str, scope: &Scope) -> Result<Option<TransferRef>, DynamoError> {
    let invalid = || {
        let kind = if kind == "export" { "Export" } else { "Import" };
        DynamoError::Validation(format!("Invalid {kind} ARN"))
    };
    let parsed = Arn::parse(arn).ok().filter(|arn| arn.service() == "dynamodb").ok_or_else(invalid)?;
    let parts: Vec<&str> = parsed.resource().split('/').collect();
    let ["table", table, named, id] = parts[..] else { return Err(invalid()) };
    if named != kind || !(3..=255).contains(&table.len()) || id.is_empty() {
        return Err(invalid());
    }
    let is_here = TableName::of(arn).is_in(scope);
    Ok(is_here.then(|| TransferRef {
        account: scope.account,
        region: scope.region.clone(),
        table: table.to_owned(),
        id: id.to_owned(),
    }))
}

/// Which page of exports or imports is asked for.
pub(super) struct Wanted {
    pub(super) prefix: KeyParts,
    /// The key of the last that was told.
    pub(super) after: Option<KeyParts>,
    pub(super) most: usize,
}

impl Wanted {
    pub(super) fn of(
        operation: &str,
        scope: &Scope,
        table_arn: Option<&str>,
        token: Option<&str>,
        most: Option<usize>,
    ) -> Result<Self, DynamoError> {
        let table = table_arn.map(TableName::of);
        let mut prefix = tables_of(scope);
        if let Some(table) = &table {
            // A table elsewhere has none here: no table is called so.
            prefix = prefix.str(if table.is_in(scope) { table.name() } else { "" });
        }
        let invalid = || DynamoError::Validation(format!("The NextToken given to {operation} is invalid"));
        let after = token.map(|token| read_token(token).ok_or_else(invalid)).transpose()?;
        if let (Some((of, _)), Some(table)) = (&after, &table)
            && of != table.name()
        {
            return Err(invalid());
        }
        let after = after.map(|(table, id)| tables_of(scope).str(table).str(id));
        Ok(Self { prefix, after, most: most.unwrap_or(MOST).clamp(1, MOST) })
    }
}

/// A token names the last that was told, and gives nothing that the list wouldn't: in hexadecimal, and long enough for
/// what the model asks of it.
pub(super) fn write_token(last: &TransferRef) -> String {
    let mut bytes = format!("{}/{}", last.table, last.id).into_bytes();
    bytes.resize(bytes.len().max(LEAST_TOKEN).next_multiple_of(8), 0);
    hex::encode(bytes)
}

fn read_token(token: &str) -> Option<(String, String)> {
    let text = String::from_utf8(hex::decode(token).ok()?).ok()?;
    let (table, id) = text.trim_end_matches('\0').split_once('/')?;
    let is_plain = |text: &str| !text.is_empty() && text.len() <= 255 && !text.contains('\0');
    (is_plain(table) && is_plain(id)).then(|| (table.to_owned(), id.to_owned()))
}

#[cfg(test)]
mod tests {
    use homeport_core::{Account, Region};

    use super::*;

    #[test]
    fn a_token_reads_back_and_is_as_the_model_wants_it() {
        for table in ["abc", &"n".repeat(255)] {
            let last = TransferRef {
                account: Account::from_number(1),
                region: Region::default_region(),
                table: table.to_owned(),
                id: "01489602797149-73d8d5bc".to_owned(),
            };
            let token = write_token(&last);
            assert!((112..=1024).contains(&token.len()) && token.len().is_multiple_of(16), "{token}");
            assert_eq!(read_token(&token), Some((last.table, last.id)));
        }
        for bad in [String::new(), "0".repeat(112), "0123456789abcdef".repeat(16), "zz".repeat(56)] {
            assert_eq!(read_token(&bad), None, "{bad}");
        }
    }
}
