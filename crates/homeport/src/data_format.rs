//! What nodes of two versions must agree on: each collection's version, and its indexes. A node that doesn't know an index
//! would not keep it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// The list that the store's format stands for.
const KNOWN: &str = include_str!("data_format.txt");

#[test]
fn nodes_of_one_format_keep_the_same_records_and_indexes() {
    let mut found = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), &mut found);
    found.sort();
    assert!(found.len() > 40, "the sources were not found");
    let mut list = String::new();
    found.iter().for_each(|line| _ = writeln!(list, "{line}"));
    assert_eq!(
        list, KNOWN,
        "a version or an index of a collection that was there is another one: older nodes would damage it. Add a step to \
         STEPS in crates/store/src/engine/postgres/schema.rs, so that they stop, and mend data_format.txt (for a new \
         collection only that)"
    );
}

/// One line for each collection: its name, its version, its indexes.
fn collect(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "tests" && name != "testkit") {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.extend(text.split("\nimpl Record for ").skip(1).map(line));
        }
    }
}

/// The block of one `impl Record`, which ends where a line begins with `}`.
fn line(block: &str) -> String {
    let block = block.split("\n}").next().unwrap_or_default();
    let quoted = |text: &str| text.split('"').nth(1).unwrap_or_default().to_owned();
    let behind = |mark| block.split_once(mark).map(|(_, rest)| rest).unwrap_or_default();
    let version: String = behind("const VERSION: u16 = ").chars().take_while(char::is_ascii_digit).collect();
    let names: Vec<String> =
        block.split("name: \"").skip(1).map(|rest| quoted(&format!("\"{rest}"))).collect();
    format!("{} {version} [{}]", quoted(behind("const COLLECTION: &'static str = ")), names.join(", "))
}
