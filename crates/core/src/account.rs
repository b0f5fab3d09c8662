use std::fmt;

/// An AWS account number: twelve digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account(u64);

/// The text is not twelve digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an account is twelve digits")]
pub struct NotAnAccount;

impl Account {
    /// Reads twelve digits.
    pub fn parse(text: &str) -> Result<Self, NotAnAccount> {
        if text.len() != 12 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NotAnAccount);
        }
        text.parse().map(Self).map_err(|_| NotAnAccount)
    }

    /// The account with this number, of which the lowest twelve digits count.
    pub fn from_number(number: u64) -> Self {
        Self(number % 1_000_000_000_000)
    }

    /// The number itself, below 10^12.
    pub fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0)
    }
}

impl serde::Serialize for Account {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Account {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A region's name, such as `us-east-1`. Regions are names here, not places: any well-formed one exists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Region(std::sync::Arc<str>);

impl Region {
    /// The region of calls that name none.
    pub fn default_region() -> Self {
        Self("us-east-1".into())
    }

    /// Reads a region's name: lower-case letters, digits and hyphens, at most 32 characters, at least one hyphen.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let formed = text.len() <= 32 && text.contains('-') && text.bytes().all(plain);
        formed.then(|| Self(text.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a call takes place: keys in the store begin with it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// The installation's account.
    pub account: Account,
    /// The region of the call's credential scope, or of the resource it names.
    pub region: Region,
}

impl Scope {
    /// The ARN of a resource of this account and region: `arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE`.
    pub fn arn(&self, service: &str, resource: &str) -> crate::Arn {
        crate::Arn::new(service, self.region.as_str(), &self.account.to_string(), resource)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_keeps_its_leading_zeros() {
        assert_eq!(Account::parse("000000000042").unwrap().to_string(), "000000000042");
        assert_eq!(Account::parse("42"), Err(NotAnAccount));
        assert_eq!(Account::parse("12345678901x"), Err(NotAnAccount));
    }

    #[test]
    fn a_region_is_a_plain_name() {
        assert!(Region::parse("eu-central-1").is_some());
        assert!(Region::parse("../etc").is_none());
        assert!(Region::parse("useast1").is_none());
    }
}
