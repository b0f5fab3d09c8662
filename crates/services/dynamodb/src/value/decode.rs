use std::collections::BTreeSet;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use super::{AttributeValue, Item, MAX_DEPTH, MAX_NAME_LENGTH, Repeated, ValueError};
use crate::number::Number;

/// Elements of a collection that messages show.
const SHOWN: usize = 100;

/// What was decoded, or what AWS finds wrong with it. JSON of the wrong shape fails the decoding itself (what
/// AWS says of it, the model tells); a value that breaks a rule of DynamoDB's is a finding that is reported when its turn comes.
#[derive(Debug)]
pub struct Checked<T>(pub Result<T, ValueError>);

impl<'de> Deserialize<'de> for Checked<AttributeValue> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value { depth: 1 }.deserialize(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for Checked<Item> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Map { depth: 1 }.deserialize(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for Checked<Vec<AttributeValue>> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Values { depth: 1 }).map(Self)
    }
}

type Found = Result<AttributeValue, ValueError>;

#[derive(Clone, Copy)]
struct Value {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Value {
    type Value = Found;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Found, D::Error> {
        if self.depth > MAX_DEPTH {
            // Skipped without recursion, however deep it goes.
            IgnoredAny::deserialize(deserializer)?;
            return Ok(Err(ValueError::TooDeep));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an attribute value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Found, A::Error> {
        let mut found: Option<Found> = None;
        while let Some(kind) = map.next_key::<Kind>()? {
            let Some(value) = self.typed(kind, &mut map)? else {
                continue;
            };
            found = Some(match found {
                None => value,
                Some(Err(first)) => Err(first),
                Some(Ok(_)) => value.and(Err(ValueError::ManyTypes)),
            });
        }
        Ok(found.unwrap_or(Err(ValueError::Empty)))
    }

    fn visit_unit<E: Error>(self) -> Result<Found, E> {
        Ok(Err(ValueError::Empty))
    }
}

impl Value {
    /// The value behind one of the type names; none for null and for names that are no type's.
    fn typed<'de, A: MapAccess<'de>>(self, kind: Kind, map: &mut A) -> Result<Option<Found>, A::Error> {
        let deeper = self.depth + 1;
        Ok(match kind {
            Kind::S => map.next_value_seed(Scalar::text())?.map(|text| Ok(AttributeValue::S(text))),
            Kind::N => map.next_value_seed(Scalar::number())?.map(|n| Ok(AttributeValue::N(n?))),
            Kind::B => map.next_value_seed(Scalar::blob())?.map(|bytes| Ok(AttributeValue::B(bytes))),
            Kind::Ss => map.next_value_seed(List(Scalar::text()))?.map(string_set),
            Kind::Ns => map.next_value_seed(List(Scalar::number()))?.map(number_set),
            Kind::Bs => map.next_value_seed(List(Scalar::blob()))?.map(binary_set),
            Kind::L => {
                map.next_value_seed(Nullable(Values { depth: deeper }))?.map(|l| l.map(AttributeValue::L))
            }
            Kind::M => {
                map.next_value_seed(Nullable(Map { depth: deeper }))?.map(|m| m.map(AttributeValue::M))
            }
            Kind::Bool => map.next_value::<Option<bool>>()?.map(|truth| Ok(AttributeValue::Bool(truth))),
            Kind::Null => map
                .next_value::<Option<bool>>()?
                .map(|truth| if truth { Ok(AttributeValue::Null) } else { Err(ValueError::NullFalse) }),
            Kind::Unknown => {
                map.next_value::<IgnoredAny>()?;
                None
            }
        })
    }
}

fn string_set(values: Vec<Option<String>>) -> Found {
    let values: Vec<String> = values.into_iter().flatten().collect();
    if values.is_empty() {
        return Err(ValueError::EmptyStringSet);
    }
    let set: BTreeSet<String> = values.iter().cloned().collect();
    if set.len() < values.len() {
        let ordered = format!("[{}]", quoted(half_ordered(values.clone())).join(", "));
        return Err(ValueError::DuplicateStrings(Repeated { given: shown(values), ordered }));
    }
    Ok(AttributeValue::Ss(set))
}

fn number_set(values: Vec<Option<Result<Number, ValueError>>>) -> Found {
    let values = values.into_iter().flatten().collect::<Result<Vec<Number>, _>>()?;
    if values.is_empty() {
        return Err(ValueError::EmptyNumberSet);
    }
    let set: BTreeSet<Number> = values.iter().copied().collect();
    if set.len() < values.len() {
        return Err(ValueError::DuplicateNumbers);
    }
    Ok(AttributeValue::Ns(set))
}

fn binary_set(values: Vec<Option<Vec<u8>>>) -> Found {
    let values: Vec<Vec<u8>> = values.into_iter().flatten().collect();
    if values.is_empty() {
        return Err(ValueError::EmptyBinarySet);
    }
    let set: BTreeSet<Vec<u8>> = values.iter().cloned().collect();
    if set.len() < values.len() {
        let in_text = |values: Vec<Vec<u8>>| values.into_iter().map(|value| STANDARD.encode(value));
        let ordered = format!("[{}]", quoted(in_text(half_ordered(values.clone())).collect()).join(","));
        return Err(ValueError::DuplicateBinaries(Repeated { given: shown(in_text(values)), ordered }));
    }
    Ok(AttributeValue::Bs(set))
}

/// Values as AWS has them in order when it comes upon the first duplicate: those before it sorted, the rest as given.
fn half_ordered<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    let mut seen = BTreeSet::new();
    let first = values.iter().position(|value| !seen.insert(value)).unwrap_or(values.len());
    values[..first].sort_unstable();
    values
}

fn quoted(values: Vec<String>) -> Vec<String> {
    values.into_iter().take(SHOWN).map(|value| format!("\"{value}\"")).collect()
}

/// A collection as messages show it; at most its first hundred elements.
fn shown(values: impl IntoIterator<Item = String>) -> String {
    let values: Vec<String> = values.into_iter().take(SHOWN).collect();
    format!("[{}]", values.join(", "))
}

/// The name of a type, or any other name.
#[derive(Clone, Copy)]
enum Kind {
    S,
    N,
    B,
    Ss,
    Ns,
    Bs,
    M,
    L,
    Bool,
    Null,
    Unknown,
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Kind;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a type's name")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Kind, E> {
                Ok(match name {
                    "S" => Kind::S,
                    "N" => Kind::N,
                    "B" => Kind::B,
                    "SS" => Kind::Ss,
                    "NS" => Kind::Ns,
                    "BS" => Kind::Bs,
                    "M" => Kind::M,
                    "L" => Kind::L,
                    "BOOL" => Kind::Bool,
                    "NULL" => Kind::Null,
                    _ => Kind::Unknown,
                })
            }
        }
        deserializer.deserialize_identifier(Name)
    }
}

