//! What item operations need to be allowed: actions on tables and indexes, with DynamoDB's condition keys
//! (Service Authorization Reference).

use std::sync::{Arc, OnceLock};

use base64::Engine;
use homeport_core::Scope;
use homeport_service::{Asked, Permission, Permissions};
use homeport_store::{StoreError, Tx};

use crate::DynamoDb;
use crate::error::DynamoError;
use crate::expression::Condition;
use crate::items::{OpenTable, SharedTable};
use crate::partiql::branches;
use crate::request::{ReturnCapacity, TableName};
use crate::value::{AttributeValue, Item};

/// What a key's partition attributes are called, of which an index has four at most; the first is
/// `dynamodb:LeadingKeys` too (Developer Guide, "Using IAM policy conditions for fine-grained access control").
const PARTITION_KEYS: [&str; 4] = [
    "dynamodb:FirstPartitionKeyValues",
    "dynamodb:SecondPartitionKeyValues",
    "dynamodb:ThirdPartitionKeyValues",
    "dynamodb:FourthPartitionKeyValues",
];

/// One thing an item operation needs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Need {
    action: &'static str,
    table: Option<TableName>,
    index: Option<String>,
    keys: Vec<Arc<Item>>,
    attributes: Vec<String>,
    context: Vec<(&'static str, String)>,
    /// What a `SELECT` reads; which partitions that are, only the schema tells.
    selected: Option<Option<Condition>>,
}

impl Need {
    /// An action on a table.
    pub(crate) fn new(action: &'static str, table: &TableName) -> Self {
        Self { action, table: Some(table.clone()), ..Self::default() }
    }

    /// On an index of it.
    pub(crate) fn on_index(mut self, index: Option<&str>) -> Self {
        self.index = index.map(str::to_owned);
        self
    }

    /// With these keys, or items: their partition keys are `dynamodb:LeadingKeys` and its like.
    pub(crate) fn leading(mut self, keys: impl IntoIterator<Item = Arc<Item>>) -> Self {
        self.keys.extend(keys);
        self
    }

    /// Reading what meets a condition: the partitions that it names are `dynamodb:LeadingKeys`, and if it names none,
    /// that is a `dynamodb:FullTableScan`.
    pub(crate) fn selecting(mut self, condition: Option<&Condition>) -> Self {
        self.selected = Some(condition.cloned());
        self
    }

    /// Touching these attributes: `dynamodb:Attributes`.
    pub(crate) fn touching<'a>(mut self, attributes: impl IntoIterator<Item = &'a str>) -> Self {
        self.attributes.extend(attributes.into_iter().map(str::to_owned));
        self
    }

    /// With a further condition key.
    pub(crate) fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.context.push((key, value.into()));
        self
    }

    /// With `dynamodb:ReturnConsumedCapacity`, where it is asked for.
    pub(crate) fn returning(self, capacity: ReturnCapacity) -> Self {
        match capacity {
            ReturnCapacity::None => self,
            ReturnCapacity::Total => self.with("dynamodb:ReturnConsumedCapacity", "TOTAL"),
            ReturnCapacity::Indexes => self.with("dynamodb:ReturnConsumedCapacity", "INDEXES"),
        }
    }

    fn permission(&self, scope: &Scope, open: Option<&OpenTable>) -> Permission {
        let arn = match open {
            Some(open) => open.arn.clone(),
            None => self.table.as_ref().map(|table| table.arn(scope)).unwrap_or_default(),
        };
        let resource = match &self.index {
            Some(index) => format!("{arn}/index/{index}"),
            None => arn,
        };
        let schema = open.map(|open| {
            let index = self.index.as_ref().and_then(|index| open.table.index(index).ok());
            index.map_or(&open.table.schema, |index| &index.schema)
        });
        let mut partitions: Vec<Vec<String>> = schema
            .iter()
            .flat_map(|schema| schema.partition_attributes())
            .map(|attribute| self.keys.iter().filter_map(|key| text(key.get(&attribute.name)?)).collect())
            .collect();
        let mut scans = None;
        if let (Some(condition), Some(schema)) = (&self.selected, schema) {
            // What can't be told apart, and what no statement reads, will be refused when it is run.
            let branches = branches(condition.as_ref(), schema).ok().flatten();
            scans = Some(branches.is_none());
            let named = branches.into_iter().flatten().filter_map(|branch| text(&branch.partition));
            if let Some(first) = partitions.first_mut() {
                first.extend(named);
            }
        }
        let keyed = self.keys.iter().flat_map(|key| key.keys());
        let attributes: Vec<&str> = keyed.chain(&self.attributes).map(String::as_str).collect();
        let mut permission = Permission::new(self.action, resource)
            .with("dynamodb:Attributes", each_once(attributes))
            .with("dynamodb:FullTableScan", scans.map(|scans| scans.to_string()));
        let partitions = partitions.into_iter().map(each_once);
        for (key, values) in PARTITION_KEYS.into_iter().zip(partitions) {
            if key == PARTITION_KEYS[0] {
                permission = permission.with("dynamodb:LeadingKeys", values.iter().cloned());
            }
            permission = permission.with(key, values);
        }
        for (key, value) in &self.context {
            permission = permission.with(*key, [value]);
        }
        permission
    }
}

