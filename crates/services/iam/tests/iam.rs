//! IAM through the whole pipeline.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "iam/access_keys.rs"]
mod access_keys;
#[path = "iam/administrator.rs"]
mod administrator;
#[path = "iam/app.rs"]
mod app;
#[path = "iam/entities.rs"]
mod entities;
#[path = "iam/held.rs"]
mod held;
#[path = "iam/nodes.rs"]
mod nodes;
#[path = "iam/oidc.rs"]
mod oidc;
#[path = "iam/policies.rs"]
mod policies;
#[path = "iam/walk.rs"]
mod walk;
