//! What a restored table has otherwise than the one that was kept.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use homeport_core::Timestamp;
use serde::Deserialize;

use super::encryption::SseSpecification;
use super::shape::{KeySchemaElement, RawIndex, parameter, table_rule};
use super::throughput::{OfIndex, RawMaximum, RawThroughput};
use crate::error::Invalid;
use crate::table::{Index, IndexProjection, KeyAttribute, Restored, Table, Throughput};

/// The overrides of both kinds of restores.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Overrides {
    pub(super) target_table_name: String,
    billing_mode_override: Option<String>,
    provisioned_throughput_override: Option<RawThroughput>,
    on_demand_throughput_override: Option<RawMaximum>,
    global_secondary_index_override: Option<Vec<RawIndex>>,
    local_secondary_index_override: Option<Vec<RawIndex>>,
    #[serde(rename = "SSESpecificationOverride")]
    sse_specification_override: Option<SseSpecification>,
}

/// An index of the new table, and what it is asked to serve.
struct Kept {
    index: Index,
    asked: Option<OfIndex>,
}

impl Overrides {
    /// The new table. Tags, streams, time to live, protection and recovery don't come along, as on AWS.
    pub(super) fn table(
        &self,
        kept: &Table,
        id: &str,
        now: Timestamp,
        restored: Restored,
    ) -> Result<Table, Invalid> {
        self.sse_specification_override.as_ref().map_or(Ok(()), SseSpecification::check)?;
        let mut table = Table {
            name: self.target_table_name.clone(),
            id: id.to_owned(),
            created: now,
            deletion_protection: false,
            tags: BTreeMap::new(),
            stream: None,
            ended_stream: None,
            class_changed: None,
            expiry: None,
            history: None,
            recovery: None,
            restored: Some(restored),
            ..kept.clone()
        };
        self.apply_billing(&mut table, now)?;
        table.indexes = self.indexes(&table)?;
        Ok(table)
    }

    fn apply_billing(&self, table: &mut Table, now: Timestamp) -> Result<(), Invalid> {
        let on_demand = match self.billing_mode_override.as_deref() {
            Some(mode) => mode == "PAY_PER_REQUEST",
            None => table.throughput.is_none(),
        };
        let asked = self.provisioned_throughput_override.map(RawThroughput::check).transpose()?;
        table.throughput = throughput(on_demand, asked, table.throughput)?;
        if on_demand && self.billing_mode_override.is_some() {
            table.on_demand_since = Some(now);
        }
        if !on_demand {
            table.on_demand_maximum = None;
        }
        if let Some(maximum) = self.on_demand_throughput_override {
            table.on_demand_maximum = maximum.change(None, on_demand, "table")?;
        }
        Ok(())
    }

    /// The table's indexes of both kinds, as the overrides have them.
    fn indexes(&self, table: &Table) -> Result<Vec<Index>, Invalid> {
        let mut indexes = Vec::new();
        for (global, named) in
            [(false, &self.local_secondary_index_override), (true, &self.global_secondary_index_override)]
        {
            for kept in chosen(&table.indexes, global, named.as_deref())? {
                indexes.push(kept.serving(table.throughput.is_none())?);
            }
        }
        let mut names = HashSet::new();
        if let Some(twice) = indexes.iter().find(|index| !names.insert(index.name.as_str())) {
            return parameter(format!("Duplicate index name: {}", twice.name));
        }
        indexes.sort_by_key(|index| index.number);
        Ok(indexes)
    }
}

/// What the table is provisioned for; none for on-demand.
fn throughput(
    on_demand: bool,
    asked: Option<Throughput>,
    before: Option<Throughput>,
) -> Result<Option<Throughput>, Invalid> {
    match (on_demand, asked, before) {
        (true, Some(_), _) => table_rule(
            "Invalid Request: Cannot override ProvisionedThroughput unless BillingMode is PROVISIONED",
        ),
        (true, None, _) => Ok(None),
        (false, None, None) => parameter(
            "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
        ),
        (false, asked, before) => Ok(asked.or(before)),
    }
}

/// The indexes of a kind that come along: all of them, or those of the keys and projections that are listed, under the
/// names that are listed.
fn chosen(indexes: &[Index], global: bool, listed: Option<&[RawIndex]>) -> Result<Vec<Kept>, Invalid> {
    let mut left: Vec<Index> = indexes.iter().filter(|index| index.global == global).cloned().collect();
    let Some(listed) = listed else {
        return Ok(left.into_iter().map(|index| Kept { index, asked: None }).collect());
    };
    let mut chosen = Vec::new();
    for raw in listed {
        // Of two alike, the one of that name.
        let alike = |index: &Index| has_keys(index, &raw.key_schema) && has_projection(index, raw);
        let own = left.iter().position(|index| alike(index) && index.name == raw.index_name);
        let Some(at) = own.or_else(|| left.iter().position(alike)) else {
            return table_rule(format!(
                "Invalid Request: Index {} does not match a secondary index that existed in the source table and cannot be created during the restore operation",
                raw.index_name
            ));
        };
        let index = Index { name: raw.index_name.clone(), ..left.remove(at) };
        chosen.push(Kept { index, asked: Some(raw.throughput()) });
    }
    Ok(chosen)
}

fn has_keys(index: &Index, elements: &[KeySchemaElement]) -> bool {
    let listed = |kind: &str| {
        let of_kind = elements.iter().filter(|element| element.key_type == kind);
        of_kind.map(|element| element.attribute_name.clone()).collect::<Vec<_>>()
    };
    let name = |attribute: &KeyAttribute| attribute.name.clone();
    let partition: Vec<String> = index.schema.partition_attributes().map(name).collect();
    let sort: Vec<String> = index.schema.sort_attributes().map(name).collect();
    listed("HASH") == partition && listed("RANGE") == sort
}

fn has_projection(index: &Index, raw: &RawIndex) -> bool {
    let given = raw.projection.non_key_attributes.as_deref().unwrap_or_default();
    match (&index.projection, raw.projection.projection_type.as_deref()) {
        (IndexProjection::All, Some("ALL")) | (IndexProjection::KeysOnly, Some("KEYS_ONLY")) => {
            given.is_empty()
        }
        (IndexProjection::Include(names), Some("INCLUDE")) => {
            names.iter().collect::<BTreeSet<_>>() == given.iter().collect::<BTreeSet<_>>()
        }
        _ => false,
    }
}

impl Kept {
    /// The index with what it is asked to serve, or else what it served.
    fn serving(self, on_demand: bool) -> Result<Index, Invalid> {
        let Self { mut index, asked } = self;
        index.state = Default::default();
        if on_demand || asked.is_some_and(|asked| asked.provisioned.is_some()) {
            index.throughput = None;
        }
        if !on_demand {
            index.on_demand_maximum = None;
        }
        if let Some(asked) = asked {
            asked.change(&mut index, on_demand)?;
        }
        if index.global && !on_demand && index.throughput.is_none() {
            let name = index.name;
            return table_rule(format!(
                "Invalid Request: Must specify provisioned throughput for index {name}"
            ));
        }
        Ok(index)
    }
}
