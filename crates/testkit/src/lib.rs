//! Services under test, through the whole pipeline and in memory: callers, a clock that is moved, the store that
//! runs every write twice, and the walk that proves that strangers are refused.

mod app;
mod caller;
mod decided;
mod handed_roles;
mod needs;
mod principals;
mod reply;
mod request;
mod walk;

pub use app::TestApp;
pub use caller::TestCaller;
pub use decided::Decided;
pub use needs::{CaughtMessages, FixedTokens};
pub use principals::{ADMIN_KEY, STRANGER_KEY, TestIam};
pub use reply::Reply;
pub use walk::{Sample, assert_strangers_are_refused};
