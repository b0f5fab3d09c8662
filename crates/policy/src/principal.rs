use crate::PolicyFault;
use crate::node::Node;

/// Who asks, as policies see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrincipalView<'a> {
    /// The ARN of the user, the root or the session; a service's name, such as `lambda.amazonaws.com`;
    /// `anonymous` where nobody signed.
    pub arn: &'a str,
    /// The principal's account; empty for services and anonymous callers.
    pub account: &'a str,
    /// The unique id: `AIDA…` of a user, `AROA…:SESSION` of a role's session; empty where there is none.
    pub user_id: &'a str,
    /// What it is.
    pub kind: PrincipalKind<'a>,
}

/// What a principal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrincipalKind<'a> {
    /// The account's own root.
    Root,
    /// An IAM user, by long-term keys or by a session token of its own.
    User,
    /// A session of a role.
    AssumedRole {
        /// The role's ARN with its path.
        role_arn: &'a str,
    },
    /// A federated user (`arn:aws:sts::ACCOUNT:federated-user/NAME`).
    FederatedUser,
    /// The bearer of a web identity's token, who asks for a role.
    WebIdentity {
        /// `cognito-identity.amazonaws.com`, or the ARN of an OIDC provider.
        provider: &'a str,
    },
    /// A service that acts on its own.
    Service,
    /// Nobody signed the call.
    Anonymous,
}

impl PrincipalKind<'_> {
    /// The value of `aws:PrincipalType`.
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Self::Root => "Account",
            Self::User => "User",
            Self::AssumedRole { .. } => "AssumedRole",
            Self::FederatedUser => "FederatedUser",
            Self::WebIdentity { .. } => "WebIdentityUser",
            Self::Service => "AWSService",
            Self::Anonymous => "Anonymous",
        }
    }
}

/// How closely a resource policy named the principal, from the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Named {
    /// By its account, which may hand the permission on by identity policies.
    Account,
    /// By the role's ARN: the session's boundary and session policies still limit it.
    Role,
    /// By itself (user, session, service) or by `*`: nothing but a deny limits it.
    Directly,
}

/// One entry of a `Principal` element.
#[derive(Debug, PartialEq, Eq)]
enum Entry {
    Anyone,
    Account(Box<str>),
    Arn(Box<str>),
    UniqueId(Box<str>),
    Service(Box<str>),
    Federated(Box<str>),
    /// Understood by S3 alone; nobody here has one.
    CanonicalUser,
}

/// A `Principal` or `NotPrincipal` element.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Principals(Vec<Entry>);

impl Principals {
    pub(crate) fn parse(node: Node) -> Result<Self, PolicyFault> {
        match node {
            Node::Text(text) if text == "*" => Ok(Self(vec![Entry::Anyone])),
            Node::Text(text) => Err(PolicyFault::Principal(text)),
            Node::Object(members) if members.is_empty() => Err(PolicyFault::MissingField("Principal")),
            Node::Object(members) => {
                let mut entries = Vec::new();
                for (kind, names) in members {
                    for name in names.into_texts()? {
                        entries.push(Entry::parse(&kind, name)?);
                    }
                }
                Ok(Self(entries))
            }
            _ => Err(PolicyFault::Syntax),
        }
    }

    /// How closely the element names the principal, if it does.
    pub(crate) fn names(&self, principal: &PrincipalView<'_>) -> Option<Named> {
        self.0.iter().filter_map(|entry| entry.names(principal)).max()
    }

    /// Whether a `NotPrincipal` of a deny lets the principal off. As AWS states, its account has to
    /// be listed beside it, and a session's role beside the session.
    pub(crate) fn exempts(&self, principal: &PrincipalView<'_>) -> bool {
        let listed =
            |wanted: &str| self.0.iter().any(|entry| matches!(entry, Entry::Arn(arn) if &**arn == wanted));
        let account =
            || self.0.iter().any(|entry| matches!(entry, Entry::Account(a) if **a == *principal.account));
        match principal.kind {
            _ if self.0.contains(&Entry::Anyone) => true,
            PrincipalKind::Root => account(),
            PrincipalKind::User | PrincipalKind::FederatedUser => account() && listed(principal.arn),
            PrincipalKind::AssumedRole { role_arn } => account() && listed(role_arn) && listed(principal.arn),
            PrincipalKind::WebIdentity { .. } | PrincipalKind::Service => self.names(principal).is_some(),
            PrincipalKind::Anonymous => false,
        }
    }

