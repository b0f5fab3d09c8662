use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use homeport_core::{Clock, SeededRandomness, SharedClock, Timestamp};
use homeport_store::{Direction, Key, Range, Store, StoreError};

use super::{SharedRates, Telling};

const RATE: f64 = 20.0;
const BURST: f64 = 10.0;
const START: Timestamp = Timestamp::from_seconds(1_700_000_000);

/// A clock that is moved by tenths of a second.
#[derive(Default)]
struct Tenths(AtomicI64);

impl Clock for Tenths {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(START.millis() + 100 * self.0.load(Ordering::SeqCst))
    }
}

/// A node, and how many of its calls passed in each tenth of a second.
struct Node {
    rates: SharedRates,
    telling: Telling,
    passed: Vec<u32>,
}

fn nodes(count: u32, clock: &Arc<Tenths>) -> (Store, Vec<Node>) {
    let store = Store::testkit(5);
    let node = |seed| {
        let rates = SharedRates::default();
        let clock: SharedClock = clock.clone();
        let telling = Telling::new(&rates, "tests", &store, &clock, &SeededRandomness::new(u64::from(seed)));
        Node { telling, rates, passed: Vec::new() }
    };
    let nodes = (0..count).map(node).collect();
    (store, nodes)
}

/// Lets each node be asked `asked` times in every tenth of a second, and tell every fifth if it does.
async fn run(nodes: &mut [Node], clock: &Tenths, tenths: usize, asked: usize, told: bool) {
    for tenth in 0..tenths {
        for (number, node) in nodes.iter_mut().enumerate() {
            let now = clock.now();
            let bucket = node.rates.bucket("one", RATE, BURST, now);
            node.passed.push((0..asked).map(|_| u32::from(bucket.take(now))).sum());
            if told && (tenth + number) % 5 == 0 {
                node.telling.exchange().await.expect("the testkit's store answers");
            }
        }
        clock.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// By how much the calls that passed in some window exceed what one node lets through in it.
fn excess(nodes: &[Node]) -> f64 {
    let passed = |tenth: usize| nodes.iter().map(|node| node.passed[tenth]).sum::<u32>();
    let passed: Vec<u32> = (0..nodes[0].passed.len()).map(passed).collect();
    let mut worst = f64::MIN;
    for from in 0..passed.len() {
        let (mut sum, mut may) = (0, BURST);
        for passed in &passed[from..] {
            sum += passed;
            worst = worst.max(f64::from(sum) - may);
            may += RATE / 10.0;
        }
    }
    worst
}

#[tokio::test]
async fn a_rate_holds_over_all_nodes_within_the_bound() {
    for count in [2, 3, 5] {
        let clock = Arc::<Tenths>::default();
        let (_store, mut nodes) = nodes(count, &clock);
        run(&mut nodes, &clock, 600, 30, true).await;
        let bound = f64::from(count - 1) * (BURST + RATE);
        assert!(excess(&nodes) <= bound, "{count} nodes: {} over {bound}", excess(&nodes));
        let all: u32 = nodes.iter().flat_map(|node| &node.passed).sum();
        assert!(f64::from(all) >= 0.9 * 60.0 * RATE, "{count} nodes let only {all} through");
    }
}

#[tokio::test]
async fn nodes_that_tell_nothing_pass_the_bound() {
    let clock = Arc::<Tenths>::default();
    let (_store, mut nodes) = nodes(2, &clock);
    run(&mut nodes, &clock, 600, 30, false).await;
    assert!(excess(&nodes) > 10.0 * (BURST + RATE));
}

#[tokio::test]
async fn what_stays_within_the_rate_is_never_refused() {
    let clock = Arc::<Tenths>::default();
    let (_store, mut nodes) = nodes(2, &clock);
    run(&mut nodes, &clock, 300, 1, true).await;
    assert!(nodes.iter().all(|node| node.passed.iter().all(|passed| *passed == 1)));
}

#[tokio::test]
async fn a_burst_on_one_node_is_owed_on_the_other_once() {
    let clock = Arc::<Tenths>::default();
    let (_store, mut nodes) = nodes(2, &clock);
    let [one, other] = &mut nodes[..] else { unreachable!("two were made") };
    let taken = |node: &Node, asked: usize| {
        let bucket = node.rates.bucket("one", RATE, BURST, START);
        (0..asked).filter(|_| bucket.take(START)).count()
    };
    assert_eq!(taken(other, 1), 1);
    other.telling.exchange().await.expect("told");
    assert_eq!(taken(one, 6), 6);
    for _ in 0..3 {
        one.telling.exchange().await.expect("told");
        other.telling.exchange().await.expect("heard");
    }
    assert_eq!(taken(other, 10), 3);
}

#[tokio::test]
async fn a_node_that_begins_owes_nothing_for_what_was_told_before() {
    let clock = Arc::<Tenths>::default();
    let (_store, mut nodes) = nodes(2, &clock);
    let [one, other] = &mut nodes[..] else { unreachable!("two were made") };
    let all =
        |node: &Node| (0..20).filter(|_| node.rates.bucket("one", RATE, BURST, START).take(START)).count();
    assert_eq!(all(one), 10);
    one.telling.exchange().await.expect("told");
    other.rates.bucket("one", RATE, BURST, START);
    other.telling.exchange().await.expect("begun");
    assert_eq!(all(other), 10);
}

#[tokio::test]
async fn what_is_charged_is_owed_up_to_one_burst_and_as_much_on_every_node() {
    let clock = Arc::<Tenths>::default();
    let (_store, mut nodes) = nodes(2, &clock);
    let [one, other] = &mut nodes[..] else { unreachable!("two were made") };
    let bucket = |node: &Node| node.rates.bucket("one", RATE, BURST, START);
    bucket(other);
    other.telling.exchange().await.expect("begun");
    bucket(one).charge(1_000, START);
    bucket(one).charge(7, START);
    one.telling.exchange().await.expect("told");
    other.telling.exchange().await.expect("heard");
    // Half a second brings a burst.
    let after = |millis| Timestamp::from_millis(START.millis() + millis);
    for node in [one, other] {
        assert!(!bucket(node).has_any(after(500)) && bucket(node).has_any(after(600)));
    }
}

#[tokio::test]
async fn nothing_is_written_where_nothing_was_taken() {
    let clock = Arc::<Tenths>::default();
    let (store, mut nodes) = nodes(1, &clock);
    let told = async || {
        let range = Range::prefix(&Key::of("shared-rates"));
        let read = store.read(|tx| {
            let range = range.clone();
            async move { tx.scan(range, Direction::Forward, 10).await }
        });
        let read: Result<_, StoreError> = read.await;
        read.expect("read").rows.into_iter().map(|row| row.value).collect::<Vec<_>>()
    };
    nodes[0].telling.exchange().await.expect("nothing to tell");
    assert!(told().await.is_empty());
    assert!(nodes[0].rates.bucket("one", RATE, BURST, START).take(START));
    nodes[0].telling.exchange().await.expect("told");
    let first = told().await;
    assert_eq!(first.len(), 1);
    nodes[0].telling.exchange().await.expect("nothing to tell");
    assert_eq!(told().await, first);
}

#[test]
fn a_bucket_keeps_its_level_when_its_limits_change() {
    let rates = SharedRates::default();
    let before = rates.bucket("a", 1.0, 2.0, START);
    assert!(before.take(START) && before.take(START) && !before.take(START));
    assert!(!rates.bucket("a", 1.0, 100.0, START).take(START));
    assert!(rates.bucket("b", 1.0, 100.0, START).take(START));
}
