//! An import, object by object. What is taken of an object and how far that is are written in one transaction, so that
//! none of it comes twice or not at all.

use homeport_core::Timestamp;
use homeport_service::needs::{LogLine, met};

use super::transfer::{Place, Stop, scope_of};
use crate::DynamoDb;
use crate::error::{DynamoError, Invalid};
use crate::items::{Occasion, OpenTable};
use crate::operations::unlink;
use crate::records::{
    Failure, IMPORTS, Import, Importing, LOG_GROUP, TABLES, TRANSFERS, Transfer, TransferStatus,
    TransferWork, running, tables_of,
};
use crate::table::Table;
use crate::value::Item;

/// An import and how far it is.
pub(super) struct Running<'a> {
    pub(super) service: &'a DynamoDb,
    pub(super) transfer: Transfer,
    pub(super) import: Import,
    /// The new table; none where it is gone.
    pub(super) table: Option<Table>,
    pub(super) at: Importing,
}

/// Goes on until it has ended.
pub(super) async fn run(service: &DynamoDb, id: &str) -> Result<(), DynamoError> {
    let Some(mut running) = Running::load(service, id).await? else { return Ok(()) };
    let done = running.import_all().await;
    let now = service.clock.now();
    match done.map_err(|stop| stop.after(running.transfer.went_on.unwrap_or(running.import.started), now)) {
        Ok(()) if running.at.errors() == 0 => running.end(now, TransferStatus::Completed, None).await,
        Ok(()) => running.end(now, TransferStatus::Failed, Some(invalid_items())).await,
        Err(Stop::Failed(failure)) => running.end(now, TransferStatus::Failed, Some(failure)).await,
        Err(Stop::Gone) => running.end(now, TransferStatus::Cancelled, None).await,
        Err(Stop::Elsewhere) => Ok(()),
        Err(Stop::Later(error)) => Err(error),
    }
}

/// The items that are none have failed it; the others are in the table.
fn invalid_items() -> Failure {
    Failure {
        code: "ItemValidationError".to_owned(),
        message:
            "Some of the items failed validation checks. Please check CloudWatch error logs for more details."
                .to_owned(),
    }
}

/// What became of a step.
enum Taken {
    Yes,
    Elsewhere,
    Gone,
}

impl<'a> Running<'a> {
    async fn load(service: &'a DynamoDb, id: &str) -> Result<Option<Self>, DynamoError> {
        service
            .store
            .read(|tx| async move {
                let Some(transfer) = TRANSFERS.get(&tx, id).await? else { return Ok(None) };
                let TransferWork::Import(at) = &transfer.work else { return Ok(None) };
                let Some(import) = IMPORTS.get(&tx, at.import.key()).await? else { return Ok(None) };
                let at = (**at).clone();
                let table = TABLES.get(&tx, at.table.key()).await?.filter(|table| table.id == at.table.id);
                Ok(Some(Self { service, transfer, import, table, at }))
            })
            .await
    }

