//! Signing in by SRP, against the arithmetic that nobody can do without.

use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use bytes::Bytes;
use homeport_demo::Aws;
use serde_json::{Value, json};

use crate::Outcome;
use crate::load::{Connection, SPAN, request};
use crate::process::{Program, Server};
use crate::srp;
use crate::table::Table;

const PASSWORD: &str = "Correct-Horse-1";
const TIMESTAMP: &str = "Sat Nov 21 01:02:03 UTC 2026";
/// Rounds of the bound.
const ROUNDS: u32 = 60;

/// Somebody in a user pool of their own.
pub(crate) struct Person {
    pub(crate) pool: String,
    pub(crate) pool_arn: String,
    pub(crate) client: String,
    pub(crate) refresh_token: String,
}

impl Person {
    pub(crate) async fn new(admin: &Aws) -> Outcome<Self> {
        let call = |operation: &'static str, input: Value| async move {
            admin.json("cognito-idp", &format!("AWSCognitoIdentityProviderService.{operation}"), input).await
        };
        let text = |value: &Value, at: &str| {
            value.pointer(at).and_then(Value::as_str).map(str::to_owned).ok_or("no text")
        };
        let made = call("CreateUserPool", json!({"PoolName": "bench"})).await?;
        let (pool, pool_arn) = (text(&made, "/UserPool/Id")?, text(&made, "/UserPool/Arn")?);
        let flows = ["ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"];
        let app = json!({"UserPoolId": pool, "ClientName": "bench", "ExplicitAuthFlows": flows});
        let client = text(&call("CreateUserPoolClient", app).await?, "/UserPoolClient/ClientId")?;
        call("AdminCreateUser", json!({"UserPoolId": pool, "Username": "ada", "MessageAction": "SUPPRESS"}))
            .await?;
        let password =
            json!({"UserPoolId": pool, "Username": "ada", "Password": PASSWORD, "Permanent": true});
        call("AdminSetUserPassword", password).await?;
        let sign_in = json!({"ClientId": client, "AuthFlow": "USER_PASSWORD_AUTH",
            "AuthParameters": {"USERNAME": "ada", "PASSWORD": PASSWORD}});
        let refresh_token =
            text(&call("InitiateAuth", sign_in).await?, "/AuthenticationResult/RefreshToken")?;
        Ok(Self { pool, pool_arn, client, refresh_token })
    }
}

pub(crate) async fn measure(program: &Program, table: &mut Table) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let server = program.serve(&data).await?;
    let admin = server.anyone().with(program.keys(&data)?);
    let person = Person::new(&admin).await?;
    let mut lane = 0;
    sign_in(&server, &person, lane).await?;
    let (begun, before) = (Instant::now(), server.cpu_seconds());
    let mut slowest = Duration::ZERO;
    while begun.elapsed() < SPAN {
        lane += 1;
        let one = Instant::now();
        sign_in(&server, &person, lane).await?;
        slowest = slowest.max(one.elapsed());
    }
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let each = (server.cpu_seconds() - before) / lane as f64;
    let bound = bound()?;
    let beside = format!(
        "{:.1} ms CPU; bound {:.1} ms; slowest of {lane} {:.0} ms with the client's part",
        each * 1e3,
        bound * 1e3,
        slowest.as_secs_f64() * 1e3
    );
    table.ratio("SRP sign-in: of 3 exponentiations + 2 RS256", None, bound / each, &beside);
    Ok(())
}

/// Both halves of a sign-in.
async fn sign_in(server: &Server, person: &Person, lane: usize) -> Outcome<()> {
    let mut connection = Connection::open(&server.address, lane).await?;
    let begin = json!({"ClientId": person.client, "AuthFlow": "USER_SRP_AUTH",
        "AuthParameters": {"USERNAME": "ada", "SRP_A": srp::public_value()}});
    let answer: Value =
        serde_json::from_slice(&connection.send(&call(server, "InitiateAuth", &begin)).await?)?;
    let challenge = &answer["ChallengeParameters"];
    let claim = srp::claim(&person.pool, PASSWORD, challenge, TIMESTAMP)?;
    let respond = json!({"ClientId": person.client, "ChallengeName": "PASSWORD_VERIFIER", "Session": answer["Session"],
        "ChallengeResponses": {
            "USERNAME": challenge["USER_ID_FOR_SRP"], "PASSWORD_CLAIM_SECRET_BLOCK": challenge["SECRET_BLOCK"],
            "PASSWORD_CLAIM_SIGNATURE": claim, "TIMESTAMP": TIMESTAMP}});
    let answer: Value =
        serde_json::from_slice(&connection.send(&call(server, "RespondToAuthChallenge", &respond)).await?)?;
    answer["AuthenticationResult"]["IdToken"].as_str().map(|_| ()).ok_or_else(|| "no tokens".into())
}

fn call(server: &Server, operation: &str, input: &Value) -> Bytes {
    let target = format!("AWSCognitoIdentityProviderService.{operation}");
    let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
    request(&server.address, "POST", "/", &headers, input.to_string().as_bytes())
}

/// CPU seconds of three exponentiations and two signatures, on this one core.
fn bound() -> Outcome<f64> {
    let key = RsaKeyPair::generate(KeySize::Rsa2048)?;
    let mut signature = vec![0; key.public_modulus_len()];
    let begun = own_cpu_seconds()?;
    for _ in 0..ROUNDS {
        for _ in 0..3 {
            srp::exponentiation();
        }
        for _ in 0..2 {
            key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), TIMESTAMP.as_bytes(), &mut signature)?;
        }
    }
    Ok((own_cpu_seconds()? - begun) / f64::from(ROUNDS))
}

/// CPU time of this process, finer than ticks: the first field of `/proc/self/schedstat`, in nanoseconds.
fn own_cpu_seconds() -> Outcome<f64> {
    let stat = std::fs::read_to_string("/proc/self/schedstat")?;
    let nanos: f64 = stat.split_whitespace().next().ok_or("no schedstat")?.parse()?;
    Ok(nanos / 1e9)
}
