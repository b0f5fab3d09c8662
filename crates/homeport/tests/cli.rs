//! The program as a person runs it: on free ports, in temporary folders.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

#[path = "cli/commands.rs"]
mod commands;
#[path = "cli/configuration.rs"]
mod configuration;
#[path = "cli/console.rs"]
mod console;
#[path = "cli/keys.rs"]
mod keys;
#[path = "cli/pages.rs"]
mod pages;
#[path = "cli/program.rs"]
mod program;
#[path = "cli/serving.rs"]
mod serving;
