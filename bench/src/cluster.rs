//! A PostgreSQL of one's own, in a folder that goes with it: with the settings it comes with, but for more connections.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use homeport_store::{PostgresOptions, Store};
use tokio_postgres::{Client, Config, NoTls};

use crate::Outcome;
use crate::load::{SPAN, WARM};
use crate::process::{Program, cpu_seconds_of, free_address};

/// Where distributions put the server's programs.
const FOLDERS: [&str; 4] = [
    "/usr/lib/postgresql/17/bin",
    "/usr/lib/postgresql/16/bin",
    "/usr/lib/postgresql/15/bin",
    "/usr/local/bin",
];
/// Connections of one node, as the program has them where nothing else is said.
pub(crate) const CONNECTIONS: usize = 32;

pub(crate) struct Cluster<'p> {
    program: &'p Program,
    programs: PathBuf,
    folder: tempfile::TempDir,
    address: String,
}

impl<'p> Cluster<'p> {
    /// Starts one on the servers' cores; none where PostgreSQL isn't installed.
    pub(crate) fn start(program: &'p Program) -> Outcome<Option<Self>> {
        let Some(programs) = FOLDERS.iter().map(PathBuf::from).find(|folder| folder.join("initdb").exists())
        else {
            return Ok(None);
        };
        let cluster = Self { program, programs, folder: tempfile::tempdir()?, address: free_address()? };
        if is_root()? {
            // The server refuses to run as root.
            run(Command::new("chown").arg("postgres").arg(cluster.folder.path()))?;
        }
        cluster.run("initdb", &["-A", "trust", "-U", "homeport", "-E", "UTF8"])?;
        let (host, port) = cluster.address.split_once(':').ok_or("no port")?;
        let options =
            format!("-p {port} -h {host} -k {} -c max_connections=200", cluster.folder.path().display());
        let log = cluster.folder.path().join("log").display().to_string();
        cluster.run("pg_ctl", &["-w", "-l", &log, "-o", &options, "start"])?;
        Ok(Some(cluster))
    }

    fn run(&self, name: &str, arguments: &[&str]) -> Outcome<()> {
        let program = self.programs.join(name);
        let mut command = match is_root()? {
            true => {
                let mut command = self.program.on_server_cores(Path::new("runuser"));
                command.args(["-u", "postgres", "--"]).arg(program);
                command
            }
            false => self.program.on_server_cores(&program),
        };
        run(command.arg("-D").arg(self.folder.path().join("data")).args(arguments).current_dir("/"))
    }

    /// Where one of its databases is.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://homeport@{}/{database}", self.address)
    }

    /// Makes a database, and gives where it is.
    pub(crate) async fn database(&self, name: &str) -> Outcome<String> {
        let sql = sql(&self.url("postgres")).await?;
        sql.batch_execute(&format!("CREATE DATABASE {name}")).await?;
        Ok(self.url(name))
    }

    /// The process that all others of the database come from.
    pub(crate) fn pid(&self) -> Outcome<u32> {
        let lines = std::fs::read_to_string(self.folder.path().join("data/postmaster.pid"))?;
        Ok(lines.lines().next().ok_or("no process id")?.trim().parse()?)
    }

    /// CPU seconds that the database uses while the requests of one measurement run.
    pub(crate) async fn cpu_of_a_span(&self) -> Outcome<f64> {
        let pid = self.pid()?;
        tokio::time::sleep(WARM).await;
        let before = cpu_seconds_of(pid);
        tokio::time::sleep(SPAN).await;
        Ok(cpu_seconds_of(pid) - before)
    }
}

impl Drop for Cluster<'_> {
    fn drop(&mut self) {
        if self.folder.path().join("data/postmaster.pid").exists() {
            let _ = self.run("pg_ctl", &["stop", "-m", "immediate"]);
        }
    }
}

/// A session of one's own.
pub(crate) async fn sql(url: &str) -> Outcome<Client> {
    let (client, connection) = url.parse::<Config>()?.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Has done what the database would do by itself behind so many writes, so that no measurement pays for it.
pub(crate) async fn settle(url: &str, tables: &[&str]) -> Outcome<()> {
    let sql = sql(url).await?;
    for table in tables {
        sql.batch_execute(&format!("VACUUM (ANALYZE) {table}")).await?;
    }
    Ok(sql.batch_execute("CHECKPOINT").await?)
}

/// A node's store.
pub(crate) async fn store(url: &str) -> Outcome<Store> {
    let mut node = [0; 16];
    aws_lc_rs::rand::fill(&mut node).map_err(|_| "no randomness")?;
    let options = PostgresOptions { connections: CONNECTIONS, ..PostgresOptions::new(url.parse()?, node) };
    Ok(Store::connect(options).await?)
}

fn is_root() -> Outcome<bool> {
    Ok(std::fs::metadata("/proc/self")?.uid() == 0)
}

fn run(command: &mut Command) -> Outcome<()> {
    let done = command.status()?;
    if done.success() { Ok(()) } else { Err(format!("{command:?}: {done}").into()) }
}
