use std::fmt::Write;
use std::process::ExitCode;

use homeport_wire::Models;

use super::print;
use crate::config::{Config, Sources};
use crate::environment::Environment;
use crate::error::ProgramError;
use crate::house::{For, House};
use crate::wiring;

const INTRODUCTION: &str = "# Coverage

Every operation that is built, by service, written from the program's own tables (`homeport coverage`) and proved current by a test. What AWS's model knows
and this list hasn't answers AWS's unknown-operation error.

";

/// Prints docs/coverage.md, from the tables of a house that is opened for it and thrown away.
pub(super) fn run() -> Result<ExitCode, ProgramError> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data").display().to_string();
    let sources =
        Sources { file: None, environment: Vec::new(), flags: vec![("data.folder", vec![data])], dev: false };
    let config = Config::read(&sources)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let page = runtime.block_on(page(config))?;
    print(&page)
}

async fn page(config: Config) -> Result<String, ProgramError> {
    let opened_for = For::Server { endpoint: "http://127.0.0.1:4566", functions_url: String::new() };
    let house = House::open(config, Environment::of_this_process(), opened_for).await?;
    let mut hosted = wiring::services(&house).await?.hosted;
    hosted.sort_by_key(|service| service.spec().name);
    let mut page = INTRODUCTION.to_owned();
    let (mut table, mut lists) =
        (String::from("| service | built | in AWS's model |\n|---|--:|--:|\n"), String::new());
    for service in &hosted {
        let name = service.spec().name;
        let known = Models::service(name).map_or(0, |model| model.operations.len());
        let built: Vec<&str> = service.operations().iter().map(|operation| operation.name).collect();
        // Writing to a String can't fail.
        let _ = writeln!(table, "| {name} | {} | {known} |", built.len());
        let _ = writeln!(lists, "\n## {name}\n\n{}", built.join(", "));
    }
    page.push_str(&table);
    page.push_str(&lists);
    Ok(page)
}
