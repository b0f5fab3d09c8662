//! The walk through the sample: the six steps of a mobile backend, and what must not work beside what must.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{Aws, CallFailed};
use crate::deploy::Deployed;
use crate::person::{Person, identity};

/// What the walk needs of whoever started the server.
pub struct Walk<'a> {
    /// A caller without keys.
    pub app: &'a Aws,
    /// The administrator, to look into logs.
    pub admin: &'a Aws,
    /// The sample.
    pub backend: &'a Deployed,
    /// Reads the newest code that was sent to an address.
    pub code_for: &'a (dyn Fn(&str) -> Result<String, CallFailed> + Send + Sync),
    /// Says a step that was walked.
    pub say: &'a (dyn Fn(&str) + Send + Sync),
}

/// A step that did not hold.
#[derive(Debug, thiserror::Error)]
#[error("step {step}: {reason}")]
pub struct StepFailed {
    /// The step's number and name.
    pub step: &'static str,
    /// What went wrong.
    pub reason: CallFailed,
}

/// How long logs may take to arrive.
const LOGS_WITHIN: Duration = Duration::from_secs(5);

const STEPS: [&str; 6] = [
    "1, signing up and in",
    "2, calling the API with the token",
    "3, the gateway's authorizer",
    "4, the function's role and its logs",
    "5, the function's answer",
    "6, the gateway's answer and access log",
];

/// Walks all steps.
pub async fn walk(walk: &Walk<'_>) -> Result<(), StepFailed> {
    let at = |step: usize| move |reason| StepFailed { step: STEPS[step], reason };
    let ada =
        Person { app: walk.app, backend: walk.backend, email: "ada@example.com", password: "notes-of-ada-1" };
    let bob =
        Person { app: walk.app, backend: walk.backend, email: "bob@example.com", password: "notes-of-bob-1" };
    let ada_token = sign_up_and_in(walk, &ada).await.map_err(at(0))?;
    let bob_token = sign_up_and_in(walk, &bob).await.map_err(at(0))?;
    wrong_password(&ada).await.map_err(at(0))?;
    (walk.say)("1. two people signed up with a code and signed in; a wrong password was refused");
    write_note(&ada, &ada_token).await.map_err(at(1))?;
    (walk.say)("2. Ada called the API with her ID token");
    no_token_no_entry(&ada, &ada_token).await.map_err(at(2))?;
    (walk.say)("3. the gateway refused calls without a token and with a tampered one");
    function_ran(walk).await.map_err(at(3))?;
    own_rows_only(walk, &ada_token, &bob_token).await.map_err(at(3))?;
    (walk.say)(
        "4. the function ran under its role and its lines are in CloudWatch Logs; identities reach only their own rows and files",
    );
    notes_are_private(&ada, &ada_token, &bob, &bob_token).await.map_err(at(4))?;
    photo(&ada, &ada_token).await.map_err(at(4))?;
    (walk.say)("5. the function answered: Ada reads her note and her photo, Bob reads nothing of hers");
    access_log(walk).await.map_err(at(5))?;
    (walk.say)("6. the gateway answered, and its access log names the calls");
    Ok(())
}

fn expect(holds: bool, what: impl FnOnce() -> String) -> Result<(), CallFailed> {
    if holds { Ok(()) } else { Err(CallFailed::Unexpected(what())) }
}

/// The call must have been refused; with which status is said when it wasn't.
fn refused<T>(outcome: Result<T, CallFailed>, what: &str) -> Result<(), CallFailed> {
    match outcome {
        Err(CallFailed::Refused { status: 400..=499, .. }) => Ok(()),
        Err(other) => Err(other),
        Ok(_) => Err(CallFailed::Unexpected(format!("{what} was not refused"))),
    }
}

async fn sign_up_and_in(walk: &Walk<'_>, person: &Person<'_>) -> Result<String, CallFailed> {
    person.sign_up().await?;
    refused(person.sign_in(person.password).await, "a sign-in before the code")?;
    let code = (walk.code_for)(person.email)?;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    refused(person.confirm(wrong).await, "a wrong code")?;
    person.confirm(&code).await?;
    person.sign_in(person.password).await
}

async fn wrong_password(person: &Person<'_>) -> Result<(), CallFailed> {
    refused(person.sign_in("not-the-password-1").await, "a wrong password")
}

async fn write_note(person: &Person<'_>, token: &str) -> Result<(), CallFailed> {
    let written = person.api("POST", "/notes", Some(token), Some(json!({"text": "Buy rope."}))).await?;
    expect(written.status == 201, || {
        format!("writing a note answered {}: {}", written.status, written.text())
    })
}

async fn no_token_no_entry(person: &Person<'_>, token: &str) -> Result<(), CallFailed> {
    let none = person.api("GET", "/notes", None, None).await?;
    expect(none.status == 401, || format!("no token answered {}", none.status))?;
    // The claims stay, the signature is of other claims.
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    if let Some(signature) = parts.last_mut() {
        *signature = signature.chars().rev().collect();
    }
    let tampered = person.api("GET", "/notes", Some(&parts.join(".")), None).await?;
    expect(tampered.status == 401, || format!("a tampered token answered {}", tampered.status))
}

