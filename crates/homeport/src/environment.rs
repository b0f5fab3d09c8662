use std::path::PathBuf;

use homeport_vault::Secret;

/// The process's environment, read once: nothing else in the house asks for it.
#[derive(Clone)]
pub(crate) struct Environment {
    variables: Vec<(String, String)>,
}

impl Environment {
    /// As it is now; variables that are not text are left out.
    pub(crate) fn of_this_process() -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self { variables: variables.collect() }
    }

    /// All of it.
    pub(crate) fn variables(&self) -> &[(String, String)] {
        &self.variables
    }

    /// A variable that is there and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.variables.iter().find(|(other, _)| other == name)?;
        Some(found.1.as_str()).filter(|value| !value.is_empty())
    }

    /// A variable that holds a secret.
    pub(crate) fn secret(&self, name: &str) -> Option<Secret> {
        self.get(name).map(|value| Secret::new(value.as_bytes().to_vec()))
    }

    /// Where systemd put a credential of this name, if it did.
    pub(crate) fn credential(&self, name: &str) -> Option<PathBuf> {
        let path = PathBuf::from(self.get("CREDENTIALS_DIRECTORY")?).join(name);
        path.exists().then_some(path)
    }
}
