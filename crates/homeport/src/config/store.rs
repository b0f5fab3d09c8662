use super::given::number;
use super::{Section, Setting};

/// The embedded store's memory, in MiB.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(crate) row_cache_mib: u32,
    pub(crate) block_cache_mib: u32,
    pub(crate) memtable_mib: u32,
}

impl Default for Store {
    fn default() -> Self {
        Self { row_cache_mib: 8, block_cache_mib: 8, memtable_mib: 8 }
    }
}

const MOST_MIB: u32 = 1_048_576;

pub(super) const SECTION: Section = Section {
    name: "store",
    about: "The embedded store's memory.",
    settings: &[
        Setting {
            path: "store.row_cache_mib",
            flag: None,
            default: "`8`",
            about: "Rows read or written lately. Production wants what the hot part of its items takes.",
            set: |config, values| {
                config.store.row_cache_mib = number(values, 1, MOST_MIB)?;
                Ok(())
            },
        },
        Setting {
            path: "store.block_cache_mib",
            flag: None,
            default: "`8`",
            about: "Blocks of files read lately. Production wants a quarter of the machine's memory.",
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
