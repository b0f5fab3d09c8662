use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use super::{Asking, print, text};
use crate::error::ProgramError;
use crate::office::Action;
use crate::sockets::endpoint_of;

/// The region of calls that name none.
const REGION: &str = "us-east-1";

pub(super) fn run(asking: &Asking) -> Result<ExitCode, ProgramError> {
    let keys = asking.ask(&Action::Credentials { rotate: false })?;
    let listen = &asking.config.listen;
    let endpoint = match (&listen.public_url, asking.server()) {
        (Some(url), _) => url.clone(),
        (None, Some(server)) => server.endpoint,
        (None, None) => listen.addresses.first().map(|address| endpoint_of(*address)).unwrap_or_default(),
    };
    let mut lines = String::new();
    let mut export = |name: &str, value: &str| _ = writeln!(lines, "export {name}={}", quoted(value));
    export("AWS_ENDPOINT_URL", &endpoint);
    export("AWS_ACCESS_KEY_ID", text(&keys, "accessKeyId"));
    export("AWS_SECRET_ACCESS_KEY", text(&keys, "secretAccessKey"));
    export("AWS_REGION", REGION);
    export("AWS_DEFAULT_REGION", REGION);
    let root = asking.config.data.root_file();
    if asking.config.tls.certificate.is_none() && root.exists() {
        let root = absolute(&root);
        export("AWS_CA_BUNDLE", &root);
        export("NODE_EXTRA_CA_CERTS", &root);
    }
    // A session token that is left over would be sent along with these keys, and a profile can win over them.
    lines.push_str("unset AWS_SESSION_TOKEN AWS_SECURITY_TOKEN AWS_PROFILE AWS_DEFAULT_PROFILE\n");
    print(&lines)
}

fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or(path.to_owned()).display().to_string()
}

/// For a POSIX shell: as it is where that is safe, in single quotes otherwise.
fn quoted(value: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:+=@%".contains(&b);
    if !value.is_empty() && value.bytes().all(plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_what_was_meant() {
        assert_eq!(quoted("http://127.0.0.1:4566"), "http://127.0.0.1:4566");
        assert_eq!(quoted("/tmp/a b/ca.pem"), "'/tmp/a b/ca.pem'");
        assert_eq!(quoted("it's $(x)"), r"'it'\''s $(x)'");
        assert_eq!(quoted(""), "''");
    }
}
