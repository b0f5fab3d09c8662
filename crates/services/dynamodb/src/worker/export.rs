//! An export, step by step. Each data file holds what lies behind a place, up to a size: the same whoever makes it, under
//! a name that goes with its number. So one that was put before a crash is put again and looks no different.

use std::io::Write;

use aws_lc_rs::digest;
use flate2::Compression;
use flate2::write::GzEncoder;
use homeport_core::Timestamp;
use homeport_service::{empty, full};
use homeport_store::{KeyParts, Record, StoreError};

use super::PAGE;
use super::copy::release_history;
use super::export_manifests::put_manifests;
use super::export_walk::{Line, walk};
use super::transfer::{Place, Stop, scope_of};
use crate::DynamoDb;
use crate::error::DynamoError;
use crate::records::{
    EXPORT_FILES, EXPORTS, Export, ExportFile, ExportStage, Exporting, Failure, TRANSFERS, Transfer,
    TransferStatus, TransferWork, running, tables_of,
};

/// A data file ends behind the item that passes this many bytes, before they are compressed.
const FILE_BYTES: usize = 10 << 20;
/// Walks that may come upon no item until it is written down how far they came.
const FRUITLESS: usize = 100;

/// An export and how far it is.
pub(super) struct Running<'a> {
    pub(super) service: &'a DynamoDb,
    pub(super) transfer: Transfer,
    pub(super) export: Export,
    pub(super) at: Exporting,
}

/// Goes on until it has ended.
pub(super) async fn run(service: &DynamoDb, id: &str) -> Result<(), DynamoError> {
    loop {
        let Some(running) = Running::load(service, id).await? else { return Ok(()) };
        let now = service.clock.now();
        match running.step().await.map_err(|stop| running.after(stop, now)) {
            Ok(true) => {}
            Ok(false) | Err(Stop::Elsewhere) => return Ok(()),
            Err(Stop::Failed(failure)) => running.end(now, TransferStatus::Failed, Some(failure)).await?,
            Err(Stop::Gone) => running.end(now, TransferStatus::Failed, None).await?,
            Err(Stop::Later(error)) => return Err(error),
        }
    }
}

impl<'a> Running<'a> {
    async fn load(service: &'a DynamoDb, id: &str) -> Result<Option<Self>, DynamoError> {
        service
            .store
            .read(|tx| async move {
                let Some(transfer) = TRANSFERS.get(&tx, id).await? else { return Ok(None) };
                let TransferWork::Export(at) = &transfer.work else { return Ok(None) };
                let Some(export) = EXPORTS.get(&tx, at.export.key()).await? else { return Ok(None) };
                Ok(Some(Self { service, at: (**at).clone(), transfer, export }))
            })
            .await
    }

