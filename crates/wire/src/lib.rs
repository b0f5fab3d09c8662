//! The wire: AWS's models as tables, and one codec per protocol that decodes and encodes by them.
//!
//! Start with [`Models`] (which services and operations there are), [`Service::route`] (which operation a REST request
//! means), [`decode`] and [`encode`] (a request to canonical JSON, canonical JSON to an answer) and [`encode_fault`].
//!
//! Canonical JSON is an object keyed by the *model's* member names (not by what a protocol calls them): blobs are
//! base64 strings, times are seconds since 1970, numbers and booleans are JSON's. A streaming payload is not in it.

mod blob;
mod codec;
mod constraints;
mod encode_fault;
mod faults;
mod head;
mod json;
mod mismatch;
mod model;
mod models;
mod moment;
mod pattern;
mod query;
mod redact;
mod rest;
mod rest_json;
mod rest_xml;
mod role_arns;
mod router;
mod scalar;
mod uri;
mod xml;
mod xml_shapes;

pub use codec::{decode, encode, parse, parse_json};
pub use constraints::{MAX_VIOLATIONS, validate};
pub use encode_fault::encode_fault;
pub use faults::unknown_operation;
pub use head::{EncodedResponse, Head};
pub use json::MAX_DEPTH as MAX_JSON_DEPTH;
pub use model::{
    ErrorTraits, Kind, List, Location, MapShape, Member, Operation, Protocol, Service, Shape, ShapeId,
    Structure, TimeFormat, XmlNamespace,
};
pub use models::Models;
pub use pattern::Pattern;
pub use query::{MAX_NAME_PARTS, MAX_PARAMETERS, parameter as query_parameter};
pub use redact::redact;
pub use role_arns::{RoleArnMember, role_arn_members};
pub use uri::UriTemplate;
pub use xml::{MAX_DEPTH as MAX_XML_DEPTH, MAX_ELEMENTS as MAX_XML_ELEMENTS};
