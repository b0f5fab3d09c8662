//! `homeport-models trim BOTOCORE_DATA MODELS`: writes `MODELS/SERVICE.txt` from botocore's data folder.
//! `homeport-models pack MODELS`: writes `MODELS/models.bin` from the text files.

use std::path::Path;
use std::process::ExitCode;

use homeport_models::{ModelError, pack, text, trim};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["trim", data, models] => trim_all(Path::new(data), Path::new(models)),
        ["pack", models] => pack_all(Path::new(models)),
        _ => {
            eprintln!("usage: homeport-models trim BOTOCORE_DATA MODELS | homeport-models pack MODELS");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("homeport-models: {error}");
            ExitCode::FAILURE
        }
    }
}

fn trim_all(data: &Path, models: &Path) -> Result<(), ModelError> {
    for service in homeport_models::SERVICES {
        let path = models.join(format!("{service}.txt"));
        std::fs::write(&path, trim::file(data, service)?)
            .map_err(|source| ModelError::File { path, source })?;
    }
    Ok(())
}

fn pack_all(models: &Path) -> Result<(), ModelError> {
    let mut services = Vec::new();
    for service in homeport_models::SERVICES {
        let path = models.join(format!("{service}.txt"));
        let content = std::fs::read_to_string(&path).map_err(|source| ModelError::File { path, source })?;
        services.push((service, text::read(&content)?));
    }
    let path = models.join("models.bin");
    std::fs::write(&path, pack::pack(&services)).map_err(|source| ModelError::File { path, source })
}