    /// The ARNs and unique ids of users and roles, for whoever checks that they exist.
    pub(crate) fn identities(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|entry| match entry {
            Entry::Arn(name) | Entry::UniqueId(name) => Some(&**name),
            _ => None,
        })
    }
}

impl Entry {
    fn parse(kind: &str, name: String) -> Result<Self, PolicyFault> {
        let invalid = |name: &str| PolicyFault::Principal(format!("\"{kind}\":\"{name}\""));
        match kind {
            "AWS" => Self::parse_aws(&name).ok_or_else(|| invalid(&name)),
            "Service" if name.contains('.') && !name.contains('*') => Ok(Self::Service(name.into())),
            "Federated" if !name.is_empty() && !name.contains('*') => Ok(Self::Federated(name.into())),
            "CanonicalUser" if name.len() == 64 => Ok(Self::CanonicalUser),
            _ => Err(invalid(&name)),
        }
    }

    fn parse_aws(name: &str) -> Option<Self> {
        let is_account = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
        if name == "*" {
            return Some(Self::Anyone);
        }
        if is_account(name) {
            return Some(Self::Account(name.into()));
        }
        let unique = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
        if name.starts_with('A') && (16..=128).contains(&name.len()) && name.bytes().all(unique) {
            return Some(Self::UniqueId(name.into()));
        }
        let arn = homeport_core::Arn::parse(name).ok()?;
        let of_identities = matches!(arn.service(), "iam" | "sts") && arn.region().is_empty();
        if !of_identities || !is_account(arn.account()) || name.contains(['*', '?']) {
            return None;
        }
        match arn.resource() {
            "root" => Some(Self::Account(arn.account().into())),
            _ => Some(Self::Arn(name.into())),
        }
    }

    fn names(&self, principal: &PrincipalView<'_>) -> Option<Named> {
        let kind = principal.kind;
        let directly = |named: bool| named.then_some(Named::Directly);
        match self {
            Self::Anyone => directly(!matches!(kind, PrincipalKind::WebIdentity { .. })),
            Self::Account(account) if **account == *principal.account && !account.is_empty() => match kind {
                PrincipalKind::Root => Some(Named::Directly),
                PrincipalKind::User | PrincipalKind::AssumedRole { .. } | PrincipalKind::FederatedUser => {
                    Some(Named::Account)
                }
                PrincipalKind::WebIdentity { .. } | PrincipalKind::Service | PrincipalKind::Anonymous => None,
            },
            Self::Account(_) | Self::CanonicalUser => None,
            Self::Arn(arn) => match kind {
                PrincipalKind::AssumedRole { role_arn } if **arn == *role_arn => Some(Named::Role),
                PrincipalKind::User | PrincipalKind::AssumedRole { .. } | PrincipalKind::FederatedUser => {
                    directly(**arn == *principal.arn)
                }
                _ => None,
            },
            Self::UniqueId(id) => match kind {
                PrincipalKind::User => directly(**id == *principal.user_id),
                PrincipalKind::AssumedRole { .. } => {
                    let role = principal.user_id.split(':').next().unwrap_or("");
                    (**id == *role).then_some(Named::Role)
                }
                _ => None,
            },
            Self::Service(name) => directly(kind == PrincipalKind::Service && **name == *principal.arn),
            Self::Federated(name) => {
                directly(matches!(kind, PrincipalKind::WebIdentity { provider } if **name == *provider))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: PrincipalView<'static> = PrincipalView {
        arn: "arn:aws:iam::123456789012:user/alice",
        account: "123456789012",
        user_id: "AIDAALICEALICEALICE11",
        kind: PrincipalKind::User,
    };
    const SESSION: PrincipalView<'static> = PrincipalView {
        arn: "arn:aws:sts::123456789012:assumed-role/App/one",
        account: "123456789012",
        user_id: "AROAAPPAPPAPPAPPAPP11:one",
        kind: PrincipalKind::AssumedRole { role_arn: "arn:aws:iam::123456789012:role/team/App" },
    };
    const LAMBDA: PrincipalView<'static> =
        PrincipalView { arn: "lambda.amazonaws.com", account: "", user_id: "", kind: PrincipalKind::Service };
    const NOBODY: PrincipalView<'static> =
        PrincipalView { arn: "anonymous", account: "", user_id: "", kind: PrincipalKind::Anonymous };
    const GUEST: PrincipalView<'static> = PrincipalView {
        arn: "cognito-identity.amazonaws.com",
        account: "",
        user_id: "",
        kind: PrincipalKind::WebIdentity { provider: "cognito-identity.amazonaws.com" },
    };

