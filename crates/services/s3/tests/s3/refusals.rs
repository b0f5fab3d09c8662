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

fn samples() -> Vec<Sample> {
    let bucket = || json!({"Bucket": "photos"});
    let cors = json!({"Bucket": "photos", "CORSConfiguration": "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>"});
    let policy = json!({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::photos/*"}});
    let policy = json!({"Bucket": "photos", "Policy": policy.to_string()});
    vec![
        Sample::new("s3", "CreateBucket", bucket()),
        Sample::new("s3", "ListBuckets", json!({})),
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
        object("DeleteObject"),
        sample(
            "DeleteObjects",
            json!({"Bucket": "photos", "Delete": "<Delete><Object><Key>a</Key></Object></Delete>"}),
        ),
        sample("CopyObject", json!({"Bucket": "photos", "Key": "b", "CopySource": "photos/a"}))
            .after("PutObject", json!({"Bucket": "photos", "Key": "a", "ContentLength": 2, "Body": "aGk="})),
    ]
}

#[tokio::test]
async fn strangers_are_refused() {
    assert_strangers_are_refused(app, &samples()).await;
}
