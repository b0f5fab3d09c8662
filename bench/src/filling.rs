//! Users and items by the hundred thousand, through the collections that the services keep them in.

use std::collections::BTreeMap;
use std::ops::Range;
use std::process::Stdio;

use homeport_cognito_idp::{ImportedUser, import_users};
use homeport_core::{Account, Clock, Randomness, Region, Scope};
use homeport_dynamodb::records::{Held, Layout, TABLES, tables_of};
use homeport_dynamodb::value::{AttributeValue, Item, encode_stored, item_size};
use homeport_store::{Store, StoreError};

use crate::Outcome;
use crate::cluster::store;
use crate::process::{Program, SystemClock};

/// Transactions at a time.
const AT_ONCE: u64 = 12;
const USERS_TO_A_TRANSACTION: u64 = 16;
const ITEMS_TO_A_TRANSACTION: u64 = 1_000;
/// Items under one partition key.
pub(crate) const NOTES: u64 = 10;
/// The table they are in.
pub(crate) const TABLE: &str = "bench";

/// Puts in the users and items of these numbers, from a process that has all cores.
pub(crate) fn fill(program: &Program, url: &str, pool_arn: &str, numbers: Range<u64>) -> Outcome<()> {
    let numbers = [numbers.start, numbers.end].map(|number| number.to_string());
    let mut command = program.on_server_cores(&std::env::current_exe()?);
    let done = command.args(["fill", url, pool_arn]).args(numbers).stderr(Stdio::inherit()).status()?;
    if done.success() { Ok(()) } else { Err("users and items can't be put in".into()) }
}

/// The process itself.
pub(crate) async fn run(arguments: Vec<String>) -> Outcome<()> {
    let [url, pool_arn, from, to] = &arguments[..] else { return Err("fill URL POOL-ARN FROM TO".into()) };
    let store = store(url).await?;
    let parts: Vec<&str> = pool_arn.split([':', '/']).collect();
    let [_, _, _, region, account, _, pool] = &parts[..] else { return Err("no user pool's ARN".into()) };
    let region = Region::parse(region).ok_or("no region")?;
    let place =
        Place { scope: Scope { account: Account::parse(account)?, region }, pool: (*pool).to_owned() };
    let (from, to) = (from.parse()?, to.parse()?);
    let lanes: Vec<_> = (0..AT_ONCE)
        .map(|lane| {
            let (store, place) = (store.clone(), place.clone());
            tokio::spawn(async move {
                put_users(&store, &place, lane, from..to).await?;
                put_items(&store, &place, lane, from..to).await
            })
        })
        .collect();
    for lane in lanes {
        lane.await??;
    }
    Ok(())
}

#[derive(Clone)]
struct Place {
    scope: Scope,
    pool: String,
}

/// The stretches of `numbers` that are this lane's.
fn stretches(numbers: Range<u64>, size: u64, lane: u64) -> impl Iterator<Item = Range<u64>> {
    let end = numbers.end;
    let step = usize::try_from(size * AT_ONCE).unwrap_or(usize::MAX);
    (numbers.start + lane * size..end).step_by(step).map(move |first| first..(first + size).min(end))
}

async fn put_users(store: &Store, place: &Place, lane: u64, numbers: Range<u64>) -> Result<(), StoreError> {
    for stretch in stretches(numbers, USERS_TO_A_TRANSACTION, lane) {
        let users: Vec<_> = stretch.map(user).collect();
        import_users(store, &Os, SystemClock.now(), place.scope.account, &place.pool, &users).await?;
    }
    Ok(())
}

async fn put_items(store: &Store, place: &Place, lane: u64, numbers: Range<u64>) -> Result<(), StoreError> {
    for stretch in stretches(numbers, ITEMS_TO_A_TRANSACTION, lane) {
        let items: &Vec<Item> = &stretch.map(item).collect();
        let put = store.write(|tx| async move {
            let Some(table) = TABLES.get(&tx, tables_of(&place.scope).str(TABLE)).await? else {
                return Err(StoreError::Closed);
            };
            let layout = Layout::of(&table);
            for item in items {
                let Some(place) = layout.item(&table.schema, item) else { return Err(StoreError::Closed) };
                tx.put(&place.key, encode_stored(item))?;
            }
            let bytes: usize = items.iter().map(item_size).sum();
            let put = Held { items: items.len() as i64, bytes: bytes as i64 };
            layout.counts().change(&tx, Held::default(), put)
        });
        put.await?;
    }
    Ok(())
}

/// The name that a user signs in with.
pub(crate) fn email(number: u64) -> String {
    format!("someone-{number}@example.com")
}

fn user(number: u64) -> ImportedUser {
    let attributes = [
        ("email", email(number)),
        ("email_verified", "true".to_owned()),
        ("given_name", "Some".to_owned()),
        ("family_name", format!("One-{number}")),
        ("locale", "en-GB".to_owned()),
    ];
    let attributes: BTreeMap<_, _> =
        attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    ImportedUser { username: email(number), attributes }
}

/// The keys of an item.
pub(crate) fn keys_of(number: u64) -> [(&'static str, String); 2] {
    [("owner", format!("owner-{}", number / NOTES)), ("note", format!("note-{}", number % NOTES))]
}

/// An item's text.
pub(crate) fn text() -> String {
    "A note of a length that notes have. ".repeat(6)
}

fn item(number: u64) -> Item {
    let attributes = keys_of(number).into_iter().chain([("text", text())]);
    attributes.map(|(name, value)| (name.to_owned(), AttributeValue::S(value))).collect()
}

/// The operating system's randomness.
struct Os;

impl Randomness for Os {
    fn fill(&self, bytes: &mut [u8]) {
        if aws_lc_rs::rand::fill(bytes).is_err() {
            std::process::abort();
        }
    }
}
