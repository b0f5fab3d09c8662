//! Functions that really run: real interpreters in real sandboxes, asked through the whole pipeline.
//!
//! No harness: this program is its own sandbox helper.

#[path = "functions/asked.rs"]
mod asked;
#[path = "functions/confined.rs"]
mod confined;
#[path = "functions/failing.rs"]
mod failing;
#[path = "functions/stage.rs"]
mod stage;
#[path = "functions/warm.rs"]
mod warm;

use std::pin::Pin;
use std::process::ExitCode;

use homeport_sandbox::Tier;

type Test = (&'static str, fn() -> Pin<Box<dyn Future<Output = ()> + Send>>);

/// Names a test by its function.
macro_rules! tests {
    ($($module:ident :: $name:ident),* $(,)?) => {
        &[$((stringify!($name), || Box::pin($module::$name()))),*]
    };
}

const TESTS: &[Test] = tests![
    asked::a_python_handler_is_told_what_aws_tells_it,
    asked::a_node_module_answers,
    asked::a_node_callback_answers_once_nothing_is_left_to_do,
    asked::a_package_may_bring_its_own_bootstrap,
    asked::what_is_printed_stands_between_start_and_end,
    asked::a_queued_event_is_run_and_run_again_after_a_failure,
    asked::each_queued_event_is_run_by_one_of_two_nodes,
    asked::a_queued_event_runs_only_while_it_still_may,
    asked::a_queued_event_of_a_service_runs_only_while_it_still_may,
    asked::a_service_invokes_only_for_the_source_it_was_allowed_for,
    asked::a_functions_own_calls_tell_how_deep_they_are,
    failing::what_a_handler_raises_is_told_as_aws_tells_it,
    failing::code_that_cannot_be_loaded_is_told_as_aws_tells_it,
    failing::a_function_that_takes_too_long_is_ended_with_its_children,
    failing::a_package_may_be_loaded_for_as_long_as_its_function_may_run,
    failing::a_function_that_exits_is_told_so_and_started_again,
    failing::a_function_that_takes_too_much_memory_is_ended,
    failing::an_answer_that_is_too_long_is_an_error,
    failing::a_chain_of_invocations_ends,
    warm::an_environment_is_reused_until_the_function_changes,
    warm::functions_never_share_an_environment,
    warm::a_published_version_stays_as_it_was,
    warm::who_waits_for_a_turn_runs_what_the_function_is_then,
    warm::too_many_at_a_time_are_refused,
    confined::a_function_reaches_nothing_of_homeports,
    confined::the_way_out_is_the_guarded_connectors,
    confined::environment_variables_are_nowhere_in_plain_text,
];

/// Those that a weaker sandbox must pass too: where paths and addresses differ.
const IN_TIER_1: [&str; 8] = [
    "a_python_handler_is_told_what_aws_tells_it",
    "a_node_module_answers",
    "a_package_may_bring_its_own_bootstrap",
    "what_is_printed_stands_between_start_and_end",
    "a_functions_own_calls_tell_how_deep_they_are",
    "a_function_that_takes_too_long_is_ended_with_its_children",
    "a_function_that_takes_too_much_memory_is_ended",
    "a_function_reaches_nothing_of_homeports",
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|argument| argument == homeport_sandbox::HELPER_COMMAND) {
        homeport_sandbox::sandbox_exec_main();
    }
    if arguments.iter().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let wanted = arguments.iter().find(|argument| !argument.starts_with('-'));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let is_wanted = |name: &str| wanted.is_none_or(|wanted| name.contains(wanted.as_str()));
    let mut failed = 0;
    for tier in [Tier::OwnUid, Tier::Landlock] {
        if let Err(reason) = runtime.block_on(stage::use_tier(tier)) {
            println!("SKIPPED in {tier}: {reason}");
            continue;
        }
        let belongs = |name: &str| tier > Tier::Landlock || IN_TIER_1.contains(&name);
        for (name, test) in TESTS.iter().filter(|(name, _)| is_wanted(name) && belongs(name)) {
            let begun = std::time::Instant::now();
            let passed = runtime.block_on(async { tokio::spawn(test()).await.is_ok() });
            let verdict = if passed { "ok" } else { "FAILED" };
            println!("test up to {tier}: {name} ... {verdict} ({:.1} s)", begun.elapsed().as_secs_f32());
            failed += usize::from(!passed);
        }
    }
    println!("{failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
