use homeport_core::Fault;
use homeport_wire::{Location, Models, Operation, Service, encode, encode_fault};
use serde_json::json;

use crate::requests::{Request, find, shown};

fn routed(service: &str, method: &str, target: &str, headers: &[(&str, &str)]) -> String {
    let request = Request::new(method, target, headers, "");
    let found = Models::service(service).unwrap().route(&request.head());
    found.map_or("none", |operation| operation.name).to_owned()
}

#[test]
fn every_rest_operation_is_found_at_its_own_place() {
    let copies = ["CopyObject", "UploadPartCopy"];
    let mut lost: Vec<String> = Vec::new();
    for service in Models::names().filter_map(Models::service) {
        if !matches!(service.protocol, homeport_wire::Protocol::RestJson | homeport_wire::Protocol::RestXml) {
            continue;
        }
        for operation in service.operations.iter().filter(|operation| !copies.contains(&operation.name)) {
            let target = operation.uri.example();
            let required = required_query(service, operation);
            let separator = if target.contains('?') { "&" } else { "?" };
            let target = format!("{target}{separator}{}", required.join("&"));
            let found = routed(service.name, operation.method, &target, &[]);
            if found != operation.name && !REPLACED.contains(&operation.name) {
                lost.push(format!("{} {} {target}: {found}", service.name, operation.name));
            }
        }
    }
    assert_eq!(lost, [""; 0]);
}

fn required_query(service: &Service, operation: &Operation) -> Vec<String> {
    let structure = operation.input.and_then(|shape| service.shape(shape).structure());
    let members = structure.into_iter().flat_map(|structure| &structure.members);
    let required = members.filter(|member| member.required && member.location == Location::Query);
    required.map(|member| format!("{}=1", member.wire_name)).collect()
}

/// Operations at the place of another one, which is found instead: older forms, and S3 Express's own list.
pub(crate) const REPLACED: [&str; 5] = [
    "GetBucketLifecycle",
    "GetBucketNotification",
    "ListDirectoryBuckets",
    "PutBucketLifecycle",
    "PutBucketNotification",
];

#[test]
fn s3_operations_are_told_apart_by_query_and_headers() {
    let copy = [("x-amz-copy-source", "/a/b")];
    for (method, target, headers, operation) in [
        ("GET", "/", &[][..], "ListBuckets"),
        ("GET", "/b", &[], "ListObjects"),
        ("GET", "/b/", &[], "ListObjects"),
        ("GET", "/b?list-type=2", &[], "ListObjectsV2"),
        ("GET", "/b?location", &[], "GetBucketLocation"),
        ("GET", "/b/k/with/slashes/", &[], "GetObject"),
        ("HEAD", "/b/k", &[], "HeadObject"),
        ("HEAD", "/b", &[], "HeadBucket"),
        ("PUT", "/b", &[], "CreateBucket"),
        ("PUT", "/b/k", &[], "PutObject"),
        ("PUT", "/b/k", &copy, "CopyObject"),
        ("PUT", "/b/k?partNumber=1&uploadId=u", &[], "UploadPart"),
        ("PUT", "/b/k?partNumber=1&uploadId=u", &copy, "UploadPartCopy"),
        ("POST", "/b/k?uploads", &[], "CreateMultipartUpload"),
        ("POST", "/b/k?uploadId=u", &[], "CompleteMultipartUpload"),
        ("GET", "/b/k?uploadId=u", &[], "ListParts"),
        ("DELETE", "/b/k?uploadId=u", &[], "AbortMultipartUpload"),
        ("DELETE", "/b/k", &[], "DeleteObject"),
        ("POST", "/b?delete", &[], "DeleteObjects"),
        ("GET", "/b?cors", &[], "GetBucketCors"),
        ("PATCH", "/b", &[], "none"),
    ] {
        assert_eq!(routed("s3", method, target, headers), operation, "{method} {target}");
    }
}

#[test]
fn rest_json_operations_are_routed() {
    assert_eq!(routed("lambda", "POST", "/2015-03-31/functions/notes/invocations", &[]), "Invoke");
    assert_eq!(routed("lambda", "GET", "/2015-03-31/functions/", &[]), "ListFunctions");
    assert_eq!(routed("lambda", "GET", "/2015-03-31/functions", &[]), "ListFunctions");
    assert_eq!(routed("apigateway", "PUT", "/restapis/a/resources/b/methods/GET", &[]), "PutMethod");
    assert_eq!(routed("apigateway", "GET", "/restapis/a/b/c/d", &[]), "none");
}

