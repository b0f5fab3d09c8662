//! Homeport: a mobile backend that its owner runs, speaking AWS's protocols.
//!
//! Start with `serve`: what a server is made of, and in which order. `house` is an opened installation, `wiring` the
//! services in it, `office` what commands ask of it; `config` has every setting.

mod args;
mod certificates;
mod clock;
mod commands;
mod config;
mod console;
#[cfg(test)]
mod data_format;
mod duty;
mod environment;
mod error;
mod front_desk;
mod house;
mod installation;
mod jobs;
mod log;
mod machine;
mod mail;
mod master_key;
mod metrics;
mod moving;
mod node;
mod office;
mod outbox;
mod own_pages;
mod randomness;
mod readiness;
mod serve;
mod server_file;
mod sockets;
mod wiring;

use std::process::ExitCode;

use clap::Parser;

use args::Arguments;

/// Calls make and free many small things, and what one thread makes another frees: this takes less CPU than the C
/// library's for that, and gives back what bulk loads took (`docs/decisions/0002-measurements.md`).
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    // The sandbox's helper must have a single thread, so it comes before everything.
    if std::env::args_os().nth(1).is_some_and(|command| command == homeport_sandbox::HELPER_COMMAND) {
        homeport_sandbox::sandbox_exec_main();
    }
    let arguments = Arguments::parse();
    match commands::run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("homeport: {error}");
            ExitCode::FAILURE
        }
    }
}
