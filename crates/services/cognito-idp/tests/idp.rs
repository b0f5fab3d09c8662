//! User pools through the whole pipeline. The "may" tests have their "may not" beside them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "idp/attributes.rs"]
mod attributes;
#[path = "idp/codes.rs"]
mod codes;
#[path = "idp/groups.rs"]
mod groups;
#[path = "idp/hidden_users.rs"]
mod hidden_users;
#[path = "idp/invitations.rs"]
mod invitations;
#[path = "idp/lockout.rs"]
mod lockout;
#[path = "idp/nodes.rs"]
mod nodes;
#[path = "idp/pages.rs"]
mod pages;
#[path = "idp/passwords.rs"]
mod passwords;
#[path = "idp/pools.rs"]
mod pools;
#[path = "idp/refresh.rs"]
mod refresh;
#[path = "idp/sign_in.rs"]
mod sign_in;
#[path = "idp/sign_up.rs"]
mod sign_up;
#[path = "idp/srp_client.rs"]
mod srp_client;
#[path = "idp/tokens.rs"]
mod tokens;
#[path = "idp/users.rs"]
mod users;
#[path = "idp/walk.rs"]
mod walk;
#[path = "idp/world.rs"]
mod world;
