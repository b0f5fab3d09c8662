//! STS through the whole pipeline, beside IAM.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "sts/app.rs"]
mod app;
#[path = "sts/assume_role.rs"]
mod assume_role;
#[path = "sts/caller_identity.rs"]
mod caller_identity;
#[path = "sts/for_service.rs"]
mod for_service;
#[path = "sts/session_token.rs"]
mod session_token;
#[path = "sts/walk.rs"]
mod walk;
#[path = "sts/web_identity.rs"]
mod web_identity;
