use std::collections::BTreeSet;

use crate::model::{Kind, Service, ShapeId};

/// A member of an operation's input that looks as if it holds the ARN of a role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoleArnMember {
    /// The operation's name.
    pub operation: &'static str,
    /// Where it stands, such as `LogPublishingOptions[].RoleArn`; `[]` for items, `{}` for values of a map.
    pub path: String,
}

/// Members whose model says nothing of a role, though AWS documents one there: (service, member).
const UNMARKED: [(&str, &str); 5] = [
    ("apigateway", "credentials"),
    ("apigateway", "authorizerCredentials"),
    // What a patch puts in the place of these.
    ("apigateway", "value"),
    ("cognito-identity", "Roles"),
    ("cognito-idp", "SnsCallerArn"),
];

/// All members of a service's inputs that look like role ARNs. Security decision 2: each one is marked with the service
/// that will use the role, or named with a reason why it is none.
pub fn role_arn_members(service: &Service) -> Vec<RoleArnMember> {
    let mut found = BTreeSet::new();
    for operation in &service.operations {
        if let Some(input) = operation.input {
            let mut walk = Walk { service, operation: operation.name, within: Vec::new(), found: &mut found };
            walk.shape(input, "", "");
        }
    }
    found.into_iter().collect()
}

struct Walk<'a> {
    service: &'a Service,
    operation: &'static str,
    within: Vec<ShapeId>,
    found: &'a mut BTreeSet<RoleArnMember>,
}

impl Walk<'_> {
    fn shape(&mut self, id: ShapeId, member: &str, path: &str) {
        if self.within.contains(&id) {
            return;
        }
        let shape = self.service.shape(id);
        self.within.push(id);
        match &shape.kind {
            Kind::Structure(structure) => {
                for member in &structure.members {
                    let dot = if path.is_empty() { "" } else { "." };
                    self.shape(member.shape, member.name, &format!("{path}{dot}{}", member.name));
                }
            }
            Kind::List(list) => self.shape(list.item, member, &format!("{path}[]")),
            Kind::Map(map) => self.shape(map.value, member, &format!("{path}{{}}")),
            Kind::String if self.looks_like_one(member, shape.name) => {
                self.found.insert(RoleArnMember { operation: self.operation, path: path.to_owned() });
            }
            _ => {}
        }
        self.within.pop();
    }

    fn looks_like_one(&self, member: &str, shape: &str) -> bool {
        let named = |name: &str| {
            let name = name.to_ascii_lowercase().replace('_', "");
            name.contains("rolearn") || name == "role"
        };
        named(member) || named(shape) || UNMARKED.contains(&(self.service.name, member))
    }
}
