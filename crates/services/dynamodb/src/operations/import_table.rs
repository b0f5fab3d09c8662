use std::collections::BTreeSet;

use homeport_core::uuid_v4;
use homeport_service::{Asked, Cx, Effect, KeptCaller, Operation, Permissions};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::backups::dated_id;
use super::create_table::{self, insert};
use super::shape::parameter;
use super::transfer_token::TransferToken;
use super::transfers::{begin, check_room};
use crate::DynamoDb;
use crate::error::{DynamoError, Invalid};
use crate::records::{
    CsvOptions, IMPORTS, Import, Importing, InputCompression, InputFormat, TABLES, TableRef, Transfer,
    TransferRef, TransferStatus, TransferWork, tables_of,
};
use crate::request::{TableName, Violations};
use crate::transfer_description::ImportTableDescription;
use crate::value::MAX_ITEM_SIZE;

/// Imports of an account and a region that are under way at a time (AWS's quota).
const MAX_RUNNING: i64 = 50;

/// `ImportTable` (API reference): a new table, filled from objects of a bucket. They are read behind the answer, with
/// the rights of whoever asked; until then the table is `CREATING` and can't be used.
pub(crate) struct ImportTable;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    client_token: Option<String>,
    input_compression_type: Option<String>,
    input_format: String,
    input_format_options: Option<Value>,
    s3_bucket_source: BucketSource,
    table_creation_parameters: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BucketSource {
    s3_bucket: String,
    s3_bucket_owner: Option<String>,
    s3_key_prefix: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FormatOptions {
    csv: Option<RawCsv>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawCsv {
    delimiter: Option<String>,
    header_list: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    import_table_description: ImportTableDescription,
}

impl Input {
    fn table_name(&self) -> &str {
        self.table_creation_parameters["TableName"].as_str().unwrap_or_default()
    }

    fn format(&self) -> InputFormat {
        match self.input_format.as_str() {
            "CSV" => InputFormat::Csv,
            "ION" => InputFormat::Ion,
            _ => InputFormat::DynamoDbJson,
        }
    }

    fn compression(&self) -> InputCompression {
        match self.input_compression_type.as_deref() {
            Some("GZIP") => InputCompression::Gzip,
            Some("ZSTD") => InputCompression::Zstd,
            _ => InputCompression::None,
        }
    }

    /// How CSV is read; nothing else has options.
    fn csv(&self) -> Result<CsvOptions, Invalid> {
        let default = CsvOptions::default();
        let Some(options) = &self.input_format_options else { return Ok(default) };
        if self.format() != InputFormat::Csv {
            return parameter("InputFormatOptions can only be specified when InputFormat is CSV");
        }
        let options: Result<FormatOptions, _> = serde_json::from_value(options.clone());
        let Some(raw) = options.ok().and_then(|options| options.csv) else { return Ok(default) };
        let header = raw.header_list;
        if let Some(names) = &header {
            let different: BTreeSet<&String> = names.iter().collect();
            if different.len() < names.len() || different.contains(&String::new()) {
                return parameter("HeaderList must name each column once");
            }
        }
        if header.iter().flatten().map(String::len).sum::<usize>() > MAX_ITEM_SIZE {
            return parameter("HeaderList must name no more attributes than an item can hold");
        }
        let delimiter = raw.delimiter.and_then(|text| text.chars().next());
        Ok(CsvOptions { delimiter: delimiter.unwrap_or(default.delimiter), header })
    }

    /// The table that is to be created, as `CreateTable` would be asked for it.
    fn creation(&self) -> Result<create_table::Input, DynamoError> {
        if self.table_creation_parameters.get("VectorIndexes").is_some() {
            return Ok(parameter("VectorIndexes are not supported by this endpoint")?);
        }
        let wrong = |error| {
            DynamoError::Fault(homeport_core::Fault::sender("SerializationException", "").because(error))
        };
        serde_json::from_value(self.table_creation_parameters.clone()).map_err(wrong)
    }
}

impl Operation for ImportTable {
    type Service = DynamoDb;
    type Input = Input;
    type Output = Output;
    type Error = DynamoError;

    const NAME: &'static str = "ImportTable";
    const EFFECT: Effect = Effect::Writes;

    /// Which import it will be nobody knows before it is there.
    fn permissions(asked: &Asked<'_, DynamoDb>, input: &Input) -> Permissions {
        let table = TableName::of(input.table_name()).arn(asked.scope);
        Permissions::one("dynamodb:ImportTable", format!("{table}/import/*"))
    }

    async fn run(cx: Cx<DynamoDb>, input: Input) -> Result<Output, DynamoError> {
        let mut violations = Violations::default();
        violations.require(input.client_token.as_ref(), "clientToken");
        violations.finish()?;
        let csv = &input.csv()?;
        let (id, random) = (&uuid_v4(&**cx.randomness()), &uuid_v4(&**cx.randomness()));
        let mut seed = [0_u8; 32];
        cx.randomness().fill(&mut seed);
        let table_id = uuid_v4(&**cx.randomness());
        let table = &create_table::table(&cx, &input.creation()?, table_id, hex::encode(seed))?;
        let client_token = &input.client_token.clone().unwrap_or_default();
        // The table's name alone tells requests with one token apart, as on AWS.
        let token = &TransferToken::of("imports", cx.scope(), client_token, &table.name)?;
        let (input, scope, now) = (&input, cx.scope(), cx.now());
        let by = &KeptCaller::of(cx.caller());
        let import = cx
            .write(|tx| async move {
                if let Some(begun) = token.begun(&tx, now).await? {
                    if !begun.is_same {
                        return Err(DynamoError::ImportConflict);
                    }
                    let known = IMPORTS.get(&tx, begun.made.key()).await?;
                    let is_running =
                        known.as_ref().is_some_and(|known| known.status == TransferStatus::InProgress);
                    let is_there = TABLES.get(&tx, tables_of(scope).str(&table.name)).await?.is_some();
                    match known {
                        Some(known) if is_running || !is_there => return Ok(known),
                        _ => return Err(DynamoError::TableExists(table.name.clone())),
                    }
                }
                let at = TransferRef {
                    account: table.account,
                    region: table.region.clone(),
                    table: table.name.clone(),
                    id: dated_id(now.millis(), random),
                };
                let mut table = table.clone();
                table.importing = Some(at.id.clone());
                check_room(&tx, scope, "imports", MAX_RUNNING).await?;
                if !insert(&tx, scope, &table).await? {
                    return Err(DynamoError::TableExists(table.name));
                }
                let import = Import {
                    at: at.clone(),
                    table_id: table.id.clone(),
                    token: client_token.clone(),
                    started: now,
                    ended: None,
                    status: TransferStatus::InProgress,
                    failure: None,
                    bucket: input.s3_bucket_source.s3_bucket.clone(),
                    owner: input.s3_bucket_source.s3_bucket_owner.clone(),
                    prefix: input.s3_bucket_source.s3_key_prefix.clone(),
                    format: input.format(),
                    compression: input.compression(),
                    csv: csv.clone(),
                    options: input.input_format_options.clone(),
                    parameters: input.table_creation_parameters.clone(),
                    processed: 0,
                    imported: 0,
                    bytes: 0,
                };
                IMPORTS.put(&tx, &import).await?;
                let importing = Importing {
                    import: at,
                    table: TableRef::from(&table),
                    after: None,
                    reading: None,
                    processed: 0,
                    imported: 0,
                    bytes: 0,
                };
                let work = TransferWork::Import(Box::new(importing));
                let transfer = Transfer { id: id.clone(), by: by.clone(), work, went_on: None };
                begin(&tx, scope, "imports", &transfer).await?;
                token.note(&tx, &import.at, now).await?;
                Ok(import)
            })
            .await?;
        Ok(Output { import_table_description: ImportTableDescription::of(&import) })
    }
}
