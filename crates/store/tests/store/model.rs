//! Random concurrent transactions whose committed history must be serializable: replayed one by one in the
//! order of commits on a plain map, every read must have seen what the map holds.

use std::collections::BTreeMap;

use bytes::Bytes;
use homeport_core::{Randomness, SeededRandomness};
use homeport_store::{
    Direction, Key, MAX_PAGE_ROWS, Range, StampPlaceholder, Store, StoreError, Tx, Versionstamp,
};

const KEYS: u64 = 14;
const NUMBERS: u64 = 4;

/// How many clients, and how many transactions each.
pub(crate) type Size = (u64, u64);

/// What a transaction does, decided before it runs, so that it can run again.
#[derive(Clone, Copy, Debug)]
enum Step {
    Get(u64),
    GetMany(u64, u64),
    Scan {
        from: u64,
        to: u64,
        direction: Direction,
        limit: usize,
    },
    Put(u64, u64),
    Delete(u64),
    /// Puts at the second key what is at the first: a write that depends on a read.
    Copy(u64, u64),
    Add(u64, i64),
    Max(u64, i64),
    Min(u64, i64),
    GetNumber(u64),
}

/// What a step saw.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Nothing,
    Values(Vec<Option<Bytes>>),
    Rows(Vec<(Bytes, Bytes)>, bool),
}

type Map = BTreeMap<Bytes, Bytes>;

struct Committed {
    stamp: Versionstamp,
    steps: Vec<Step>,
    seen: Vec<Seen>,
}

fn key(n: u64) -> Key {
    Key::of("k").u64(n)
}

fn number(n: u64) -> Key {
    Key::of("n").u64(n)
}

fn encoded(key: &Key) -> Bytes {
    Bytes::copy_from_slice(key.as_bytes())
}

struct Dice(SeededRandomness);

impl Dice {
    fn below(&self, end: u64) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes) % end
    }

    fn small(&self) -> i64 {
        i64::try_from(self.below(200)).unwrap() - 100
    }

    fn step(&self) -> Step {
        let (a, b) = (self.below(KEYS), self.below(KEYS));
        match self.below(14) {
            0 | 1 => Step::Get(a),
            2 => Step::GetMany(a, b),
            3..=5 => Step::Scan {
                from: a.min(b),
                to: a.max(b) + 1,
                direction: if self.below(2) == 0 { Direction::Forward } else { Direction::Backward },
                limit: usize::try_from(1 + self.below(6)).unwrap(),
            },
            6 | 7 => Step::Put(a, self.below(1 << 40)),
            8 => Step::Delete(a),
            9 => Step::Copy(a, b),
            10 => Step::Add(a % NUMBERS, self.small()),
            11 => Step::Max(a % NUMBERS, self.small()),
            12 => Step::Min(a % NUMBERS, self.small()),
            _ => Step::GetNumber(a % NUMBERS),
        }
    }

    fn steps(&self) -> Vec<Step> {
        (0..=self.below(6)).map(|_| self.step()).collect()
    }
}

/// Runs a history on one node, as [`run_on`].
pub(crate) async fn run(store: Store, seed: u64, size: Size) -> Result<(), String> {
    run_on(&[store], seed, size).await
}

/// Runs a history, whose clients are spread over the nodes, and checks it; an error says what was seen that no order of transactions explains.
pub(crate) async fn run_on(nodes: &[Store], seed: u64, (clients, transactions): Size) -> Result<(), String> {
    let tasks: Vec<_> = (0..clients)
        .zip(nodes.iter().cycle())
        .map(|(client, node)| {
            let (store, dice) = (node.clone(), Dice(SeededRandomness::new(seed * 1_000 + client)));
            tokio::spawn(async move {
                let mut history = Vec::new();
                for _ in 0..transactions {
                    history.push(transact(&store, dice.steps()).await?);
                }
                Ok::<_, StoreError>(history)
            })
        })
        .collect();
    let mut history = Vec::new();
    for task in tasks {
        history.extend(task.await.unwrap().map_err(|error| error.to_string())?);
    }
    history.sort_by_key(|committed| committed.stamp);
    let mut map = Map::new();
    for (position, committed) in history.iter().enumerate() {
        replay(&mut map, committed).map_err(|why| format!("transaction {position}: {why}"))?;
    }
    let kept =
        nodes[0].read(|tx| async move { tx.scan(Range::all(), Direction::Forward, MAX_PAGE_ROWS).await });
    let kept: Map = kept.await.unwrap().rows.into_iter().map(|row| (row.key, row.value)).collect();
    if kept == map { Ok(()) } else { Err(format!("at the end there is {kept:?} instead of {map:?}")) }
}

async fn transact(store: &Store, steps: Vec<Step>) -> Result<Committed, StoreError> {
    let run = &steps;
    let (stamp, seen) = store
        .write(|tx| async move {
            // So that it commits, and so has a place in the order, also when it only reads.
            tx.touch(&Key::of("touched"))?;
            let mut seen = Vec::new();
            for step in run {
                seen.push(take(&tx, *step).await?);
                tokio::task::yield_now().await;
            }
            Ok::<(StampPlaceholder, Vec<Seen>), StoreError>((tx.versionstamp(), seen))
        })
        .await?;
    Ok(Committed { stamp: stamp.stamp().unwrap(), steps, seen })
}