fn each_once<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values.dedup();
    values
}

/// A key as policies see it: numbers in canonical form, bytes in base64.
fn text(value: &AttributeValue) -> Option<String> {
    match value {
        AttributeValue::S(text) => Some(text.clone()),
        AttributeValue::N(number) => Some(number.to_string()),
        AttributeValue::B(bytes) => Some(base64::engine::general_purpose::STANDARD.encode(bytes)),
        _ => None,
    }
}

/// Which tables a call was decided on: their names' ids at that moment. A table that was replaced since then may have
/// another key; the one that the decision was about is gone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Decided(Arc<OnceLock<Vec<(TableName, String)>>>);

impl Decided {
    /// Refuses a table that isn't the one the call was decided on.
    pub(crate) fn check(&self, name: &TableName, open: &OpenTable) -> Result<(), DynamoError> {
        let decided = self.0.get().map(Vec::as_slice).unwrap_or_default();
        match decided.iter().find(|(decided, _)| decided == name) {
            Some((_, id)) if *id == open.table.id => Ok(()),
            _ => Err(DynamoError::NoTable),
        }
    }
}

/// All that the call needs, once the tables' schemas have been read.
pub(crate) fn permissions(asked: &Asked<'_, DynamoDb>, needs: Vec<Need>, decided: &Decided) -> Permissions {
    let (service, scope) = (asked.service.clone(), asked.scope.clone());
    let (needs, decided) = (Arc::new(needs), decided.clone());
    Permissions::lookup(move |tx| {
        let (service, scope) = (service.clone(), scope.clone());
        let (needs, decided) = (needs.clone(), decided.clone());
        async move {
            let tables = open_tables(&service, &tx, &scope, &needs).await?;
            let open = |need: &Need| {
                let found = tables.iter().find(|(name, _)| Some(name) == need.table.as_ref());
                found.and_then(|(_, open)| open.clone())
            };
            let permissions =
                needs.iter().map(|need| need.permission(&scope, open(need).as_deref())).collect();
            let ids = tables
                .iter()
                .filter_map(|(name, open)| Some((name.clone(), open.as_ref()?.table.id.clone())));
            // A second look must find the tables of the first, which `Decided::check` sees to.
            let _ = decided.0.set(ids.collect());
            Ok(permissions)
        }
    })
}

/// Each table that is needed, once.
async fn open_tables(
    service: &DynamoDb,
    tx: &Tx,
    scope: &Scope,
    needs: &[Need],
) -> Result<Vec<(TableName, Option<SharedTable>)>, StoreError> {
    let mut tables: Vec<(TableName, Option<SharedTable>)> = Vec::new();
    for table in needs.iter().filter_map(|need| need.table.as_ref()) {
        if !tables.iter().any(|(name, _)| name == table) {
            tables.push((table.clone(), service.find_table(tx, scope, table).await?));
        }
    }
    Ok(tables)
}
