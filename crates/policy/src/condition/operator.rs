/// How many of the request's values have to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantifier {
    One,
    ForAllValues,
    ForAnyValue,
}

/// An order that a value has to have to the policy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    pub(super) fn admits(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// What is compared, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Test {
    Text,
    TextIgnoringCase,
    TextLike,
    Numeric(Order),
    Date(Order),
    Bool,
    Binary,
    IpAddress,
    Arn,
    Null,
}

/// A condition operator taken apart: `ForAnyValue:StringNotLikeIfExists` and its kin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Operator {
    pub(super) quantifier: Quantifier,
    pub(super) test: Test,
    pub(super) negated: bool,
    pub(super) if_exists: bool,
}

impl Operator {
    /// Reads an operator's name, in any case; none where there is no such operator.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let (quantifier, rest) = match name.split_once(':') {
            None => (Quantifier::One, &*name),
            Some(("forallvalues", rest)) => (Quantifier::ForAllValues, rest),
            Some(("foranyvalue", rest)) => (Quantifier::ForAnyValue, rest),
            Some(_) => return None,
        };
        let (base, if_exists) = match rest.strip_suffix("ifexists") {
            None => (rest, false),
            Some(base) => (base, true),
        };
        let (test, negated) = test(base)?;
        if test == Test::Null && (if_exists || quantifier != Quantifier::One) {
            return None;
        }
        Some(Self { quantifier, test, negated, if_exists })
    }
}

fn test(base: &str) -> Option<(Test, bool)> {
    Some(match base {
        "stringequals" => (Test::Text, false),
        "stringnotequals" => (Test::Text, true),
        "stringequalsignorecase" => (Test::TextIgnoringCase, false),
        "stringnotequalsignorecase" => (Test::TextIgnoringCase, true),
        "stringlike" => (Test::TextLike, false),
        "stringnotlike" => (Test::TextLike, true),
        "numericequals" => (Test::Numeric(Order::Equal), false),
        "numericnotequals" => (Test::Numeric(Order::Equal), true),
        "numericlessthan" => (Test::Numeric(Order::Less), false),
        "numericlessthanequals" => (Test::Numeric(Order::LessOrEqual), false),
        "numericgreaterthan" => (Test::Numeric(Order::Greater), false),
        "numericgreaterthanequals" => (Test::Numeric(Order::GreaterOrEqual), false),
        "dateequals" => (Test::Date(Order::Equal), false),
        "datenotequals" => (Test::Date(Order::Equal), true),
        "datelessthan" => (Test::Date(Order::Less), false),
        "datelessthanequals" => (Test::Date(Order::LessOrEqual), false),
        "dategreaterthan" => (Test::Date(Order::Greater), false),
        "dategreaterthanequals" => (Test::Date(Order::GreaterOrEqual), false),
        "bool" => (Test::Bool, false),
        "binaryequals" => (Test::Binary, false),
        "ipaddress" => (Test::IpAddress, false),
        "notipaddress" => (Test::IpAddress, true),
        "arnequals" | "arnlike" => (Test::Arn, false),
        "arnnotequals" | "arnnotlike" => (Test::Arn, true),
        "null" => (Test::Null, false),
        _ => return None,
    })
}
