//! The models as the codecs read them: services, operations, shapes, members. All text lies in the program itself.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::pattern::Pattern;
use crate::router::Router;
use crate::uri::UriTemplate;

pub(crate) mod unpack;

/// A protocol of AWS's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// AWS JSON 1.0 or 1.1: `POST /`, the operation in `X-Amz-Target`.
    Json,
    /// AWS Query: a form with `Action`, answered in XML.
    Query,
    /// JSON bodies, everything else by HTTP's own means.
    RestJson,
    /// XML bodies, everything else by HTTP's own means.
    RestXml,
    /// Smithy RPC v2 CBOR, which the newest SDKs could speak to CloudWatch.
    RpcV2Cbor,
}

impl Protocol {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "json" => Self::Json,
            "query" => Self::Query,
            "rest-json" => Self::RestJson,
            "rest-xml" => Self::RestXml,
            "smithy-rpc-v2-cbor" => Self::RpcV2Cbor,
            _ => return None,
        })
    }
}

/// The place of a shape in its service's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShapeId(pub(crate) u16);

/// A service's model.
#[derive(Debug)]
pub struct Service {
    /// botocore's name, such as `cognito-idp`.
    pub name: &'static str,
    /// Such as `2012-08-10`.
    pub api_version: &'static str,
    /// The protocol that answers are given in unless the caller spoke another.
    pub protocol: Protocol,
    /// All protocols that clients may speak to it.
    pub speaks: Box<[Protocol]>,
    /// `1.0` or `1.1`; empty for services that do not speak AWS JSON.
    pub json_version: &'static str,
    /// What stands before the dot in `X-Amz-Target`; empty for services that do not speak AWS JSON.
    pub target_prefix: &'static str,
    /// The service of the credential scope.
    pub signing_name: &'static str,
    /// The first label of AWS's host names.
    pub endpoint_prefix: &'static str,
    /// AWS's own name, such as `Cognito Identity Provider`.
    pub service_id: &'static str,
    /// Of the answers in XML; empty for services without one.
    pub xml_namespace: &'static str,
    /// Errors carry `x-amzn-query-error`, for clients that once spoke Query.
    pub query_compatible: bool,
    /// In the order of their names.
    pub operations: Box<[Operation]>,
    pub(crate) shapes: Box<[Shape]>,
    pub(crate) by_operation: HashMap<&'static str, u16>,
    pub(crate) by_shape: HashMap<&'static str, u16>,
    pub(crate) router: OnceLock<Router>,
}

impl Service {
    /// The operation of this name.
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        self.by_operation.get(name).map(|index| &self.operations[usize::from(*index)])
    }

    /// The shape at a place that this service's model gave.
    pub fn shape(&self, id: ShapeId) -> &Shape {
        &self.shapes[usize::from(id.0)]
    }

    /// The shape of this name.
    pub fn shape_named(&self, name: &str) -> Option<&Shape> {
        self.by_shape.get(name).map(|index| &self.shapes[usize::from(*index)])
    }

    /// Whether it is DynamoDB, or its Streams: their JSON and HTTP have ways of their own.
    pub fn is_dynamodb(&self) -> bool {
        self.signing_name == "dynamodb"
    }

    /// All patterns of its shapes.
    pub fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        self.shapes.iter().filter_map(|shape| shape.pattern.as_ref())
    }

    /// The error whose shape or code has this name.
    pub fn error(&self, code: &str) -> Option<&Shape> {
        let is_error = |shape: &&Shape| shape.structure().is_some_and(|s| s.error.is_some());
        self.shape_named(code).filter(is_error).or_else(|| {
            let coded = |shape: &&Shape| {
                shape.structure().and_then(|s| s.error.as_ref()).is_some_and(|e| e.code == Some(code))
            };
            self.shapes.iter().find(coded)
        })
    }

    /// The HTTP status that the model states for an error; 400 or 500 where it only says whose mistake it is.
    pub fn error_status(&self, code: &str) -> Option<u16> {
        let error = self.error(code)?.structure()?.error.as_ref()?;
        Some(error.status.unwrap_or(if error.fault { 500 } else { 400 }))
    }
}

/// An operation of a service.
#[derive(Debug)]
pub struct Operation {
    /// Such as `GetItem`.
    pub name: &'static str,
    /// The service it belongs to, by botocore's name.
    pub service: &'static str,
    /// Such as `POST`.
    pub method: &'static str,
    /// Where it is found under REST protocols; `/` for the others.
    pub uri: UriTemplate,
    /// The status of its success.
    pub status: u16,
    /// Called without a signature (Cognito's public operations).
    pub unsigned: bool,
    /// Its input.
    pub input: Option<ShapeId>,
    /// Its output.
    pub output: Option<ShapeId>,
    /// The errors that its model names.
    pub errors: Box<[ShapeId]>,
    /// The element that holds the result under Query.
    pub result_wrapper: Option<&'static str>,
}

