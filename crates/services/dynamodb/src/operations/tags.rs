use std::collections::{BTreeMap, HashSet};

use homeport_core::{Arn, Scope};
use homeport_service::{Asked, Cx, Effect, Operation, Permission, Permissions};
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

/// Refuses keys and values of other characters than AWS's, its own prefix, the same key twice, and too many.
pub(super) fn check_tags(tags: &[RawTag]) -> Result<(), Invalid> {
    let mut keys = HashSet::new();
    for RawTag { key, value } in tags {
        if !key.chars().all(may_stand) {
            return Err(Invalid::Table(format!("The Tag Key provided is invalid, Key: {key}")));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(Invalid::Table(format!("Tag Key cannot be prefixed with aws:, Key: {key}")));
        }
        if !value.chars().all(may_stand) {
            return Err(Invalid::Table(format!("The Tag Value provided is invalid, Value: {value}")));
        }
        if !keys.insert(key) {
            let said = "Duplicate Tag Keys provided as input: Duplicate Tag Key found";
            return Err(Invalid::Table(format!("{said} {key}")));
        }
    }
    check_count(tags.len())
}

/// Letters, digits and spaces of every language, and some signs (Developer Guide, "Tagging restrictions in DynamoDB").
fn may_stand(c: char) -> bool {
    let is_space = c.is_whitespace() && !c.is_control();
    c.is_alphanumeric() || is_space || matches!(c, '_' | '.' | ':' | '/' | '=' | '+' | '-' | '@')
}

fn check_count(count: usize) -> Result<(), Invalid> {
    if count <= MAX_TAGS {
        return Ok(());
    }
    let said = "Number of Tags exceed the current limit for the provided ResourceArn";
    Err(Invalid::Table(said.to_owned()))
}

/// What policies see of the tags that a request brings: `aws:TagKeys` and `aws:RequestTag/KEY` (IAM User Guide, "AWS
/// global condition context keys"). A request with more tags than a table may have is refused whoever brings it.
pub(super) fn bringing(permission: Permission, tags: &[RawTag]) -> Permission {
    let tags = &tags[..tags.len().min(MAX_TAGS)];
    let keyed = permission.with("aws:TagKeys", tags.iter().map(|tag| tag.key.as_str()));
    tags.iter().fold(keyed, |permission, RawTag { key, value }| {
        permission.with(format!("aws:RequestTag/{key}"), [value.as_str()])
    })
}

/// The table that an ARN names, which must be one of the caller's region.
fn table_of(scope: &Scope, text: &str) -> Result<TableName, Invalid> {
    if !text.starts_with("arn:") {
        return Err(Invalid::Parameter(format!("ARNs must start with 'arn:': {text}")));
    }
    let parsed = Arn::parse(text).ok().filter(|arn| arn.service() == "dynamodb");
    let Some(arn) = parsed else {
        let said = "Provided Arn is not a DynamoDB resource arn:";
        return Err(Invalid::Parameter(format!("{said} {text}")));
    };
    let parts: Vec<&str> = arn.resource().split('/').collect();
    match parts.as_slice() {
        ["table", _] if arn.region() == scope.region.as_str() => Ok(TableName::of(text)),
        ["table", _] | ["table", _, "stream", _] => {
            Err(Invalid::Table(format!("Invalid TableArn: Invalid ResourceArn provided as input {text}")))
        }
        _ => Err(Invalid::Parameter(format!(
            "Invalid resource arn provided, only table or stream is accepted. Provided resource arn: {text}"
        ))),
    }
}

async fn change<F>(cx: &Cx<DynamoDb>, arn: &str, change: F) -> Result<(), DynamoError>
where
    F: Fn(&mut Table) -> Result<(), Invalid> + Send + Sync,
{
    let (named, scope, change) = (&table_of(cx.scope(), arn)?, cx.scope(), &change);
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
        let tagging = Permission::new("dynamodb:TagResource", &input.resource_arn);
        Permissions::All(vec![bringing(tagging, &input.tags)])
    }

    async fn run(cx: Cx<DynamoDb>, input: TagInput) -> Result<Nothing, DynamoError> {
        if input.tags.is_empty() {
            return Err(Invalid::Table("Atleast one Tag needs to be provided as Input.".to_owned()).into());
        }
        check_tags(&input.tags)?;
        change(&cx, &input.resource_arn, |table| {
            table.tags.extend(input.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())));
            check_count(table.tags.len())
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
        let untagging = Permission::new("dynamodb:UntagResource", &input.resource_arn);
        let keys = input.tag_keys.iter().take(MAX_TAGS);
        Permissions::All(vec![untagging.with("aws:TagKeys", keys)])
    }

    async fn run(cx: Cx<DynamoDb>, input: UntagInput) -> Result<Nothing, DynamoError> {
        if input.tag_keys.is_empty() {
            return Err(
                Invalid::Table("Atleast one Tag Key needs to be provided as Input.".to_owned()).into()
            );
        }
        check_count(input.tag_keys.len())?;
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
        let (named, scope, arn) =
            (&table_of(cx.scope(), &input.resource_arn)?, cx.scope(), &input.resource_arn);
        let table = cx.read(|tx| async move { find(&tx, scope, named, arn).await }).await?;
        Ok(ListOutput { tags: listed(table.tags) })
    }
}
