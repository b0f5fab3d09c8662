use homeport_service::needs::Channel;
use homeport_vault::{Purpose, Vault};
use serde::Serialize;

use crate::lookup::folded;
use crate::records::{Pool, User};

/// Where a message goes: an attribute and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Destination {
    /// `email` or `phone_number`.
    pub(crate) attribute: &'static str,
    pub(crate) address: String,
}

/// `CodeDeliveryDetailsType`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CodeDeliveryDetails {
    /// The address with most of it hidden.
    destination: String,
    /// `EMAIL` or `SMS`.
    delivery_medium: &'static str,
    attribute_name: &'static str,
}

impl Destination {
    /// The value of an attribute that holds an address.
    pub(crate) fn of(user: &User, attribute: &str) -> Option<Self> {
        let attribute = address_attribute(attribute)?;
        user.attributes.get(attribute).map(|address| Self { attribute, address: address.clone() })
    }

    /// Where the pool sends the code that proves an address at sign-up: a phone before an e-mail, as on AWS.
    pub(crate) fn to_confirm(pool: &Pool, user: &User) -> Option<Self> {
        ["phone_number", "email"]
            .into_iter()
            .filter(|attribute| pool.auto_verifies(attribute))
            .find_map(|attribute| Self::of(user, attribute))
    }

    /// Where a code to reset the password goes: to a verified address only, by the pool's order.
    pub(crate) fn to_recover(pool: &Pool, user: &User) -> Option<Self> {
        recovery_order(pool)
            .into_iter()
            .filter(|attribute| user.has_verified(attribute))
            .find_map(|attribute| Self::of(user, attribute))
    }

    /// By mail or by SMS.
    pub(crate) fn channel(&self) -> Channel {
        if self.attribute == "email" { Channel::Email } else { Channel::Sms }
    }

    /// What the caller is told.
    pub(crate) fn details(&self) -> CodeDeliveryDetails {
        let (delivery_medium, destination) = match self.channel() {
            Channel::Email => ("EMAIL", masked_email(&self.address)),
            Channel::Sms => ("SMS", masked_phone(&self.address)),
        };
        CodeDeliveryDetails { destination, delivery_medium, attribute_name: self.attribute }
    }
}

/// What a caller is told of a user who does not exist or has no address to write to: the same each time, and of the
/// form a user of this pool would have.
pub(crate) fn simulated(vault: &Vault, pool: &Pool, name: &str) -> CodeDeliveryDetails {
    if name.contains('@') {
        return Destination { attribute: "email", address: name.to_owned() }.details();
    }
    if name.starts_with('+') {
        return Destination { attribute: "phone_number", address: name.to_owned() }.details();
    }
    let parts: [&[u8]; 3] = [b"simulated", pool.pool.id.as_bytes(), &folded(pool, name)];
    let hash = vault.keyed_hash(Purpose::UserPool, &parts);
    let letter = |byte: u8| char::from(b'a' + byte % 26);
    let by_phone = recovery_order(pool).first() == Some(&"phone_number") && !pool.auto_verifies("email");
    if by_phone {
        let number = u32::from_be_bytes([0, hash[0], hash[1], hash[2]]) % 10_000;
        return Destination { attribute: "phone_number", address: format!("+1415555{number:04}") }.details();
    }
    Destination { attribute: "email", address: format!("{}@{}", letter(hash[0]), letter(hash[1])) }.details()
}

fn recovery_order(pool: &Pool) -> Vec<&'static str> {
    let Some(setting) = &pool.settings.account_recovery_setting else {
        return vec!["phone_number", "email"];
    };
    let mut mechanisms = setting.recovery_mechanisms.clone();
    mechanisms.sort_by_key(|mechanism| mechanism.priority);
    mechanisms
        .iter()
        .filter_map(|mechanism| address_attribute(mechanism.name.trim_start_matches("verified_")))
        .collect()
}

fn address_attribute(name: &str) -> Option<&'static str> {
    ["email", "phone_number"].into_iter().find(|known| *known == name)
}

fn masked_email(address: &str) -> String {
    let (local, domain) = address.split_once('@').unwrap_or((address, ""));
    let first = |text: &str| text.chars().next().map(String::from).unwrap_or_default();
    format!("{}***@{}***", first(local), first(domain))
}

fn masked_phone(number: &str) -> String {
    let digits: Vec<char> = number.chars().skip(1).collect();
    let shown: String = digits[digits.len().saturating_sub(4)..].iter().collect();
    format!("+*******{shown}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_hidden_but_for_a_hint() {
        assert_eq!(masked_email("ann@example.com"), "a***@e***");
        assert_eq!(masked_email("@"), "***@***");
        assert_eq!(masked_phone("+14155550100"), "+*******0100");
        assert_eq!(masked_phone("+1"), "+*******1");
        assert_eq!(masked_phone(""), "+*******");
    }
}
