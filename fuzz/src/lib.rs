//! What fuzzers feed, and what must hold of it. The crates' own tests replay the corpora through the same functions.

pub mod dynamodb;
