//! Passwords: what a pool asks of them, how they are drawn, stored and checked, and how many of these costly
//! checks run at once.

mod credential;
mod draw;
mod hash;
mod permits;
mod policy;

pub(crate) use credential::Credential;
pub(crate) use draw::draw_temporary;
pub(crate) use hash::PasswordHash;
pub(crate) use permits::{Busy, Permits};
pub(crate) use policy::{PasswordPolicy, PolicyBreach};

/// The longest password, in characters; longer ones are refused before anything is computed.
pub(crate) const MAX_CHARACTERS: usize = 256;
