//! What an operation costs with ten thousand users and items in PostgreSQL, and with many more.

use bytes::Bytes;
use homeport_demo::{Aws, Keys};
use serde_json::{Value, json};

use crate::Outcome;
use crate::cluster::{Cluster, settle};
use crate::filling::{self, NOTES, TABLE, email, fill, keys_of};
use crate::load::{Connection, Load, SPAN, over_and_over, signed_json};
use crate::process::{Place, Program, Server};
use crate::table::Table;

const CONNECTIONS: usize = 64;
const FEW: u64 = 10_000;
const MANY: u64 = 100_000;
const MANY_IN_FULL: u64 = 1_000_000;
/// Different requests of each kind. Spread over all users and items: which ones is told by steps of a number that has
/// no divisor in common with how many there are.
const REQUESTS: u64 = 20_000;
const STEP: u64 = 61_803_399;

/// What is asked, and how.
const WORK: [(&str, Ask); 5] = [
    ("GetItem", get_item),
    ("PutItem", put_item),
    ("Query of ten items", query),
    ("AdminGetUser by e-mail", admin_get_user),
    ("ListUsers by e-mail", list_users),
];

type Ask = fn(pool: &str, number: u64) -> (&'static str, &'static str, Value);

pub(crate) async fn measure(program: &Program, table: &mut Table, full: bool) -> Outcome<()> {
    let Some(cluster) = Cluster::start(program)? else {
        table.figure("operations on PostgreSQL", "-", "-", "PostgreSQL is not installed");
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let url = cluster.database("large").await?;
    let place = Place { folder: folder.path().join("data"), database: Some(url.clone()) };
    std::fs::create_dir(place.folder.with_extension("blobs"))?;
    let server = program.serve_on(&place).await?;
    let keys = program.keys_of(&place)?;
    let pool_arn = prepare(&server.anyone().with(keys.clone())).await?;
    let pool = pool_arn.rsplit('/').next().unwrap_or_default();
    let house = House { cluster: &cluster, server: &server, keys: &keys, pool };

    let many = if full { MANY_IN_FULL } else { MANY };
    fill(program, &url, &pool_arn, 0..FEW)?;
    let before = house.all(&url, FEW).await?;
    let begun = std::time::Instant::now();
    fill(program, &url, &pool_arn, FEW..many)?;
    let seconds = begun.elapsed().as_secs_f64();
    let rate = format!("{:.0}/s", (many - FEW) as f64 / seconds);
    table.figure("users and as many items put in", "-", &rate, &format!("{} in {seconds:.0} s", many - FEW));
    let after = house.all(&url, many).await?;
    for (((what, _), few), many) in WORK.iter().zip(before).zip(after) {
        let beside = format!("{}; {}", many.summary(), few.summary());
        table.at_most(&format!("{what}: CPU with {} of 10k", size(full)), 1.5, many.us() / few.us(), &beside);
    }
    Ok(())
}

/// How many of each there are at the end.
fn size(full: bool) -> &'static str {
    if full { "1M" } else { "100k" }
}

/// A table, and a pool whose users sign in by their e-mail addresses; the pool's ARN.
async fn prepare(admin: &Aws) -> Outcome<String> {
    let attributes = ["owner", "note"].map(|name| json!({"AttributeName": name, "AttributeType": "S"}));
    let table = json!({
        "TableName": TABLE, "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": attributes,
        "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "note", "KeyType": "RANGE"}],
    });
    admin.json("dynamodb", "DynamoDB_20120810.CreateTable", table).await?;
    let pool = json!({"PoolName": "bench", "UsernameAttributes": ["email"]});
    let made = admin.json("cognito-idp", "AWSCognitoIdentityProviderService.CreateUserPool", pool).await?;
    Ok(made["UserPool"]["Arn"].as_str().ok_or("no ARN")?.to_owned())
}

struct House<'a> {
    cluster: &'a Cluster<'a>,
    server: &'a Server,
    keys: &'a Keys,
    pool: &'a str,
}

/// What a kind of request cost.
struct Cost {
    load: Load,
    database_seconds: f64,
}

