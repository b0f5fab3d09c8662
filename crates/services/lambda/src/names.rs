//! How functions are named: by name, by partial ARN or by ARN, each with or without a qualifier.

use homeport_core::{Arn, Scope};

use crate::LambdaError;

/// The version that changes.
pub(crate) const LATEST: &str = "$LATEST";

/// A function as a call names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) qualifier: Option<String>,
}

impl Named {
    /// Reads `FunctionName` and `Qualifier`; both may carry the qualifier, and must then agree. An ARN of another
    /// account or region names nothing here.
    pub(crate) fn read(
        scope: &Scope,
        function_name: &str,
        qualifier: Option<&str>,
    ) -> Result<Self, LambdaError> {
        let (name, derived) = split(scope, function_name)?;
        if let (Some(derived), Some(given)) = (&derived, qualifier)
            && derived != given
        {
            return Err(LambdaError::invalid(
                "The derived qualifier from the function name does not match the specified qualifier.",
            ));
        }
        Ok(Self { name, qualifier: derived.or_else(|| qualifier.map(ToOwned::to_owned)) })
    }

    /// Reads `FunctionName` where it must mean the function as a whole. A qualifier there would change the ARN that is
    /// asked for, and not what is changed.
    pub(crate) fn whole(scope: &Scope, function_name: &str) -> Result<Self, LambdaError> {
        let named = Self::read(scope, function_name, None)?;
        match named.qualifier {
            Some(_) => {
                Err(LambdaError::invalid("This operation doesn't take a qualifier with the function's name."))
            }
            None => Ok(named),
        }
    }

    /// The version it means, if it means one.
    pub(crate) fn version(&self) -> &str {
        self.qualifier.as_deref().unwrap_or(LATEST)
    }

    /// The function's ARN, with the qualifier if one was given.
    pub(crate) fn arn(&self, scope: &Scope) -> Arn {
        match &self.qualifier {
            Some(qualifier) => scope.arn("lambda", &format!("function:{}:{qualifier}", self.name)),
            None => function_arn(scope, &self.name),
        }
    }

    pub(crate) fn not_found(&self, scope: &Scope) -> LambdaError {
        LambdaError::FunctionNotFound(self.arn(scope).to_string())
    }
}

/// `arn:aws:lambda:REGION:ACCOUNT:function:NAME`
pub(crate) fn function_arn(scope: &Scope, name: &str) -> Arn {
    scope.arn("lambda", &format!("function:{name}"))
}

/// What a permission is asked on before the name was found to be good: a name that isn't is refused by the operation.
pub(crate) fn asked_arn(scope: &Scope, function_name: &str, qualifier: Option<&str>) -> Arn {
    match Named::read(scope, function_name, qualifier) {
        Ok(named) => named.arn(scope),
        Err(_) => function_arn(scope, "*"),
    }
}

fn split(scope: &Scope, text: &str) -> Result<(String, Option<String>), LambdaError> {
    let parts: Vec<&str> = text.split(':').collect();
    let account = scope.account.to_string();
    let (account_part, region_part, rest) = match parts[..] {
        ["arn", "aws", "lambda", region, account, "function", ref rest @ ..] => {
            (Some(account), Some(region), rest)
        }
        [account, "function", ref rest @ ..] => (Some(account), None, rest),
        ["function", ref rest @ ..] => (None, None, rest),
        ref rest => (None, None, rest),
    };
    let (name, qualifier) = match rest {
        [name] => (*name, None),
        [name, qualifier] => (*name, Some(*qualifier)),
        _ => return Err(LambdaError::invalid(format!("Invalid function name: {text}"))),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
        return Err(LambdaError::invalid(format!("Invalid function name: {name}")));
    }
    if account_part.is_some_and(|part| part != account)
        || region_part.is_some_and(|part| part != scope.region.as_str())
    {
        return Err(LambdaError::FunctionNotFound(text.to_owned()));
    }
    Ok((name.to_owned(), qualifier.map(ToOwned::to_owned)))
}

#[cfg(test)]
mod tests {
    use homeport_core::{Account, Region};

    use super::*;

    fn scope() -> Scope {
        Scope { account: Account::from_number(123_456_789_012), region: Region::default_region() }
    }

    #[test]
    fn every_form_of_a_name_is_understood() {
        for text in
            ["f", "function:f", "123456789012:function:f", "arn:aws:lambda:us-east-1:123456789012:function:f"]
        {
            assert_eq!(
                Named::read(&scope(), text, None).expect(text),
                Named { name: "f".into(), qualifier: None }
            );
            let qualified = format!("{text}:7");
            let named = Named::read(&scope(), &qualified, None).expect(text);
            assert_eq!(named.version(), "7");
            assert_eq!(named.arn(&scope()).as_str(), "arn:aws:lambda:us-east-1:123456789012:function:f:7");
            assert!(Named::read(&scope(), &qualified, Some("8")).is_err());
        }
        for text in ["", "a b", "a/../b", "arn:aws:lambda:us-east-1:999999999999:function:f", "f:1:2"] {
            assert!(Named::read(&scope(), text, None).is_err(), "{text}");
        }
    }
}
