use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::PolicyFault;

/// How deep a document may nest.
const DEPTH_MAX: usize = 64;

/// JSON as policies need it: members in order, duplicates refused (of two `Condition` members the
/// last would silently win), numbers and booleans as the text that conditions compare.
#[derive(Debug)]
pub(crate) enum Node {
    Null,
    Scalar(String),
    Text(String),
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Node {
    pub(crate) fn parse(json: &str) -> Result<Self, PolicyFault> {
        let mut reader = serde_json::Deserializer::from_str(json);
        let node = Depth(0).deserialize(&mut reader).map_err(|_| PolicyFault::Syntax)?;
        reader.end().map_err(|_| PolicyFault::Syntax)?;
        Ok(node)
    }

    pub(crate) fn into_object(self) -> Result<Vec<(String, Self)>, PolicyFault> {
        match self {
            Self::Object(members) => Ok(members),
            _ => Err(PolicyFault::Syntax),
        }
    }

    pub(crate) fn into_text(self) -> Result<String, PolicyFault> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(PolicyFault::Syntax),
        }
    }

    /// One or many: everywhere in a policy a list of one may be written without its brackets.
    pub(crate) fn into_list(self) -> Vec<Self> {
        match self {
            Self::Array(nodes) => nodes,
            one => vec![one],
        }
    }

    pub(crate) fn into_texts(self) -> Result<Vec<String>, PolicyFault> {
        self.into_list().into_iter().map(Self::into_text).collect()
    }

    /// Values of a condition, where numbers and booleans may stand without quotes.
    pub(crate) fn into_values(self) -> Result<Vec<String>, PolicyFault> {
        let value = |node| match node {
            Self::Text(text) | Self::Scalar(text) => Ok(text),
            _ => Err(PolicyFault::Syntax),
        };
        self.into_list().into_iter().map(value).collect()
    }
}

struct Depth(usize);

impl Depth {
    fn deeper<E: Error>(&self) -> Result<Self, E> {
        if self.0 >= DEPTH_MAX { Err(E::custom("too deep")) } else { Ok(Self(self.0 + 1)) }
    }
}

impl<'de> DeserializeSeed<'de> for Depth {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Depth {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Node, E> {
        Ok(Node::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = seq.next_element_seed(self.deeper()?)? {
            nodes.push(node);
        }
        Ok(Node::Array(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members: Vec<(String, Node)> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if !seen.insert(name.clone()) {
                return Err(A::Error::custom("duplicate member"));
            }
            members.push((name, map.next_value_seed(self.deeper()?)?));
        }
        Ok(Node::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_ends_at_its_bound() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Node::parse(&nested(DEPTH_MAX)).is_ok());
        assert_eq!(Node::parse(&nested(DEPTH_MAX + 2)).err(), Some(PolicyFault::Syntax));
        assert!(Node::parse(&"[".repeat(1_000_000)).is_err());
    }

    #[test]
    fn a_duplicate_member_is_refused() {
        assert!(Node::parse(r#"{"a": 1, "b": {"a": 2}}"#).is_ok());
        assert!(Node::parse(r#"{"a": 1, "a": 2}"#).is_err());
    }

    #[test]
    fn what_follows_the_document_is_refused() {
        assert!(Node::parse("{} ").is_ok());
        assert!(Node::parse("{} {}").is_err());
    }
}