    pub(super) fn place(&self) -> Place<'_> {
        Place {
            transfer: &self.transfer,
            bucket: &self.import.bucket,
            owner: self.import.owner.as_deref(),
            scope: scope_of(&self.import.at),
        }
    }

    async fn import_all(&mut self) -> Result<(), Stop> {
        if self.at.after.is_none() && self.at.reading.is_none() {
            let begun =
                serde_json::json!({"importArn": self.import.arn(), "message": "The import has begun"});
            self.log("info", vec![begun.to_string()]).await?;
        }
        if let Some(reading) = &self.at.reading {
            let key = reading.key.clone();
            self.take_object(&key).await?;
        }
        loop {
            let prefix = self.import.prefix.clone().unwrap_or_default();
            let place = self.place();
            let objects = self.service.objects()?;
            let after = self.at.after.as_deref();
            let keys = objects.list_objects(place.in_bucket(), &prefix, after).await?;
            if keys.is_empty() {
                return Ok(());
            }
            for key in keys {
                self.take_object(&key).await?;
            }
        }
    }

    /// Writes lines into one of the import's two log streams.
    pub(super) async fn log(&self, stream: &str, lines: Vec<String>) -> Result<(), DynamoError> {
        if lines.is_empty() {
            return Ok(());
        }
        let at = self.service.clock.now();
        let lines = lines.into_iter().map(|text| LogLine { at, text }).collect();
        let logs = met(&self.service.needs.put_log, "PutLog");
        let logs = logs.map_err(|unmet| DynamoError::Fault(homeport_core::Fault::internal(unmet)))?;
        let stream = format!("{}/{stream}", self.import.at.id);
        Ok(logs.put_log(&self.import.at.region, LOG_GROUP, &stream, lines).await?)
    }

    /// Takes items into the table and writes down how far it is then, if nobody else did.
    pub(super) async fn take(&mut self, items: &[Item], next: Importing) -> Result<(), Stop> {
        let (running, now) = (&*self, self.service.clock.now());
        let work = TransferWork::Import(Box::new(next.clone()));
        let transfer = Transfer { work, went_on: Some(now), ..self.transfer.clone() };
        let written = &transfer;
        let taken = self
            .service
            .store
            .write(|tx| async move {
                let found = TRANSFERS.get(&tx, running.transfer.id.as_str()).await?;
                if !found.is_some_and(|found| running.is_at(&found)) {
                    return Ok(Taken::Elsewhere);
                }
                let table = TABLES.get(&tx, running.at.table.key()).await?;
                let Some(table) = table.filter(|table| table.id == running.at.table.id) else {
                    return Ok(Taken::Gone);
                };
                let open = OpenTable::new(table);
                for item in items {
                    let place = open.layout.item(&open.table.schema, item).ok_or(Invalid::KeySchema)?;
                    let before = open.item(&tx, &place, item).await?;
                    open.put(&tx, &place, before.as_ref(), item, Occasion::call(now)).await?;
                }
                TRANSFERS.put(&tx, written).await?;
                Ok::<_, DynamoError>(Taken::Yes)
            })
            .await?;
        match taken {
            Taken::Yes => {
                self.at = next;
                self.transfer = transfer;
                Ok(())
            }
            Taken::Elsewhere => Err(Stop::Elsewhere),
            Taken::Gone => Err(Stop::Gone),
        }
    }

    fn is_at(&self, found: &Transfer) -> bool {
        matches!(&found.work, TransferWork::Import(at) if **at == self.at)
    }

    /// Writes down how it ended. The table stays, unless its objects could not be read.
    async fn end(
        &self,
        now: Timestamp,
        status: TransferStatus,
        failure: Option<Failure>,
    ) -> Result<(), DynamoError> {
        if let Some(Failure { code, message }) = &failure {
            tracing::warn!(import = self.import.arn(), code, message, "an import failed");
        }
        let is_read = failure.as_ref().is_none_or(|failure| *failure == invalid_items());
        let import = &Import {
            status,
            failure,
            ended: Some(now),
            processed: self.at.processed,
            imported: self.at.imported,
            bytes: self.at.bytes,
            ..self.import.clone()
        };
        let scope = &scope_of(&self.import.at);
        let count = &running("imports", &tables_of(scope));
        self.service
            .store
            .write(|tx| async move {
                let found = TRANSFERS.get(&tx, self.transfer.id.as_str()).await?;
                if !found.is_some_and(|found| self.is_at(&found)) {
                    return Ok(());
                }
                TRANSFERS.delete(&tx, self.transfer.id.as_str()).await?;
                IMPORTS.put(&tx, import).await?;
                tx.add(count, -1)?;
                let key = self.at.table.key();
                let found = TABLES.get(&tx, key.clone()).await?;
                let Some(mut table) = found.filter(|table| table.id == self.at.table.id) else {
                    return Ok(());
                };
                if !is_read {
                    TABLES.delete(&tx, key).await?;
                    return unlink(&tx, scope, &table, now).await;
                }
                table.importing = None;
                Ok::<_, DynamoError>(TABLES.put(&tx, &table).await?)
            })
            .await
    }
}
