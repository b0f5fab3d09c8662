//! From the packed records of `models.bin` to a [`Service`]. The bytes are the program's own, and still nothing here
//! panics on wrong ones: what cannot be read gives no service.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::blob::{Reader, Record};
use crate::model::{
    ErrorTraits, Kind, List, Location, MapShape, Member, Operation, Protocol, Service, Shape, ShapeId,
    Structure, TimeFormat, XmlNamespace,
};
use crate::pattern::Pattern;
use crate::uri::UriTemplate;

/// Reads one service's section.
pub(crate) fn service(name: &'static str, section: &'static [u8]) -> Option<Service> {
    let records = Reader::new(section).records()?;
    let setting = |key: &str| records.iter().find(|r| r.word(0) == key).map_or("", |r| r.word(1));
    let (shapes, by_shape) = shapes(&records)?;
    let operations: Box<[Operation]> = records
        .iter()
        .filter(|record| record.word(0) == "operation")
        .map(|record| operation(name, record, &by_shape))
        .collect::<Option<_>>()?;
    let by_operation = index(operations.iter().map(|operation| operation.name))?;
    let protocol = Protocol::parse(setting("protocol"))?;
    let speaks = records.iter().filter(|r| r.word(0) == "speaks").filter_map(|r| Protocol::parse(r.word(1)));
    let endpoint_prefix = setting("endpoint-prefix");
    let signing_name = Some(setting("signing-name")).filter(|n| !n.is_empty()).unwrap_or(endpoint_prefix);
    Some(Service {
        name,
        api_version: setting("api-version"),
        protocol,
        speaks: Some(speaks.collect::<Box<[_]>>())
            .filter(|s| !s.is_empty())
            .unwrap_or_else(|| [protocol].into()),
        json_version: setting("json-version"),
        target_prefix: setting("target-prefix"),
        signing_name,
        endpoint_prefix,
        service_id: setting("service-id"),
        xml_namespace: setting("xml-namespace"),
        query_compatible: records.iter().any(|r| r.word(0) == "query-compatible"),
        operations,
        shapes,
        by_operation,
        by_shape,
        router: OnceLock::new(),
    })
}

type Places = HashMap<&'static str, u16>;

fn index(names: impl Iterator<Item = &'static str>) -> Option<Places> {
    names.enumerate().map(|(at, name)| Some((name, u16::try_from(at).ok()?))).collect()
}

const SHAPES: [&str; 11] = [
    "structure",
    "list",
    "map",
    "string",
    "integer",
    "long",
    "float",
    "double",
    "boolean",
    "blob",
    "timestamp",
];

fn shapes(records: &[Record]) -> Option<(Box<[Shape]>, Places)> {
    let of_shapes: Vec<&Record> = records.iter().filter(|r| SHAPES.contains(&r.word(0))).collect();
    let places = index(of_shapes.iter().map(|record| record.word(1)))?;
    let shapes = of_shapes.iter().map(|record| shape(record, &places)).collect::<Option<_>>()?;
    Some((shapes, places))
}

fn place(name: &str, places: &Places) -> Option<ShapeId> {
    places.get(name).copied().map(ShapeId)
}

fn shape(record: &Record, places: &Places) -> Option<Shape> {
    let kind = match record.word(0) {
        "structure" => Kind::Structure(structure(record, places)?),
        "list" => Kind::List(List {
            item: place(record.word(2), places)?,
            item_name: record.value("item"),
            flattened: record.has("flattened"),
        }),
        "map" => Kind::Map(MapShape {
            key: place(record.word(2), places)?,
            value: place(record.word(3), places)?,
            key_name: record.value("key"),
            value_name: record.value("value"),
            flattened: record.has("flattened"),
        }),
        "string" => Kind::String,
        "integer" => Kind::Integer,
        "long" => Kind::Long,
        "float" | "double" => Kind::Float,
        "boolean" => Kind::Boolean,
        "blob" => Kind::Blob,
        _ => Kind::Timestamp,
    };
    let is_string = matches!(kind, Kind::String);
    Some(Shape {
        name: record.word(1),
        kind,
        sensitive: record.has("sensitive"),
        min: record.value("min").and_then(|v| v.parse().ok()),
        max: record.value("max").and_then(|v| v.parse().ok()),
        pattern: record.value("pattern").map(Pattern::new),
        options: if is_string {
            record.lines.iter().map(|line| line.word(1)).collect()
        } else {
            Box::default()
        },
        time: record.value("time").and_then(time_format),
        streaming: record.has("streaming"),
    })
}

fn structure(record: &Record, places: &Places) -> Option<Structure> {
    let members: Box<[Member]> =
        record.lines.iter().map(|line| member(line, places)).collect::<Option<_>>()?;
    let mut by_wire_name = (0..u16::try_from(members.len()).ok()?).collect::<Box<[u16]>>();
    by_wire_name.sort_by_key(|at| members[usize::from(*at)].wire_name);
    let payload =
        record.value("payload").and_then(|name| members.iter().position(|member| member.name == name));
    let error = record.has("exception").then(|| ErrorTraits {
        code: record.value("code"),
        status: record.value("status").and_then(|v| v.parse().ok()),
        fault: record.has("fault"),
    });
    Some(Structure {
        members,
        by_wire_name,
        payload: payload.and_then(|at| u16::try_from(at).ok()),
        error,
        union: record.has("union"),
        document: record.has("document"),
        event_stream: record.has("eventstream"),
        xml_namespace: namespace(record),
    })
}

fn member(line: &Record, places: &Places) -> Option<Member> {
    let name = line.word(0);
    let location = match line.value("in") {
        None => Location::Body,
        Some("uri") => Location::Uri,
        Some("querystring") => Location::Query,
        Some("header") => Location::Header,
        Some("headers") => Location::Headers,
        Some("statusCode") => Location::StatusCode,
        Some(_) => return None,
    };
    Some(Member {
        name,
        shape: place(line.word(1), places)?,
        location,
        wire_name: line.value("as").unwrap_or(name),
        required: line.has("required"),
        flattened: line.has("flattened"),
        xml_attribute: line.has("attribute"),
        xml_namespace: namespace(line),
        time: line.value("time").and_then(time_format),
        streaming: line.has("streaming"),
        host_label: line.has("host-label"),
        idempotency_token: line.has("token"),
    })
}

fn namespace(record: &Record) -> Option<XmlNamespace> {
    record.value("namespace").map(|uri| XmlNamespace { uri, prefix: record.value("prefix") })
}

fn time_format(name: &'static str) -> Option<TimeFormat> {
    Some(match name {
        "unixTimestamp" => TimeFormat::Unix,
        "iso8601" => TimeFormat::Iso8601,
        "rfc822" => TimeFormat::Rfc822,
        _ => return None,
    })
}

fn operation(service: &'static str, record: &Record, places: &Places) -> Option<Operation> {
    let line = |kind: &str| record.lines.iter().find(|line| line.word(0) == kind);
    let reference = |kind: &str| match line(kind) {
        None => Some(None),
        Some(line) => place(line.word(1), places).map(Some),
    };
    let errors = record.lines.iter().filter(|line| line.word(0) == "error");
    Some(Operation {
        name: record.word(1),
        service,
        method: record.word(2),
        uri: UriTemplate::parse(record.word(3)),
        status: record.value("status").and_then(|v| v.parse().ok()).unwrap_or(200),
        unsigned: record.has("unsigned"),
        input: reference("input")?,
        output: reference("output")?,
        errors: errors.map(|line| place(line.word(1), places)).collect::<Option<_>>()?,
        result_wrapper: line("output").and_then(|line| line.value("wrapper")),
    })
}
