//! The `Condition` element: an operator, a key and values; all conditions of a statement must hold.

mod compare;
mod operator;

use crate::PolicyFault;
use crate::context::Context;
use crate::document::Effect;
use crate::node::Node;
use crate::pattern::{Grammar, Match};
use compare::Values;
use operator::{Operator, Quantifier};

/// One key under one operator.
#[derive(Debug)]
pub(crate) struct Condition {
    operator: Operator,
    key: Box<str>,
    values: Values,
}

impl Condition {
    pub(crate) fn parse_all(node: Node, grammar: Grammar) -> Result<Box<[Self]>, PolicyFault> {
        let mut conditions = Vec::new();
        for (name, keys) in node.into_object()? {
            let operator = Operator::parse(&name).ok_or(PolicyFault::ConditionType(name))?;
            for (key, values) in keys.into_object()? {
                if !key.contains(':') {
                    return Err(PolicyFault::NoVendor);
                }
                let values = Values::parse(operator.test, &key, values.into_values()?, grammar)?;
                conditions.push(Self { operator, key: key.into(), values });
            }
        }
        Ok(conditions.into())
    }

    /// Whether the condition holds. What cannot be said is decided to the safe side of `effect`:
    /// an allow does not apply, a deny's negated test holds.
    pub(crate) fn holds(&self, context: &Context, effect: Effect) -> bool {
        let asked = context.values(&self.key);
        if let Values::Absent(wanted) = &self.values {
            return wanted.contains(&asked.is_empty());
        }
        let holds = |value: &String| match (self.values.matches(value, context), self.operator.negated) {
            (Match::Yes, negated) => !negated,
            (Match::No, negated) => negated,
            (Match::Unresolved, negated) => negated && effect == Effect::Deny,
        };
        let Operator { quantifier, negated, if_exists, .. } = self.operator;
        match (quantifier, asked) {
            (Quantifier::ForAllValues, values) => values.iter().all(holds),
            (Quantifier::ForAnyValue, []) => if_exists,
            (Quantifier::ForAnyValue, values) => values.iter().any(holds),
            (Quantifier::One, []) => if_exists || negated,
            // A test meant for one value meets many: AWS leaves it open, so each must pass for an
            // allow and one suffices for a deny.
            (Quantifier::One, values) if effect == Effect::Allow => values.iter().all(holds),
            (Quantifier::One, values) => values.iter().any(holds),
        }
    }
}

#[cfg(test)]
mod tests;
