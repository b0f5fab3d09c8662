//! The packed form of the models, as `homeport-models pack` writes it. Numbers are LEB128; a text is its length and
//! its bytes.
//!
//! ```text
//! file     "HPM1"  count  (name  target-prefix  signing-name  length)*   section*
//! section  count text*    count record*
//! record   count word*    count (name  value + 1, or 0)*    count record*      (words, names, values: places of texts)
//! ```

/// One thing of a model: words, attributes, and the things within it.
#[derive(Debug)]
pub(crate) struct Record {
    words: Vec<&'static str>,
    attributes: Vec<(&'static str, Option<&'static str>)>,
    pub(crate) lines: Vec<Record>,
}

impl Record {
    /// The word at this place; empty if there is none.
    pub(crate) fn word(&self, at: usize) -> &'static str {
        self.words.get(at).copied().unwrap_or("")
    }

    /// Whether it has the attribute.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.attributes.iter().any(|(n, _)| *n == name)
    }

    /// The attribute's value.
    pub(crate) fn value(&self, name: &str) -> Option<&'static str> {
        self.attributes.iter().find(|(n, _)| *n == name).and_then(|(_, value)| *value)
    }
}

/// Records lie in records one level deep.
const MAX_DEPTH: usize = 2;

/// Reads packed bytes.
pub(crate) struct Reader {
    rest: &'static [u8],
    texts: Vec<&'static str>,
}

impl Reader {
    pub(crate) fn new(bytes: &'static [u8]) -> Self {
        Self { rest: bytes, texts: Vec::new() }
    }

    pub(crate) fn number(&mut self) -> Option<usize> {
        let mut number = 0_usize;
        for shift in [0, 7, 14, 21] {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            number |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Option<&'static [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(bytes)
    }

    pub(crate) fn text(&mut self) -> Option<&'static str> {
        let length = self.number()?;
        std::str::from_utf8(self.bytes(length)?).ok()
    }

    /// Reads a whole section.
    pub(crate) fn records(mut self) -> Option<Vec<Record>> {
        let count = self.number()?;
        self.texts = (0..count).map(|_| self.text()).collect::<Option<_>>()?;
        self.list(MAX_DEPTH)
    }

    fn list(&mut self, depth: usize) -> Option<Vec<Record>> {
        let count = self.number()?;
        if count > 0 && depth == 0 {
            return None;
        }
        (0..count).map(|_| self.record(depth)).collect()
    }

    fn record(&mut self, depth: usize) -> Option<Record> {
        let count = self.number()?;
        let words = (0..count).map(|_| self.interned()).collect::<Option<_>>()?;
        let count = self.number()?;
        let attributes = (0..count).map(|_| self.attribute()).collect::<Option<_>>()?;
        Some(Record { words, attributes, lines: self.list(depth - 1)? })
    }

    fn interned(&mut self) -> Option<&'static str> {
        let at = self.number()?;
        self.texts.get(at).copied()
    }

    fn attribute(&mut self) -> Option<(&'static str, Option<&'static str>)> {
        let name = self.interned()?;
        let value = match self.number()? {
            0 => None,
            at => Some(*self.texts.get(at - 1)?),
        };
        Some((name, value))
    }
}
