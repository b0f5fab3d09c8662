use super::{Grammar, Match, Template};
use crate::{Context, PolicyFault};

/// A pattern of ARNs. Each of the six parts between colons is matched for itself, so a wildcard
/// does not reach into the next; the last part, the resource, may hold colons. Parts that are
/// missing at the end are `*`. Variables have their meaning in the resource only.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ArnPattern {
    /// `*`, which also matches requests without a resource.
    Anything,
    /// Partition, service, region and account, then the resource.
    Parts(Box<([Template; 4], Template)>),
}

impl ArnPattern {
    /// Reads `*` or `arn:…`; none where it is neither.
    pub(crate) fn parse(text: &str, variables: bool) -> Result<Option<Self>, PolicyFault> {
        if text == "*" {
            return Ok(Some(Self::Anything));
        }
        let Some(rest) = text.strip_prefix("arn:") else {
            return Ok(None);
        };
        let mut parts = rest.splitn(5, ':');
        let mut head = || {
            let part = parts.next().unwrap_or("*");
            if variables && part.contains("${") {
                return Err(PolicyFault::Variable);
            }
            Template::parse(part, Grammar { wildcards: true, variables: false })
        };
        let head = [head()?, head()?, head()?, head()?];
        let resource = Template::parse(parts.next().unwrap_or("*"), Grammar { wildcards: true, variables })?;
        Ok(Some(Self::Parts(Box::new((head, resource)))))
    }

    /// Whether its resource holds a policy variable.
    pub(crate) fn has_variables(&self) -> bool {
        matches!(self, Self::Parts(parts) if matches!(parts.1, Template::Variables(_)))
    }

    /// Holds the pattern against an ARN, or against `*` where the action has no resource.
    pub(crate) fn matches(&self, arn: &str, context: &Context) -> Match {
        let Self::Parts(pattern) = self else {
            return Match::Yes;
        };
        let (head, resource) = &**pattern;
        let Some(rest) = arn.strip_prefix("arn:") else {
            return Match::No;
        };
        let mut parts = rest.splitn(5, ':');
        for template in head {
            let Some(part) = parts.next() else {
                return Match::No;
            };
            if template.matches(part, context) != Match::Yes {
                return Match::No;
            }
        }
        parts.next().map_or(Match::No, |part| resource.matches(part, context))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(pattern: &str, arn: &str) -> Match {
        let mut context = Context::new();
        context.set("aws:username", "alice");
        ArnPattern::parse(pattern, true).unwrap().unwrap().matches(arn, &context)
    }

    #[test]
    fn a_wildcard_stays_within_its_part() {
        let table = "arn:aws:dynamodb:us-east-1:123456789012:table/Notes";
        assert_eq!(held("arn:aws:dynamodb:*:*:table/Notes", table), Match::Yes);
        assert_eq!(held("arn:aws:dynamodb:us-*-1:123456789012:table/*", table), Match::Yes);
        assert_eq!(held("arn:aws:dynamodb:*:table/Notes", table), Match::No);
        assert_eq!(held("arn:aws:dynamodb:*:*:table/Other", table), Match::No);
        assert_eq!(held("arn:aws:dynamo*::123456789012:table/Notes", table), Match::No);
    }

    #[test]
    fn missing_parts_are_filled_with_stars() {
        assert_eq!(held("arn:aws:sqs", "arn:aws:sqs:eu-west-1:1:queue"), Match::Yes);
        assert_eq!(held("arn:aws:s3:*", "arn:aws:s3:::photos/a"), Match::Yes);
        assert_eq!(held("arn:aws:s3:*", "arn:aws:sqs:::photos/a"), Match::No);
    }

    #[test]
    fn the_resource_may_hold_colons() {
        let stream = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/f:log-stream:x";
        assert_eq!(held("arn:aws:logs:*:*:log-group:*:*", stream), Match::Yes);
        assert_eq!(held("arn:aws:logs:*:*:log-group:/aws/lambda/f", stream), Match::No);
    }

    #[test]
    fn a_variable_counts_in_the_resource_alone() {
        assert_eq!(held("arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/alice/1"), Match::Yes);
        assert_eq!(held("arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/bob/1"), Match::No);
        let early = ArnPattern::parse("arn:aws:s3::${aws:PrincipalAccount}:b", true);
        assert_eq!(early.err(), Some(PolicyFault::Variable));
    }

    #[test]
    fn a_call_without_a_resource_needs_the_bare_star() {
        assert_eq!(held("*", "*"), Match::Yes);
        assert_eq!(held("arn:aws:s3:::*", "*"), Match::No);
    }

    #[test]
    fn what_is_no_arn_is_none() {
        assert_eq!(ArnPattern::parse("bucket", true), Ok(None));
    }
}