async fn log_lines(walk: &Walk<'_>, group: &str, pattern: &str) -> Result<usize, CallFailed> {
    let input = json!({"logGroupName": group, "filterPattern": pattern});
    let found = walk.admin.json("logs", "Logs_20140328.FilterLogEvents", input).await?;
    Ok(found["events"].as_array().map_or(0, Vec::len))
}

async fn lines_arrive(walk: &Walk<'_>, group: &str, pattern: &str) -> Result<(), CallFailed> {
    let tries = 25;
    for _ in 0..tries {
        if log_lines(walk, group, pattern).await? > 0 {
            return Ok(());
        }
        tokio::time::sleep(LOGS_WITHIN / tries).await;
    }
    Err(CallFailed::Unexpected(format!("no line with {pattern} arrived in {group}")))
}

async fn function_ran(walk: &Walk<'_>) -> Result<(), CallFailed> {
    let group = format!("/aws/lambda/{}", walk.backend.function);
    lines_arrive(walk, &group, "\"wrote note\"").await?;
    lines_arrive(walk, &group, "REPORT").await
}

async fn get_item(caller: &Aws, table: &str, owner: &str, id: &str) -> Result<Value, CallFailed> {
    let key = json!({"owner": {"S": owner}, "id": {"S": id}});
    caller.json("dynamodb", "DynamoDB_20120810.GetItem", json!({"TableName": table, "Key": key})).await
}

async fn own_rows_only(walk: &Walk<'_>, ada_token: &str, bob_token: &str) -> Result<(), CallFailed> {
    let (table, bucket) = (&walk.backend.table, &walk.backend.bucket);
    let (_, guest) = identity(walk.app, walk.backend, None).await?;
    let (ada_id, ada) = identity(walk.app, walk.backend, Some(ada_token)).await?;
    let (_, bob) = identity(walk.app, walk.backend, Some(bob_token)).await?;
    let (guest, ada, bob) = (walk.app.with(guest), walk.app.with(ada), walk.app.with(bob));
    let read = get_item(&guest, table, "public", "welcome").await?;
    expect(read.pointer("/Item/text/S").is_some(), || "a guest can't read the public note".to_owned())?;
    let own = json!({"TableName": table, "Item": {"owner": {"S": ada_id}, "id": {"S": "draft"}, "text": {"S": "mine"}}});
    ada.json("dynamodb", "DynamoDB_20120810.PutItem", own.clone()).await?;
    refused(get_item(&bob, table, &ada_id, "draft").await, "Bob reading Ada's row")?;
    refused(get_item(&guest, table, &ada_id, "draft").await, "a guest reading Ada's row")?;
    refused(bob.json("dynamodb", "DynamoDB_20120810.PutItem", own).await, "Bob writing Ada's row")?;
    let file = format!("/{bucket}/{ada_id}/photo.jpg");
    let stored = ada.send("s3", "PUT", &file, &[], b"a photo".to_vec()).await?;
    expect(stored.status == 200, || format!("Ada's file was answered {}: {}", stored.status, stored.text()))?;
    for (who, caller) in [("Bob", &bob), ("a guest", &guest), ("nobody", walk.app)] {
        let answer = caller.send("s3", "GET", &file, &[], Vec::new()).await?;
        expect(answer.status == 403, || format!("{who} got {} for Ada's file", answer.status))?;
    }
    Ok(())
}

async fn notes_are_private(
    ada: &Person<'_>,
    ada_token: &str,
    bob: &Person<'_>,
    bob_token: &str,
) -> Result<(), CallFailed> {
    let of_ada = ada.api("GET", "/notes", Some(ada_token), None).await?.json();
    expect(of_ada.pointer("/0/text") == Some(&json!("Buy rope.")), || format!("Ada reads {of_ada}"))?;
    let of_bob = bob.api("GET", "/notes", Some(bob_token), None).await?.json();
    expect(of_bob == json!([]), || format!("Bob reads {of_bob}"))
}

/// A photo goes in by a link that the function gives out, and comes back by another.
async fn photo(person: &Person<'_>, token: &str) -> Result<(), CallFailed> {
    let link = person.api("POST", "/photos", Some(token), Some(json!({"name": "boat.jpg"}))).await?;
    let put = crate::client::text(&link.json(), "/put")?;
    let stored = person.app.send("s3", "PUT", target_of(&put), &[], b"a boat".to_vec()).await?;
    expect(stored.status == 200, || {
        format!("the photo's link answered {}: {}", stored.status, stored.text())
    })?;
    let photos = person.api("GET", "/photos", Some(token), None).await?.json();
    let get = crate::client::text(&photos, "/0/get")?;
    let read = person.app.send("s3", "GET", target_of(&get), &[], Vec::new()).await?;
    expect(read.body.as_ref() == b"a boat", || format!("the photo came back as {}", read.status))
}

/// The path and query of an absolute URL.
fn target_of(url: &str) -> &str {
    let behind_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    behind_scheme.find('/').map_or("/", |at| &behind_scheme[at..])
}

async fn access_log(walk: &Walk<'_>) -> Result<(), CallFailed> {
    lines_arrive(walk, "notes-api-access", "\"POST /notes 201\"").await?;
    lines_arrive(walk, "notes-api-access", "\"GET /notes 401\"").await
}
