use homeport_core::{Arn, Timestamp, uuid_v4};
use homeport_service::{Asked, Cx, Effect, KeptCaller, Operation, Permissions};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::backups::{ask_history, dated_id, moment, moment_of, table_to_keep};
use super::continuous_backups::earliest;
use super::shape::parameter;
use super::transfer_token::TransferToken;
use super::transfers::{begin, check_room};
use crate::DynamoDb;
use crate::error::{DynamoError, Invalid};
use crate::records::{
    EXPORTS, Export, ExportFormat, ExportSpan, ExportStage, Exporting, TABLES, TableRef, Transfer,
    TransferRef, TransferStatus, TransferWork,
};
use crate::request::{TableName, Violations};
use crate::table::Table;
use crate::transfer_description::ExportDescription;

/// Exports of an account and a region that are under way at a time (AWS's quota).
const MAX_RUNNING: i64 = 300;
/// The shortest and the longest time that an incremental export is of.
const SHORTEST: i64 = 15 * 60 * 1_000;
const LONGEST: i64 = 24 * 60 * 60 * 1_000;

/// `ExportTableToPointInTime` (API reference): a table as it was at a moment, or what changed in a while, as objects of
/// a bucket. They are put behind the answer, with the rights of whoever asked.
pub(crate) struct ExportTableToPointInTime;

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    table_arn: String,
    #[serde(skip_serializing)]
    client_token: Option<String>,
    export_format: Option<String>,
    export_time: Option<f64>,
    export_type: Option<String>,
    incremental_export_specification: Option<Incremental>,
    filter_specification: Option<Value>,
    s3_bucket: String,
    s3_bucket_owner: Option<String>,
    s3_prefix: Option<String>,
    s3_sse_algorithm: Option<String>,
    s3_sse_kms_key_id: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Incremental {
    export_from_time: Option<f64>,
    export_to_time: Option<f64>,
    export_view_type: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    export_description: ExportDescription,
}

impl Input {
    /// Refuses what is no request, or asks for what isn't built.
    fn check(&self) -> Result<(), Invalid> {
        let arn = Arn::parse(&self.table_arn).ok().filter(|arn| arn.service() == "dynamodb");
        let name = arn.as_ref().and_then(|arn| arn.resource().strip_prefix("table/"));
        if name.is_none_or(|name| name.is_empty() || name.contains('/')) {
            return Err(Invalid::Table(format!("Invalid TableArn: {}", self.table_arn)));
        }
        let mut violations = Violations::default();
        if let Some(prefix) = &self.s3_prefix {
            let at_least = "Member must have length greater than or equal to 1";
            violations.check(!prefix.is_empty(), || format!("'{prefix}'"), "s3Prefix", at_least);
        }
        violations.finish()?;
        if self.s3_sse_algorithm.as_deref() == Some("KMS") || self.s3_sse_kms_key_id.is_some() {
            return parameter(
                "S3SseAlgorithm KMS is not supported by this endpoint: there are no keys of KMS",
            );
        }
        if self.filter_specification.is_some() {
            return parameter("FilterSpecification is not supported by this endpoint");
        }
        match (self.is_incremental(), &self.incremental_export_specification, self.export_time) {
            (false, Some(_), _) => parameter(
                "IncrementalExportSpecification can only be specified when ExportType is INCREMENTAL_EXPORT",
            ),
            (true, _, Some(_)) => {
                parameter("ExportTime can only be specified when ExportType is FULL_EXPORT")
            }
            (true, None, _) => parameter(
                "IncrementalExportSpecification must be specified when ExportType is INCREMENTAL_EXPORT",
            ),
            _ => Ok(()),
        }
    }

    fn is_incremental(&self) -> bool {
        self.export_type.as_deref() == Some("INCREMENTAL_EXPORT")
    }

    fn format(&self) -> ExportFormat {
        match self.export_format.as_deref() {
            Some("ION") => ExportFormat::Ion,
            _ => ExportFormat::DynamoDbJson,
        }
    }

