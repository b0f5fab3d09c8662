//! The objects of an import: read a little at a time, and taken into the table in batches.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::import::Running;
use super::transfer::Stop;
use crate::records::{Failure, Importing, ReadingObject};
use crate::transfer::{InputError, ItemReader, Source, SourceError};
use crate::value::{Item, item_size};

/// Items that one transaction takes.
const ITEMS: usize = 100;
/// A transaction ends behind the item that passes this many bytes.
const BYTES: usize = 1 << 20;
/// Records that are looked at for one transaction.
const RECORDS: u64 = 10_000;
/// What is told of an error at most, in bytes: it may quote the record.
const MESSAGE: usize = 1 << 10;
/// For how long an object is read until the rights of whoever asked are looked at anew.
const TRUSTED: Duration = Duration::from_secs(60);
/// Errors of one import that are written to the log; all are counted.
const LOGGED: i64 = 10_000;

/// What was read for one transaction.
#[derive(Default)]
struct Batch {
    items: Vec<Item>,
    size: usize,
    errors: Vec<String>,
    /// Whether nothing more is read of the object.
    ended: bool,
}

impl Batch {
    fn is_full(&self) -> bool {
        self.items.len() >= ITEMS || self.size >= BYTES || self.errors.len() >= ITEMS
    }
}

impl Running<'_> {
    /// Takes an object, or what is left of it.
    pub(super) async fn take_object(&mut self, key: &str) -> Result<(), Stop> {
        let (csv, table) = (self.import.csv.clone(), self.table.clone().ok_or(Stop::Gone)?);
        let place = self.place();
        let opened = self.service.objects()?.open_object(place.in_bucket(), key).await?;
        let mut trusted = Instant::now();
        let begun = self.at.reading.clone().filter(|reading| reading.key == key);
        check_same(key, begun.as_ref().map(|begun| &begun.etag), &opened.etag)?;
        let mut reader = ItemReader::new(self.import.format, &csv, &table);
        let source = Source::new(opened.body, self.import.compression, reader.kind());
        let mut source = source.map_err(|error| stopped(&error))?;
        for _ in 0..begun.as_ref().map_or(0, |begun| begun.records) {
            // It was taken before; but the first may say what the columns are.
            match source.next().await {
                Ok(Some(record)) => drop(reader.read(&record)),
                Ok(None) | Err(SourceError::Malformed(_)) => break,
                Err(error) => return Err(stopped(&error)),
            }
        }
        let etag = opened.etag;
        let mut reading =
            begun.unwrap_or_else(|| ReadingObject { key: key.to_owned(), etag, records: 0, items: 0 });
        loop {
            if trusted.elapsed() >= TRUSTED {
                let again = self.service.objects()?.open_object(self.place().in_bucket(), key).await?;
                check_same(key, Some(&reading.etag), &again.etag)?;
                trusted = Instant::now();
            }
            let mut next = self.at.clone();
            let batch = self.read_batch(&mut source, &mut reader, &mut reading, &mut next).await?;
            next.reading = Some(reading.clone()).filter(|_| !batch.ended);
            if batch.ended {
                next.after = Some(key.to_owned());
            }
            let left = usize::try_from(LOGGED - self.at.errors()).unwrap_or(0);
            self.log("error", batch.errors.into_iter().take(left).collect()).await?;
            self.take(&batch.items, next).await?;
            if batch.ended {
                return Ok(());
            }
        }
    }

    async fn read_batch(
        &self,
        source: &mut Source,
        reader: &mut ItemReader<'_>,
        reading: &mut ReadingObject,
        next: &mut Importing,
    ) -> Result<Batch, Stop> {
        let mut batch = Batch::default();
        let first = reading.records;
        while !batch.is_full() && reading.records - first < RECORDS {
            let read = match source.next().await {
                Ok(None) => {
                    batch.ended = true;
                    break;
                }
                Ok(Some(record)) => {
                    reading.records += 1;
                    next.bytes += record.len() as i64;
                    reader.read(&record)
                }
                Err(SourceError::Malformed(message)) => Err(InputError { message, ends_object: true }),
                Err(error) => return Err(stopped(&error)),
            };
            match read {
                Ok(None) => continue,
                Ok(Some(item)) => {
                    next.imported += 1;
                    batch.size += item_size(&item);
                    batch.items.push(item);
                }
                Err(error) => {
                    batch.ended = error.ends_object;
                    batch.errors.push(self.told(reading, &error));
                }
            }
            next.processed += 1;
            reading.items += 1;
            if batch.ended {
                break;
            }
        }
        Ok(batch)
    }

    /// An error as AWS logs it.
    fn told(&self, reading: &ReadingObject, error: &InputError) -> String {
        let pointer = json!({"bucket": self.import.bucket, "key": reading.key, "itemIndex": reading.items});
        let told = json!({"itemS3Pointer": pointer, "importArn": self.import.arn(), "errorMessages": [cut(&error.message)]});
        told.to_string()
    }
}

/// Refuses an object that is another than the one that was begun.
fn check_same(key: &str, begun: Option<&String>, etag: &String) -> Result<(), Stop> {
    if begun.is_none_or(|begun| begun == etag) {
        return Ok(());
    }
    Err(Stop::Failed(Failure {
        code: "S3ObjectModified".to_owned(),
        message: format!("The object {key} was modified while it was imported"),
    }))
}

/// As much of a message as is told.
fn cut(message: &str) -> &str {
    &message[..message.floor_char_boundary(MESSAGE)]
}

fn stopped(error: &SourceError) -> Stop {
    Stop::Later(crate::error::DynamoError::Fault(homeport_core::Fault::internal(error)))
}
