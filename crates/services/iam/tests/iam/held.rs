use std::sync::Arc;

use homeport_core::{Fault, Region, Scope};
use homeport_service::{AskedOn, AuthorizationEpoch, Caller, Incoming, Permissions, Source};
use homeport_store::StoreError;
use homeport_testkit::{Decided, TestApp};
use serde_json::{Value, json};

use crate::app::{admin, app, key_of, policy};

/// Who may tag users below `/open/`, and a user there.
async fn tagger_and_tagged(app: &TestApp) -> Caller {
    let open = policy("Allow", "iam:TagUser", "arn:aws:iam::*:user/open/*");
    admin(app, "CreateUser", json!({"UserName": "tagger"})).await.ok();
    let given = json!({"UserName": "tagger", "PolicyName": "p", "PolicyDocument": open});
    admin(app, "PutUserPolicy", given).await.ok();
    admin(app, "CreateUser", json!({"UserName": "ada", "Path": "/open/"})).await.ok();
    let (_, key) = key_of(app, "tagger").await;
    let identify = app.parts.needs.identify_users.get().unwrap();
    let Ok(known) = identify.identify(&key, None).await else { panic!("the key was just made") };
    let source = Source { ip: [127, 0, 0, 1].into(), user_agent: String::new(), secure: false };
    Caller { principal: known.principal, access_key_id: Some(key), source }
}

/// Looks up and decides as the pipeline does, lets `meanwhile` happen, and runs the operation then.
async fn tag_ada(app: &TestApp, caller: Caller, meanwhile: Option<Value>) -> (Result<(), Fault>, bool) {
    let scope =
        Scope { account: app.parts.installation.account, region: Region::parse("us-east-1").unwrap() };
    let now = app.parts.clock.now();
    let input = json!({"UserName": "ada", "Tags": [{"Key": "k", "Value": "v"}]});
    let prepared = app.services()[0].prepare("TagUser", Incoming::Value(input)).unwrap();
    let Permissions::Lookup(lookup) = prepared.permissions(&AskedOn { caller: &caller, scope: &scope, now })
    else {
        panic!("a user's path is looked up")
    };
    let looking = &lookup;
    let looked_up = app.parts.store.read(|tx| async move {
        let epoch = AuthorizationEpoch::in_transaction(&tx).await?;
        Ok::<_, StoreError>((looking(tx).await?, epoch))
    });
    let (permissions, epoch) = looked_up.await.unwrap();
    if let Some(renamed) = meanwhile {
        admin(app, "UpdateUser", renamed).await.ok();
    }
    let caller = Arc::new(caller);
    Decided { caller, scope, permissions, lookup: Some(lookup), epoch }.run(app, prepared).await
}

#[tokio::test]
async fn a_path_that_changed_since_it_was_looked_up_is_looked_up_again_in_the_write() {
    let app = app();
    let caller = tagger_and_tagged(&app).await;
    let (done, refused) =
        tag_ada(&app, caller.clone(), Some(json!({"UserName": "ada", "NewPath": "/closed/"}))).await;
    assert!(done.is_err() && refused, "the user is where the caller may not tag");
    let tags = admin(&app, "ListUserTags", json!({"UserName": "ada"})).await.ok();
    assert_eq!(tags.element("Key"), None);
    admin(&app, "UpdateUser", json!({"UserName": "ada", "NewPath": "/open/"})).await.ok();
    // Where the epoch moves and the path is as good as the one before, the call goes through.
    let moved = json!({"UserName": "ada", "NewPath": "/open/still/"});
    let (done, refused) = tag_ada(&app, caller, Some(moved)).await;
    assert!(done.is_ok() && !refused);
    let tags = admin(&app, "ListUserTags", json!({"UserName": "ada"})).await.ok();
    assert_eq!(tags.element("Key").as_deref(), Some("k"));
}