impl Cost {
    fn database_us(&self) -> f64 {
        self.database_seconds / (self.load.per_second() * SPAN.as_secs_f64()) * 1e6
    }

    /// Microseconds of CPU for each, of server and database.
    fn us(&self) -> f64 {
        self.load.cpu_per_request() * 1e6 + self.database_us()
    }

    fn summary(&self) -> String {
        format!("{} (database {:.0} us)", self.load.summary(), self.database_us())
    }
}

impl House<'_> {
    /// Each kind of request on `there` users and items.
    async fn all(&self, url: &str, there: u64) -> Outcome<Vec<Cost>> {
        let mut costs = Vec::new();
        for (what, ask) in WORK {
            settle(url, &["homeport.rows", "homeport.groups"]).await?;
            let cost = self.cost(ask, there).await;
            costs.push(cost.map_err(|error| format!("{what}: {error}"))?);
        }
        Ok(costs)
    }

    async fn cost(&self, ask: Ask, there: u64) -> Outcome<Cost> {
        let requests = (0..REQUESTS).map(|at| {
            let (service, target, input) = ask(self.pool, at * STEP % there);
            signed_json(&self.server.address, self.keys, service, target, &input.to_string())
        });
        let requests = requests.collect::<Outcome<Vec<Bytes>>>()?;
        let answer = Connection::open(&self.server.address, 0).await?.send(&requests[1]).await?;
        check(ask, &answer)?;
        let (load, database) =
            tokio::join!(over_and_over(self.server, CONNECTIONS, &requests), self.cluster.cpu_of_a_span());
        Ok(Cost { load: load?, database_seconds: database? })
    }
}

/// An answer holds what was asked for.
fn check(ask: Ask, answer: &[u8]) -> Outcome<()> {
    let said: Value = serde_json::from_slice(answer)?;
    let (.., input) = ask("", 0);
    let found = if input.get("Filter").is_some() {
        said["Users"].as_array().is_some_and(|users| users.len() == 1)
    } else if input.get("KeyConditionExpression").is_some() {
        said["Count"].as_u64() == Some(NOTES)
    } else if input.get("Key").is_some() {
        said["Item"].is_object()
    } else {
        input.get("Item").is_some() || said["UserAttributes"].is_array()
    };
    if found { Ok(()) } else { Err(format!("not found: {said}").into()) }
}

fn attributes(number: u64) -> serde_json::Map<String, Value> {
    keys_of(number).into_iter().map(|(name, value)| (name.to_owned(), json!({"S": value}))).collect()
}

fn get_item(_: &str, number: u64) -> (&'static str, &'static str, Value) {
    ("dynamodb", "DynamoDB_20120810.GetItem", json!({"TableName": TABLE, "Key": attributes(number)}))
}

fn put_item(_: &str, number: u64) -> (&'static str, &'static str, Value) {
    let mut item = attributes(number);
    item.insert("text".to_owned(), json!({"S": filling::text()}));
    ("dynamodb", "DynamoDB_20120810.PutItem", json!({"TableName": TABLE, "Item": item}))
}

fn query(_: &str, number: u64) -> (&'static str, &'static str, Value) {
    let [(_, owner), _] = keys_of(number);
    let input = json!({"TableName": TABLE, "KeyConditionExpression": "#o = :o",
        "ExpressionAttributeNames": {"#o": "owner"}, "ExpressionAttributeValues": {":o": {"S": owner}}});
    ("dynamodb", "DynamoDB_20120810.Query", input)
}

fn admin_get_user(pool: &str, number: u64) -> (&'static str, &'static str, Value) {
    let target = "AWSCognitoIdentityProviderService.AdminGetUser";
    ("cognito-idp", target, json!({"UserPoolId": pool, "Username": email(number)}))
}

fn list_users(pool: &str, number: u64) -> (&'static str, &'static str, Value) {
    let target = "AWSCognitoIdentityProviderService.ListUsers";
    let filter = format!("email = \"{}\"", email(number));
    ("cognito-idp", target, json!({"UserPoolId": pool, "Filter": filter, "Limit": 1}))
}
