use homeport_store::{PostgresUrl, PostgresUrlError};

use super::given::number;
use super::{Section, Setting};

/// Where the store is, and what it may take; the embedded store's memory in MiB.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(crate) database: Option<PostgresUrl>,
    pub(crate) connections: u16,
    pub(crate) row_cache_mib: u32,
    pub(crate) block_cache_mib: u32,
    pub(crate) memtable_mib: u32,
}

impl Default for Store {
    fn default() -> Self {
        Self { database: None, connections: 32, row_cache_mib: 32, block_cache_mib: 128, memtable_mib: 8 }
    }
}

const MOST_MIB: u32 = 1_048_576;

pub(super) const SECTION: Section = Section {
    name: "store",
    about: "Where the store is: in the data folder, or in a database that several nodes share; and the embedded store's \
            memory.",
    settings: &[
        Setting {
            path: "store.database",
            flag: Some("--store"),
            default: "none: the store is in the data folder",
            about: "A PostgreSQL database, as `postgres://USER@HOST[:PORT][,HOST[:PORT]…]/DATABASE`; of several hosts the \
                    writable one is used. The password comes from `PGPASSWORD`, from `~/.pgpass`, or with the whole URL \
                    from the variable `HOMEPORT_STORE`. The data folder then keeps only what a node can make anew.",
            set: |config, values| {
                // A list of hosts has commas, at which a flag's value may have been taken apart.
                let url: PostgresUrl =
                    values.join(",").parse().map_err(|error: PostgresUrlError| error.to_string())?;
                config.store.database = Some(url);
                Ok(())
            },
        },
        Setting {
            path: "store.connections",
            flag: None,
            default: "`32`",
            about: "The most connections of this node to the database.",
            set: |config, values| {
                config.store.connections = number(values, 4, 1_000)?;
                Ok(())
            },
        },
        Setting {
            path: "store.row_cache_mib",
            flag: None,
            default: "`32`",
            about: "Rows read or written lately; taken as they fill. Production wants what the hot part of its items takes.",
            set: |config, values| {
                config.store.row_cache_mib = number(values, 1, MOST_MIB)?;
                Ok(())
            },
        },
        Setting {
            path: "store.block_cache_mib",
            flag: None,
            default: "`128`",
            about: "Blocks of files read lately; taken as they fill. Production wants a quarter of the machine's memory.",
            set: |config, values| {
                config.store.block_cache_mib = number(values, 1, MOST_MIB)?;
                Ok(())
            },
        },
        Setting {
            path: "store.memtable_mib",
            flag: None,
            default: "`8`",
            about: "Writes that are gathered before they become a file. Production wants 64.",
            set: |config, values| {
                config.store.memtable_mib = number(values, 1, 4_096)?;
                Ok(())
            },
        },
    ],
};
