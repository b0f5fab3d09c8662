//! What every room of the house shares: names, time, chance and faults. No IO.
//!
//! Start with [`Fault`] (how a refusal reaches a client), [`Arn`] (how things are named) and
//! [`Clock`] and [`Randomness`] (which are always passed in, never taken from the air).

mod account;
mod arn;
mod bucket;
mod clock;
mod fault;
mod ids;
mod randomness;
mod timestamp;

pub use account::{Account, NotAnAccount, Region, Scope};
pub use arn::{Arn, NotAnArn};
pub use bucket::TokenBucket;
pub use clock::{Clock, ManualClock, SharedClock};
pub use fault::{Blame, Fault};
pub use ids::{
    ALPHANUMERIC, Alphabet, BASE32, DIGITS, LOWER_ALPHANUMERIC, UPPER_ALPHANUMERIC, draw, uuid_v4,
};
pub use randomness::{Randomness, SeededRandomness, SharedRandomness};
pub use timestamp::Timestamp;

/// A future that is boxed where types are erased: in the needs and in the operations' table.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
