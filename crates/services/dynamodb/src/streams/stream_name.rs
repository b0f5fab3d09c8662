//! The stream that a request names.

use homeport_core::{Arn, Scope};
use homeport_store::Tx;

use crate::error::{DynamoError, Invalid};
use crate::records::{STREAMS, StreamRecord, streams_of};

/// A stream as its ARN names it: a table's name and a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StreamName {
    pub(super) table: String,
    pub(super) label: String,
    account: String,
    region: String,
}

impl StreamName {
    /// The stream of this ARN.
    pub(super) fn parse(arn: &str) -> Result<Self, Invalid> {
        let wrong = || Invalid::Table(format!("Invalid StreamArn: {arn}"));
        let parsed = Arn::parse(arn).map_err(|_| wrong())?;
        let parts: Vec<&str> = parsed.resource().split('/').collect();
        match parts[..] {
            ["table", table, "stream", label] if parsed.service() == "dynamodb" => Ok(Self {
                table: table.to_owned(),
                label: label.to_owned(),
                account: parsed.account().to_owned(),
                region: parsed.region().to_owned(),
            }),
            _ => Err(wrong()),
        }
    }

    /// The stream, if it is one of the scope's.
    pub(super) async fn find(&self, tx: &Tx, scope: &Scope) -> Result<StreamRecord, DynamoError> {
        let is_here = self.account == scope.account.to_string() && self.region == scope.region.as_str();
        let found = match is_here {
            true => STREAMS.get(tx, streams_of(scope).str(&self.table).str(&self.label)).await?,
            false => None,
        };
        let Self { table, label, account, region } = self;
        found.ok_or_else(|| {
            let arn = format!("arn:aws:dynamodb:{region}:{account}:table/{table}/stream/{label}");
            DynamoError::NoStream(format!("Stream: {arn} not found"))
        })
    }
}