    /// What is exported, if recovery reaches it.
    fn span(&self, table: &Table, now: Timestamp) -> Result<ExportSpan, DynamoError> {
        let recovery = table.recovery.ok_or_else(|| DynamoError::NoRecovery(table.name.clone()))?;
        let earliest = earliest(recovery, now);
        let reached = |at: Timestamp, name: &str| match at >= earliest && at <= now {
            true => Ok(at),
            false => Err(DynamoError::ExportTime(format!(
                "The specified {name} is outside of the point in time recovery window."
            ))),
        };
        let Some(incremental) = &self.incremental_export_specification else {
            let at = self.export_time.map_or(now, moment);
            return Ok(ExportSpan::Full(reached(at, "ExportTime")?));
        };
        let Some(from) = incremental.export_from_time else {
            return Ok(parameter("ExportFromTime must be specified when ExportType is INCREMENTAL_EXPORT")?);
        };
        let (from, to) = (moment(from), incremental.export_to_time.map_or(now, moment));
        let length = to.millis().saturating_sub(from.millis());
        let wrong = match length {
            ..SHORTEST => Some("less than 15 minutes"),
            SHORTEST..=LONGEST => None,
            _ => Some("more than 24 hours"),
        };
        if let Some(wrong) = wrong {
            return Err(DynamoError::ExportTime(format!(
                "Difference between export period from time and export period to time is {wrong}"
            )));
        }
        Ok(ExportSpan::Incremental {
            from: reached(from, "ExportFromTime")?,
            to: reached(to, "ExportToTime")?,
            with_old: incremental.export_view_type.as_deref() != Some("NEW_IMAGE"),
        })
    }
}

impl Operation for ExportTableToPointInTime {
    type Service = DynamoDb;
    type Input = Input;
    type Output = Output;
    type Error = DynamoError;

    const NAME: &'static str = "ExportTableToPointInTime";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, DynamoDb>, input: &Input) -> Permissions {
        let arn = TableName::of(&input.table_arn).arn(asked.scope);
        Permissions::one("dynamodb:ExportTableToPointInTime", arn)
    }

    async fn run(cx: Cx<DynamoDb>, input: Input) -> Result<Output, DynamoError> {
        input.check()?;
        let (id, random) = (&uuid_v4(&**cx.randomness()), &uuid_v4(&**cx.randomness()));
        let client_token = &input.client_token.clone().unwrap_or_else(|| uuid_v4(&**cx.randomness()));
        let token = &TransferToken::of("exports", cx.scope(), client_token, &input)?;
        let (input, scope, now) = (&input, cx.scope(), cx.now());
        let (named, by) = (&TableName::of(&input.table_arn), &KeptCaller::of(cx.caller()));
        let export = cx
            .write(|tx| async move {
                if let Some(begun) = token.begun(&tx, now).await? {
                    let known = EXPORTS.get(&tx, begun.made.key()).await?.filter(|_| begun.is_same);
                    return known.ok_or(DynamoError::ExportConflict);
                }
                let mut table = table_to_keep(&tx, scope, named).await?;
                let now = moment_of(&table, now);
                let span = input.span(&table, now)?;
                check_room(&tx, scope, "exports", MAX_RUNNING).await?;
                let number = ask_history(&mut table, id, now)?;
                TABLES.put(&tx, &table).await?;
                let export = Export {
                    at: TransferRef {
                        account: table.account,
                        region: table.region.clone(),
                        table: table.name.clone(),
                        id: dated_id(now.millis(), random),
                    },
                    table_id: table.id.clone(),
                    token: client_token.clone(),
                    started: now,
                    ended: None,
                    status: TransferStatus::InProgress,
                    failure: None,
                    bucket: input.s3_bucket.clone(),
                    owner: input.s3_bucket_owner.clone(),
                    prefix: input.s3_prefix.clone(),
                    sse: input.s3_sse_algorithm.clone(),
                    format: input.format(),
                    span,
                    keys: table.schema.attributes().map(|attribute| attribute.name.clone()).collect(),
                    typed: input.export_type.is_some(),
                    items: 0,
                    bytes: 0,
                };
                EXPORTS.put(&tx, &export).await?;
                let exporting = Exporting {
                    export: export.at.clone(),
                    table: TableRef::from(&table),
                    number,
                    stage: ExportStage::Begin,
                    files: 0,
                    items: 0,
                    bytes: 0,
                };
                let work = TransferWork::Export(Box::new(exporting));
                let transfer = Transfer { id: id.clone(), by: by.clone(), work, went_on: None };
                begin(&tx, scope, "exports", &transfer).await?;
                token.note(&tx, &export.at, now).await?;
                Ok(export)
            })
            .await?;
        Ok(Output { export_description: ExportDescription::of(&export) })
    }
}