    fn principals(json: &str) -> Principals {
        Principals::parse(Node::parse(json).unwrap()).unwrap()
    }

    fn named(json: &str) -> [Option<Named>; 5] {
        let element = principals(json);
        [ALICE, SESSION, LAMBDA, NOBODY, GUEST].map(|principal| element.names(&principal))
    }

    #[test]
    fn each_form_names_whom_it_should_and_no_one_else() {
        use Named::{Account, Directly, Role};
        let all = [Some(Directly), Some(Directly), Some(Directly), Some(Directly), None];
        assert_eq!(named(r#""*""#), all);
        assert_eq!(named(r#"{"AWS": "*"}"#), all);
        assert_eq!(named(r#"{"AWS": "123456789012"}"#), [Some(Account), Some(Account), None, None, None]);
        assert_eq!(
            named(r#"{"AWS": ["arn:aws:iam::123456789012:root"]}"#),
            [Some(Account), Some(Account), None, None, None]
        );
        assert_eq!(named(r#"{"AWS": "210987654321"}"#), [None; 5]);
        assert_eq!(
            named(&format!(r#"{{"AWS": "{}"}}"#, ALICE.arn)),
            [Some(Directly), None, None, None, None]
        );
        assert_eq!(
            named(r#"{"AWS": "arn:aws:iam::123456789012:role/team/App"}"#),
            [None, Some(Role), None, None, None]
        );
        assert_eq!(
            named(&format!(r#"{{"AWS": "{}"}}"#, SESSION.arn)),
            [None, Some(Directly), None, None, None]
        );
        assert_eq!(named(r#"{"AWS": "AROAAPPAPPAPPAPPAPP11"}"#), [None, Some(Role), None, None, None]);
        assert_eq!(named(r#"{"AWS": "AIDAALICEALICEALICE11"}"#), [Some(Directly), None, None, None, None]);
        assert_eq!(named(r#"{"Service": "lambda.amazonaws.com"}"#), [None, None, Some(Directly), None, None]);
        assert_eq!(named(r#"{"Service": "s3.amazonaws.com"}"#), [None; 5]);
        assert_eq!(
            named(r#"{"Federated": "cognito-identity.amazonaws.com"}"#),
            [None, None, None, None, Some(Directly)]
        );
    }

    #[test]
    fn what_nothing_could_be_is_refused() {
        for json in [
            r#""alice""#,
            r#"{"AWS": "alice"}"#,
            r#"{"AWS": "arn:aws:iam::123456789012:user/*"}"#,
            r#"{"AWS": "arn:aws:s3:::bucket"}"#,
            r#"{"Service": "*"}"#,
            r#"{"Group": "admins"}"#,
        ] {
            let refused = Principals::parse(Node::parse(json).unwrap());
            assert!(matches!(refused, Err(PolicyFault::Principal(_))), "{json}");
        }
    }

    #[test]
    fn a_deny_of_all_others_needs_the_whole_chain_to_exempt() {
        let alone = principals(&format!(r#"{{"AWS": "{}"}}"#, ALICE.arn));
        assert!(!alone.exempts(&ALICE));
        let whole = principals(&format!(r#"{{"AWS": ["{}", "123456789012"]}}"#, ALICE.arn));
        assert!(whole.exempts(&ALICE));
        assert!(!whole.exempts(&SESSION));
        let session = principals(&format!(
            r#"{{"AWS": ["{}", "arn:aws:iam::123456789012:role/team/App", "123456789012"]}}"#,
            SESSION.arn
        ));
        assert!(session.exempts(&SESSION));
        assert!(!session.exempts(&NOBODY));
    }
}
