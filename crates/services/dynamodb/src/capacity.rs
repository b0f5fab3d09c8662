//! Capacity units, as AWS counts them.

use std::collections::BTreeMap;

use crate::request::ReturnCapacity;
use crate::table::{Index, Table};
use crate::value::write_string;

/// Room that an answer has before it grows: enough for most that are small.
const FIRST_ROOM: usize = 512;

/// What a call consumed of one table.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Consumed {
    table: f64,
    local: BTreeMap<String, f64>,
    global: BTreeMap<String, f64>,
    /// The member that says the units again, in answers to transactions.
    again: Option<&'static str>,
}

/// A unit per 4 KB read, half of one if the read needn't be consistent.
pub(crate) fn read_units(bytes: usize, consistent: bool) -> f64 {
    let units = bytes.div_ceil(4096).max(1) as f64;
    if consistent { units } else { units / 2.0 }
}

/// A unit per KB written.
pub(crate) fn write_units(bytes: usize) -> f64 {
    bytes.div_ceil(1024).max(1) as f64
}

impl Consumed {
    /// Consumed of the table itself.
    pub(crate) fn table(units: f64) -> Self {
        Self { table: units, ..Self::default() }
    }

    /// Adds what was consumed of the table.
    pub(crate) fn add_table(&mut self, units: f64) {
        self.table += units;
    }

    /// Adds what was consumed of an index.
    pub(crate) fn add_index(&mut self, index: &Index, units: f64) {
        let indexes = if index.global { &mut self.global } else { &mut self.local };
        *indexes.entry(index.name.clone()).or_default() += units;
    }

    /// Adds what another call consumed of the same table.
    pub(crate) fn add(&mut self, other: &Self) {
        self.table += other.table;
        for (mine, theirs) in [(&mut self.local, &other.local), (&mut self.global, &other.global)] {
            for (name, units) in theirs {
                *mine.entry(name.clone()).or_default() += units;
            }
        }
    }

    /// Nothing yet, in a transaction of reads.
    pub(crate) fn of_transacted_reads() -> Self {
        Self { again: Some("ReadCapacityUnits"), ..Self::default() }
    }

    /// Nothing yet, in a transaction of writes.
    pub(crate) fn of_transacted_writes() -> Self {
        Self { again: Some("WriteCapacityUnits"), ..Self::default() }
    }

    /// The same, as transactions are charged: the table doubly, indexes not.
    pub(crate) fn doubled(mut self) -> Self {
        self.table *= 2.0;
        self
    }

    /// What was consumed of the table's capacity, which its local indexes share.
    pub(crate) fn of_table(&self) -> f64 {
        self.table + self.local.values().sum::<f64>()
    }

    /// What was consumed of each global index.
    pub(crate) fn of_global_indexes(&self) -> impl Iterator<Item = (&String, &f64)> {
        self.global.iter()
    }

    fn total(&self) -> f64 {
        self.of_table() + self.global.values().sum::<f64>()
    }

    /// Appends `ConsumedCapacity`'s value.
    pub(crate) fn write(&self, table: &Table, wanted: ReturnCapacity, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"TableName\":");
        write_string(&table.name, out);
        out.push(b',');
        self.write_units(self.total(), out);
        if wanted == ReturnCapacity::Indexes {
            out.extend_from_slice(b",\"Table\":{");
            self.write_units(self.table, out);
            out.push(b'}');
            self.write_indexes("LocalSecondaryIndexes", &self.local, out);
            self.write_indexes("GlobalSecondaryIndexes", &self.global, out);
        }
        out.push(b'}');
    }

    fn write_indexes(&self, member: &str, indexes: &BTreeMap<String, f64>, out: &mut Vec<u8>) {
        if indexes.is_empty() {
            return;
        }
        out.extend_from_slice(format!(",\"{member}\":{{").as_bytes());
        for (at, (name, units)) in indexes.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            write_string(name, out);
            out.extend_from_slice(b":{");
            self.write_units(*units, out);
            out.push(b'}');
        }
        out.push(b'}');
    }

    fn write_units(&self, units: f64, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("\"CapacityUnits\":{units:?}").as_bytes());
        if let Some(member) = self.again {
            out.extend_from_slice(format!(",\"{member}\":{units:?}").as_bytes());
        }
    }
}

/// An answer's JSON object, member by member.
pub(crate) struct Answering {
    json: Vec<u8>,
}

impl Answering {
    /// An object without members.
    pub(crate) fn new() -> Self {
        let mut json = Vec::with_capacity(FIRST_ROOM);
        json.push(b'{');
        Self { json }
    }

    /// Appends a member; `write` appends its value.
    pub(crate) fn member(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
        if self.json.len() > 1 {
            self.json.push(b',');
        }
        write_string(name, &mut self.json);
        self.json.push(b':');
        write(&mut self.json);
    }

    /// Appends a member whose value may fail to be written.
    pub(crate) fn try_member<E>(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut written = Ok(());
        self.member(name, |out| written = write(out));
        written
    }

    /// Appends a member that is a number.
    pub(crate) fn number(&mut self, name: &str, number: usize) {
        self.member(name, |out| out.extend_from_slice(number.to_string().as_bytes()));
    }

    /// Appends `ConsumedCapacity`, if it is wanted.
    pub(crate) fn consumed(&mut self, wanted: ReturnCapacity, table: &Table, consumed: &Consumed) {
        if wanted != ReturnCapacity::None {
            self.member("ConsumedCapacity", |out| consumed.write(table, wanted, out));
        }
    }

    /// Appends `ConsumedCapacity` of many tables, if it is wanted.
    pub(crate) fn consumed_of_all<'a>(
        &mut self,
        wanted: ReturnCapacity,
        all: impl IntoIterator<Item = (&'a Table, &'a Consumed)>,
    ) {
        if wanted == ReturnCapacity::None {
            return;
        }
        self.member("ConsumedCapacity", |out| {
            write_all(b'[', all, b']', out, |(table, consumed), out| consumed.write(table, wanted, out));
        });
    }

    /// The whole object.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.json.push(b'}');
        self.json
    }
}

/// Appends values between two brackets.
pub(crate) fn write_all<T>(
    open: u8,
    values: impl IntoIterator<Item = T>,
    close: u8,
    out: &mut Vec<u8>,
    mut write: impl FnMut(T, &mut Vec<u8>),
) {
    out.push(open);
    for (at, value) in values.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(value, out);
    }
    out.push(close);
}
