/// One thing of a model: a head line (words, then attributes) and the indented lines below it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// The words that stand first; what they mean depends on the first one.
    pub words: Vec<String>,
    /// `name` or `name=value`, in a fixed order.
    pub attributes: Vec<(String, Option<String>)>,
    /// The lines below: an operation's shapes, a structure's members, the values of an enumeration.
    pub lines: Vec<Record>,
}

impl Record {
    /// A record of these words, with neither attributes nor lines.
    pub fn new<const N: usize>(words: [&str; N]) -> Self {
        Self { words: words.map(str::to_owned).to_vec(), ..Self::default() }
    }

    /// Adds the attribute `name` if `is` holds.
    pub fn flag(&mut self, name: &str, is: bool) {
        if is {
            self.attributes.push((name.to_owned(), None));
        }
    }

    /// Adds the attribute `name=value` if there is a value.
    pub fn value(&mut self, name: &str, value: Option<String>) {
        if let Some(value) = value {
            self.attributes.push((name.to_owned(), Some(value)));
        }
    }

    /// The word at this place; empty if there is none.
    pub fn word(&self, index: usize) -> &str {
        self.words.get(index).map_or("", String::as_str)
    }

    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).and_then(|(_, value)| value.as_deref())
    }
}
