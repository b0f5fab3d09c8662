//! `ListUsers`' filter: `name = "value"` or `name ^= "value"` (Cognito API reference, ListUsers).

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equals,
    StartsWith,
}

/// A parsed filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    field: Field,
    comparison: Comparison,
    value: String,
}

/// What a filter may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Field {
    Username,
    Sub,
    /// `status`: whether the user is enabled.
    Enabled,
    /// `cognito:user_status`
    UserStatus,
    Attribute(String),
}

/// Why a filter is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FilterFault {
    #[error("Error while parsing filter: the form is NAME = \"VALUE\" or NAME ^= \"VALUE\".")]
    Form,
    #[error("One or more requested attributes do not exist or are not searchable.")]
    Name,
}

/// What a filter looks at in a user.
pub(crate) struct Candidate<'a> {
    pub(crate) username: &'a str,
    pub(crate) sub: &'a str,
    pub(crate) enabled: bool,
    pub(crate) status: &'a str,
    pub(crate) attribute: &'a dyn Fn(&str) -> Option<&'a str>,
}

impl Filter {
    /// Parses a filter of at most 256 characters.
    pub(crate) fn parse(text: &str) -> Result<Self, FilterFault> {
        let text = text.trim();
        let at = text.find(['=', '^']).ok_or(FilterFault::Form)?;
        let (name, rest) = text.split_at(at);
        let (comparison, rest) = match rest.strip_prefix("^=") {
            Some(rest) => (Comparison::StartsWith, rest),
            None => (Comparison::Equals, rest.strip_prefix('=').ok_or(FilterFault::Form)?),
        };
        let name = name.trim().trim_matches('"');
        Ok(Self { field: Field::named(name)?, comparison, value: unquoted(rest.trim())? })
    }

    /// Whether the user is one that was asked for.
    pub(crate) fn matches(&self, user: &Candidate<'_>) -> bool {
        match &self.field {
            Field::Username => self.compare(user.username),
            Field::Sub => self.compare(user.sub),
            Field::Enabled => self.compare(if user.enabled { "Enabled" } else { "Disabled" }),
            Field::UserStatus => {
                let folded = Self { value: self.value.to_uppercase(), ..self.clone() };
                folded.compare(user.status)
            }
            Field::Attribute(name) => (user.attribute)(name).is_some_and(|value| self.compare(value)),
        }
    }

    /// By which name and for which value it asks, where that one value alone will do.
    pub(crate) fn exact(&self) -> Option<(&str, &str)> {
        let name = match &self.field {
            Field::Username => "username",
            Field::Sub => "sub",
            Field::Attribute(name) => name,
            Field::Enabled | Field::UserStatus => return None,
        };
        (self.comparison == Comparison::Equals).then_some((name, &self.value))
    }

    fn compare(&self, actual: &str) -> bool {
        match self.comparison {
            Comparison::Equals => actual == self.value,
            Comparison::StartsWith => actual.starts_with(&self.value),
        }
    }
}

impl Field {
    fn named(name: &str) -> Result<Self, FilterFault> {
        const ATTRIBUTES: [&str; 6] =
            ["email", "phone_number", "name", "given_name", "family_name", "preferred_username"];
        match name {
            "username" => Ok(Self::Username),
            "sub" => Ok(Self::Sub),
            "status" => Ok(Self::Enabled),
            "cognito:user_status" => Ok(Self::UserStatus),
            _ if ATTRIBUTES.contains(&name) => Ok(Self::Attribute(name.to_owned())),
            _ => Err(FilterFault::Name),
        }
    }
}

/// A quoted value, its quotation marks and backslashes escaped by backslashes.
fn unquoted(text: &str) -> Result<String, FilterFault> {
    let inner = text.strip_prefix('"').ok_or(FilterFault::Form)?;
    let mut value = String::new();
    let mut characters = inner.chars();
    loop {
        match characters.next() {
            Some('"') if characters.as_str().is_empty() => return Ok(value),
            Some('\\') => value.push(characters.next().ok_or(FilterFault::Form)?),
            Some('"') | None => return Err(FilterFault::Form),
            Some(character) => value.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ann<'a>(attribute: &'a dyn Fn(&str) -> Option<&'a str>) -> Candidate<'a> {
        Candidate { username: "ann", sub: "s-1", enabled: true, status: "CONFIRMED", attribute }
    }

    fn finds_ann(filter: &str) -> bool {
        let attribute = |name: &str| (name == "email").then_some("ann@example.com");
        Filter::parse(filter).expect(filter).matches(&ann(&attribute))
    }

    #[test]
    fn users_are_found_by_what_is_searchable() {
        for filter in [
            r#"username = "ann""#,
            r#"username ^= "a""#,
            r#"username^="""#,
            r#"sub = "s-1""#,
            r#"status = "Enabled""#,
            r#"cognito:user_status = "confirmed""#,
            r#""email" = "ann@example.com""#,
            r#"email ^= "ann@""#,
        ] {
            assert!(finds_ann(filter), "{filter}");
        }
        for filter in [
            r#"username = "an""#,
            r#"username = "Ann""#,
            r#"status = "enabled""#,
            r#"cognito:user_status = "UNCONFIRMED""#,
            r#"email = "bob@example.com""#,
            r#"name = "Ann""#,
        ] {
            assert!(!finds_ann(filter), "{filter}");
        }
    }

    #[test]
    fn values_may_hold_escaped_quotation_marks() {
        let filter = Filter::parse(r#"name = "\"Ann\" \\ Lee""#).expect("well formed");
        assert_eq!(filter.value, r#""Ann" \ Lee"#);
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for text in [
            "",
            "username",
            "username =",
            "username = ann",
            r#"username = "ann"#,
            r#"username ^ "a""#,
            r#"username = "a" or 1"#,
            r#"username = "a\"#,
            r#"= "a""#,
        ] {
            assert!(Filter::parse(text).is_err(), "{text}");
        }
        assert_eq!(Filter::parse(r#"custom:plan = "free""#), Err(FilterFault::Name));
    }

    #[test]
    fn a_search_for_one_value_is_known_as_such() {
        let exact = |text: &str| {
            let filter = Filter::parse(text).expect(text);
            filter.exact().map(|(name, value)| format!("{name} {value}"))
        };
        assert_eq!(exact(r#"username = "ann""#).as_deref(), Some("username ann"));
        assert_eq!(exact(r#"sub = "s-1""#).as_deref(), Some("sub s-1"));
        assert_eq!(exact(r#"email = "ann@example.com""#).as_deref(), Some("email ann@example.com"));
        for many in [r#"username ^= "ann""#, r#"status = "Enabled""#, r#"cognito:user_status = "CONFIRMED""#]
        {
            assert_eq!(exact(many), None);
        }
    }
}
