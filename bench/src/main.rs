//! What Homeport costs, as ratios against a peer or a bound that is measured in the same run.
//!
//! `homeport-bench PROGRAM CORES [WHAT]`, begun by `bench/run.sh`, which gives this process one core; servers get
//! CORES. Calls and reads are compared by the server's CPU seconds per request, durable writes by throughput.
//! Nothing here is a test: a shared machine moves every figure.

mod api;
mod bare;
mod cluster;
mod dynalite;
mod filling;
mod functions;
mod items;
mod large;
mod load;
mod many;
mod node;
mod nodes;
mod process;
mod sign_in;
mod srp;
mod starts;
mod table;
mod wrk;

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
    if let [_, word, rest @ ..] = &arguments[..]
        && let Some(helper) = helper(word)
    {
        return on_all_cores(helper, rest.to_vec());
    }
    let [_, path, cores, what @ ..] = &arguments[..] else {
        return Err(
            "homeport-bench PROGRAM CORES [full] [items|dynalite|many|api|functions|sign-in|starts|nodes|large]"
                .into(),
        );
    };
    let program = Program { path: path.into(), cores: cores.clone() };
    let (full, what) = match what {
        [first, rest @ ..] if first == "full" => (true, rest),
        what => (false, what),
    };
    let asked = |name: &str| what.is_empty() || what.iter().any(|word| word == name);
    let mut table = Table::begin();
    if asked("items") {
        items::measure(&program, &mut table).await?;
    }
    if asked("dynalite") {
        dynalite::measure(&program, &mut table).await?;
    }
    if asked("many") {
        many::measure(&program, &mut table, full).await?;
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
    if asked("nodes") {
        nodes::measure(&program, &mut table).await?;
    }
    if asked("large") {
        large::measure(&program, &mut table, full).await?;
    }
    Ok(())
}

/// A process of its own beside the client's, with all cores.
type Helper = fn(Vec<String>) -> std::pin::Pin<Box<dyn Future<Output = Outcome<()>>>>;

fn helper(word: &str) -> Option<Helper> {
    match word {
        "node" => Some(|arguments| Box::pin(node::run(arguments))),
        "fill" => Some(|arguments| Box::pin(filling::run(arguments))),
        _ => None,
    }
}

/// Outside the client's own runtime, which has one thread.
fn on_all_cores(helper: Helper, arguments: Vec<String>) -> Outcome<()> {
    let working = move || -> Result<(), String> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        runtime.block_on(helper(arguments)).map_err(|error| error.to_string())
    };
    std::thread::spawn(working).join().map_err(|_| "the helper failed")?.map_err(Into::into)
}
