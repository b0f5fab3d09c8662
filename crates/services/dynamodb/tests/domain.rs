//! The pure parts, held against oracles and AWS's recorded words.

mod domain {
    mod expressions;
    mod numbers;
    mod values;
}