async fn take(tx: &Tx, step: Step) -> Result<Seen, StoreError> {
    Ok(match step {
        Step::Get(n) => Seen::Values(vec![tx.get(&key(n)).await?]),
        Step::GetMany(a, b) => Seen::Values(tx.get_many(&[key(a), key(b)]).await?),
        Step::GetNumber(n) => Seen::Values(vec![tx.get(&number(n)).await?]),
        Step::Scan { from, to, direction, limit } => {
            let page = tx.scan(Range::between(&key(from), &key(to)), direction, limit).await?;
            Seen::Rows(page.rows.into_iter().map(|row| (row.key, row.value)).collect(), page.more)
        }
        Step::Copy(from, to) => {
            let value = tx.get(&key(from)).await?;
            tx.put(&key(to), value.clone().unwrap_or_default())?;
            Seen::Values(vec![value])
        }
        Step::Put(n, value) => nothing(tx.put(&key(n), value.to_string()))?,
        Step::Delete(n) => nothing(tx.delete(&key(n)))?,
        Step::Add(n, delta) => nothing(tx.add(&number(n), delta))?,
        Step::Max(n, other) => nothing(tx.max(&number(n), other))?,
        Step::Min(n, other) => nothing(tx.min(&number(n), other))?,
    })
}

fn nothing(done: Result<(), StoreError>) -> Result<Seen, StoreError> {
    done.map(|()| Seen::Nothing)
}

fn replay(map: &mut Map, committed: &Committed) -> Result<(), String> {
    for (step, seen) in committed.steps.iter().zip(&committed.seen) {
        let expected = apply(map, *step);
        if !agree(&expected, seen) {
            return Err(format!("{step:?} saw {seen:?} instead of {expected:?}, in {:?}", committed.steps));
        }
    }
    Ok(())
}

/// A page that says there may be more need not be right about it.
fn agree(expected: &Seen, seen: &Seen) -> bool {
    match (expected, seen) {
        (Seen::Rows(expected, more), Seen::Rows(rows, says_more)) => {
            expected == rows && (*says_more || !*more)
        }
        (expected, seen) => expected == seen,
    }
}

fn apply(map: &mut Map, step: Step) -> Seen {
    let get = |map: &Map, key: &Key| map.get(key.as_bytes()).cloned();
    match step {
        Step::Get(n) => Seen::Values(vec![get(map, &key(n))]),
        Step::GetMany(a, b) => Seen::Values(vec![get(map, &key(a)), get(map, &key(b))]),
        Step::GetNumber(n) => Seen::Values(vec![get(map, &number(n))]),
        Step::Scan { from, to, direction, limit } => {
            let rows = map.range(encoded(&key(from))..encoded(&key(to)));
            let rows = rows.map(|(key, value)| (key.clone(), value.clone()));
            let mut rows: Vec<_> = match direction {
                Direction::Forward => rows.collect(),
                Direction::Backward => rows.rev().collect(),
            };
            let more = rows.len() > limit;
            rows.truncate(limit);
            Seen::Rows(rows, more)
        }
        Step::Copy(from, to) => {
            let value = get(map, &key(from));
            map.insert(encoded(&key(to)), value.clone().unwrap_or_default());
            Seen::Values(vec![value])
        }
        Step::Put(n, value) => change(map, &key(n), Some(Bytes::from(value.to_string()))),
        Step::Delete(n) => change(map, &key(n), None),
        Step::Add(n, delta) => merge(map, n, |before| before.unwrap_or(0) + delta),
        Step::Max(n, other) => merge(map, n, |before| before.unwrap_or(other).max(other)),
        Step::Min(n, other) => merge(map, n, |before| before.unwrap_or(other).min(other)),
    }
}

fn change(map: &mut Map, key: &Key, value: Option<Bytes>) -> Seen {
    match value {
        Some(value) => map.insert(encoded(key), value),
        None => map.remove(key.as_bytes()),
    };
    Seen::Nothing
}

fn merge(map: &mut Map, n: u64, merge: impl FnOnce(Option<i64>) -> i64) -> Seen {
    let before = map.get(number(n).as_bytes()).map(|value| i64::from_be_bytes(value[..].try_into().unwrap()));
    let after = merge(before);
    change(map, &number(n), Some(Bytes::copy_from_slice(&after.to_be_bytes())))
}

/// From the smallest history up, so that the first that fails is the smallest of its seed.
pub(crate) const SIZES: [Size; 4] = [(2, 3), (3, 10), (6, 40), (10, 120)];

#[test]
fn the_model_finds_a_history_that_is_not_serializable() {
    let value = Bytes::from("1");
    let mut map = Map::new();
    let put =
        Committed { stamp: Versionstamp::default(), steps: vec![Step::Put(3, 1)], seen: vec![Seen::Nothing] };
    replay(&mut map, &put).unwrap();
    let missed = |seen| Committed {
        stamp: Versionstamp::default(),
        steps: vec![Step::Scan { from: 0, to: 9, direction: Direction::Forward, limit: 5 }],
        seen: vec![seen],
    };
    assert!(replay(&mut map, &missed(Seen::Rows(vec![], false))).is_err());
    assert!(replay(&mut map, &missed(Seen::Rows(vec![(encoded(&key(3)), value)], false))).is_ok());
}
