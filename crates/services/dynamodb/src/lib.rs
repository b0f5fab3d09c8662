//! DynamoDB: tables of items under partition and sort keys, with expressions on them.
//!
//! [`value`] and [`number`] are what items are made of, [`expression`] what is asked of them.

pub mod expression;
pub mod number;
pub mod value;
