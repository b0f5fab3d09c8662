use std::cmp::Ordering;
use std::net::IpAddr;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use homeport_core::Timestamp;
use ipnet::IpNet;

use super::operator::{Order, Test};
use crate::PolicyFault;
use crate::context::Context;
use crate::pattern::{ArnPattern, Grammar, Match, Template};

/// A condition's values, read for their operator. Variables have their meaning in texts and ARNs only.
#[derive(Debug)]
pub(super) enum Values {
    Text(Box<[Template]>),
    TextIgnoringCase(Box<[Template]>),
    Numeric(Order, Box<[Number]>),
    Date(Order, Box<[Timestamp]>),
    Bool(Box<[bool]>),
    Binary(Box<[Vec<u8>]>),
    IpAddress(Box<[IpNet]>),
    Arn(Box<[ArnPattern]>),
    /// Whether the key has to be absent (`Null`).
    Absent(Box<[bool]>),
}

impl Values {
    pub(super) fn parse(
        test: Test,
        key: &str,
        texts: Vec<String>,
        grammar: Grammar,
    ) -> Result<Self, PolicyFault> {
        let plain = Grammar { wildcards: false, ..grammar };
        Ok(match test {
            Test::Text => Self::Text(templates(&texts, plain)?),
            Test::TextIgnoringCase => Self::TextIgnoringCase(templates(&texts, plain)?),
            Test::TextLike => Self::Text(templates(&texts, grammar)?),
            Test::Numeric(order) => Self::Numeric(order, all(key, texts, Number::parse)?),
            Test::Date(order) => Self::Date(order, all(key, texts, date)?),
            Test::Bool => Self::Bool(all(key, texts, boolean)?),
            Test::Binary => Self::Binary(all(key, texts, |text| STANDARD.decode(text).ok())?),
            Test::IpAddress => Self::IpAddress(all(key, texts, network)?),
            Test::Arn => {
                let pattern = |text: &str| ArnPattern::parse(text, grammar.variables).transpose();
                let patterns = all(key, texts, pattern)?.into_iter();
                Self::Arn(patterns.collect::<Result<_, _>>()?)
            }
            Test::Null => Self::Absent(all(key, texts, boolean)?),
        })
    }

    /// Whether a value of the request matches any of these.
    pub(super) fn matches(&self, value: &str, context: &Context) -> Match {
        match self {
            Self::Text(templates) => Match::any(templates.iter().map(|t| t.matches(value, context))),
            Self::TextIgnoringCase(templates) => {
                Match::any(templates.iter().map(|t| t.matches_in_any_case(value, context)))
            }
            Self::Numeric(order, numbers) => read(Number::parse(value), |asked| {
                numbers.iter().any(|number| asked.compare(*number).is_some_and(|o| order.admits(o)))
            }),
            Self::Date(order, dates) => {
                read(date(value), |asked| dates.iter().any(|date| order.admits(asked.cmp(date))))
            }
            Self::Bool(wanted) => read(boolean(value), |asked| wanted.contains(&asked)),
            Self::Binary(wanted) => read(STANDARD.decode(value).ok(), |asked| wanted.contains(&asked)),
            Self::IpAddress(networks) => read(IpAddr::from_str(value).ok(), |asked| {
                networks.iter().any(|network| network.contains(&asked.to_canonical()))
            }),
            Self::Arn(patterns) => Match::any(patterns.iter().map(|pattern| pattern.matches(value, context))),
            Self::Absent(_) => Match::No,
        }
    }
}

/// What cannot be read is neither equal nor different.
fn read<T>(value: Option<T>, matches: impl FnOnce(T) -> bool) -> Match {
    value.map_or(Match::Unresolved, |value| Match::of(matches(value)))
}

fn templates(texts: &[String], grammar: Grammar) -> Result<Box<[Template]>, PolicyFault> {
    texts.iter().map(|text| Template::parse(text, grammar)).collect()
}

fn all<T>(key: &str, texts: Vec<String>, parse: impl Fn(&str) -> Option<T>) -> Result<Box<[T]>, PolicyFault> {
    let one = |text: String| {
        parse(&text).ok_or_else(|| PolicyFault::ConditionValue { key: key.to_owned(), value: text })
    };
    texts.into_iter().map(one).collect()
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// An address or a network in CIDR notation; IPv4 addresses in IPv6 form are IPv4.
fn network(text: &str) -> Option<IpNet> {
    match text.split_once('/') {
        None => IpAddr::from_str(text).ok().map(|address| IpNet::from(address.to_canonical())),
        Some(_) => IpNet::from_str(text).ok(),
    }
}

/// Seconds since 1970, or ISO 8601: a date, or a date and a time to the minute, the second or finer,
/// in UTC or with an offset.
fn date(text: &str) -> Option<Timestamp> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(Timestamp::from_seconds(seconds));
    }
    if let Some(at) = Timestamp::parse_rfc3339(text) {
        return Some(at);
    }
    let filled = match (text.len(), text.split_once('T')) {
        (10, None) => format!("{text}T00:00:00Z"),
        (17.., Some((day, time))) if time.as_bytes().get(2) == Some(&b':') => {
            let (minute, offset) = (time.get(..5)?, time.get(5..)?);
            format!("{day}T{minute}:00{offset}")
        }
        _ => return None,
    };
    Timestamp::parse_rfc3339(&filled)
}

/// A number of a condition: exact where it is whole.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Whole(i128),
    Decimal(f64),
}

impl Number {
    fn parse(text: &str) -> Option<Self> {
        if let Ok(whole) = text.parse() {
            return Some(Self::Whole(whole));
        }
        text.parse().ok().filter(|number: &f64| number.is_finite()).map(Self::Decimal)
    }

    fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => Some(a.cmp(&b)),
            (a, b) => a.decimal().partial_cmp(&b.decimal()),
        }
    }

    fn decimal(self) -> f64 {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "held against a decimal, which is no finer")]
            Self::Whole(whole) => whole as f64,
            Self::Decimal(decimal) => decimal,
        }
    }
}
