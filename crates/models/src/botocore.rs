//! Reading botocore's data folder.

use std::fs;
use std::io::Read;
use std::path::Path;

use serde_json::Value;

use crate::ModelError;

/// The newest model of a service in botocore's data folder, and its API version (the folder's name).
pub fn newest_model(data: &Path, service: &str) -> Result<(String, Value), ModelError> {
    let folder = data.join(service);
    let mut versions = Vec::new();
    for entry in fs::read_dir(&folder).map_err(ModelError::file(&folder))? {
        let entry = entry.map_err(ModelError::file(&folder))?;
        for name in ["service-2.json", "service-2.json.gz"] {
            let path = entry.path().join(name);
            if path.is_file() {
                versions.push((entry.file_name().to_string_lossy().into_owned(), path));
            }
        }
    }
    let (version, path) = versions.into_iter().max().ok_or(ModelError::NoModel(folder))?;
    let mut bytes = fs::read(&path).map_err(ModelError::file(&path))?;
    if path.extension().is_some_and(|e| e == "gz") {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut plain).map_err(ModelError::file(&path))?;
        bytes = plain;
    }
    let model = serde_json::from_slice(&bytes).map_err(|source| ModelError::Json { path, source })?;
    Ok((version, model))
}
