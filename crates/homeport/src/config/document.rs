use std::fmt::Write as _;

use super::given::variable_of;
use super::{SECTIONS, Setting};

const INTRODUCTION: &str = "# Configuration

This page is written by `homeport configuration`; a test proves it current.

Settings come from `homeport.toml` in the working folder (or the file that `--config` names), then from the environment, then
from flags; the later wins. In the file they stand in sections, in the environment a setting `a.b` is `HOMEPORT_A_B`, with
commas between the values of a list. A setting that doesn't exist is an error, and all errors are told at once.

```toml
[listen]
addresses = [\"0.0.0.0:443\"]
public_url = \"https://api.example.com\"

[tls]
certificate = \"/etc/homeport/chain.pem\"
key = \"/etc/homeport/key.pem\"
```

`--dev` is a flag alone: it adds the development keys `test`/`test` for programs on this machine, and refuses every listener
that is not loopback and every trusted proxy.

Four secrets come by the environment and are no settings: `HOMEPORT_MASTER_KEY` (the master key), `HOMEPORT_NEXT_MASTER_KEY`
(the one that `homeport key rotate` turns to where the key comes from the environment), `HOMEPORT_SMTP_PASSWORD` and
`HOMEPORT_BLOBS_SECRET_ACCESS_KEY`.
";

/// docs/configuration.md.
pub(crate) fn configuration_page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for section in SECTIONS {
        _ = write!(page, "\n## {}\n\n{}\n", section.name, section.about);
        for setting in section.settings {
            _ = write!(page, "\n{}", entry(setting));
        }
    }
    page
}

fn entry(setting: &Setting) -> String {
    let flag = setting.flag.map(|flag| format!(", `{flag}`")).unwrap_or_default();
    format!(
        "**`{}`** (`{}`{flag}). {} Default: {}.\n",
        setting.path,
        variable_of(setting.path),
        setting.about,
        setting.default
    )
}
