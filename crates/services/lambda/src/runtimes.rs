//! boto3 and `@aws-sdk/*` for functions that don't bring them: once per machine, from PyPI and npm.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::interpreters::{Family, Interpreter, Interpreters};

/// Why the libraries were not brought.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// There is nothing to bring them for.
    #[error("no Python or Node interpreter was found")]
    NoInterpreter,
    /// A program that is needed could not be started.
    #[error("{program} could not be started ({error}): {hint}")]
    Missing {
        /// Its name.
        program: String,
        /// What brings it.
        hint: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// pip or npm failed; the last lines of what it said.
    #[error("{program} failed:\n{output}")]
    Failed {
        /// Its name.
        program: String,
        /// What it said last.
        output: String,
    },
    /// The runtimes' folder could not be written.
    #[error("{0}: {1}")]
    Folder(PathBuf, io::Error),
}

/// The AWS SDK for Python, by the oldest Python that it runs on, newest first.
const BOTO3: [(u32, &str); 3] = [(10, "1.43.62"), (9, "1.40.76"), (8, "1.37.38")];
/// The AWS SDK for JavaScript, by the oldest Node that it runs on, newest first: of each package the newest up to this
/// version, as not every package is published anew with every one.
const AWS_SDK: [(u32, &str); 2] = [(20, "3.950.0"), (18, "3.723.0")];
/// Its packages for the services that are here.
const AWS_SDK_PACKAGES: [&str; 13] = [
    "client-api-gateway",
    "client-cloudwatch-logs",
    "client-cognito-identity",
    "client-cognito-identity-provider",
    "client-dynamodb",
    "client-iam",
    "client-lambda",
    "client-s3",
    "client-sns",
    "client-sts",
    "lib-dynamodb",
    "s3-request-presigner",
    "util-dynamodb",
];

/// The libraries' folder for an interpreter, if they are there.
pub(crate) fn libraries(runtimes: &Path, interpreter: &Interpreter) -> Option<PathBuf> {
    let folder = installed_at(runtimes, interpreter);
    let proof = match interpreter.family {
        Family::Python => folder.join("boto3"),
        Family::Node => folder.join("node_modules/@aws-sdk"),
    };
    proof.exists().then_some(folder)
}

fn installed_at(runtimes: &Path, interpreter: &Interpreter) -> PathBuf {
    runtimes.join(interpreter.library_folder())
}

/// Brings the libraries for every interpreter found in `search` that lacks them, into `runtimes`
/// (`$XDG_DATA_HOME/homeport/runtimes`); those that are there stay. Blocks, for minutes at times: `progress` is told
/// each step in a sentence. An interrupted installation leaves nothing that counts as installed.
pub fn install(
    runtimes: &Path,
    search: &[PathBuf],
    progress: &mut dyn FnMut(&str),
) -> Result<(), InstallError> {
    let interpreters = Interpreters::discover(search);
    if interpreters.all().is_empty() {
        return Err(InstallError::NoInterpreter);
    }
    let mut done = Vec::new();
    for interpreter in interpreters.all() {
        let folder = interpreter.library_folder();
        if done.contains(&folder) {
            continue;
        }
        if libraries(runtimes, interpreter).is_some() {
            progress(&format!("{}: there already", interpreter.name()));
        } else {
            match interpreter.family {
                Family::Python => python(runtimes, interpreter, progress)?,
                Family::Node => node(runtimes, interpreter, progress)?,
            }
        }
        done.push(folder);
    }
    Ok(())
}

fn python(
    runtimes: &Path,
    interpreter: &Interpreter,
    progress: &mut dyn FnMut(&str),
) -> Result<(), InstallError> {
    let minor = interpreter.version.1;
    let Some((_, version)) = BOTO3.iter().find(|(oldest, _)| *oldest <= minor) else {
        progress(&format!("{}: too old for boto3, left out", interpreter.name()));
        return Ok(());
    };
    progress(&format!("{}: boto3 {version} from PyPI", interpreter.name()));
    let fresh = fresh_folder(runtimes, interpreter)?;
    let mut pip = Command::new(&interpreter.path);
    pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--target"])
        .arg(&fresh)
        .arg(format!("boto3=={version}"));
    run("pip", "install python3-pip, or the interpreter's ensurepip", &mut pip)?;
    keep(&fresh, &installed_at(runtimes, interpreter))
}

fn node(
    runtimes: &Path,
    interpreter: &Interpreter,
    progress: &mut dyn FnMut(&str),
) -> Result<(), InstallError> {
    let major = interpreter.version.0;
    let Some((_, version)) = AWS_SDK.iter().find(|(oldest, _)| *oldest <= major) else {
        progress(&format!("{}: too old for the AWS SDK, left out", interpreter.name()));
        return Ok(());
    };
    progress(&format!("{}: @aws-sdk/* up to {version} from npm", interpreter.name()));
    let fresh = fresh_folder(runtimes, interpreter)?;
    fs::write(fresh.join("package.json"), "{\"private\": true}")
        .map_err(|error| InstallError::Folder(fresh.clone(), error))?;
    // npm beside the interpreter belongs to it; another one would do too.
    let beside = interpreter.path.with_file_name("npm");
    let program = if beside.exists() { beside.as_os_str() } else { OsStr::new("npm") };
    // Packages name each other as peers by exact versions, though the one they name may not have been published.
    let mut npm = Command::new(program);
    npm.args([
        "install",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--loglevel=error",
        "--legacy-peer-deps",
        "--prefix",
    ])
    .arg(&fresh)
    .args(AWS_SDK_PACKAGES.map(|package| format!("@aws-sdk/{package}@>=3.600.0 <={version}")));
    run("npm", "install npm, which comes with Node", &mut npm)?;
    keep(&fresh, &installed_at(runtimes, interpreter))
}

fn fresh_folder(runtimes: &Path, interpreter: &Interpreter) -> Result<PathBuf, InstallError> {
    let fresh = runtimes.join(format!(".{}-{}", interpreter.library_folder(), std::process::id()));
    let failed = |error| InstallError::Folder(fresh.clone(), error);
    if fresh.exists() {
        fs::remove_dir_all(&fresh).map_err(failed)?;
    }
    fs::create_dir_all(&fresh).map_err(failed)?;
    Ok(fresh)
}

fn keep(fresh: &Path, at: &Path) -> Result<(), InstallError> {
    let failed = |error| InstallError::Folder(at.to_owned(), error);
    if at.exists() {
        fs::remove_dir_all(at).map_err(failed)?;
    }
    fs::rename(fresh, at).map_err(failed)
}

fn run(program: &str, hint: &'static str, command: &mut Command) -> Result<(), InstallError> {
    let output = command.output().map_err(|error| InstallError::Missing {
        program: program.to_owned(),
        hint,
        error,
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let last: Vec<&str> = said.lines().rev().take(10).collect();
    let output = last.into_iter().rev().collect::<Vec<_>>().join("\n");
    Err(InstallError::Failed { program: program.to_owned(), output: format!("{output}\n({hint})") })
}
