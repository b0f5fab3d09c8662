use std::path::PathBuf;

/// Why a model could not be trimmed, read or packed.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of botocore's is no JSON.
    #[error("{path}: {source}")]
    Json {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// The data folder has no model of a service.
    #[error("{0}: no service-2.json or service-2.json.gz below it")]
    NoModel(PathBuf),
    /// A model has a form that the tool does not know.
    #[error("{service}: {what}")]
    Unknown {
        /// The service.
        service: String,
        /// What is not known.
        what: String,
    },
    /// A line of a text file cannot be read.
    #[error("line {line}: {what}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl ModelError {
    pub(crate) fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}
