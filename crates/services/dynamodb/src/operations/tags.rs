use std::collections::{BTreeMap, HashSet};

use homeport_core::{Arn, Scope};
use homeport_service::{Asked, Cx, Effect, Operation, Permission, Permissions};
use homeport_store::{StoreError, Tx};
use serde::{Deserialize, Serialize};

use crate::DynamoDb;
use crate::error::{DynamoError, Invalid};
use crate::records::{STREAMS, StreamRecord, TABLES, tables_of};
use crate::request::TableName;
use crate::table::Table;

/// Tags of one table or stream.
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

/// What has tags. A stream's are its own, not the table's.
enum Tagged {
    Table(Box<Table>),
    Stream(Box<StreamRecord>),
}

impl Tagged {
    async fn find(tx: &Tx, scope: &Scope, arn: &str) -> Result<Self, DynamoError> {
        let named = TableName::of(arn);
        let key = tables_of(scope).str(named.name());
        let found = match arn.split_once("/stream/") {
            _ if !named.is_in(scope) => None,
            Some((_, label)) => {
                STREAMS.get(tx, key.str(label)).await?.map(|stream| Self::Stream(Box::new(stream)))
            }
            None => TABLES.get(tx, key).await?.map(|table| Self::Table(Box::new(table))),
        };
        found.ok_or_else(|| DynamoError::NoResource(arn.to_owned()))
    }

    fn tags(&mut self) -> &mut BTreeMap<String, String> {
        match self {
            Self::Table(table) => &mut table.tags,
            Self::Stream(stream) => &mut stream.tags,
        }
    }

    async fn put(&self, tx: &Tx) -> Result<(), StoreError> {
        match self {
            Self::Table(table) => TABLES.put(tx, table).await,
            Self::Stream(stream) => STREAMS.put(tx, stream).await,
        }
    }
}

/// Refuses an ARN that names no table or stream of the caller's region.
fn check_arn(scope: &Scope, text: &str) -> Result<(), Invalid> {
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
        ["table", _] | ["table", _, "stream", _] if arn.region() == scope.region.as_str() => Ok(()),
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
    F: Fn(&mut BTreeMap<String, String>) -> Result<(), Invalid> + Send + Sync,
{
    check_arn(cx.scope(), arn)?;
    let (scope, change) = (cx.scope(), &change);
    cx.write(|tx| async move {
        let mut tagged = Tagged::find(&tx, scope, arn).await?;
        change(tagged.tags())?;
        Ok(tagged.put(&tx).await?)
    })
    .await
}

/// `TagResource` (API reference): adds tags to a table or a stream, or changes them.
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
        change(&cx, &input.resource_arn, |tags| {
            tags.extend(input.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())));
            check_count(tags.len())
        })
        .await?;
        Ok(Nothing {})
    }
}

/// `UntagResource` (API reference): removes tags from a table or a stream.
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
        change(&cx, &input.resource_arn, |tags| {
            tags.retain(|key, _| !input.tag_keys.contains(key));
            Ok(())
        })
        .await?;
        Ok(Nothing {})
    }
}

/// `ListTagsOfResource` (API reference): a table's or a stream's tags; they fit one answer.
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
        let (scope, arn) = (cx.scope(), &input.resource_arn);
        check_arn(scope, arn)?;
        let mut tagged = cx.read(|tx| async move { Tagged::find(&tx, scope, arn).await }).await?;
        Ok(ListOutput { tags: listed(std::mem::take(tagged.tags())) })
    }
}