/// A type of a service's model.
#[derive(Debug)]
pub struct Shape {
    /// AWS's name.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Never in a log or an audit record.
    pub sensitive: bool,
    /// Least length, size or value.
    pub min: Option<f64>,
    /// Greatest length, size or value.
    pub max: Option<f64>,
    /// The pattern that a whole string matches.
    pub pattern: Option<Pattern>,
    /// The values that a string may have; empty: any.
    pub options: Box<[&'static str]>,
    /// How a timestamp is written; none: as the protocol has it.
    pub time: Option<TimeFormat>,
    pub(crate) streaming: bool,
}

impl Shape {
    /// The structure, if it is one.
    pub fn structure(&self) -> Option<&Structure> {
        match &self.kind {
            Kind::Structure(structure) => Some(structure),
            _ => None,
        }
    }
}

/// What a shape is.
#[derive(Debug)]
pub enum Kind {
    /// Named members.
    Structure(Structure),
    /// Items of one shape.
    List(List),
    /// From strings to values of one shape.
    Map(MapShape),
    /// Text.
    String,
    /// 32 bits.
    Integer,
    /// 64 bits.
    Long,
    /// A number with a fraction.
    Float,
    /// True or false.
    Boolean,
    /// Bytes.
    Blob,
    /// A moment.
    Timestamp,
}

/// Named members.
#[derive(Debug)]
pub struct Structure {
    /// In the model's order.
    pub members: Box<[Member]>,
    /// Places of members, ordered by what they are called in a body.
    pub(crate) by_wire_name: Box<[u16]>,
    /// The member that is the whole body under REST protocols.
    pub(crate) payload: Option<u16>,
    /// Set if it is an error.
    pub error: Option<ErrorTraits>,
    /// Exactly one member is set.
    pub union: bool,
    /// Any JSON at all.
    pub(crate) document: bool,
    pub(crate) event_stream: bool,
    pub(crate) xml_namespace: Option<XmlNamespace>,
}

impl Structure {
    /// The member that is called so in a body.
    pub(crate) fn by_wire_name(&self, name: &str) -> Option<&Member> {
        let found = self
            .by_wire_name
            .binary_search_by(|at| self.members[usize::from(*at)].wire_name.cmp(name))
            .ok()?;
        Some(&self.members[usize::from(self.by_wire_name[found])])
    }

    /// The member of this name.
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }

    /// The member that is the whole body under REST protocols.
    pub fn payload(&self) -> Option<&Member> {
        self.payload.map(|at| &self.members[usize::from(at)])
    }
}

/// What makes a structure an error.
#[derive(Debug, Clone, Copy)]
pub struct ErrorTraits {
    /// The code that clients see, where it is not the shape's name.
    pub code: Option<&'static str>,
    /// The HTTP status, where the model states one.
    pub status: Option<u16>,
    /// Ours, not the caller's.
    pub fault: bool,
}

/// A member of a structure.
#[derive(Debug)]
pub struct Member {
    /// The model's name: the key of the canonical JSON.
    pub name: &'static str,
    /// Its shape.
    pub shape: ShapeId,
    /// Where it stands in a request or answer.
    pub location: Location,
    /// What it is called there.
    pub wire_name: &'static str,
    /// It must be there.
    pub required: bool,
    /// Its list or map has no element around it.
    pub(crate) flattened: bool,
    pub(crate) xml_attribute: bool,
    pub(crate) xml_namespace: Option<XmlNamespace>,
    pub(crate) time: Option<TimeFormat>,
    /// A body that is not held in memory.
    pub streaming: bool,
    /// It is part of the host name.
    pub host_label: bool,
    /// Clients make one up if the caller gives none.
    pub idempotency_token: bool,
}

/// A namespace that an element declares.
#[derive(Debug, Clone, Copy)]
pub struct XmlNamespace {
    pub(crate) uri: &'static str,
    pub(crate) prefix: Option<&'static str>,
}

/// Where a member stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// In the body.
    Body,
    /// In the path.
    Uri,
    /// In the query string.
    Query,
    /// In a header.
    Header,
    /// In all headers that begin with the wire name.
    Headers,
    /// The status of the answer.
    StatusCode,
}

/// Items of one shape.
#[derive(Debug)]
pub struct List {
    /// The items' shape.
    pub item: ShapeId,
    pub(crate) item_name: Option<&'static str>,
    pub(crate) flattened: bool,
}

/// From strings to values of one shape.
#[derive(Debug)]
pub struct MapShape {
    /// The keys' shape.
    pub key: ShapeId,
    /// The values' shape.
    pub value: ShapeId,
    pub(crate) key_name: Option<&'static str>,
    pub(crate) value_name: Option<&'static str>,
    pub(crate) flattened: bool,
}

/// How a timestamp is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeFormat {
    /// Seconds since 1970, as a number.
    Unix,
    /// `2015-08-30T12:36:00Z`.
    Iso8601,
    /// `Sun, 30 Aug 2015 12:36:00 GMT`.
    Rfc822,
}
