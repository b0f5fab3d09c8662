//! What Homeport costs, as ratios against a peer or a bound that is measured in the same run.
//!
//! `homeport-bench PROGRAM CORES [WHAT]`, begun by `bench/run.sh`, which gives this process one core; servers get
//! CORES. Calls and reads are compared by the server's CPU seconds per request, durable writes by throughput.
//! Nothing here is a test: a shared machine moves every figure.

mod api;
mod bare;
mod functions;
mod items;
mod load;
mod process;
mod sign_in;
mod srp;
mod starts;
mod table;

use std::error::Error;

use process::Program;
use table::Table;

/// Whatever goes wrong ends the run with a sentence.
pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, word, file] = &arguments[..]
        && word == "bare"
    {
        return bare::serve(file);
    }
    let [_, path, cores, what @ ..] = &arguments[..] else {
        return Err("homeport-bench PROGRAM CORES [items|api|functions|sign-in|starts]".into());
    };
    let program = Program { path: path.into(), cores: cores.clone() };
    let asked = |name: &str| what.is_empty() || what.iter().any(|word| word == name);
    let mut table = Table::begin();
    if asked("items") {
        items::measure(&program, &mut table).await?;
    }
    if asked("api") {
        api::measure(&program, &mut table).await?;
    }
    if asked("functions") {
        functions::measure(&program, &mut table).await?;
    }
    if asked("sign-in") {
        sign_in::measure(&program, &mut table).await?;
    }
    if asked("starts") {
        starts::measure(&program, &mut table).await?;
    }
    Ok(())
}
