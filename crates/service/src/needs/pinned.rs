use std::collections::BTreeMap;

use homeport_policy::{Policy, PolicyKind};
use homeport_store::{StoreError, Tx};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::PoliciesOf;

/// Whom a resource's policy names: the ARNs of this account's users and roles, each with the unique id that it had
/// when the policy was saved. One that is deleted and made again is another, and isn't meant by the policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pinned(BTreeMap<String, String>);

/// Why a policy's principals can't be pinned.
#[derive(Debug, thiserror::Error)]
pub enum Unpinned {
    /// Nobody in this account has this ARN or unique id.
    #[error("no such principal: {0}")]
    UnknownPrincipal(String),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Pinned {
    /// Finds everybody whom the policy names; belongs into the transaction that saves it.
    pub async fn of(policies_of: &dyn PoliciesOf, tx: &Tx, policy: &Policy) -> Result<Self, Unpinned> {
        let mut ids = BTreeMap::new();
        for name in policy.named_identities() {
            if let Some(id) = policies_of.unique_id(tx, name).await? {
                ids.insert(name.to_owned(), id);
            }
        }
        Ok(Self(ids))
    }

    /// Those whose ARN means nobody any more, or somebody else.
    pub async fn gone(&self, policies_of: &dyn PoliciesOf, tx: &Tx) -> Result<Self, StoreError> {
        let mut gone = BTreeMap::new();
        for (name, id) in &self.0 {
            match policies_of.unique_id(tx, name).await {
                Ok(Some(now)) if now == *id => {}
                Ok(_) | Err(Unpinned::UnknownPrincipal(_)) => {
                    gone.insert(name.clone(), id.clone());
                }
                Err(Unpinned::Store(error)) => return Err(error),
            }
        }
        Ok(Self(gone))
    }

    /// The unique id that this principal of the policy had.
    pub fn id_of(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The document with unique ids in place of the ARNs; as it is where there are none. Fails on what isn't JSON.
    pub fn apply(&self, document: &str, kind: PolicyKind) -> Result<String, serde_json::Error> {
        if self.0.is_empty() {
            return Ok(document.to_owned());
        }
        let mut json: Value = serde_json::from_str(document)?;
        for statement in members(&mut json, "Statement") {
            for element in pinned_elements(kind) {
                let principals = members(statement, element).into_iter();
                for name in principals.flat_map(|principal| members(principal, "AWS")) {
                    if let Some(id) = name.as_str().and_then(|name| self.id_of(name)) {
                        *name = Value::from(id);
                    }
                }
            }
        }
        Ok(json.to_string())
    }
}

/// What ids replace names in. `NotPrincipal` spares by ARN alone: with an id in it, a resource's policy would deny
/// to those whom it means to spare.
fn pinned_elements(kind: PolicyKind) -> &'static [&'static str] {
    match kind {
        PolicyKind::Trust => &["Principal", "NotPrincipal"],
        _ => &["Principal"],
    }
}

/// A member's values: itself, or what its list holds.
fn members<'a>(value: &'a mut Value, name: &str) -> Vec<&'a mut Value> {
    match value.get_mut(name) {
        Some(Value::Array(values)) => values.iter_mut().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ADA: &str = "arn:aws:iam::123456789012:user/ada";

    #[test]
    fn ids_take_the_place_of_principals_alone() {
        let pinned = Pinned(BTreeMap::from([(ADA.to_owned(), "AIDAADA".to_owned())]));
        let policy = |ada: &str| {
            json!({"Statement": [
                {"Principal": {"AWS": [ada, "123456789012"]}, "NotPrincipal": {"AWS": ADA}, "Resource": ADA},
                {"Principal": {"AWS": ada, "Service": ADA}}, {"Principal": "*"}]})
        };
        let applied = pinned.apply(&policy(ADA).to_string(), PolicyKind::Resource).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&applied).unwrap(), policy("AIDAADA"));
        assert_eq!(Pinned::default().apply(" {}", PolicyKind::Resource).unwrap(), " {}");
        assert!(pinned.apply("{", PolicyKind::Resource).is_err());
    }
}
