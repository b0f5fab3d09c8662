//! The pure parts against oracles and AWS's recorded words; the operations through the whole pipeline.

#[cfg(test)]
mod domain {
    mod expressions;
    mod numbers;
    mod statements;
    mod values;
}
#[cfg(test)]
mod operations {
    mod access;
    mod app;
    mod batches;
    mod indexes;
    mod items;
    mod model;
    mod partiql;
    mod partiql_access;
    mod partiql_batches;
    mod partiql_indexes;
    mod partiql_pages;
    mod partiql_transactions;
    mod queries;
    mod refusals;
    mod tables;
    mod transactions;
    mod walk;
}
