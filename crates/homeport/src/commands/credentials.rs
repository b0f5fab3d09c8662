use std::process::ExitCode;

use serde_json::json;

use super::{Asking, print, text};
use crate::args::{CredentialsArguments, Format};
use crate::error::ProgramError;
use crate::office::Action;

pub(super) fn run(asking: &Asking, asked: &CredentialsArguments) -> Result<ExitCode, ProgramError> {
    let keys = asking.ask(&Action::Credentials { rotate: asked.rotate })?;
    let (id, secret) = (text(&keys, "accessKeyId"), text(&keys, "secretAccessKey"));
    match asked.format.format {
        Format::Json => print(&format!("{}\n", json!({ "accessKeyId": id, "secretAccessKey": secret }))),
        Format::Text => {
            let account = text(&keys, "accountId");
            print(&format!(
                "Account            {account}\nAccess key id      {id}\nSecret access key  {secret}\n"
            ))
        }
    }
}