/// A map of attribute values.
#[derive(Clone, Copy)]
struct Map {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Map {
    type Value = Result<Item, ValueError>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Map {
    type Value = Result<Item, ValueError>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of attribute values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = Ok(Item::new());
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(Value { depth: self.depth })?;
            let Ok(item) = &mut found else { continue };
            match value {
                _ if name.is_empty() && self.depth == 1 => found = Err(ValueError::NoName),
                Ok(_) if name.len() > MAX_NAME_LENGTH => found = Err(ValueError::NameTooLong),
                Ok(value) => {
                    item.insert(name, value);
                }
                Err(problem) => found = Err(problem),
            }
        }
        Ok(found)
    }
}

/// A list of attribute values. Behind one that is none, the others are read and dropped: it takes more memory to say what
/// is wrong with a value than most values take.
#[derive(Clone, Copy)]
struct Values {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Values {
    type Value = Result<Vec<AttributeValue>, ValueError>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Values {
    type Value = Result<Vec<AttributeValue>, ValueError>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of attribute values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut found = Ok(Vec::new());
        while let Some(value) = seq.next_element_seed(Value { depth: self.depth })? {
            let Ok(values) = &mut found else { continue };
            match value {
                Ok(value) => values.push(value),
                Err(problem) => found = Err(problem),
            }
        }
        Ok(found)
    }
}

/// A seed's value, or null.
struct Nullable<S>(S);

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Nullable<S> {
    type Value = Option<S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for Nullable<S> {
    type Value = Option<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or null")
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        self.0.deserialize(deserializer).map(Some)
    }
}

/// A list of what the seed reads, or null.
struct List<S>(S);

impl<'de, S: DeserializeSeed<'de> + Copy> DeserializeSeed<'de> for List<S> {
    type Value = Option<Vec<S::Value>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: DeserializeSeed<'de> + Copy> Visitor<'de> for List<S> {
    type Value = Option<Vec<S::Value>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(self.0)? {
            values.push(value);
        }
        Ok(Some(values))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// A JSON string that is read as something, or null.
struct Scalar<T> {
    read: fn(&str) -> Option<T>,
}

impl<T> Clone for Scalar<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Scalar<T> {}

impl Scalar<String> {
    fn text() -> Self {
        Self { read: |text| Some(text.to_owned()) }
    }
}

impl Scalar<Result<Number, ValueError>> {
    fn number() -> Self {
        Self { read: |text| Some(Number::parse(text).map_err(ValueError::from)) }
    }
}

impl Scalar<Vec<u8>> {
    fn blob() -> Self {
        Self { read: |text| STANDARD.decode(text).ok() }
    }
}

impl<'de, T> DeserializeSeed<'de> for Scalar<T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T> Visitor<'de> for Scalar<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<T>, E> {
        (self.read)(text).map(Some).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_unit<E: Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(json: &str) -> Found {
        serde_json::from_str::<Checked<AttributeValue>>(json).unwrap().0
    }

    fn refused(json: &str) -> String {
        decoded(json).unwrap_err().to_string()
    }

    #[test]
    fn each_type_is_read() {
        assert_eq!(decoded(r#"{"S":"a\u00e9"}"#), Ok(AttributeValue::S("aé".into())));
        assert_eq!(decoded(r#"{"N":"1.50"}"#), Ok(AttributeValue::N(Number::parse("1.5").unwrap())));
        assert_eq!(decoded(r#"{"B":"AAE="}"#), Ok(AttributeValue::B(vec![0, 1])));
        assert_eq!(decoded(r#"{"BOOL":false}"#), Ok(AttributeValue::Bool(false)));
        assert_eq!(decoded(r#"{"NULL":true}"#), Ok(AttributeValue::Null));
        assert_eq!(decoded(r#"{"NULL":false}"#), Err(ValueError::NullFalse));
        assert_eq!(decoded(r#"{"S":"a","N":null}"#), Ok(AttributeValue::S("a".into())));
        let AttributeValue::M(map) =
            decoded(r#"{"M":{"l":{"L":[{"SS":["b","a"]},{"NS":["1"]},{"BS":["AA=="]}]}}}"#).unwrap()
        else {
            panic!("not a map")
        };
        assert_eq!(map["l"].depth(), 2);
    }

    #[test]
    fn what_breaks_a_rule_is_told_in_awss_words() {
        assert!(refused("{}").starts_with("Supplied AttributeValue is empty"));
        assert!(refused(r#"{"X":"a"}"#).starts_with("Supplied AttributeValue is empty"));
        assert!(refused(r#"{"S":"a","N":"1"}"#).starts_with("Supplied AttributeValue has more than one"));
        assert!(refused(r#"{"SS":[]}"#).ends_with("An string set  may not be empty"));
        assert!(refused(r#"{"NS":[]}"#).ends_with("An number set  may not be empty"));
        assert!(refused(r#"{"BS":[]}"#).ends_with("Binary sets should not be empty"));
        assert!(refused(r#"{"SS":["a","a"]}"#).ends_with("Input collection [a, a] contains duplicates."));
        assert_eq!(refused(r#"{"NS":["1","1.0"]}"#), "Input collection contains duplicates");
        assert!(
            refused(r#"{"BS":["AA==","AA=="]}"#)
                .ends_with("Input collection [AA==, AA==]of type BS contains duplicates.")
        );
        assert_eq!(refused(r#"{"N":""}"#), "The parameter cannot be converted to a numeric value");
        assert!(refused(r#"{"L":[{"N":"x"}]}"#).ends_with("numeric value: x"));
    }

    #[test]
    fn some_operations_tell_it_in_newer_words() {
        let newer = |json: &str| decoded(json).unwrap_err().in_newer_words();
        assert!(
            newer(r#"{"SS":["b","a","b"]}"#)
                .ends_with(r#"Input collection ["a", "b", "b"] contains duplicates."#)
        );
        let binary = newer(r#"{"BS":["/w==","AA==","AA=="]}"#);
        assert!(
            binary.ends_with(r#"Input collection ["AA==","/w==","AA=="]of type BS contains duplicates."#)
        );
        assert!(newer(r#"{"NS":["1","1"]}"#).ends_with("invalid: Input collection contains duplicates."));
        assert!(newer(r#"{"N":""}"#).ends_with("to a numeric value: "));
        assert_eq!(newer("{}"), refused("{}"));
    }

    #[test]
    fn of_a_list_the_first_fault_is_told_and_every_wrong_shape() {
        assert_eq!(decoded(r#"{"L":[{"NULL":true},{},{"NULL":false},null]}"#), Err(ValueError::Empty));
        assert_eq!(decoded(r#"{"L":[{"NULL":false},{}]}"#), Err(ValueError::NullFalse));
        assert_eq!(decoded(r#"{"L":null,"S":"a"}"#), Ok(AttributeValue::S("a".into())));
        let parameters = |json: &str| serde_json::from_str::<Checked<Vec<AttributeValue>>>(json);
        assert_eq!(parameters(r#"[{"S":"a"},{"NULL":true}]"#).unwrap().0.map(|values| values.len()), Ok(2));
        assert_eq!(parameters(r#"[{},{"NULL":false}]"#).unwrap().0, Err(ValueError::Empty));
        assert!(parameters(r#"[{},{"S":1}]"#).is_err() && parameters("null").is_err());
    }

    #[test]
    fn json_of_the_wrong_shape_is_no_value_at_all() {
        for json in [
            r#"{"S":1}"#,
            r#"{"S":[]}"#,
            r#"{"S":{}}"#,
            r#"{"B":"abc"}"#,
            r#"{"B":"+/+="}"#,
            r#"{"SS":"a"}"#,
            r#"{"L":{}}"#,
            r#"{"M":[]}"#,
            r#"{"BOOL":1}"#,
            r#""a""#,
            "[]",
        ] {
            assert!(serde_json::from_str::<Checked<AttributeValue>>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn values_nest_thirty_two_levels_and_no_deeper() {
        let nested = |wraps: usize| {
            format!("{}{}{}", r#"{"M":{"n":"#.repeat(wraps), r#"{"S":"leaf"}"#, "}}".repeat(wraps))
        };
        assert_eq!(decoded(&nested(31)).map(|value| value.depth()), Ok(32));
        assert_eq!(decoded(&nested(32)), Err(ValueError::TooDeep));
        assert_eq!(decoded(&nested(40_000)), Err(ValueError::TooDeep));
    }
}
