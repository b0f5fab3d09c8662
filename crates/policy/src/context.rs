use std::borrow::Cow;
use std::fmt;

use crate::{PrincipalKind, PrincipalView};

/// The condition keys of one request with their values. Names are compared without regard to case;
/// values are text in the forms of the IAM User Guide (times in ISO 8601, addresses without a port).
///
/// A key without values counts as absent.
#[derive(Clone, Default)]
pub struct Context {
    entries: Vec<(Cow<'static, str>, Values)>,
}

#[derive(Clone)]
enum Values {
    One(String),
    Many(Vec<String>),
}

impl Values {
    fn as_slice(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

impl Context {
    /// No keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// The keys that follow from who asks: `aws:PrincipalArn`, `aws:PrincipalAccount`,
    /// `aws:PrincipalType`, `aws:userid`, and `aws:username` for users; and `aws:PrincipalIsAWSService`
    /// and `aws:ViaAWSService`, which is always false: no service passes a caller's request on.
    pub fn of(principal: &PrincipalView<'_>) -> Self {
        let mut context = Self { entries: Vec::with_capacity(24) };
        context.set("aws:PrincipalType", principal.kind.type_name());
        // Both are there in every request on AWS, and denies lean on their being `false`.
        let is_service = principal.kind == PrincipalKind::Service;
        context.set("aws:PrincipalIsAWSService", if is_service { "true" } else { "false" });
        context.set("aws:ViaAWSService", "false");
        if !principal.account.is_empty() {
            context.set("aws:PrincipalAccount", principal.account);
        }
        if !principal.user_id.is_empty() {
            context.set("aws:userid", principal.user_id);
        }
        match principal.kind {
            PrincipalKind::AssumedRole { role_arn } => context.set("aws:PrincipalArn", role_arn),
            PrincipalKind::User => {
                context.set("aws:PrincipalArn", principal.arn);
                if let Some(name) = principal.arn.rsplit('/').next() {
                    context.set("aws:username", name);
                }
            }
            PrincipalKind::Root | PrincipalKind::FederatedUser => {
                context.set("aws:PrincipalArn", principal.arn)
            }
            PrincipalKind::Service => context.set("aws:PrincipalServiceName", principal.arn),
            PrincipalKind::WebIdentity { .. } | PrincipalKind::Anonymous => {}
        }
        context
    }

    /// Sets a key with one value, in place of what it had.
    pub fn set(&mut self, key: impl Into<Cow<'static, str>>, value: impl Into<String>) {
        self.put(key.into(), Values::One(value.into()));
    }

    /// Sets a key with any number of values, in place of what it had.
    pub fn set_many(&mut self, key: impl Into<Cow<'static, str>>, values: Vec<String>) {
        self.put(key.into(), Values::Many(values));
    }

    fn put(&mut self, key: Cow<'static, str>, values: Values) {
        match self.entries.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case(&key)) {
            Some(entry) => entry.1 = values,
            None => self.entries.push((key, values)),
        }
    }

    /// The values of a key; none where it is absent.
    pub fn values(&self, key: &str) -> &[String] {
        let found = self.entries.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
        found.map_or(&[], |(_, values)| values.as_slice())
    }

    /// The value of a key that has exactly one, as policy variables ask.
    pub fn single(&self, key: &str) -> Option<&str> {
        match self.values(key) {
            [value] => Some(value),
            _ => None,
        }
    }
}

/// Names the keys only: values may be confidential (`sts:ExternalId`).
impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.entries.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_in_any_case_and_holds_what_was_set_last() {
        let mut context = Context::new();
        context.set("aws:SourceIp", "10.0.0.1");
        context.set("AWS:sourceip", "10.0.0.2");
        assert_eq!(context.single("aws:sourceIP"), Some("10.0.0.2"));
        assert_eq!(context.values("aws:SourceIp2"), <&[String]>::default());
    }

    #[test]
    fn a_key_of_many_values_has_no_single_one() {
        let mut context = Context::new();
        context.set_many("aws:TagKeys", vec!["a".into(), "b".into()]);
        assert_eq!(context.single("aws:TagKeys"), None);
    }

    #[test]
    fn a_session_is_known_by_its_roles_arn() {
        let principal = PrincipalView {
            arn: "arn:aws:sts::123456789012:assumed-role/App/alice",
            account: "123456789012",
            user_id: "AROAAPP:alice",
            kind: PrincipalKind::AssumedRole { role_arn: "arn:aws:iam::123456789012:role/App" },
        };
        let context = Context::of(&principal);
        assert_eq!(context.single("aws:PrincipalArn"), Some("arn:aws:iam::123456789012:role/App"));
        assert_eq!(context.single("aws:userid"), Some("AROAAPP:alice"));
        assert_eq!(context.single("aws:username"), None);
    }

    #[test]
    fn whether_a_service_asks_is_always_said() {
        let nobody = PrincipalView { arn: "", account: "", user_id: "", kind: PrincipalKind::Anonymous };
        let service = PrincipalView { arn: "s3.amazonaws.com", kind: PrincipalKind::Service, ..nobody };
        for (principal, is_service) in [(nobody, "false"), (service, "true")] {
            let context = Context::of(&principal);
            assert_eq!(context.single("aws:PrincipalIsAWSService"), Some(is_service));
            assert_eq!(context.single("aws:ViaAWSService"), Some("false"));
        }
    }

    #[test]
    fn debug_shows_no_values() {
        let mut context = Context::new();
        context.set("sts:ExternalId", "hunter2");
        assert_eq!(format!("{context:?}"), r#"["sts:ExternalId"]"#);
    }
}
