use homeport_core::Timestamp;

use super::schema::{DataType, LengthBounds, Schema, SchemaAttribute, SchemaFault, ValueBounds};
use super::{Attribute, Attributes};

/// The longest value without a bound of its own.
const LONGEST: usize = 2_048;

/// Why attribute values are not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AttributeFault {
    #[error("Attributes did not conform to the schema: {0}: Attribute does not exist in the schema.\n")]
    Unknown(String),
    #[error("Attributes did not conform to the schema: {0}: The attribute is required\n")]
    Required(String),
    #[error("Attributes did not conform to the schema: {name}: {why}\n")]
    Value { name: String, why: String },
    #[error("user.{0}: Attribute cannot be updated.\n")]
    Immutable(String),
    #[error("Duplicate attribute {0}.")]
    Duplicate(String),
    #[error("Invalid email address format.")]
    Email,
    #[error("Invalid phone number format.")]
    PhoneNumber,
    #[error("A client attempted to write unauthorized attribute")]
    Unwritable,
}

/// Who changes attributes, and when: it decides which may be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change<'a> {
    /// The pool's schema.
    pub(crate) schema: &'a Schema,
    /// The names that the app client may write; none for an administrator, who may write all.
    pub(crate) writable: Option<&'a [String]>,
    /// Whether the user exists already, so that immutable attributes stand.
    pub(crate) exists: bool,
}

impl Change<'_> {
    /// Checks what is asked: every name known and writable, every value within its bounds. Required attributes
    /// are a matter of the whole ([`Schema::check_required`]).
    pub(crate) fn check(&self, asked: &[Attribute]) -> Result<Attributes, AttributeFault> {
        let mut taken = Attributes::new();
        for Attribute { name, value } in asked {
            let attribute = self.schema.find(name).ok_or_else(|| AttributeFault::Unknown(name.clone()))?;
            self.check_writable(attribute)?;
            if !value.is_empty() {
                attribute.check_value(value)?;
            }
            if taken.insert(name.clone(), value.clone()).is_some() {
                return Err(AttributeFault::Duplicate(name.clone()));
            }
        }
        Ok(taken)
    }

    /// Checks that attributes may be taken away.
    pub(crate) fn check_removal(&self, names: &[String]) -> Result<(), AttributeFault> {
        for name in names {
            let attribute = self.schema.find(name).ok_or_else(|| AttributeFault::Unknown(name.clone()))?;
            self.check_writable(attribute)?;
            if attribute.required {
                return Err(AttributeFault::Required(name.clone()));
            }
        }
        Ok(())
    }

    fn check_writable(&self, attribute: &SchemaAttribute) -> Result<(), AttributeFault> {
        let name = &attribute.name;
        if name == "sub" || name == "identities" || (self.exists && !attribute.mutable) {
            return Err(AttributeFault::Immutable(name.clone()));
        }
        let forbidden = self.writable.is_some_and(|writable| !writable.contains(name));
        if forbidden { Err(AttributeFault::Unwritable) } else { Ok(()) }
    }
}

impl Schema {
    /// Checks that a user has all that the pool requires.
    pub(crate) fn check_required(&self, attributes: &Attributes) -> Result<(), AttributeFault> {
        let present = |name: &str| attributes.get(name).is_some_and(|value| !value.is_empty());
        let mut required = self.attributes().iter().filter(|known| known.required && known.name != "sub");
        match required.find(|known| !present(&known.name)) {
            Some(missing) => Err(AttributeFault::Required(missing.name.clone())),
            None => Ok(()),
        }
    }
}

impl SchemaAttribute {
    /// Whether the bounds are numbers, and in order.
    pub(super) fn check_bounds(&self) -> Result<(), SchemaFault> {
        let pairs = [
            self.number_attribute_constraints.as_ref().map(|bounds| (&bounds.min_value, &bounds.max_value)),
            self.string_attribute_constraints.as_ref().map(|bounds| (&bounds.min_length, &bounds.max_length)),
        ];
        for (least, most) in pairs.into_iter().flatten() {
            let number = |text: &Option<String>, default: i64| match text {
                Some(text) => text.parse::<i64>().map_err(|_| SchemaFault::Bounds(self.name.clone())),
                None => Ok(default),
            };
            if number(least, i64::MIN)? > number(most, i64::MAX)? {
                return Err(SchemaFault::Bounds(self.name.clone()));
            }
        }
        Ok(())
    }

