//! The pure parts against oracles and AWS's recorded words; the operations through the whole pipeline.

mod domain {
    mod expressions;
    mod numbers;
    mod values;
}
mod operations {
    mod access;
    mod app;
    mod batches;
    mod indexes;
    mod items;
    mod queries;
    mod refusals;
    mod tables;
    mod transactions;
    mod walk;
}
