use super::schema::{DataType, LengthBounds, SchemaAttribute, ValueBounds};

/// The standard attributes (OpenID Connect Core section 5.1) as every new pool has them, in AWS's order.
pub(super) fn standard_attributes() -> Vec<SchemaAttribute> {
    const TEXTS: [&str; 11] = [
        "name",
        "given_name",
        "family_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "email",
        "gender",
    ];
    let mut all = vec![SchemaAttribute { mutable: false, required: true, ..text("sub", 1, 2_048) }];
    for name in TEXTS {
        all.push(text(name, 0, 2_048));
        if name == "email" {
            all.push(plain("email_verified", DataType::Boolean));
        }
    }
    all.push(text("birthdate", 10, 10));
    all.extend(["zoneinfo", "locale", "phone_number"].map(|name| text(name, 0, 2_048)));
    all.push(plain("phone_number_verified", DataType::Boolean));
    all.push(text("address", 0, 2_048));
    all.push(SchemaAttribute {
        number_attribute_constraints: Some(ValueBounds { min_value: Some("0".into()), max_value: None }),
        ..plain("updated_at", DataType::Number)
    });
    all.push(SchemaAttribute {
        string_attribute_constraints: Some(LengthBounds::default()),
        ..plain("identities", DataType::String)
    });
    all
}

fn plain(name: &str, data_type: DataType) -> SchemaAttribute {
    SchemaAttribute {
        name: name.into(),
        attribute_data_type: data_type,
        developer_only_attribute: false,
        mutable: true,
        required: false,
        number_attribute_constraints: None,
        string_attribute_constraints: None,
    }
}

fn text(name: &str, shortest: usize, longest: usize) -> SchemaAttribute {
    let bounds =
        LengthBounds { min_length: Some(shortest.to_string()), max_length: Some(longest.to_string()) };
    SchemaAttribute { string_attribute_constraints: Some(bounds), ..plain(name, DataType::String) }
}
