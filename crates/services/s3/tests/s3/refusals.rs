use homeport_testkit::{Sample, assert_strangers_are_refused};
use serde_json::{Value, json};

use crate::given::app;

fn sample(operation: &'static str, input: Value) -> Sample {
    Sample::new("s3", operation, input).after("CreateBucket", json!({"Bucket": "photos"}))
}

fn object(operation: &'static str) -> Sample {
    sample(operation, json!({"Bucket": "photos", "Key": "a"}))
        .after("PutObject", json!({"Bucket": "photos", "Key": "a", "ContentLength": 2, "Body": "aGk="}))
}

/// Every installation of these tests draws the same chance, so an upload begun in the same way has the same id.
async fn upload_id() -> String {
    let app = app();
    app.admin().call("s3", "CreateBucket", json!({"Bucket": "photos"})).await.ok();
    let begun =
        app.admin().call("s3", "CreateMultipartUpload", json!({"Bucket": "photos", "Key": "a"})).await.ok();
    begun.element("UploadId").unwrap()
}

fn of_upload(operation: &'static str, input: Value) -> Sample {
    sample(operation, input).after("CreateMultipartUpload", json!({"Bucket": "photos", "Key": "a"}))
}

fn samples(upload: &str) -> Vec<Sample> {
    let named = || json!({"Bucket": "photos", "Key": "a", "UploadId": upload});
    let part = json!({"Bucket": "photos", "Key": "a", "UploadId": upload, "PartNumber": 1, "ContentLength": 2, "Body": "aGk="});
    let copy = json!({"Bucket": "photos", "Key": "a", "UploadId": upload, "PartNumber": 1, "CopySource": "photos/b"});
    let source = json!({"Bucket": "photos", "Key": "b", "ContentLength": 2, "Body": "aGk="});
    let copied_part = of_upload("UploadPartCopy", copy).after("PutObject", source);
    let completed = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>49f68a5c8493ec2c0bf489821c21fc3b</ETag></Part></CompleteMultipartUpload>";
    let complete = json!({"Bucket": "photos", "Key": "a", "UploadId": upload, "MultipartUpload": completed});
    let bucket = || json!({"Bucket": "photos"});
    let cors = json!({"Bucket": "photos", "CORSConfiguration": "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>"});
    let policy = json!({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::photos/*"}});
    let policy = json!({"Bucket": "photos", "Policy": policy.to_string()});
    vec![
        Sample::new("s3", "CreateBucket", bucket()),
        Sample::new("s3", "ListBuckets", json!({})),
        sample("CreateMultipartUpload", json!({"Bucket": "photos", "Key": "a"})),
        sample("ListMultipartUploads", bucket()),
        of_upload("UploadPart", part.clone()),
        copied_part,
        of_upload("ListParts", named()),
        of_upload("AbortMultipartUpload", named()),
        of_upload("CompleteMultipartUpload", complete).after("UploadPart", part),
        sample("HeadBucket", bucket()),
        sample("GetBucketLocation", bucket()),
        sample("DeleteBucket", bucket()),
        sample("ListObjects", bucket()),
        sample("ListObjectsV2", bucket()),
        sample("PutBucketCors", cors.clone()),
        sample("GetBucketCors", bucket()).after("PutBucketCors", cors.clone()),
        sample("DeleteBucketCors", bucket()).after("PutBucketCors", cors),
        sample("PutBucketPolicy", policy.clone()),
        sample("GetBucketPolicy", bucket()).after("PutBucketPolicy", policy.clone()),
        sample("DeleteBucketPolicy", bucket()).after("PutBucketPolicy", policy),
        sample("PutObject", json!({"Bucket": "photos", "Key": "a", "ContentLength": 2, "Body": "aGk="})),
        object("GetObject"),
        object("HeadObject"),
        object("GetObjectTagging"),
        object("DeleteObject"),
        Sample {
            input: json!({"Bucket": "photos", "Delete": "<Delete><Object><Key>a</Key></Object></Delete>"}),
            ..object("DeleteObjects").per_item()
        },
        sample("CopyObject", json!({"Bucket": "photos", "Key": "b", "CopySource": "photos/a"}))
            .after("PutObject", json!({"Bucket": "photos", "Key": "a", "ContentLength": 2, "Body": "aGk="})),
    ]
}

#[tokio::test]
async fn strangers_are_refused() {
    assert_strangers_are_refused(app, &samples(&upload_id().await)).await;
}
