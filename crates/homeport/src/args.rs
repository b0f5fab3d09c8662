use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::Sources;

/// A mobile backend that its owner runs, speaking AWS's protocols.
#[derive(Parser)]
#[command(name = "homeport", version, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) place: PlaceArguments,
}

/// Which installation.
#[derive(Args)]
pub(crate) struct PlaceArguments {
    /// The data folder [default: ./homeport-data]
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<String>,
    /// The file that holds the master key [default: the data folder's path with .key behind it]
    #[arg(long, global = true, value_name = "FILE")]
    key_file: Option<String>,
    /// A PostgreSQL database in place of the folder: postgres://USER@HOST[:PORT][,HOST[:PORT]…]/DATABASE
    #[arg(long, global = true, value_name = "URL")]
    store: Option<String>,
    /// Where blobs are: a folder that nodes share, or s3://BUCKET[/PREFIX] [default: blobs in the data folder]
    #[arg(long, global = true, value_name = "PLACE")]
    blobs: Option<String>,
    /// Settings [default: homeport.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the server
    Serve(ServeArguments),
    /// Run the server with the notes sample in ./.demo
    Demo(DemoArguments),
    /// Print the administrator's keys
    Credentials(CredentialsArguments),
    /// Print exports for the AWS CLI and SDKs: eval "$(homeport env)"
    Env,
    /// Print what apps that pin the server's key compare
    Pins(FormatArguments),
    /// Print the local authority's root certificate, and how clients come to trust it
    Ca,
    /// Print messages that no mail server took
    Outbox(OutboxArguments),
    /// Copy an installation to another place, folder or database; what was there stays as it is
    Move(MoveArguments),
    /// Write all of an installation but its master key into a file, while it runs or not
    Backup(BackupArguments),
    /// Make an installation of a backup, in an empty place
    Restore(RestoreArguments),
    /// The master key
    Key {
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// The audit trail
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// What functions find without packaging it
    Runtimes {
        #[command(subcommand)]
        command: RuntimesCommand,
    },
    /// Print the version
    Version,
    /// Print docs/configuration.md
    #[command(hide = true)]
    Configuration,
    /// Print docs/coverage.md
    #[command(hide = true)]
    Coverage,
}

#[derive(Args, Default)]
pub(crate) struct ServeArguments {
    /// Where AWS calls are taken; may be repeated [default: 127.0.0.1:4566]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Vec<String>,
    /// The URL by which clients know this installation
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Where the console is [default: 127.0.0.1:4567, or a free port]
    #[arg(long, value_name = "ADDR:PORT|off")]
    console: Option<String>,
    /// Let the trusted proxies speak plain HTTP from other machines
    #[arg(long)]
    plain_behind_proxy: bool,
    /// Add the keys test/test for programs on this machine
    #[arg(long)]
    dev: bool,
}

#[derive(Args)]
pub(crate) struct DemoArguments {
    /// Walk the sample in a new temporary folder, say each step, and leave nothing behind
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Args)]
pub(crate) struct CredentialsArguments {
    /// Make new keys in place of all the administrator has
    #[arg(long)]
    pub(crate) rotate: bool,
    #[command(flatten)]
    pub(crate) format: FormatArguments,
}

#[derive(Args)]
pub(crate) struct FormatArguments {
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// One flat object
    Json,
}

#[derive(Args)]
pub(crate) struct OutboxArguments {
    /// Only those to this address, phone number or user name
    #[arg(long, value_name = "ADDRESS-OR-USER")]
    pub(crate) to: Option<String>,
    /// Only those of this user pool
    #[arg(long, value_name = "POOL")]
    pub(crate) pool: Option<String>,
    /// Only the newest
    #[arg(long)]
    pub(crate) last: bool,
    /// Print the newest one's bare code or temporary password; exit 1 where there is none
    #[arg(long)]
    pub(crate) code: bool,
    /// Print a one-time link to the outbox page of the running server
    #[arg(long, conflicts_with_all = ["to", "pool", "last", "code"])]
    pub(crate) link: bool,
}

#[derive(Args)]
pub(crate) struct MoveArguments {
    /// The folder or database that is moved; no server may use it meanwhile
    #[arg(long, value_name = "DIR|URL")]
    pub(crate) from: String,
    /// Its blobs [default: the folder's own]
    #[arg(long, value_name = "DIR|s3://BUCKET")]
    pub(crate) from_blobs: Option<String>,
    /// Where it goes: a new folder or an empty database
    #[arg(long, value_name = "DIR|URL")]
    pub(crate) to: String,
    /// Where its blobs go [default: the folder's own]
    #[arg(long, value_name = "DIR|s3://BUCKET")]
    pub(crate) to_blobs: Option<String>,
}

#[derive(Args)]
pub(crate) struct BackupArguments {
    /// The file, which must not be there yet
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Args)]
pub(crate) struct RestoreArguments {
    /// The backup
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Wrap the data keys under a new master key
    Rotate,
}

#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Look for rows that were removed or altered; exit 1 where one was
    Verify,
}

#[derive(Subcommand)]
pub(crate) enum RuntimesCommand {
    /// Bring boto3 and @aws-sdk/* from PyPI and npm, once per machine
    Install,
}

impl Arguments {
    /// The settings that flags give.
    pub(crate) fn sources(&self, environment: Vec<(String, String)>) -> Sources {
        let place = &self.place;
        let serve = match &self.command {
            Command::Serve(serve) => Some(serve),
            _ => None,
        };
        let mut flags: Vec<(&'static str, Vec<String>)> = Vec::new();
        let mut give =
            |path, value: Option<&String>| flags.extend(value.map(|value| (path, vec![value.clone()])));
        give("data.folder", place.data.as_ref());
        give("data.key_file", place.key_file.as_ref());
        give("blobs.place", place.blobs.as_ref());
        give("store.database", place.store.as_ref());
        give("listen.public_url", serve.and_then(|serve| serve.public_url.as_ref()));
        give("listen.console", serve.and_then(|serve| serve.console.as_ref()));
        if let Some(serve) = serve.filter(|serve| !serve.listen.is_empty()) {
            flags.push(("listen.addresses", serve.listen.clone()));
        }
        if serve.is_some_and(|serve| serve.plain_behind_proxy) {
            flags.push(("listen.plain_behind_proxy", vec!["true".to_owned()]));
        }
        Sources { file: place.config.clone(), environment, flags, dev: serve.is_some_and(|serve| serve.dev) }
    }
}