    pub(super) fn place(&self) -> Place<'_> {
        Place {
            transfer: &self.transfer,
            bucket: &self.export.bucket,
            owner: self.export.owner.as_deref(),
            scope: scope_of(&self.export.at),
        }
    }

    /// Whether it is given up. One that has ended is only cleaned up behind.
    fn after(&self, stop: Stop, now: Timestamp) -> Stop {
        match self.at.stage {
            ExportStage::Ended => stop,
            _ => stop.after(self.transfer.went_on.unwrap_or(self.export.started), now),
        }
    }

    /// Does the next step; true while there are more.
    async fn step(&self) -> Result<bool, Stop> {
        match &self.at.stage {
            ExportStage::Begin => {
                let key = self.export.object("_started");
                let place = self.place();
                self.service.objects()?.put_object(place.in_bucket(), &key, empty()).await?;
                self.advance(Exporting { stage: ExportStage::Items(None), ..self.at.clone() }, None).await?;
                Ok(true)
            }
            ExportStage::Items(after) => {
                self.put_file(after.as_deref()).await?;
                Ok(true)
            }
            ExportStage::Manifests => {
                let now = self.service.clock.now();
                put_manifests(self, now).await?;
                self.end(now, TransferStatus::Completed, None).await?;
                Ok(true)
            }
            ExportStage::Ended => Ok(self.clean().await?),
        }
    }

    /// Puts the next data file, if there is one to put.
    async fn put_file(&self, after: Option<&str>) -> Result<(), Stop> {
        let gathered = self.gather(after.map(hex::decode).transpose().unwrap_or_default()).await?;
        let stage = match gathered.upto {
            Some(upto) => ExportStage::Items(Some(hex::encode(upto))),
            None => ExportStage::Manifests,
        };
        // A table without items has one file nonetheless.
        let is_file = gathered.items > 0 || (stage == ExportStage::Manifests && self.at.files == 0);
        if !is_file {
            return self.advance(Exporting { stage, ..self.at.clone() }, None).await;
        }
        let number = self.at.files;
        let key = self.export.data_object(&self.file_name(number));
        let place = self.place();
        let objects = self.service.objects()?;
        let put = objects.put_object(place.in_bucket(), &key, full(gathered.compressed)).await?;
        let file = ExportFile {
            transfer: self.transfer.id.clone(),
            number,
            key,
            etag: put.etag,
            items: gathered.items,
        };
        let next = Exporting {
            stage,
            files: number + 1,
            items: self.at.items + gathered.items,
            bytes: self.at.bytes + gathered.bytes,
            ..self.at.clone()
        };
        self.advance(next, Some(file)).await
    }

    /// 26 letters and digits, as AWS's have.
    fn file_name(&self, number: u64) -> String {
        let named = format!("{} {number}", self.transfer.id);
        let hash = hex::encode(digest::digest(&digest::SHA256, named.as_bytes()));
        hash.chars().take(26).collect()
    }

    /// The lines of the next data file. It ends with a line, so that where it ends goes by the items alone.
    async fn gather(&self, mut after: Option<Vec<u8>>) -> Result<Gathered, DynamoError> {
        let mut file = Gathering::default();
        for walked in 1.. {
            let from = after.as_deref();
            let stretch = self
                .service
                .store
                .read(|tx| async move { walk(&tx, &self.at, &self.export, from).await })
                .await?;
            for line in &stretch.lines {
                file.write(line)?;
                if file.plain >= FILE_BYTES {
                    return file.finish(Some(line.place.clone()));
                }
            }
            after = stretch.upto;
            if after.is_none() || (file.items == 0 && walked >= FRUITLESS) {
                break;
            }
        }
        file.finish(after)
    }

    /// Writes down how far it is now, if nobody else did.
    async fn advance(&self, next: Exporting, file: Option<ExportFile>) -> Result<(), Stop> {
        let (id, file, went_on) = (self.transfer.id.as_str(), &file, Some(self.service.clock.now()));
        let work = TransferWork::Export(Box::new(next));
        let next = &Transfer { work, went_on, ..self.transfer.clone() };
        let done = self
            .service
            .store
            .write(|tx| async move {
                let found = TRANSFERS.get(&tx, id).await?;
                if !found.is_some_and(|found| self.is_at(&found)) {
                    return Ok(false);
                }
                if let Some(file) = file {
                    EXPORT_FILES.put(&tx, file).await?;
                }
                TRANSFERS.put(&tx, next).await?;
                Ok::<_, StoreError>(true)
            })
            .await?;
        if done { Ok(()) } else { Err(Stop::Elsewhere) }
    }

    fn is_at(&self, found: &Transfer) -> bool {
        matches!(&found.work, TransferWork::Export(at) if **at == self.at)
    }

    /// Writes down how it ended.
    async fn end(
        &self,
        now: Timestamp,
        status: TransferStatus,
        failure: Option<Failure>,
    ) -> Result<(), DynamoError> {
        if let Some(Failure { code, message }) = &failure {
            tracing::warn!(export = self.export.arn(), code, message, "an export failed");
        }
        let is_whole = status == TransferStatus::Completed;
        let export = &Export {
            status,
            failure,
            ended: Some(now),
            items: if is_whole { self.at.items } else { 0 },
            bytes: if is_whole { self.at.bytes } else { 0 },
            ..self.export.clone()
        };
        let ended = Exporting { stage: ExportStage::Ended, ..self.at.clone() };
        let ended = &Transfer { work: TransferWork::Export(Box::new(ended)), ..self.transfer.clone() };
        let count = &running("exports", &tables_of(&scope_of(&self.export.at)));
        self.service
            .store
            .write(|tx| async move {
                let found = TRANSFERS.get(&tx, self.transfer.id.as_str()).await?;
                if !found.is_some_and(|found| self.is_at(&found)) {
                    return Ok(());
                }
                EXPORTS.put(&tx, export).await?;
                TRANSFERS.put(&tx, ended).await?;
                tx.add(count, -1)?;
                release_history(&tx, &self.at.table, &self.transfer.id).await
            })
            .await
    }

    /// Removes some of what it kept of its files, and itself at last; true while there is more.
    async fn clean(&self) -> Result<bool, DynamoError> {
        let id = self.transfer.id.as_str();
        self.service
            .store
            .write(|tx| async move {
                let found = EXPORT_FILES.page(&tx, KeyParts::from(id), None, PAGE).await?;
                for file in &found.records {
                    EXPORT_FILES.delete(&tx, file.key()).await?;
                }
                if found.cursor.is_none() {
                    TRANSFERS.delete(&tx, id).await?;
                }
                Ok(found.cursor.is_some())
            })
            .await
    }
}

/// A data file in the making.
struct Gathering {
    out: GzEncoder<Vec<u8>>,
    plain: usize,
    items: i64,
    bytes: i64,
}

impl Default for Gathering {
    fn default() -> Self {
        Self { out: GzEncoder::new(Vec::new(), Compression::default()), plain: 0, items: 0, bytes: 0 }
    }
}

struct Gathered {
    compressed: Vec<u8>,
    items: i64,
    bytes: i64,
    /// The last place that was looked at; none at the end.
    upto: Option<Vec<u8>>,
}

impl Gathering {
    fn write(&mut self, line: &Line) -> Result<(), DynamoError> {
        self.out.write_all(&line.text).map_err(not_compressed)?;
        self.plain += line.text.len();
        self.items += 1;
        self.bytes += line.size;
        Ok(())
    }

    fn finish(self, upto: Option<Vec<u8>>) -> Result<Gathered, DynamoError> {
        let compressed = self.out.finish().map_err(not_compressed)?;
        Ok(Gathered { compressed, items: self.items, bytes: self.bytes, upto })
    }
}

fn not_compressed(error: std::io::Error) -> DynamoError {
    DynamoError::Fault(homeport_core::Fault::internal(error))
}
