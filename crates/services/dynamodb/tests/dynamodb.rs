//! The pure parts against oracles and AWS's recorded words; the operations through the whole pipeline.

#[cfg(test)]
mod domain {
    mod corpora;
    mod expressions;
    mod list_updates;
    mod numbers;
    mod printing;
    mod statements;
    mod update_charges;
    mod values;
}
#[cfg(test)]
mod operations {
    mod access;
    mod app;
    mod backups;
    mod batches;
    mod billing;
    mod bounds;
    mod descriptions;
    mod expiry;
    mod exports;
    mod http;
    mod imports;
    mod index_changes;
    mod index_model;
    mod indexes;
    mod items;
    mod many_keys;
    mod many_members;
    mod members;
    mod model;
    mod partiql;
    mod partiql_access;
    mod partiql_batches;
    mod partiql_indexes;
    mod partiql_pages;
    mod partiql_transactions;
    mod queries;
    mod refusals;
    mod resource_policies;
    mod start_keys;
    mod streams;
    mod table_changes;
    mod tables;
    mod tags;
    mod throughput;
    mod transactions;
    mod transfers;
    mod walk;
}
