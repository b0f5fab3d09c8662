//! What a service is declared with, and what it is given.
//!
//! Start with [`Operation`]: the one way to declare what a client can ask for. [`Permissions`] says what
//! that needs, [`Cx`] is what it may do, [`Host`] makes a service of a table of operations, and the
//! traits of [`needs`] are what one service asks of another. The pipeline that carries a call through
//! all of this is `homeport-edge`'s.

mod audit;
mod authorize;
mod body;
mod caller;
mod cx;
mod epoch;
mod host;
mod kept_caller;
pub mod needs;
mod operation;
mod parts;
mod peer;
mod per_address;
mod permissions;
mod plane;
mod shared_rates;

pub use audit::{AuditRow, AuditTrail, Outcome, append as append_audit, rows as audit_rows};
pub use authorize::{Authorizer, Refusal};
pub use body::{Body, BoxError, EMPTY_LIMIT, TooLong, collect, empty, full};
pub use caller::{Caller, CognitoSession, EndsWith, Principal, RoleSession, Source, TokenUser, UserSession};
pub use cx::{Allowed, CallContext, Cx};
pub use epoch::{AuthorizationEpoch, bump_authorization};
pub use host::{AskedOn, Host, Hosted, OperationInfo, Prepared, ServiceSpec};
pub use kept_caller::KeptCaller;
pub use needs::Needs;
pub use operation::{
    Answer, ByHand, Call, CallBody, Effect, Entry, Incoming, Operation, Streams, by_hand, modelled,
};
pub use parts::{Installation, Parts};
pub use peer::{Peer, Via};
pub use per_address::{PerAddress, network_of};
pub use permissions::{Asked, HandedRole, Lookup, Permission, Permissions};
pub use plane::Plane;
pub use shared_rates::{MOST_BUCKETS, SharedBucket, SharedRates, Telling};
