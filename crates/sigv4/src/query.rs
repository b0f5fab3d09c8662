use crate::encode::{MalformedTarget, decode, encode_into};

/// A query string, decoded: the pairs in the order they came. `+` is a space, a name alone has an empty value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads the part of a target behind its first `?`; empty parts between `&` are skipped.
    pub fn parse(raw: &str) -> Result<Self, MalformedTarget> {
        let mut pairs = Vec::new();
        for part in raw.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            pairs.push((text(name)?, text(value)?));
        }
        Ok(Self { pairs })
    }

    /// The first value of this name; names are told apart by case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// Every pair, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// True when there is no pair.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Appends the canonical form: both sides encoded, sorted by name and then by value, `without` left out.
    pub(crate) fn write_canonical(&self, out: &mut Vec<u8>, without: Option<&str>) {
        let encode = |text: &str| {
            let mut encoded = Vec::with_capacity(text.len());
            encode_into(&mut encoded, text.as_bytes(), false);
            encoded
        };
        let kept = self.iter().filter(|(name, _)| Some(*name) != without);
        let mut pairs: Vec<_> = kept.map(|(name, value)| (encode(name), encode(value))).collect();
        pairs.sort();
        for (index, (name, value)) in pairs.iter().enumerate() {
            if index > 0 {
                out.push(b'&');
            }
            out.extend_from_slice(name);
            out.push(b'=');
            out.extend_from_slice(value);
        }
    }
}

fn text(raw: &str) -> Result<String, MalformedTarget> {
    String::from_utf8(decode(raw.as_bytes(), true)?.into_owned()).map_err(|_| MalformedTarget)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_form_is_encoded_and_sorted() {
        let query = Query::parse("b=2&a=%7e*&&a=+x&acl&b=1&X=9").unwrap();
        let mut out = Vec::new();
        query.write_canonical(&mut out, Some("X"));
        assert_eq!(String::from_utf8(out).unwrap(), "a=%20x&a=~%2A&acl=&b=1&b=2");
        assert_eq!(query.get("a"), Some("~*"));
        assert_eq!(query.get("acl"), Some(""));
    }
}
