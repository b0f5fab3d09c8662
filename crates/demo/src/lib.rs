//! The sample *notes* backend: deployed through Homeport's own AWS APIs, as any client would, and walked through.
//!
//! Start with [`deploy`]: one function per part of the backend. [`check`] is the walk, [`page`] serves the web page
//! from an origin of its own. Nothing here reaches into the server: it signs and sends what an SDK would.

pub mod check;
mod client;
pub mod deploy;
pub mod page;
mod person;

pub use client::{Aws, CallFailed, Keys};
pub use deploy::{Deployed, deploy};