    fn check_value(&self, value: &str) -> Result<(), AttributeFault> {
        let wrong = |why: &str| AttributeFault::Value { name: self.name.clone(), why: why.to_owned() };
        match self.name.as_str() {
            "email" => check_email(value)?,
            "phone_number" => check_phone_number(value)?,
            _ => {}
        }
        match self.attribute_data_type {
            DataType::String => {
                let bounds = self.string_attribute_constraints.clone().unwrap_or_default();
                bounds.check(value).map_err(|why| wrong(&why))
            }
            DataType::Number => {
                let bounds = self.number_attribute_constraints.clone().unwrap_or_default();
                bounds.check(value).map_err(|why| wrong(&why))
            }
            DataType::Boolean if matches!(value, "true" | "false") => Ok(()),
            DataType::Boolean => Err(wrong("Value must be true or false.")),
            DataType::DateTime if Timestamp::parse_rfc3339(value).is_some() => Ok(()),
            DataType::DateTime => Err(wrong("Value must be a date and time in ISO 8601.")),
        }
    }
}

impl LengthBounds {
    fn check(&self, value: &str) -> Result<(), String> {
        let bound = |text: &Option<String>, default: usize| {
            text.as_deref().and_then(|text| text.parse().ok()).unwrap_or(default).min(LONGEST)
        };
        let (least, most) = (bound(&self.min_length, 0), bound(&self.max_length, LONGEST));
        let length = value.chars().count();
        if length < least {
            return Err(format!("String must be longer than {least} characters"));
        }
        if length > most {
            return Err(format!("String must be shorter than {most} characters"));
        }
        Ok(())
    }
}

impl ValueBounds {
    fn check(&self, value: &str) -> Result<(), String> {
        let bound = |text: &Option<String>, default: i64| {
            text.as_deref().and_then(|text| text.parse().ok()).unwrap_or(default)
        };
        let number: i64 = value.parse().map_err(|_| "Value must be an integer.".to_owned())?;
        let (least, most) = (bound(&self.min_value, i64::MIN), bound(&self.max_value, i64::MAX));
        if number < least || number > most {
            return Err(format!("Value must be between {least} and {most}"));
        }
        Ok(())
    }
}

/// Whether a text is one e-mail address: printable ASCII, one `@`, a domain with a dot (security decision 28).
pub(crate) fn check_email(text: &str) -> Result<(), AttributeFault> {
    let local_ok = |local: &str| {
        let plain = |b: u8| b.is_ascii_graphic() && !b"\"(),:;<>[\\]".contains(&b);
        !local.is_empty()
            && local.len() <= 64
            && local.bytes().all(plain)
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..")
    };
    let label_ok = |label: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let formed = text.rsplit_once('@').is_some_and(|(local, domain)| {
        !local.contains('@') && local_ok(local) && domain.contains('.') && domain.split('.').all(label_ok)
    });
    if formed && text.len() <= 254 { Ok(()) } else { Err(AttributeFault::Email) }
}

