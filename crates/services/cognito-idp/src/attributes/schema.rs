use serde::{Deserialize, Serialize};

use super::standard::standard_attributes;

/// Custom attributes a pool may have.
const MAX_CUSTOM: usize = 50;

/// `AttributeDataType`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum DataType {
    String,
    Number,
    DateTime,
    Boolean,
}

/// `NumberAttributeConstraintsType`; both ends are included.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ValueBounds {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) min_value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_value: Option<String>,
}

/// `StringAttributeConstraintsType`; both ends are included.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct LengthBounds {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) min_length: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_length: Option<String>,
}

/// `SchemaAttributeType`, its name with prefix as users carry it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SchemaAttribute {
    pub(crate) name: String,
    pub(crate) attribute_data_type: DataType,
    pub(crate) developer_only_attribute: bool,
    pub(crate) mutable: bool,
    pub(crate) required: bool,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) number_attribute_constraints: Option<ValueBounds>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) string_attribute_constraints: Option<LengthBounds>,
}

/// An attribute as a request asks for it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AskedAttribute {
    name: Option<String>,
    attribute_data_type: Option<DataType>,
    developer_only_attribute: Option<bool>,
    mutable: Option<bool>,
    required: Option<bool>,
    number_attribute_constraints: Option<ValueBounds>,
    string_attribute_constraints: Option<LengthBounds>,
}

/// Why a schema can't be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SchemaFault {
    #[error("Invalid AttributeName: an attribute needs a name")]
    Unnamed,
    #[error("Required custom attributes are not supported currently.")]
    RequiredCustom,
    #[error(
        "You can not change AttributeDataType or set developerOnlyAttribute for standard schema attribute {0}"
    )]
    StandardChanged(String),
    #[error("custom attribute {0} is already in use: Existing attribute already has name {0}.")]
    Taken(String),
    #[error("Invalid constraints for attribute {0}")]
    Bounds(String),
    #[error("A user pool can have at most {MAX_CUSTOM} custom attributes.")]
    TooMany,
}

/// The attributes that a pool knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Schema(Vec<SchemaAttribute>);

impl Schema {
    /// The standard attributes, changed and extended as a new pool asks.
    pub(crate) fn new(asked: Vec<AskedAttribute>) -> Result<Self, SchemaFault> {
        let mut schema = Self(standard_attributes());
        for attribute in asked {
            let name = attribute.name.clone().ok_or(SchemaFault::Unnamed)?;
            match schema.0.iter_mut().find(|known| known.name == name) {
                Some(standard) => attribute.change(standard)?,
                None => schema.add(attribute)?,
            }
        }
        Ok(schema)
    }

    /// Adds a custom attribute, which can never be taken away again.
    pub(crate) fn add(&mut self, asked: AskedAttribute) -> Result<(), SchemaFault> {
        let attribute = asked.custom()?;
        if self.find(&attribute.name).is_some() {
            return Err(SchemaFault::Taken(attribute.name));
        }
        if self.0.iter().filter(|known| known.is_custom()).count() >= MAX_CUSTOM {
            return Err(SchemaFault::TooMany);
        }
        self.0.push(attribute);
        Ok(())
    }

    /// The attribute of this name.
    pub(crate) fn find(&self, name: &str) -> Option<&SchemaAttribute> {
        self.0.iter().find(|attribute| attribute.name == name)
    }

    /// All attributes, standard ones first.
    pub(crate) fn attributes(&self) -> &[SchemaAttribute] {
        &self.0
    }
}

impl SchemaAttribute {
    /// Whether a pool's owner added it.
    pub(crate) fn is_custom(&self) -> bool {
        self.name.starts_with("custom:") || self.name.starts_with("dev:")
    }
}

impl AskedAttribute {
    fn change(self, standard: &mut SchemaAttribute) -> Result<(), SchemaFault> {
        let other_type = self.attribute_data_type.is_some_and(|asked| asked != standard.attribute_data_type);
        if other_type || self.developer_only_attribute == Some(true) {
            return Err(SchemaFault::StandardChanged(standard.name.clone()));
        }
        standard.mutable = self.mutable.unwrap_or(standard.mutable);
        standard.required = self.required.unwrap_or(standard.required);
        if standard.attribute_data_type == DataType::String && self.string_attribute_constraints.is_some() {
            standard.string_attribute_constraints = self.string_attribute_constraints;
        }
        if standard.attribute_data_type == DataType::Number && self.number_attribute_constraints.is_some() {
            standard.number_attribute_constraints = self.number_attribute_constraints;
        }
        standard.check_bounds()
    }

