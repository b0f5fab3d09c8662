//! The pure parts against oracles and AWS's recorded words; the operations through the whole pipeline.

#[cfg(test)]
mod domain {
    mod expressions;
    mod list_updates;
    mod numbers;
    mod update_charges;
    mod values;
}
#[cfg(test)]
mod operations {
    mod access;
    mod app;
    mod backups;
    mod batches;
    mod expiry;
    mod index_changes;
    mod indexes;
    mod items;
    mod many_keys;
    mod model;
    mod queries;
    mod refusals;
    mod resource_policies;
    mod streams;
    mod tables;
    mod transactions;
    mod walk;
}
