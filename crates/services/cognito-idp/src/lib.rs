//! Cognito user pools: sign-up, sign-in, users, groups and their tokens.

mod attributes;
mod claims;
mod codes;
mod filter;
mod lockout;
mod password;
mod secret_hash;
mod srp;
