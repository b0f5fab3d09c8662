//! What fuzzers were given, and whatever they found, goes through the same checks on every run.

use std::fs;
use std::path::Path;

#[expect(unreachable_pub, reason = "the fuzz crate exports them")]
#[path = "../../../../../fuzz/src/dynamodb.rs"]
mod targets;

fn replay(corpus: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../fuzz/corpus").join(corpus);
    let inputs: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!inputs.is_empty());
    for input in inputs {
        target(&fs::read(&input).unwrap());
    }
}

#[test]
fn the_corpus_of_expressions_breaks_nothing() {
    replay("expressions", targets::expressions);
}

#[test]
fn the_corpus_of_items_breaks_nothing() {
    replay("items", targets::items);
}

#[test]
fn the_corpus_of_statements_breaks_nothing() {
    replay("partiql", targets::statements);
}