#[test]
fn a_rest_json_request_becomes_canonical() {
    let request = Request::new(
        "POST",
        "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Anotes/invocations?Qualifier=live",
        &[("x-amz-invocation-type", "Event")],
        "{\"a\":1}",
    );
    assert_eq!(
        request.decode("lambda", "Invoke").unwrap(),
        json!({"FunctionName": "arn:aws:lambda:us-east-1:123456789012:function:notes", "Qualifier": "live",
            "InvocationType": "Event", "Payload": "eyJhIjoxfQ=="})
    );
    let request = Request::new(
        "PUT",
        "/restapis/api/resources/res/methods/GET",
        &[],
        r#"{"authorizationType":"NONE","apiKeyRequired":true}"#,
    );
    assert_eq!(
        request.decode("apigateway", "PutMethod").unwrap(),
        json!({"restApiId": "api", "resourceId": "res", "httpMethod": "GET", "authorizationType": "NONE", "apiKeyRequired": true})
    );
}

#[test]
fn a_rest_xml_request_becomes_canonical() {
    let body = r#"<CORSConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><CORSRule><AllowedMethod>GET</AllowedMethod>
        <AllowedMethod>PUT</AllowedMethod><AllowedOrigin>*</AllowedOrigin><MaxAgeSeconds>5</MaxAgeSeconds></CORSRule></CORSConfiguration>"#;
    let request = Request::new("PUT", "/photos?cors", &[], body);
    assert_eq!(
        request.decode("s3", "PutBucketCors").unwrap(),
        json!({"Bucket": "photos", "CORSConfiguration": {"CORSRules": [
            {"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["*"], "MaxAgeSeconds": 5}]}})
    );
    let headers = [("x-amz-meta-owner", "ann"), ("content-type", "image/png"), ("content-length", "3")];
    let request = Request::new("PUT", "/photos/a%20b/c", &headers, "abc");
    assert_eq!(
        request.decode("s3", "PutObject").unwrap(),
        json!({"Bucket": "photos", "Key": "a b/c", "Metadata": {"owner": "ann"}, "ContentType": "image/png", "ContentLength": 3})
    );
    assert_eq!(find("s3", "PutObject").1.streaming_input(), Some("Body"));
    assert_eq!(find("s3", "GetObject").1.streaming_output(), Some("Body"));
    assert_eq!(find("s3", "PutBucketCors").1.streaming_input(), None);
}

#[test]
fn rest_answers_are_headers_and_bodies() {
    let cases = [
        (
            "lambda",
            "CreateFunction",
            json!({"FunctionName": "notes", "MemorySize": 128, "LastModified": "2026-01-01T00:00:00.000+0000"}),
        ),
        ("lambda", "Invoke", json!({"StatusCode": 202, "FunctionError": "Unhandled", "Payload": "e30="})),
        ("lambda", "DeleteFunction", json!({})),
        ("apigateway", "GetRestApi", json!({"id": "a", "createdDate": 1_440_938_160, "tags": {}})),
        (
            "s3",
            "ListObjectsV2",
            json!({"Name": "photos", "KeyCount": 1, "IsTruncated": false, "CommonPrefixes": [{"Prefix": "a/"}],
            "Contents": [{"Key": "a&b", "LastModified": 1_440_938_160, "ETag": "\"e\"", "Size": 3}]}),
        ),
        (
            "s3",
            "HeadObject",
            json!({"ContentLength": 3, "LastModified": 1_440_938_160, "ETag": "\"e\"", "Metadata": {"owner": "ann"}}),
        ),
        ("s3", "GetBucketLocation", json!({"LocationConstraint": "eu-west-1"})),
        (
            "s3",
            "GetBucketAcl",
            json!({"Owner": {"ID": "o"}, "Grants": [{"Grantee": {"ID": "o", "Type": "CanonicalUser"}, "Permission": "READ"}]}),
        ),
        (
            "s3",
            "CopyObject",
            json!({"CopyObjectResult": {"ETag": "\"e\"", "LastModified": 1_440_938_160}, "VersionId": "v"}),
        ),
        ("s3", "DeleteObject", json!({})),
    ];
    let mut all = String::new();
    for (service, operation, output) in cases {
        let (service, operation) = find(service, operation);
        let answer = encode(operation, service.protocol, &output, "r-1");
        all += &format!("# {} {}\n{}\n\n", service.name, operation.name, shown(&answer));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn rest_faults_are_written_as_each_service_writes_them() {
    let cases = [
        ("lambda", Fault::with_status("ResourceNotFoundException", 404, "Function not found: notes")),
        ("apigateway", Fault::with_status("NotFoundException", 404, "Invalid API identifier specified")),
        (
            "s3",
            Fault::with_status("NoSuchKey", 404, "The specified key does not exist.")
                .with_member("Key", "\"a<b\""),
        ),
        ("s3", Fault::internal("secret cause")),
    ];
    let mut all = String::new();
    for (name, fault) in cases {
        let service = Models::service(name).unwrap();
        all += &format!("{}\n\n", shown(&encode_fault(service, service.protocol, &fault, "r-1")));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_header_cannot_be_split() {
    let (service, operation) = find("s3", "HeadObject");
    let output = json!({"ContentType": "a\r\nset-cookie: b", "Metadata": {"x": "1\n2", "y z": "3"}});
    let answer = encode(operation, service.protocol, &output, "r-1");
    assert!(!shown(&answer).contains("cookie"));
}
