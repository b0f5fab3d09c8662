//! The machine's Python and Node interpreters, and which of them stands in for the one a function asks for.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::LambdaError;

/// A family of runtimes that needs an interpreter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// `python3.x`
    Python,
    /// `nodejsN.x`
    Node,
}

/// An interpreter of this machine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interpreter {
    /// Python or Node.
    pub family: Family,
    /// Major, minor, patch.
    pub version: (u32, u32, u32),
    /// The program, links resolved.
    pub path: PathBuf,
    /// The folders that it needs and that don't lie below `/usr`.
    pub(crate) folders: Vec<PathBuf>,
}

/// What a function's runtime asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// An interpreter of about this version: (major, minor); Node's minor is 0.
    Interpreter(Family, u32, u32),
    /// The package's own `bootstrap`.
    Provided,
}

/// Reads a runtime's name, such as `python3.12`.
pub(crate) fn asked(runtime: &str) -> Result<Asked, LambdaError> {
    let python = runtime.strip_prefix("python3.").and_then(|minor| minor.parse().ok());
    let node = runtime.strip_prefix("nodejs").and_then(|rest| rest.strip_suffix(".x")?.parse().ok());
    match (python, node) {
        (Some(minor), _) => Ok(Asked::Interpreter(Family::Python, 3, minor)),
        (_, Some(major)) => Ok(Asked::Interpreter(Family::Node, major, 0)),
        _ if runtime.starts_with("provided") => Ok(Asked::Provided),
        _ => Err(LambdaError::invalid(format!(
            "The runtime parameter of {runtime} is not supported here: python3.x, nodejs*.x and provided.* are."
        ))),
    }
}

/// All interpreters found.
#[derive(Clone, Debug, Default)]
pub struct Interpreters(Vec<Interpreter>);

impl Interpreters {
    /// Asks every `python3*` and `node*` program in these folders what it is. Blocks: a tenth of a second or so.
    pub fn discover(folders: &[PathBuf]) -> Self {
        let mut programs = BTreeSet::new();
        for folder in folders {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if let Some(family) = family_of(&name)
                    && let Ok(path) = fs::canonicalize(entry.path())
                {
                    programs.insert((family, path));
                }
            }
        }
        let found: BTreeSet<Interpreter> =
            programs.into_iter().filter_map(|(family, path)| ask(family, &path)).collect();
        Self(found.into_iter().collect())
    }

    /// All of them.
    pub fn all(&self) -> &[Interpreter] {
        &self.0
    }

    /// The nearest to the version asked for; of two as near, the newer.
    pub(crate) fn nearest(&self, family: Family, major: u32, minor: u32) -> Option<&Interpreter> {
        let wanted = i64::from(major) * 1_000 + i64::from(minor);
        let distance = |interpreter: &&Interpreter| {
            let (major, minor, patch) = interpreter.version;
            let minor = if family == Family::Node { 0 } else { minor };
            let has = i64::from(major) * 1_000 + i64::from(minor);
            ((has - wanted).abs(), -has, -i64::from(patch))
        };
        self.0.iter().filter(|interpreter| interpreter.family == family).min_by_key(distance)
    }
}

impl Interpreter {
    /// `Python 3.11.7` or `Node 20.20.2`
    pub fn name(&self) -> String {
        let family = match self.family {
            Family::Python => "Python",
            Family::Node => "Node",
        };
        let (major, minor, patch) = self.version;
        format!("{family} {major}.{minor}.{patch}")
    }

    /// The folder of its libraries below the runtimes' folder: `python3.11`, `node20`.
    pub(crate) fn library_folder(&self) -> String {
        let (major, minor, _) = self.version;
        match self.family {
            Family::Python => format!("python{major}.{minor}"),
            Family::Node => format!("node{major}"),
        }
    }
}

fn family_of(name: &str) -> Option<Family> {
    let numbers = |rest: &str| rest.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    match (name.strip_prefix("python3"), name.strip_prefix("node")) {
        (Some(rest), _) if numbers(rest) => Some(Family::Python),
        (_, Some(rest)) if numbers(rest) || rest == "js" => Some(Family::Node),
        _ => None,
    }
}

/// The interpreter itself knows best: what is found may be a script that chooses one.
fn ask(family: Family, program: &Path) -> Option<Interpreter> {
    const PYTHON: &str = "import sys\nprint('%d.%d.%d' % sys.version_info[:3], sys._base_executable, sys.base_prefix, sys.base_exec_prefix, sep='\\n')";
    const NODE: &str = "console.log([process.versions.node, process.execPath].join('\\n'))";
    let mut command = Command::new(program);
    match family {
        Family::Python => command.args(["-I", "-c", PYTHON]),
        Family::Node => command.args(["-e", NODE]),
    };
    let output = command.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut lines = text.lines();
    let version = version(lines.next()?)?;
    let path = fs::canonicalize(lines.next()?).ok()?;
    let mut folders: Vec<PathBuf> = match family {
        Family::Python => lines.map(PathBuf::from).collect(),
        Family::Node => path.ancestors().nth(2).map(Path::to_owned).into_iter().collect(),
    };
    folders.retain(|folder| !["/usr", "/bin", "/lib"].iter().any(|known| folder.starts_with(known)));
    folders.dedup();
    (!folders.contains(&PathBuf::from("/"))).then_some(Interpreter { family, version, path, folders })
}

fn version(text: &str) -> Option<(u32, u32, u32)> {
    let mut numbers = text.split('.').map(|part| part.parse().ok());
    Some((numbers.next()??, numbers.next()??, numbers.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(family: Family, version: (u32, u32, u32)) -> Interpreter {
        Interpreter { family, version, path: "/x".into(), folders: Vec::new() }
    }

    #[test]
    fn the_nearest_stands_in() {
        let all = Interpreters(vec![
            made(Family::Python, (3, 9, 2)),
            made(Family::Python, (3, 11, 7)),
            made(Family::Python, (3, 13, 0)),
            made(Family::Node, (20, 20, 2)),
        ]);
        let python = |minor| all.nearest(Family::Python, 3, minor).map(|found| found.version.1);
        assert_eq!([8, 9, 10, 11, 12, 13, 14].map(python), [9, 9, 11, 11, 13, 13, 13].map(Some));
        assert_eq!(all.nearest(Family::Node, 24, 0).map(|found| found.version.0), Some(20));
        assert!(Interpreters::default().nearest(Family::Node, 20, 0).is_none());
    }

    #[test]
    fn runtimes_are_read() {
        assert_eq!(asked("python3.12").expect("python"), Asked::Interpreter(Family::Python, 3, 12));
        assert_eq!(asked("nodejs22.x").expect("node"), Asked::Interpreter(Family::Node, 22, 0));
        assert_eq!(asked("provided.al2023").expect("provided"), Asked::Provided);
        for other in ["java21", "python2.7", "ruby3.3", "nodejs"] {
            assert!(asked(other).is_err(), "{other}");
        }
    }

    #[test]
    fn this_machine_is_asked() {
        let found = Interpreters::discover(&["/usr/local/bin".into(), "/usr/bin".into()]);
        for interpreter in found.all() {
            assert!(interpreter.path.exists(), "{interpreter:?}");
        }
    }
}
