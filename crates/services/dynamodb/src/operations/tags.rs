use std::collections::{BTreeMap, HashSet};

use homeport_core::{Arn, Scope};
use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::DynamoDb;
use crate::error::{DynamoError, Invalid};
use crate::records::{TABLES, tables_of};
use crate::request::TableName;
use crate::table::Table;

/// Tags of one table.
const MAX_TAGS: usize = 50;

/// A tag, as requests and answers have it.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RawTag {
    pub(super) key: String,
    pub(super) value: String,
}

/// Refuses AWS's own prefix, the same key twice, and too many.
pub(super) fn check_tags(tags: &[RawTag]) -> Result<(), Invalid> {
    if tags.iter().any(|tag| tag.key.to_ascii_lowercase().starts_with("aws:")) {
        return Err(Invalid::Table("Tag keys starting with 'aws:' are reserved for system use".to_owned()));
    }
    let mut keys = HashSet::new();
    if !tags.iter().all(|tag| keys.insert(&tag.key)) {
        return Err(Invalid::Table("Found duplicate Tag Key".to_owned()));
    }
    if tags.len() > MAX_TAGS {
        return Err(Invalid::Table(format!("The number of tags exceeds the limit of {MAX_TAGS}")));
    }
    Ok(())
}

/// The table that an ARN names.
fn table_of(arn: &str) -> Result<TableName, Invalid> {
    let parsed = Arn::parse(arn).ok().filter(|arn| arn.service() == "dynamodb");
    let name = parsed.as_ref().and_then(|arn| arn.resource().strip_prefix("table/"));
    if name.is_some_and(|name| !name.contains('/')) {
        return Ok(TableName::of(arn));
    }
    Err(Invalid::Table(format!("Invalid TableArn: Invalid ResourceArn provided as input {arn}")))
}

async fn change<F>(cx: &Cx<DynamoDb>, arn: &str, change: F) -> Result<(), DynamoError>
where
    F: Fn(&mut Table) -> Result<(), Invalid> + Send + Sync,
{
    let (named, scope, change) = (&table_of(arn)?, cx.scope(), &change);
    cx.write(|tx| async move {
        let mut table = find(&tx, scope, named, arn).await?;
        change(&mut table)?;
        TABLES.put(&tx, &table).await?;
        Ok(())
    })
    .await
}

async fn find(
    tx: &homeport_store::Tx,
    scope: &Scope,
    named: &TableName,
    arn: &str,
) -> Result<Table, DynamoError> {
    let found = match named.is_in(scope) {
        true => TABLES.get(tx, tables_of(scope).str(named.name())).await?,
        false => None,
    };
    found.ok_or_else(|| DynamoError::NoResource(arn.to_owned()))
}

/// `TagResource` (API reference): adds tags to a table, or changes them.
pub(crate) struct TagResource;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TagInput {
    resource_arn: String,
    tags: Vec<RawTag>,
}

#[derive(Serialize)]
pub(crate) struct Nothing {}

impl Operation for TagResource {
    type Service = DynamoDb;
    type Input = TagInput;
    type Output = Nothing;
    type Error = DynamoError;

    const NAME: &'static str = "TagResource";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, DynamoDb>, input: &TagInput) -> Permissions {
        Permissions::one("dynamodb:TagResource", &input.resource_arn)
    }

    async fn run(cx: Cx<DynamoDb>, input: TagInput) -> Result<Nothing, DynamoError> {
        if input.tags.is_empty() {
            return Err(Invalid::Table("Atleast one Tag needs to be provided as Input.".to_owned()).into());
        }
        check_tags(&input.tags)?;
        change(&cx, &input.resource_arn, |table| {
            table.tags.extend(input.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())));
            if table.tags.len() > MAX_TAGS {
                return Err(Invalid::Table(format!("The number of tags exceeds the limit of {MAX_TAGS}")));
            }
            Ok(())
        })
        .await?;
        Ok(Nothing {})
    }
}

/// `UntagResource` (API reference): removes tags from a table.
pub(crate) struct UntagResource;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UntagInput {
    resource_arn: String,
    tag_keys: Vec<String>,
}

impl Operation for UntagResource {
    type Service = DynamoDb;
    type Input = UntagInput;
    type Output = Nothing;
    type Error = DynamoError;

    const NAME: &'static str = "UntagResource";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, DynamoDb>, input: &UntagInput) -> Permissions {
        Permissions::one("dynamodb:UntagResource", &input.resource_arn)
    }

    async fn run(cx: Cx<DynamoDb>, input: UntagInput) -> Result<Nothing, DynamoError> {
        if input.tag_keys.is_empty() {
            return Err(
                Invalid::Table("Atleast one Tag Key needs to be provided as Input.".to_owned()).into()
            );
        }
        change(&cx, &input.resource_arn, |table| {
            table.tags.retain(|key, _| !input.tag_keys.contains(key));
            Ok(())
        })
        .await?;
        Ok(Nothing {})
    }
}

/// `ListTagsOfResource` (API reference): a table's tags; they fit one answer.
pub(crate) struct ListTagsOfResource;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListInput {
    resource_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListOutput {
    tags: Vec<RawTag>,
}

fn listed(tags: BTreeMap<String, String>) -> Vec<RawTag> {
    tags.into_iter().map(|(key, value)| RawTag { key, value }).collect()
}

impl Operation for ListTagsOfResource {
    type Service = DynamoDb;
    type Input = ListInput;
    type Output = ListOutput;
    type Error = DynamoError;

    const NAME: &'static str = "ListTagsOfResource";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, DynamoDb>, input: &ListInput) -> Permissions {
        Permissions::one("dynamodb:ListTagsOfResource", &input.resource_arn)
    }

    async fn run(cx: Cx<DynamoDb>, input: ListInput) -> Result<ListOutput, DynamoError> {
        let (named, scope, arn) = (&table_of(&input.resource_arn)?, cx.scope(), &input.resource_arn);
        let table = cx.read(|tx| async move { find(&tx, scope, named, arn).await }).await?;
        Ok(ListOutput { tags: listed(table.tags) })
    }
}
