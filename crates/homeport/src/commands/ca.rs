use std::process::ExitCode;

use super::{Asking, print, text};
use crate::error::ProgramError;
use crate::office::Action;

/// How clients come to trust the root. It goes to standard error, so that `homeport ca > root.pem` is the root alone.
const HOW: &str = "\
This is the root of this installation's own authority; it can certify this machine's names and private addresses alone.
  homeport ca > root.pem, then:
  Android    put root.pem into res/raw and name it in network_security_config.xml: <trust-anchors>
             <certificates src=\"@raw/root\"/></trust-anchors> (apps don't trust certificates that users install)
  iOS        AirDrop or mail root.pem, install the profile, then Settings > General > About > Certificate Trust
             Settings; simulator: xcrun simctl keychain booted add-root-cert root.pem
  browsers   import root.pem among the authorities; on Debian: cp root.pem /usr/local/share/ca-certificates/homeport.crt
             && update-ca-certificates (Firefox has a list of its own)
  Node       NODE_EXTRA_CA_CERTS=root.pem
  Python     AWS_CA_BUNDLE=root.pem (boto3, AWS CLI), REQUESTS_CA_BUNDLE=root.pem (requests)
";

pub(super) fn run(asking: &Asking) -> Result<ExitCode, ProgramError> {
    let root = asking.ask(&Action::Authority)?;
    if root.is_null() {
        let why =
            "tls.certificate is shown, so there is no local authority: clients trust whoever issued that";
        return Err(ProgramError::Refused(why.to_owned()));
    }
    eprint!("{HOW}");
    print(text(&root, "pem"))
}
