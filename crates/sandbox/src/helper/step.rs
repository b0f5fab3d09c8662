use std::io;

/// A step of the confinement that failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) step: &'static str,
    pub(super) error: String,
}

impl Failure {
    pub(super) fn of(step: &'static str) -> Self {
        Self { step, error: "it did not hold".to_owned() }
    }
}

/// Names the step that `result` is of.
pub(super) fn step<T, E: std::fmt::Display>(step: &'static str, result: Result<T, E>) -> Result<T, Failure> {
    result.map_err(|error| Failure { step, error: error.to_string() })
}

/// The same with the thing it was done to.
pub(super) fn step_on<T>(
    name: &'static str,
    thing: impl AsRef<std::path::Path>,
    result: io::Result<T>,
) -> Result<T, Failure> {
    result.map_err(|error| Failure { step: name, error: format!("{}: {error}", thing.as_ref().display()) })
}