/// Whether a text is a phone number in E.164: a plus and at most 15 digits.
pub(crate) fn check_phone_number(text: &str) -> Result<(), AttributeFault> {
    let formed = text
        .strip_prefix('+')
        .is_some_and(|digits| (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()));
    if formed { Ok(()) } else { Err(AttributeFault::PhoneNumber) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Schema {
        let asked = json!([
            {"Name": "email", "Required": true},
            {"Name": "plan", "Mutable": false, "StringAttributeConstraints": {"MinLength": "2", "MaxLength": "4"}},
            {"Name": "rank", "AttributeDataType": "Number", "NumberAttributeConstraints": {"MaxValue": "9"}},
            {"Name": "paid", "AttributeDataType": "Boolean"},
            {"Name": "since", "AttributeDataType": "DateTime"},
        ]);
        Schema::new(serde_json::from_value(asked).expect("of the model's shape")).expect("fine")
    }

    fn judged(name: &str, value: &str) -> Result<Attributes, AttributeFault> {
        let schema = schema();
        let change = Change { schema: &schema, writable: None, exists: false };
        change.check(&[Attribute { name: name.into(), value: value.into() }])
    }

    #[test]
    fn values_are_held_to_their_type_and_bounds() {
        for (name, good) in [
            ("custom:plan", "abcd"),
            ("custom:rank", "-7"),
            ("custom:paid", "true"),
            ("custom:since", "2026-11-21T01:02:03Z"),
            ("birthdate", "2000-01-31"),
            ("phone_number", "+14155550100"),
            ("email", "ann.o'neil+notes@mail.example.com"),
            ("name", "Änne"),
        ] {
            assert!(judged(name, good).is_ok(), "{name} = {good}");
        }
        for (name, bad) in [
            ("custom:plan", "a"),
            ("custom:plan", "abcde"),
            ("custom:rank", "10"),
            ("custom:rank", "ten"),
            ("custom:paid", "yes"),
            ("custom:since", "yesterday"),
            ("birthdate", "2000-1-31"),
            ("custom:unheard", "of"),
        ] {
            assert!(judged(name, bad).is_err(), "{name} = {bad}");
        }
        assert!(judged("name", &"x".repeat(2_049)).is_err());
    }

    #[test]
    fn only_one_plain_address_is_an_address() {
        for bad in [
            "ann",
            "ann@",
            "@example.com",
            "ann@host",
            "a b@example.com",
            "ann@exa mple.com",
            "ann@@example.com",
            "ann@example.com\r\nBcc: x@example.com",
            "ann@example.com,bob@example.com",
            "<ann@example.com>",
            "ann@-a.com",
            "ann@a..com",
            ".a@example.com",
            "a..b@example.com",
            "änn@example.com",
        ] {
            assert_eq!(check_email(bad), Err(AttributeFault::Email), "{bad}");
        }
        for bad in ["14155550100", "+", "+1415555010012345", "+1 415", "+1415555010x"] {
            assert_eq!(check_phone_number(bad), Err(AttributeFault::PhoneNumber), "{bad}");
        }
    }

    #[test]
    fn an_app_client_writes_only_what_it_may() {
        let schema = schema();
        let writable = ["email".to_owned()];
        let change = Change { schema: &schema, writable: Some(&writable), exists: false };
        let ask =
            |name: &str| change.check(&[Attribute { name: name.into(), value: "a@example.com".into() }]);
        assert!(ask("email").is_ok());
        assert_eq!(ask("name"), Err(AttributeFault::Unwritable));
        assert_eq!(change.check_removal(&["name".into()]), Err(AttributeFault::Unwritable));
    }

    #[test]
    fn immutable_attributes_are_written_once() {
        let schema = schema();
        let asked = [Attribute { name: "custom:plan".into(), value: "free".into() }];
        let change = |exists| Change { schema: &schema, writable: None, exists };
        assert!(change(false).check(&asked).is_ok());
        assert_eq!(change(true).check(&asked), Err(AttributeFault::Immutable("custom:plan".into())));
        assert_eq!(judged("sub", "mine"), Err(AttributeFault::Immutable("sub".into())));
    }

    #[test]
    fn required_attributes_must_be_there_and_stay() {
        let schema = schema();
        let missing = Err(AttributeFault::Required("email".into()));
        assert_eq!(schema.check_required(&Attributes::new()), missing);
        assert_eq!(schema.check_required(&[("email".to_owned(), String::new())].into()), missing);
        assert_eq!(schema.check_required(&[("email".to_owned(), "a@example.com".to_owned())].into()), Ok(()));
        let change = Change { schema: &schema, writable: None, exists: true };
        assert_eq!(change.check_removal(&["email".into()]), missing);
        assert_eq!(change.check_removal(&["name".into()]), Ok(()));
    }

    #[test]
    fn a_name_is_given_once() {
        let schema = schema();
        let change = Change { schema: &schema, writable: None, exists: false };
        let name = Attribute { name: "name".into(), value: "Ann".into() };
        assert_eq!(change.check(&[name.clone(), name]), Err(AttributeFault::Duplicate("name".into())));
    }
}
