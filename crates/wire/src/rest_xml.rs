//! REST-XML, which only S3 speaks.

use homeport_core::Fault;
use serde_json::Value;

use crate::faults::serialization;
use crate::head::{EncodedResponse, Head};
use crate::model::{Kind, Location, Member, Operation, Service, ShapeId};
use crate::{rest, xml, xml_shapes};

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";
const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

pub(crate) fn decode(
    service: &Service,
    operation: &Operation,
    head: &Head<'_>,
    body: &[u8],
) -> Result<Value, Fault> {
    rest::decode(service, operation, head, body, read_document)
}

fn read_document(service: &Service, shape: ShapeId, body: &[u8]) -> Result<Value, Fault> {
    let root = std::str::from_utf8(body).ok().and_then(xml::parse);
    let root = root.ok_or_else(|| serialization(service, "not well-formed"))?;
    xml_shapes::read(service, shape, &root)
}

pub(crate) fn encode(
    service: &Service,
    operation: &Operation,
    output: &Value,
    request_id: &str,
) -> EncodedResponse {
    let structure = operation.output.and_then(|shape| service.shape(shape).structure());
    let mut response = rest::write_bindings(service, operation, structure, output);
    response.set("x-amz-request-id", request_id);
    response.set("x-amz-id-2", request_id);
    let Some(structure) = structure else {
        return response;
    };
    let mut body = String::new();
    if let Some(payload) = structure.payload() {
        let value = output.get(payload.name).filter(|value| !value.is_null());
        if rest::is_streaming(service, payload) {
            return response;
        }
        if let Some(value) = value {
            write_payload(service, payload, value, &mut body);
        }
    } else if operation.name == "GetBucketLocation" {
        // Its one member is the text of the root itself.
        let location = output.get("LocationConstraint").and_then(Value::as_str).unwrap_or_default();
        body.extend([DECLARATION, "<LocationConstraint xmlns=\"", NAMESPACE, "\">"]);
        xml::escape(&mut body, location);
        body.push_str("</LocationConstraint>");
    } else if structure.members.iter().any(|member| member.location == Location::Body) {
        let root = root_name(operation.name);
        body.extend([DECLARATION, "<", &root, " xmlns=\"", NAMESPACE, "\">"]);
        xml_shapes::write_members(service, structure, output, &mut body);
        body.extend(["</", &root, ">"]);
    }
    if !body.is_empty() {
        response.headers.entry(http::header::CONTENT_TYPE).or_insert(XML);
        response.body = body.into_bytes();
    }
    response
}

const XML: http::HeaderValue = http::HeaderValue::from_static("application/xml");

fn write_payload(service: &Service, payload: &Member, value: &Value, body: &mut String) {
    let shape = service.shape(payload.shape);
    match (&shape.kind, value) {
        (Kind::Structure(structure), _) => {
            let name = payload.wire_name;
            body.extend([DECLARATION, "<", name, " xmlns=\"", NAMESPACE, "\">"]);
            xml_shapes::write_members(service, structure, value, body);
            body.extend(["</", name, ">"]);
        }
        _ => body.push_str(value.as_str().unwrap_or_default()),
    }
}

/// The root elements of S3's answers, which its model does not name (S3 API reference).
fn root_name(operation: &str) -> String {
    let known = match operation {
        "ListBuckets" => "ListAllMyBucketsResult",
        "ListDirectoryBuckets" => "ListAllMyDirectoryBucketsResult",
        "ListObjects" | "ListObjectsV2" => "ListBucketResult",
        "ListObjectVersions" => "ListVersionsResult",
        "CreateMultipartUpload" => "InitiateMultipartUploadResult",
        "DeleteObjects" => "DeleteResult",
        "GetBucketAcl" | "GetObjectAcl" => "AccessControlPolicy",
        "GetBucketCors" => "CORSConfiguration",
        "GetBucketLifecycleConfiguration" => "LifecycleConfiguration",
        "GetBucketLogging" => "BucketLoggingStatus",
        "GetBucketTagging" | "GetObjectTagging" => "Tagging",
        "GetBucketVersioning" => "VersioningConfiguration",
        "GetBucketWebsite" => "WebsiteConfiguration",
        "GetBucketRequestPayment" => "RequestPaymentConfiguration",
        "GetBucketAccelerateConfiguration" => "AccelerateConfiguration",
        "GetBucketNotificationConfiguration" => "NotificationConfiguration",
        "GetObjectAttributes" => "GetObjectAttributesResponse",
        _ => return format!("{operation}Result"),
    };
    known.to_owned()
}
