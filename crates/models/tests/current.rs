//! The checked-in models are current: the blob against the text files, the text files against botocore.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::path::{Path, PathBuf};
use std::process::Command;

use homeport_models::{BOTOCORE_VERSION, Record, SERVICES, pack, text, trim};

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models")
}

fn records(service: &str) -> Vec<Record> {
    text::read(&std::fs::read_to_string(models().join(format!("{service}.txt"))).unwrap()).unwrap()
}

#[test]
fn the_blob_is_packed_from_the_text_files() {
    let services: Vec<_> = SERVICES.iter().map(|service| (*service, records(service))).collect();
    let packed = std::fs::read(models().join("models.bin")).unwrap();
    assert!(pack::pack(&services) == packed, "run `cargo run --release -p homeport-models -- pack models`");
}

#[test]
fn what_was_packed_is_what_the_program_reads() {
    for name in SERVICES {
        let service = homeport_wire::Models::service(name).unwrap();
        for record in records(name).iter().filter(|record| !record.lines.is_empty()) {
            match record.word(0) {
                "operation" => {
                    let operation = service.operation(record.word(1)).unwrap();
                    assert_eq!(operation.method, record.word(2));
                    let errors =
                        record.lines.iter().filter(|line| line.word(0) == "error").map(|line| line.word(1));
                    let read = operation.errors.iter().map(|error| service.shape(*error).name);
                    assert!(errors.eq(read), "{name} {}", operation.name);
                }
                "structure" => {
                    let structure = service.shape_named(record.word(1)).unwrap().structure().unwrap();
                    let members = record.lines.iter().map(|line| (line.word(0), line.word(1)));
                    let read = structure.members.iter().map(|m| (m.name, service.shape(m.shape).name));
                    assert!(members.eq(read), "{name} {}", record.word(1));
                }
                "string" => {
                    let shape = service.shape_named(record.word(1)).unwrap();
                    assert!(record.lines.iter().map(|line| line.word(1)).eq(shape.options.iter().copied()));
                }
                _ => {}
            }
        }
    }
}

/// The data folder of the stated botocore: of `HOMEPORT_BOTOCORE` (a folder), or of a virtual environment made here.
#[expect(clippy::disallowed_methods, reason = "where botocore lies is a matter of the test machine")]
fn botocore_data() -> Result<PathBuf, String> {
    if let Some(data) = std::env::var_os("HOMEPORT_BOTOCORE") {
        return Ok(data.into());
    }
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("botocore-{BOTOCORE_VERSION}"));
    let python = venv.join("bin/python");
    let run = |command: &mut Command| match command.output() {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        }
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Err(error.to_string()),
    };
    if !python.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    }
    let where_is = "import botocore, os; print(os.path.join(os.path.dirname(botocore.__file__), 'data'))";
    let wanted = format!("botocore=={BOTOCORE_VERSION}");
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", &wanted]))?;
    run(Command::new(&python).args(["-c", where_is])).map(PathBuf::from)
}

#[test]
fn the_text_files_are_trimmed_from_the_stated_botocore() {
    let data = match botocore_data() {
        Ok(data) => data,
        Err(reason) => {
            eprintln!("SKIPPED: botocore {BOTOCORE_VERSION} cannot be installed: {reason}");
            return;
        }
    };
    for service in SERVICES {
        let kept = std::fs::read_to_string(models().join(format!("{service}.txt"))).unwrap();
        assert!(
            trim::file(&data, service).unwrap() == kept,
            "{service}.txt: run `homeport-models trim`, then `pack`"
        );
    }
}
