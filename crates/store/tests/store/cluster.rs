//! A PostgreSQL of one's own, in a folder that goes with it.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use homeport_store::{OpenError, PostgresOptions, Store};

#[path = "ports.rs"]
mod ports;

use ports::lasting_port;

/// Where distributions put the server's programs.
const FOLDERS: [&str; 4] = [
    "/usr/lib/postgresql/17/bin",
    "/usr/lib/postgresql/16/bin",
    "/usr/lib/postgresql/15/bin",
    "/usr/local/bin",
];

pub(crate) struct Cluster {
    programs: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
    databases: AtomicU32,
    nodes: AtomicU32,
}

impl Cluster {
    /// Starts one; none where PostgreSQL isn't installed.
    pub(crate) fn start() -> Option<Self> {
        let programs = FOLDERS.iter().map(PathBuf::from).find(|folder| folder.join("initdb").exists())?;
        let folder = tempfile::tempdir().unwrap();
        let cluster = Self {
            programs,
            folder,
            port: lasting_port(),
            databases: AtomicU32::new(0),
            nodes: AtomicU32::new(0),
        };
        let data = cluster.data();
        if std::fs::metadata(cluster.folder.path()).unwrap().uid() == 0 {
            // The server refuses to run as root.
            assert!(run(Command::new("chown").arg("postgres").arg(cluster.folder.path())));
        }
        let data_text = data.to_str().unwrap();
        let made = cluster.program(
            "initdb",
            &["-D", data_text, "-A", "trust", "-U", "homeport", "-E", "UTF8", "--no-sync"],
        );
        assert!(made, "no database");
        cluster.pg_ctl(&["start"]);
        Some(cluster)
    }

    /// Ends it as a crash would.
    pub(crate) fn stop(&self) {
        self.pg_ctl(&["stop", "-m", "immediate"]);
    }

    pub(crate) fn start_again(&self) {
        self.pg_ctl(&["start"]);
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn pg_ctl(&self, action: &[&str]) {
        let data = self.data();
        let options = format!(
            "-p {} -h 127.0.0.1 -k {} -c fsync=off -c max_connections=200",
            self.port,
            self.folder.path().display()
        );
        let log = self.folder.path().join("log");
        let (data, log) = (data.to_str().unwrap(), log.to_str().unwrap());
        let mut arguments = vec!["-D", data, "-w", "-l", log, "-o", &options];
        arguments.extend(action);
        let done = self.program("pg_ctl", &arguments);
        assert!(done, "{action:?}: {}", std::fs::read_to_string(log).unwrap_or_default());
    }

    fn program(&self, name: &str, arguments: &[&str]) -> bool {
        let program = self.programs.join(name);
        let root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
        let mut command = match root {
            true => {
                let mut command = Command::new("runuser");
                command.args(["-u", "postgres", "--"]).arg(program);
                command
            }
            false => Command::new(program),
        };
        run(command.args(arguments).current_dir(Path::new("/")))
    }

    /// A node on a database of its own.
    pub(crate) async fn store(&self) -> Store {
        let database = self.database().await;
        self.node(&database).await
    }

    /// A new database's name.
    pub(crate) async fn database(&self) -> String {
        let name = format!("d{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let sql = self.sql("postgres").await;
        sql.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        name
    }

    /// A session of one's own.
    pub(crate) async fn sql(&self, database: &str) -> tokio_postgres::Client {
        let config: tokio_postgres::Config = self.url(self.port, database).parse().unwrap();
        let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// Another node on a database.
    pub(crate) async fn node(&self, database: &str) -> Store {
        self.node_by(self.port, database).await
    }

    /// The same by a port of a proxy in between.
    pub(crate) async fn node_by(&self, port: u16, database: &str) -> Store {
        self.node_at(&self.url(port, database)).await.unwrap()
    }

    /// The same by a URL.
    pub(crate) async fn node_at(&self, url: &str) -> Result<Store, OpenError> {
        self.connect(url, 16).await
    }

    /// Another node, with so many connections.
    pub(crate) async fn node_with(&self, database: &str, connections: usize) -> Store {
        self.connect(&self.url(self.port, database), connections).await.unwrap()
    }

    async fn connect(&self, url: &str, connections: usize) -> Result<Store, OpenError> {
        let mut node = [0; 16];
        node[..4].copy_from_slice(&self.nodes.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        let url = url.parse().unwrap();
        Store::connect(PostgresOptions { connections, ..PostgresOptions::new(url, node) }).await
    }

    /// The folder it lies in, and its socket.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Sets what `postgresql.conf` may say, from the next start on.
    pub(crate) fn configure(&self, settings: &str) {
        let file = self.data().join("postgresql.auto.conf");
        let before = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{before}\n{settings}\n")).unwrap();
    }

    /// Puts a file beside its data that it alone may read.
    pub(crate) fn keep(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        if std::fs::metadata(&path).unwrap().uid() == 0 {
            assert!(run(Command::new("chown").arg("postgres").arg(&path)));
        }
        path
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    fn url(&self, port: u16, database: &str) -> String {
        format!("postgres://homeport@127.0.0.1:{port}/{database}")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.data().join("postmaster.pid").exists() {
            self.stop();
        }
    }
}

fn run(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap().success()
}
