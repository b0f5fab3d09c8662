use super::Schema;

/// What a client may read unless it says otherwise: everything but developers' own attributes.
pub(crate) fn default_readable(schema: &Schema) -> Vec<String> {
    schema
        .attributes()
        .iter()
        .filter(|attribute| !attribute.developer_only_attribute)
        .map(|attribute| attribute.name.clone())
        .collect()
}

/// What a client may write unless it says otherwise: what it may read, but for what the pool itself answers for.
pub(crate) fn default_writable(schema: &Schema) -> Vec<String> {
    const OURS: [&str; 4] = ["sub", "email_verified", "phone_number_verified", "identities"];
    let mut names = default_readable(schema);
    names.retain(|name| !OURS.contains(&name.as_str()));
    names
}

/// Whether a client that may read `readable` (all, if it says nothing) may read this attribute.
pub(crate) fn is_readable(readable: Option<&[String]>, name: &str) -> bool {
    match readable {
        Some(names) => name == "sub" || names.iter().any(|readable| readable == name),
        None => !name.starts_with("dev:"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn developers_attributes_and_verdicts_are_not_for_clients() {
        let asked = json!([{"Name": "rank", "DeveloperOnlyAttribute": true}, {"Name": "plan"}]);
        let schema = Schema::new(serde_json::from_value(asked).expect("of the model's shape")).expect("fine");
        let (readable, writable) = (default_readable(&schema), default_writable(&schema));
        let has = |names: &[String], name: &str| names.iter().any(|n| n == name);
        assert!(has(&readable, "email_verified") && !has(&writable, "email_verified"));
        assert!(has(&readable, "custom:plan") && has(&writable, "custom:plan"));
        assert!(!has(&readable, "dev:custom:rank") && !has(&writable, "dev:custom:rank"));
        assert!(!is_readable(None, "dev:custom:rank"));
        assert!(!is_readable(Some(&["email".to_owned()]), "name"));
        assert!(is_readable(Some(&[]), "sub"));
    }
}
