use std::path::Path;

use crate::program::Place;

/// The page as it stands in the repository, and as the program prints it.
fn both(page: &str, command: &str) -> (String, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
    (std::fs::read_to_string(path).unwrap(), Place::new().prints(&[command]))
}

#[test]
fn the_list_of_operations_is_current() {
    let (kept, printed) = both("coverage.md", "coverage");
    assert_eq!(kept, printed, "run `homeport coverage > docs/coverage.md`");
}
