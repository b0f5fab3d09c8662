use serde::{Deserialize, Serialize};

use super::MAX_CHARACTERS;

/// The characters that count as symbols (Cognito developer guide, "Adding user pool password requirements").
const SYMBOLS: &str = "^$*.[]{}()?-\"!@#%&/\\,><':;|_~`+= ";

/// `PasswordPolicyType`. A policy that is given asks for no kind of character that it doesn't name; a pool without one
/// asks for all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PasswordPolicy {
    /// 6 to 99.
    #[serde(default = "usual_length")]
    pub(crate) minimum_length: usize,
    #[serde(default)]
    pub(crate) require_uppercase: bool,
    #[serde(default)]
    pub(crate) require_lowercase: bool,
    #[serde(default)]
    pub(crate) require_numbers: bool,
    #[serde(default)]
    pub(crate) require_symbols: bool,
    /// Passwords that may not be chosen again; more than none is not built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) password_history_size: Option<i64>,
    /// How long an administrator's temporary password is good: 0 to 365 days.
    #[serde(default = "usual_days")]
    pub(crate) temporary_password_validity_days: i64,
}

fn usual_length() -> usize {
    8
}

fn usual_days() -> i64 {
    7
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self {
            minimum_length: usual_length(),
            require_uppercase: true,
            require_lowercase: true,
            require_numbers: true,
            require_symbols: true,
            password_history_size: None,
            temporary_password_validity_days: usual_days(),
        }
    }
}

/// What a password lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PolicyBreach {
    #[error("Password not long enough")]
    Short,
    #[error("Password is too long")]
    Long,
    #[error("Password must have uppercase characters")]
    Uppercase,
    #[error("Password must have lowercase characters")]
    Lowercase,
    #[error("Password must have numeric characters")]
    Numbers,
    #[error("Password must have symbol characters")]
    Symbols,
    #[error("Password must not begin or end with a space")]
    OuterSpace,
}

impl PasswordPolicy {
    /// The first thing a password lacks.
    pub(crate) fn check(&self, password: &str) -> Result<(), PolicyBreach> {
        let length = password.chars().count();
        if length > MAX_CHARACTERS {
            return Err(PolicyBreach::Long);
        }
        if length < self.minimum_length {
            return Err(PolicyBreach::Short);
        }
        if password.trim() != password {
            return Err(PolicyBreach::OuterSpace);
        }
        let lacks = |kind: fn(char) -> bool| !password.chars().any(kind);
        if self.require_uppercase && lacks(|c| c.is_ascii_uppercase()) {
            return Err(PolicyBreach::Uppercase);
        }
        if self.require_lowercase && lacks(|c| c.is_ascii_lowercase()) {
            return Err(PolicyBreach::Lowercase);
        }
        if self.require_numbers && lacks(|c| c.is_ascii_digit()) {
            return Err(PolicyBreach::Numbers);
        }
        if self.require_symbols && lacks(|c| SYMBOLS.contains(c)) {
            return Err(PolicyBreach::Symbols);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_policy_asks_for_all_kinds() {
        let policy = PasswordPolicy::default();
        assert_eq!(policy.check("Correct-horse7"), Ok(()));
        assert_eq!(policy.check("Sh0rt!a"), Err(PolicyBreach::Short));
        assert_eq!(policy.check("correct-horse7"), Err(PolicyBreach::Uppercase));
        assert_eq!(policy.check("CORRECT-HORSE7"), Err(PolicyBreach::Lowercase));
        assert_eq!(policy.check("Correct-horse"), Err(PolicyBreach::Numbers));
        assert_eq!(policy.check("Correcthorse7"), Err(PolicyBreach::Symbols));
        assert_eq!(policy.check(" Correct-horse7"), Err(PolicyBreach::OuterSpace));
        assert_eq!(policy.check(&format!("Aa1!{}", "x".repeat(252))), Ok(()));
        assert_eq!(policy.check(&format!("Aa1!{}", "x".repeat(253))), Err(PolicyBreach::Long));
    }

    #[test]
    fn a_policy_asks_only_for_what_it_names() {
        let policy = PasswordPolicy {
            minimum_length: 6,
            require_uppercase: false,
            require_symbols: false,
            ..PasswordPolicy::default()
        };
        assert_eq!(policy.check("abcde1"), Ok(()));
        assert_eq!(policy.check("abcdef"), Err(PolicyBreach::Numbers));
    }
}
