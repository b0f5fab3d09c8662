//! From records to the bytes that the program carries; the form is described in `homeport-wire`'s `blob.rs`.

use std::collections::HashMap;

use crate::Record;

/// Packs services, each a name and its records, in the order of their names.
pub fn pack(services: &[(&str, Vec<Record>)]) -> Vec<u8> {
    let mut packed = b"HPM1".to_vec();
    let mut sections = Vec::new();
    write_number(&mut packed, services.len());
    for (name, records) in services {
        let setting = |key: &str| records.iter().find(|r| r.word(0) == key).map(|r| r.word(1));
        let section = Section::default().pack(records);
        write_text(&mut packed, name);
        write_text(&mut packed, setting("target-prefix").unwrap_or(""));
        let signing_name = setting("signing-name").or(setting("endpoint-prefix"));
        write_text(&mut packed, signing_name.unwrap_or(name));
        write_number(&mut packed, section.len());
        sections.push(section);
    }
    packed.extend(sections.concat());
    packed
}

#[derive(Default)]
struct Section<'a> {
    places: HashMap<&'a str, usize>,
    texts: Vec<&'a str>,
}

impl<'a> Section<'a> {
    fn pack(mut self, records: &'a [Record]) -> Vec<u8> {
        let mut body = Vec::new();
        self.write_list(&mut body, records);
        let mut section = Vec::new();
        write_number(&mut section, self.texts.len());
        for text in self.texts {
            write_text(&mut section, text);
        }
        section.extend(body);
        section
    }

    fn write_list(&mut self, body: &mut Vec<u8>, records: &'a [Record]) {
        write_number(body, records.len());
        for record in records {
            write_number(body, record.words.len());
            for word in &record.words {
                let place = self.place(word);
                write_number(body, place);
            }
            write_number(body, record.attributes.len());
            for (name, value) in &record.attributes {
                let name = self.place(name);
                let value = value.as_ref().map_or(0, |value| self.place(value) + 1);
                write_number(body, name);
                write_number(body, value);
            }
            self.write_list(body, &record.lines);
        }
    }

    fn place(&mut self, text: &'a str) -> usize {
        let next = self.texts.len();
        let place = *self.places.entry(text).or_insert(next);
        if place == next {
            self.texts.push(text);
        }
        place
    }
}

fn write_number(bytes: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn write_text(bytes: &mut Vec<u8>, text: &str) {
    write_number(bytes, text.len());
    bytes.extend_from_slice(text.as_bytes());
}
