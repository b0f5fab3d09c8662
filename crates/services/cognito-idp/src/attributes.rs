//! Users' attributes: which a pool knows, what they may hold, and which app client may read and write them.

mod access;
mod check;
mod schema;
mod standard;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(crate) use access::{default_readable, default_writable, is_readable};
pub(crate) use check::{AttributeFault, Change, check_email, check_phone_number};
pub(crate) use schema::{AskedAttribute, Schema, SchemaAttribute, SchemaFault};

/// Attribute values by name, custom ones with their prefix.
pub(crate) type Attributes = BTreeMap<String, String>;

/// `AttributeType`: a name and a value, as requests and responses carry them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Attribute {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) value: String,
}

/// The list form of attributes, `sub` first, as AWS answers it.
pub(crate) fn listed(sub: &str, attributes: &Attributes) -> Vec<Attribute> {
    let sub = Attribute { name: "sub".into(), value: sub.into() };
    let others =
        attributes.iter().map(|(name, value)| Attribute { name: name.clone(), value: value.clone() });
    std::iter::once(sub).chain(others).collect()
}