    fn custom(self) -> Result<SchemaAttribute, SchemaFault> {
        let bare = self.name.ok_or(SchemaFault::Unnamed)?;
        if self.required == Some(true) {
            return Err(SchemaFault::RequiredCustom);
        }
        let developer_only = self.developer_only_attribute.unwrap_or(false);
        let prefix = if developer_only { "dev:custom:" } else { "custom:" };
        let data_type = self.attribute_data_type.unwrap_or(DataType::String);
        let attribute = SchemaAttribute {
            name: format!("{prefix}{bare}"),
            attribute_data_type: data_type,
            developer_only_attribute: developer_only,
            mutable: self.mutable.unwrap_or(true),
            required: false,
            number_attribute_constraints: (data_type == DataType::Number)
                .then(|| self.number_attribute_constraints.unwrap_or_default()),
            string_attribute_constraints: (data_type == DataType::String)
                .then(|| self.string_attribute_constraints.unwrap_or_default()),
        };
        attribute.check_bounds()?;
        Ok(attribute)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn asked(attribute: Value) -> AskedAttribute {
        serde_json::from_value(attribute).expect("of the model's shape")
    }

    #[test]
    fn a_new_pool_knows_the_standard_attributes() {
        let schema = Schema::new(Vec::new()).expect("nothing asked");
        assert_eq!(schema.attributes().len(), 21);
        let sub = schema.find("sub").expect("standard");
        assert!(sub.required && !sub.mutable);
        assert_eq!(
            serde_json::to_value(schema.find("birthdate")).expect("plain data"),
            json!({"Name": "birthdate", "AttributeDataType": "String", "DeveloperOnlyAttribute": false,
                "Mutable": true, "Required": false,
                "StringAttributeConstraints": {"MinLength": "10", "MaxLength": "10"}})
        );
    }

    #[test]
    fn custom_attributes_get_their_prefix() {
        let schema = Schema::new(vec![
            asked(json!({"Name": "plan", "AttributeDataType": "String", "Mutable": false})),
            asked(json!({"Name": "rank", "AttributeDataType": "Number", "DeveloperOnlyAttribute": true})),
        ])
        .expect("both fine");
        assert!(!schema.find("custom:plan").expect("added").mutable);
        assert!(schema.find("dev:custom:rank").expect("added").mutable);
    }

    #[test]
    fn standard_attributes_keep_their_type() {
        let required = Schema::new(vec![asked(json!({"Name": "email", "Required": true}))]).expect("fine");
        assert!(required.find("email").expect("standard").required);
        let retyped = Schema::new(vec![asked(json!({"Name": "email", "AttributeDataType": "Number"}))]);
        assert_eq!(retyped, Err(SchemaFault::StandardChanged("email".into())));
    }

    #[test]
    fn what_a_schema_cannot_have_is_refused() {
        let refused = |attribute: Value| Schema::new(vec![asked(attribute)]).expect_err("refused");
        assert_eq!(refused(json!({"Name": "a", "Required": true})), SchemaFault::RequiredCustom);
        assert_eq!(refused(json!({"AttributeDataType": "String"})), SchemaFault::Unnamed);
        let backwards = json!({"Name": "a", "AttributeDataType": "Number",
            "NumberAttributeConstraints": {"MinValue": "2", "MaxValue": "1"}});
        assert_eq!(refused(backwards), SchemaFault::Bounds("custom:a".into()));
        let wordy = json!({"Name": "a", "StringAttributeConstraints": {"MinLength": "none"}});
        assert_eq!(refused(wordy), SchemaFault::Bounds("custom:a".into()));
    }

    #[test]
    fn a_name_is_taken_once_and_fifty_are_enough() {
        let mut schema = Schema::new(Vec::new()).expect("nothing asked");
        for n in 0..50 {
            schema.add(asked(json!({"Name": format!("a{n}")}))).expect("within fifty");
        }
        assert_eq!(schema.add(asked(json!({"Name": "a0"}))), Err(SchemaFault::Taken("custom:a0".into())));
        assert_eq!(schema.add(asked(json!({"Name": "b"}))), Err(SchemaFault::TooMany));
    }
}
