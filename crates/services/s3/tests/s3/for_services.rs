//! What other services ask of S3, for whoever asked them.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use homeport_blobs::Blobs;
use homeport_core::{Account, Arn, Region, Scope};
use homeport_service::needs::{InBucket, Objects, ObjectsRefused};
use homeport_service::{Caller, KeptCaller, Principal, Source, collect, full};
use homeport_testkit::{ADMIN_KEY, TestApp};

use crate::given::{delete, get, header, put, put_rules};

fn app() -> (TestApp, Arc<dyn Objects>) {
    let mut made = None;
    let app = TestApp::new(|parts| {
        let (s3, hosted) = homeport_s3::host(parts, &Blobs::in_memory("s3"));
        parts.needs.resource_policies.set(vec![("s3", s3.clone())]).ok();
        made = Some(homeport_s3::objects(parts, &s3));
        vec![hosted]
    });
    (app, made.unwrap())
}

/// What a job keeps of the user with this access key.
fn kept(key: &str) -> KeptCaller {
    let name = key.trim_start_matches("AKIA").to_ascii_lowercase();
    let arn = Arn::new("iam", "", "123456789012", &format!("user/{name}"));
    KeptCaller::of(&Caller {
        principal: Principal::User { arn, id: key.to_owned(), name, session: None },
        access_key_id: Some(key.to_owned()),
        source: Source { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), user_agent: String::new(), secure: false },
    })
}

fn scope() -> Scope {
    Scope { account: Account::from_number(123_456_789_012), region: Region::default_region() }
}

fn photos<'a>(by: &'a KeptCaller, scope: &'a Scope) -> InBucket<'a> {
    InBucket { bucket: "photos", owner: None, by, via: "dynamodb.amazonaws.com", scope }
}

fn code<T>(done: Result<T, ObjectsRefused>) -> String {
    match done {
        Ok(_) => "it was done".to_owned(),
        Err(ObjectsRefused::Refused { code, .. }) => code,
        Err(other) => other.to_string(),
    }
}

#[tokio::test]
async fn objects_are_put_listed_and_read_for_who_may() {
    let (app, objects) = app();
    put(&app.admin(), "/photos", &[], b"").await.ok();
    let (by, scope) = (&kept(ADMIN_KEY), &scope());
    let place = InBucket { owner: Some("123456789012"), ..photos(by, scope) };
    for key in ["in/2", "in/1", "other"] {
        objects.put_object(place, key, full(key.as_bytes().to_vec())).await.unwrap();
    }
    let again = objects.put_object(place, "in/1", full("again")).await.unwrap();
    assert_eq!(again.size, 5);
    assert_eq!(objects.list_objects(place, "in/", None).await.unwrap(), ["in/1", "in/2"]);
    assert_eq!(objects.list_objects(place, "in/", Some("in/1")).await.unwrap(), ["in/2"]);
    assert!(objects.list_objects(place, "in/", Some("in/2")).await.unwrap().is_empty());
    let opened = objects.open_object(place, "in/1").await.unwrap();
    assert_eq!(opened.etag, again.etag);
    assert_eq!(collect(opened.body, 100).await.unwrap(), "again");
    let got = get(&app.admin(), "/photos/in/1").await.ok();
    assert_eq!((header(&got, "etag"), &got.body[..]), (&*format!("\"{}\"", again.etag), &b"again"[..]));
    assert_eq!(header(&got, "x-amz-server-side-encryption"), "AES256");
    assert_eq!(code(objects.put_object(place, &"k".repeat(1_025), full("")).await), "KeyTooLongError");
    assert_eq!(code(objects.open_object(place, "none").await), "NoSuchKey");
    let elsewhere = InBucket { bucket: "none", ..place };
    assert_eq!(code(objects.list_objects(elsewhere, "", None).await), "NoSuchBucket");
    let foreign = InBucket { owner: Some("000000000001"), ..place };
    assert_eq!(code(objects.put_object(foreign, "in/1", full("x")).await), "AccessDenied");
}

#[tokio::test]
async fn each_is_decided_anew_by_the_callers_policies_and_the_buckets() {
    let (app, objects) = app();
    put(&app.admin(), "/photos", &[], b"").await.ok();
    put(&app.admin(), "/photos/a", &[], b"1").await.ok();
    let allow = |action: &str, condition: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"{action}","Resource":"*"{condition}}}}}"#
        )
    };
    let through = r#","Condition":{"Bool":{"aws:ViaAWSService":"true"},"StringEquals":{"aws:CalledViaLast":"dynamodb.amazonaws.com"}}"#;
    let key = "AKIAMOVER00000000000";
    let mover = app.user("mover", &[&allow("s3:PutObject", through)]);
    let (by, scope) = (&kept(key), &scope());
    let place = photos(by, scope);
    objects.put_object(place, "b", full("2")).await.unwrap();
    assert_eq!(put(&mover, "/photos/c", &[], b"3").await.code(), "AccessDenied", "by itself it may not");
    assert_eq!(code(objects.open_object(place, "a").await), "AccessDenied");
    assert_eq!(code(objects.list_objects(place, "", None).await), "AccessDenied");
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::photos/b"},
        {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/mover00000000000"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/*"}]}"#;
    put_rules(&app.admin(), "/photos?policy", policy.as_bytes()).await.ok();
    assert_eq!(code(objects.put_object(place, "b", full("4")).await), "AccessDenied");
    let opened = objects.open_object(place, "b").await.unwrap();
    assert_eq!(collect(opened.body, 100).await.unwrap(), "2", "what was refused put nothing");
    app.iam.put_user(key, &[&allow("s3:List*", "")]);
    assert_eq!(code(objects.put_object(place, "d", full("5")).await), "AccessDenied");
    assert_eq!(objects.list_objects(place, "", None).await.unwrap(), ["a", "b"]);
    let nobody = &kept("AKIAGONE000000000000");
    assert_eq!(code(objects.list_objects(photos(nobody, scope), "", None).await), "AccessDenied");
    delete(&app.admin(), "/photos?policy").await.ok();
    assert_eq!(code(objects.open_object(place, "a").await), "AccessDenied");
}
