//! Records of an import, as the items that they say.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::csv;
use super::ion::{self, IonError};
use super::source::RecordKind;
use crate::error::Invalid;
use crate::number::Number;
use crate::records::{CsvOptions, InputFormat};
use crate::table::{KeyKind, Schema, Table};
use crate::value::{AttributeValue, Checked, Item, MAX_ITEM_SIZE, item_size};

/// Why a record is no item of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InputError {
    /// In AWS's words.
    pub(crate) message: String,
    /// Whether the rest of the object isn't looked at any more: what is no item at all ends it, as on AWS; what is an
    /// item that breaks a rule doesn't.
    pub(crate) ends_object: bool,
}

impl InputError {
    fn ending(error: impl ToString) -> Self {
        Self { message: error.to_string(), ends_object: true }
    }

    fn of_item(error: impl ToString) -> Self {
        Self { message: error.to_string(), ends_object: false }
    }
}

/// A line of DynamoDB JSON.
#[derive(Deserialize)]
struct Line {
    #[serde(rename = "Item")]
    item: Option<Checked<Item>>,
}

/// What reads one object's records.
pub(crate) struct ItemReader<'a> {
    format: InputFormat,
    csv: &'a CsvOptions,
    table: &'a Table,
    /// The types of all keys.
    kinds: BTreeMap<&'a str, KeyKind>,
    header: Option<Vec<String>>,
}

impl<'a> ItemReader<'a> {
    pub(crate) fn new(format: InputFormat, csv: &'a CsvOptions, table: &'a Table) -> Self {
        let schemas = std::iter::once(&table.schema).chain(table.indexes.iter().map(|index| &index.schema));
        let attributes = schemas.flat_map(Schema::attributes);
        let kinds = attributes.map(|attribute| (attribute.name.as_str(), attribute.kind)).collect();
        Self { format, csv, table, kinds, header: csv.header.clone() }
    }

    /// What ends a record of this format.
    pub(crate) fn kind(&self) -> RecordKind {
        if self.format == InputFormat::Csv { RecordKind::Csv } else { RecordKind::Line }
    }

    /// The item of a record; none of an empty line, or of the line that names CSV's columns.
    pub(crate) fn read(&mut self, record: &[u8]) -> Result<Option<Item>, InputError> {
        let text = str::from_utf8(record).map_err(|_| InputError::ending("Unexpected token"))?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.trim().is_empty() {
            return Ok(None);
        }
        let item = match self.format {
            InputFormat::DynamoDbJson => Some(json(text)?),
            InputFormat::Ion => ion::read_line(text).map_err(|error| match error {
                IonError::Value(_) => InputError::of_item(error),
                IonError::Syntax | IonError::NoItem => InputError::ending(error),
            })?,
            InputFormat::Csv => self.row(text)?,
        };
        if let Some(item) = &item {
            self.check(item)?;
        }
        Ok(item)
    }

    fn check(&self, item: &Item) -> Result<(), InputError> {
        if item_size(item) > MAX_ITEM_SIZE {
            return Err(InputError::of_item(Invalid::ItemSize));
        }
        self.table.check_item(item).map_err(InputError::of_item)
    }

    fn row(&mut self, text: &str) -> Result<Option<Item>, InputError> {
        let values = csv::values(text, self.csv.delimiter).map_err(InputError::ending)?;
        let Some(header) = &self.header else {
            self.header = Some(columns(values)?);
            return Ok(None);
        };
        if values.len() != header.len() {
            return Err(InputError::of_item(format!(
                "Number of values ({}) does not match number of columns ({})",
                values.len(),
                header.len()
            )));
        }
        let typed = header.iter().zip(values).map(|(name, value)| {
            let value = match self.kinds.get(name.as_str()) {
                Some(KeyKind::N) => AttributeValue::N(Number::parse(&value).map_err(InputError::of_item)?),
                Some(KeyKind::B) => AttributeValue::B(binary(name, &value)?),
                Some(KeyKind::S) | None => AttributeValue::S(value),
            };
            Ok((name.clone(), value))
        });
        typed.collect::<Result<_, _>>().map(Some)
    }
}

fn json(text: &str) -> Result<Item, InputError> {
    let line: Line = serde_json::from_str(text).map_err(|_| InputError::ending("Unexpected token"))?;
    let item = line.item.ok_or_else(|| InputError::ending("Expected 'Item' top level container"))?;
    item.0.map_err(|error| InputError::of_item(error.in_newer_words()))
}

fn columns(names: Vec<String>) -> Result<Vec<String>, InputError> {
    let mut seen = std::collections::BTreeSet::new();
    for name in &names {
        if name.is_empty() {
            return Err(InputError::ending("A column of the header has no name"));
        }
        if !seen.insert(name) {
            return Err(InputError::ending(format!("Duplicate column in the header: {name}")));
        }
    }
    Ok(names)
}

fn binary(name: &str, value: &str) -> Result<Vec<u8>, InputError> {
    let wrong = |_| InputError::of_item(format!("The value of the binary key {name} is not valid Base64"));
    STANDARD.decode(value).map_err(wrong)
}
