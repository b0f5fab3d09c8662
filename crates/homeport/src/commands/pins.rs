use std::process::ExitCode;

use super::{Asking, print, text};
use crate::args::Format;
use crate::error::ProgramError;
use crate::office::Action;

pub(super) fn run(asking: &Asking, format: Format) -> Result<ExitCode, ProgramError> {
    let pins = asking.ask(&Action::Pins)?;
    if format == Format::Json {
        return print(&format!("{pins}\n"));
    }
    let mut page = format!(
        "The server's key\n  OkHttp, Android, NSPinnedDomains  {}\n  raw key, Base64                  {}\n",
        text(&pins, "pin"),
        text(&pins, "rawKey"),
    );
    if pins["nextPin"].is_string() {
        page.push_str(&format!(
            "The next key: pin it too\n  OkHttp, Android, NSPinnedDomains  {}\n  raw key, Base64                  {}\n",
            text(&pins, "nextPin"),
            text(&pins, "nextRawKey"),
        ));
    }
    page.push_str("NSPinnedDomains takes the part behind `sha256/`.\n");
    print(&page)
}
