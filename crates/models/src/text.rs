//! The text form: one record per line, its own lines indented by two spaces. A word or value that holds a space,
//! a quote or a sign of the form itself is written as a JSON string.

use crate::{ModelError, Record};

/// Writes records as text.
pub fn write(records: &[Record]) -> String {
    let mut text = String::new();
    for (index, record) in records.iter().enumerate() {
        if index > 0 && !(record.lines.is_empty() && records[index - 1].lines.is_empty()) {
            text.push('\n');
        }
        write_line(&mut text, record);
        for line in &record.lines {
            text.push_str("  ");
            write_line(&mut text, line);
        }
    }
    text
}

fn write_line(text: &mut String, record: &Record) {
    let words = record.words.iter().map(|word| quoted(word));
    let attributes = record.attributes.iter().map(|(name, value)| match value {
        None => format!("+{name}"),
        Some(value) => format!("{name}={}", quoted(value)),
    });
    text.push_str(&words.chain(attributes).collect::<Vec<_>>().join(" "));
    text.push('\n');
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '=' | '\\');
    if !word.is_empty() && !word.starts_with('+') && word.chars().all(plain) {
        return word.to_owned();
    }
    serde_json::Value::from(word).to_string()
}

/// Reads text; lines that begin with `#` and empty lines are passed over.
pub fn read(text: &str) -> Result<Vec<Record>, ModelError> {
    let mut records: Vec<Record> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |what| ModelError::Line { line: index + 1, what };
        let record = read_line(line.trim_start()).ok_or_else(|| wrong("cannot be read"))?;
        if line.starts_with(' ') {
            let parent = records.last_mut().ok_or_else(|| wrong("is indented below nothing"))?;
            parent.lines.push(record);
        } else {
            records.push(record);
        }
    }
    Ok(records)
}

fn read_line(line: &str) -> Option<Record> {
    let mut record = Record::default();
    let mut rest = line;
    while !rest.is_empty() {
        if let Some(flag) = rest.strip_prefix('+') {
            let (name, after) = flag.split_once(' ').unwrap_or((flag, ""));
            record.attributes.push((name.to_owned(), None));
            rest = after;
            continue;
        }
        let (word, after) = read_word(rest)?;
        match after.strip_prefix('=') {
            Some(after) => {
                let (value, after) = read_word(after)?;
                record.attributes.push((word, Some(value)));
                rest = after.strip_prefix(' ').unwrap_or(after);
            }
            None => {
                record.words.push(word);
                rest = after.strip_prefix(' ').unwrap_or(after);
            }
        }
    }
    Some(record)
}

/// The word that `text` begins with, and what follows it.
fn read_word(text: &str) -> Option<(String, &str)> {
    if !text.starts_with('"') {
        let end = text.find([' ', '=']).unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let word = values.next()?.ok()?;
    Some((word, &text[values.byte_offset()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let mut record = Record::new(["string", "Name"]);
        record.flag("sensitive", true);
        record.value("pattern", Some(r#"[\w "=+]+"#.to_owned()));
        record.value("max", Some("-1".to_owned()));
        record.lines =
            vec![Record::new(["|", "+a b"]), Record::new(["|", ""]), Record::new(["|", "ü=\u{7f}"])];
        let records = vec![record, Record::new(["string", "Other"])];
        assert_eq!(read(&write(&records)).unwrap(), records);
    }

    #[test]
    fn a_broken_line_is_named_by_its_number() {
        assert_eq!(read("string A\n\n  \"open\n").unwrap_err().to_string(), "line 3: cannot be read");
        assert_eq!(read("  a\n").unwrap_err().to_string(), "line 1: is indented below nothing");
    }
}
